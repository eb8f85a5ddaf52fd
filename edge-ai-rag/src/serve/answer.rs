use edge_ai_core::{Body, ChatEvent, ChatRequest, Result};
use futures_util::StreamExt as _;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::query::{Question, context};
use super::{Access, Asked, RagService, event, events, failure, json};
use crate::{AnswerEvent, Citation, Source};

#[derive(Serialize)]
struct Answered<'a> {
    answer: String,
    sources: &'a [Source],
    citations: &'a [Citation],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    invented_citations: &'a [u32],
    usage: serde_json::Value,
}

impl<A: Access> RagService<A> {
    pub(super) async fn answer(&self, asked: &Asked<'_>, body: Body) -> Result<Response<Body>> {
        let question: Question = self.read(body).await?;
        let options = question.options(self.model.options())?;
        // The name is checked as for a search; the tenant comes from the context.
        asked.namespace_named(question.namespace.as_deref())?;
        let model = match question.namespace {
            Some(name) => self.model.clone().namespace(name),
            None => self.model.clone(),
        };
        let request = ChatRequest::new("rag")
            .user(question.query)
            .with_context(context(asked));
        if question.stream || asked.wants_events() {
            let answer = model.answer_stream(request, Some(options)).await?;
            return Ok(events(
                answer.filter_map(|event| std::future::ready(told(event).map(Ok))),
            ));
        }
        let answer = model.answer(request, Some(options)).await?;
        let answered = Answered {
            answer: answer.text(),
            sources: &answer.sources,
            citations: &answer.citations,
            invented_citations: &answer.invented,
            usage: json!(answer.output.usage),
        };
        json(StatusCode::OK, &answered)
    }
}

/// An event of an answer; `None` for one that says nothing to the one who asks.
fn told(answered: Result<AnswerEvent>) -> Option<edge_ai_core::Bytes> {
    Some(match answered {
        Err(error) => event("error", &failure::body(&error)),
        Ok(AnswerEvent::Sources(sources)) => event("sources", &json!({"sources": sources})),
        Ok(AnswerEvent::Chat(ChatEvent::Text(text))) => event("delta", &json!({"text": text})),
        Ok(AnswerEvent::Chat(ChatEvent::Usage(usage))) => event("usage", &json!({"usage": usage})),
        Ok(AnswerEvent::Chat(ChatEvent::Done)) => event("done", &json!({})),
        Ok(AnswerEvent::Chat(_)) => return None,
        Ok(AnswerEvent::Citations { citations, invented }) => event(
            "citations",
            &json!({"citations": citations, "invented_citations": invented}),
        ),
    })
}
