use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_core::{
    Bytes, Cache, CacheKey, CacheMode, CachePolicy, CacheStatus, Error, ErrorKind, Result, SemanticIndex,
    SemanticLesson, SemanticMatch, SemanticQuestion, async_trait,
};

use super::*;

#[derive(Clone, Debug, Default)]
struct Kept {
    values: Arc<Mutex<HashMap<CacheKey, Bytes>>>,
    down: bool,
}

#[async_trait]
impl Cache for Kept {
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
        if self.down {
            return Err(Error::new(ErrorKind::Unavailable, "no cache"));
        }
        Ok(self.values.lock().unwrap().get(key).cloned())
    }

    async fn put(&self, key: &CacheKey, value: Bytes, _: Duration) -> Result<()> {
        self.values.lock().unwrap().insert(key.clone(), value);
        Ok(())
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        self.values.lock().unwrap().remove(key);
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
struct Meaning(Arc<Mutex<Vec<(SemanticQuestion, SemanticLesson)>>>);

#[async_trait]
impl SemanticIndex for Meaning {
    async fn find(&self, question: &SemanticQuestion) -> Result<Option<SemanticMatch>> {
        let kept = self.0.lock().unwrap();
        let found = kept.iter().find(|(known, _)| known.scope == question.scope);
        Ok(
            found
                .map(|(_, lesson)| SemanticMatch::new("entry", lesson.clone(), 0.99, Duration::from_secs(1))),
        )
    }

    async fn learn(&self, question: &SemanticQuestion, lesson: &SemanticLesson, _: Duration) -> Result<()> {
        self.0.lock().unwrap().push((question.clone(), lesson.clone()));
        Ok(())
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

fn status(model: &RagModel, request: ChatRequest) -> (String, Option<CacheStatus>) {
    let trail = request.context.trail.clone();
    let output = block_on(model.chat(request)).unwrap();
    (output.text(), trail.cache())
}

#[test]
fn a_frequent_question_is_answered_without_a_model() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new()
        .answer("Thirty [1].")
        .answer("Streamed [1].");
    let model = library.model(&chat).frequent(Kept::default(), HOUR);
    assert_eq!(
        status(&model, ask("How many days of leave?")),
        ("Thirty [1].".into(), Some(CacheStatus::Miss))
    );
    assert_eq!(
        status(&model, ask("how many  days of leave")),
        ("Thirty [1].".into(), Some(CacheStatus::Hit))
    );
    let output = block_on(model.chat(ask("How many days of leave?"))).unwrap();
    assert!(field(&output, "annotations").is_some() && field(&output, "sources").is_some());
    // A stream is kept and given, too.
    let stream =
        |question| block_on(async { model.chat_stream(ask(question)).await?.collect().await }).unwrap();
    assert_eq!(stream("How many days of leave?"), *output);
    assert_eq!(stream("sick leave?").text(), "Streamed [1].");
    assert_eq!(stream("sick leave?").text(), "Streamed [1].");
    assert_eq!(chat.remaining(), 0);
}

#[test]
fn an_answer_ends_with_any_change_of_the_documents() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new()
        .answer("Thirty [1].")
        .answer("Forty [1].")
        .answer("Gone.");
    let model = library.model(&chat).frequent(Kept::default(), HOUR);
    let question = || ask("How many days of leave?");
    status(&model, question());
    library.put("acme", chunk("new.md", "From 2027 on, days of leave are forty."));
    assert_eq!(
        status(&model, question()),
        ("Forty [1].".into(), Some(CacheStatus::Miss))
    );
    library.chunks.remove("chunk-of-leave.md");
    assert_eq!(status(&model, question()).0, "Gone.");
}

#[test]
fn what_makes_another_answer_is_another_entry() {
    let library = Library::handbook();
    library.put(
        "rival",
        chunk("leave.md", "The rival gives twenty days of leave."),
    );
    let chat = ScriptedChatModel::new().otherwise("So [1].");
    let kept = Kept::default();
    let model = || library.model(&chat).frequent(kept.clone(), HOUR);
    let question = || ask("days of leave?");
    let instructed = ChatRequest::new("docs")
        .system("Be brief.")
        .user("days of leave?")
        .with_context(question().context);
    let requests = [
        (model(), question()),
        (model(), ask("days of leave not?")),
        (model(), instructed),
        (model(), question().temperature(0.9)),
        (
            model(),
            question().with_context(Context::default().with_tenant("rival")),
        ),
        (model().instructions("Be kind."), question()),
        (model().retrieval(RetrievalOptions::new(1)), question()),
        (model().context_tokens(200), question()),
    ];
    let count = requests.len();
    for (model, request) in requests {
        assert_eq!(status(&model, request).1, Some(CacheStatus::Miss));
    }
    assert_eq!(kept.values.lock().unwrap().len(), count);
}

#[test]
fn what_may_not_be_kept_is_not() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().otherwise("So [1].");
    let kept = Kept::default();
    let model = library.model(&chat).frequent(kept.clone(), HOUR);
    let mut bypass = ask("days of leave?");
    bypass.context.cache = CachePolicy::new(CacheMode::Bypass);
    let conversation = ask("days of leave?").assistant("Thirty.").user("days of leave?");
    for request in [bypass, conversation] {
        assert_eq!(status(&model, request).1, None);
    }
    assert_eq!(kept.values.lock().unwrap().len(), 0);
    // A fresh answer was asked for: it replaces the kept one.
    let mut refresh = ask("days of leave?");
    refresh.context.cache = CachePolicy::new(CacheMode::Refresh);
    status(&model, refresh);
    assert_eq!(kept.values.lock().unwrap().len(), 1);
}

#[test]
fn a_cache_that_fails_is_none() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().otherwise("So [1].");
    let down = Kept {
        down: true,
        ..Kept::default()
    };
    let request = ask("days of leave?");
    let trail = request.context.trail.clone();
    assert_eq!(
        status(&library.model(&chat).frequent(down, HOUR), request).0,
        "So [1]."
    );
    assert!(trail.warnings()[0].contains("no cache"));
}

#[test]
fn a_semantic_index_stands_at_the_same_place_and_within_the_same_bounds() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new()
        .answer("Thirty [1].")
        .answer("Again [1].");
    let model = library.model(&chat).semantic(Meaning::default(), HOUR);
    status(&model, ask("How many days of leave?"));
    assert_eq!(
        status(&model, ask("What leave do I have?")),
        ("Thirty [1].".into(), Some(CacheStatus::Semantic))
    );
    library.put("acme", chunk("new.md", "More about leave."));
    assert_eq!(
        status(&model, ask("What leave do I have?")),
        ("Again [1].".into(), Some(CacheStatus::Miss))
    );
}
