mod attacks;
mod frequent;
mod model;

use edge_ai_core::{
    ChatModel, ChatOutput, ChatRequest, Context, Dialect, KeywordRecord, KeywordStore, ManualClock, Message,
    SeededEntropy, Timestamp,
};
use edge_ai_testkit::scripted::ScriptedChatModel;
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;
use serde_json::Value;

use super::*;
use crate::testing::Chunks;
use crate::{DocumentId, Fts5Store, Namespace, RetrievalOptions, Retriever, StoredChunk};

const CHAT: Dialect = Dialect::new("openai.chat");

/// Documents found by their words.
struct Library {
    chunks: Chunks,
    words: Fts5Store,
    clock: ManualClock,
}

impl Library {
    fn empty() -> Self {
        Self {
            chunks: Chunks::default(),
            words: Fts5Store::new(Sqlite::new(&[Fts5Store::MIGRATION])),
            clock: ManualClock::jumping(Timestamp::from_millis(1_000_000)),
        }
    }

    fn handbook() -> Self {
        let library = Self::empty();
        let mut leave = chunk("leave.md", "Employees have thirty days of leave.");
        leave.title = Some("Leave".into());
        leave.heading = vec!["Leave".into(), "Days".into()];
        leave.source = Some("https://example.com/leave".into());
        library.put("acme", leave);
        library.put(
            "acme",
            chunk("sick.md", "Sick leave needs a note from the third day."),
        );
        library
    }

    fn put(&self, tenant: &str, chunk: StoredChunk) {
        let namespace = Namespace::of(Some(tenant), Some("docs"));
        let record = KeywordRecord::new(chunk.id.as_str(), chunk.text.as_str()).namespace(namespace.as_str());
        block_on(self.words.upsert(vec![record])).unwrap();
        self.chunks.put(&namespace, chunk);
    }

    fn retriever(&self) -> Retriever {
        Retriever::new(self.chunks.clone(), self.clock.clone()).keyword(self.words.clone())
    }

    fn model(&self, chat: &ScriptedChatModel) -> RagModel {
        RagModel::new(self.retriever(), chat.clone(), "answerer", SeededEntropy::new(9)).namespace("docs")
    }
}

fn chunk(document: &str, text: &str) -> StoredChunk {
    let id = format!("chunk-of-{document}");
    StoredChunk::new(
        id,
        DocumentId::new(document).unwrap(),
        0,
        text,
        0..text.len() as u64,
    )
}

fn ask(question: &str) -> ChatRequest {
    ChatRequest::new("docs")
        .user(question)
        .with_context(Context::default().with_tenant("acme"))
}

fn answer(model: &RagModel, request: ChatRequest) -> Answer {
    block_on(model.answer(request, None)).unwrap()
}

/// A field of the answer's message as an OpenAI client sees it.
fn field(output: &ChatOutput, name: &str) -> Option<Value> {
    output.content.iter().find_map(|part| match part {
        edge_ai_core::ContentPart::Other(extra) => extra.get(&CHAT, name)?.to().ok(),
        _ => None,
    })
}
