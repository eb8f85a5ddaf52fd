//! However a text is cut on its way, what is found and what goes out are the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use edge_ai_core::{
    ChatEvent, ChatFrame, ChatModel, ChatOutput, ChatRequest, ChatStream, Dialect, ErrorKind, FinishReason,
    GuardAction, ReasoningDelta, ToolCall, ToolCallDelta, Usage,
};
use edge_ai_guard::{DenyList, GuardedChatModel, Guardrails, Matcher, Pii, Rule, Secrets, find};
use edge_ai_testkit::scripted::{ScriptedChatModel, StreamStep};
use futures_executor::block_on;
use futures_util::StreamExt;
use proptest::prelude::*;

fn list() -> DenyList {
    DenyList::new("denied", ["forbidden", "new york city", "né"]).unwrap()
}

/// Pieces of texts in which something is found, nearly found, or not.
fn fragment() -> impl Strategy<Value = String> {
    let known = [
        "ada@example.com",
        "bob.smith+x@mail.example.co.uk",
        "@",
        "a@b",
        "4111 1111 1111 1111",
        "4111-1111",
        "+49 30 1234567",
        "(555) 234-5678",
        "555-234-5678",
        "DE89 3704 0044 0532 0130 00",
        "DE89",
        "123-45-6789",
        "203.0.113.9",
        "2001:db8::1",
        "::",
        "12:30:45",
        "sk-",
        "forbidden",
        "FORBID\u{200b}DEN",
        "new york",
        "New  York City",
        "nе\u{301}",
        "né",
        "[EMAIL_1]",
        "[EMAIL",
        "[email_1]",
        "password=",
        "abc123XYZ789qwe456",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "://user:pass1234@host",
        "eyJhbGciOi.eyJ",
        " ",
        "\n",
        ". ",
        "-",
        "\u{1f600}",
        "ü",
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_",
        "0",
        "00",
        "+",
        "(",
        "1.2.3.4.5",
        "\\",
        "\"",
        "{",
        "\\u0040",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}", 1 => "[a-z0-9@. -]{0,8}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 0..12).prop_map(|parts| parts.concat())
}

/// A text cut at characters, by the bits of a number.
fn cut(text: &str, bits: &[bool]) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for (index, character) in text.chars().enumerate() {
        if bits.get(index % bits.len().max(1)).copied().unwrap_or_default() {
            pieces.push(String::new());
        }
        pieces.last_mut().unwrap().push(character);
    }
    pieces
}

fn rails() -> Guardrails {
    Guardrails::new()
        .with(Rule::redact(Pii::all()))
        .with(Rule::redact(Secrets::all()))
        .with(Rule::redact(list()).restore(false))
}

fn guarded(model: &ScriptedChatModel, rails: Guardrails) -> GuardedChatModel {
    GuardedChatModel::new(Arc::new(model.clone()), rails)
}

/// A question whose address becomes `[EMAIL_1]`.
fn question() -> ChatRequest {
    ChatRequest::new("m").user("I am zoe@example.org")
}

/// The answer as it goes out whole.
fn whole(output: ChatOutput, rails: Guardrails) -> Result<ChatOutput, ErrorKind> {
    let model = guarded(&ScriptedChatModel::new().output(output), rails);
    block_on(model.chat(question()))
        .map(|answer| answer.into_inner())
        .map_err(|error| error.kind())
}

/// The answer as its stream adds up.
fn streamed(events: Vec<ChatEvent>, rails: Guardrails) -> Result<ChatOutput, ErrorKind> {
    let model = guarded(&ScriptedChatModel::new().events(events), rails);
    block_on(async { model.chat_stream(question()).await?.collect().await }).map_err(|error| error.kind())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_of_a_text_gives_the_same(text in text(), bits in prop::collection::vec(any::<bool>(), 1..40)) {
        let mut events: Vec<ChatEvent> = cut(&text, &bits).into_iter().map(ChatEvent::Text).collect();
        events.push(ChatEvent::Done);
        let wanted = whole(ChatOutput::from_text(text.clone()), rails()).unwrap();
        prop_assert_eq!(streamed(events, rails()).unwrap().text(), wanted.text());
    }

    #[test]
    fn any_cut_of_arguments_gives_the_same_and_stays_json(text in text(), number in any::<bool>(), bits in prop::collection::vec(any::<bool>(), 1..40)) {
        let value = if number { serde_json::json!(4_111_111_111_111_111_u64) } else { serde_json::json!("zoe") };
        let arguments = serde_json::json!({"a": text, "n": value}).to_string();
        let mut output = ChatOutput::default();
        output.content.push(edge_ai_core::ContentPart::ToolCall(ToolCall::new("1", "f", arguments.clone())));
        let wanted = whole(output, rails()).unwrap();
        let mut events = vec![ChatEvent::ToolCall(ToolCallDelta::start(0, "1", "f"))];
        events.extend(cut(&arguments, &bits).into_iter().map(|piece| ChatEvent::ToolCall(ToolCallDelta::arguments(0, piece))));
        events.push(ChatEvent::Done);
        let got = streamed(events, rails()).unwrap();
        let (got, wanted) = (got.tool_calls().next().unwrap().arguments.clone(), wanted.tool_calls().next().unwrap().arguments.clone());
        prop_assert_eq!(&got, &wanted);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&got).is_ok(), "{} became {}", arguments, got);
    }

    #[test]
    fn a_block_lets_nothing_of_the_match_out(before in "[a-z ]{0,30}", after in text(), bits in prop::collection::vec(any::<bool>(), 1..40)) {
        let text = format!("{before} ada@example.com {after}");
        let mut steps: Vec<StreamStep> = cut(&text, &bits).into_iter().map(StreamStep::text).collect();
        steps.push(StreamStep::event(ChatEvent::Done));
        let model = guarded(&ScriptedChatModel::new().stream(steps), Guardrails::new().with(Rule::block(Pii::all())));
        let (mut out, mut error) = (String::new(), None);
        block_on(async {
            let mut stream = model.chat_stream(ChatRequest::new("m").user("hi")).await.unwrap();
            while let Some(item) = stream.next().await {
                match item {
                    Ok(frame) => for event in frame.events {
                        prop_assert!(event != ChatEvent::Done);
                        if let ChatEvent::Text(text) = event { out.push_str(&text) }
                    },
                    Err(failed) => error = Some(failed),
                }
            }
            Ok(())
        })?;
        let error = error.unwrap();
        prop_assert_eq!((error.kind(), error.code()), (ErrorKind::ContentFiltered, Some("guardrail_blocked")));
        prop_assert!(!error.to_string().contains("ada"));
        let shown = format!("{before} ");
        prop_assert!(shown.starts_with(&out), "{:?} went out", out);
    }

    #[test]
    fn spans_are_of_the_text_and_in_order(text in "\\PC{0,200}") {
        for hits in [find(&text, &Pii::all()), find(&text, &Secrets::all()), find(&text, &list())] {
            let mut at = 0;
            for hit in hits {
                prop_assert!(hit.span.start >= at && hit.span.end > hit.span.start);
                prop_assert_eq!(&text[hit.span.clone()], &hit.text);
                at = hit.span.end;
            }
        }
    }

    #[test]
    fn what_is_taken_out_comes_back(text in text(), bits in prop::collection::vec(any::<bool>(), 1..40)) {
        // The model says what it was told.
        let echo = ScriptedChatModel::from_fn(|request| Ok(ChatOutput::from_text(request.messages[0].text())));
        let rails = || Guardrails::new().with(Rule::redact(Pii::all()).only(edge_ai_guard::Phase::Request));
        let model = guarded(&echo, rails());
        let answer = block_on(model.chat(ChatRequest::new("m").user(text.clone()))).unwrap();
        prop_assert_eq!(answer.text(), text.clone());
        let seen = echo.last_request().unwrap().messages[0].text();
        prop_assert!(find(&seen, &Pii::all()).iter().all(|hit| !text.is_empty() && hit.category != "email"), "{:?} was seen", seen);
        let mut steps: Vec<StreamStep> = cut(&seen, &bits).into_iter().map(StreamStep::text).collect();
        steps.push(StreamStep::event(ChatEvent::Done));
        let model = guarded(&ScriptedChatModel::new().stream(steps), rails());
        let back = block_on(async { model.chat_stream(ChatRequest::new("m").user(text.clone())).await.unwrap().collect().await }).unwrap();
        prop_assert_eq!(back.text(), text);
    }
}

/// What a stream has let out after each of the pieces.
fn let_out(pieces: &[&str], rails: Guardrails) -> Vec<String> {
    let steps = pieces
        .iter()
        .map(|piece| StreamStep::text(*piece))
        .chain([StreamStep::Hang]);
    let mut stream =
        block_on(guarded(&ScriptedChatModel::new().stream(steps), rails).chat_stream(question())).unwrap();
    let mut out = Vec::new();
    while let Some(Some(Ok(frame))) = futures_util::FutureExt::now_or_never(stream.next()) {
        for event in frame.events {
            if let ChatEvent::Text(text) = event {
                out.push(text);
            }
        }
    }
    out
}

#[test]
fn text_is_held_only_while_a_match_may_start_in_it() {
    assert_eq!(
        let_out(&["The ", "capital", " of", " France"], rails()),
        ["The ", "capital", " of"]
    );
    assert_eq!(
        let_out(&["mail ", "ada", "@exam", "ple.com", " now ", "x "], rails()),
        ["mail ", "[EMAIL]", " now ", "x "]
    );
    // A word that never ends is held for as long as an address may have it before its `@`.
    let long = "a".repeat(500);
    assert_eq!(let_out(&["x ", &long, " "], rails()).concat().len(), 503);
    let pieces: Vec<String> = (0..500).map(|_| "a".to_owned()).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let out = let_out(&pieces, rails());
    assert!(out.len() >= 500 - Pii::all().window(), "{} went out", out.len());
}

#[test]
fn frames_of_a_vendor_go_untouched_unless_they_are_changed() {
    let native =
        |text: &str| ChatFrame::with_native(vec![ChatEvent::Text(text.into())], text.to_owned().into());
    let frames = [
        native("Dear "),
        native("ada@"),
        native("example.com"),
        native(", hello"),
        ChatFrame::with_native(Vec::new(), "ping".into()),
        ChatFrame::with_native(
            vec![
                ChatEvent::Finish(FinishReason::Stop),
                ChatEvent::Usage(Usage::new(1, 2)),
            ],
            "end".into(),
        ),
        ChatFrame::with_native(vec![ChatEvent::Done], "done".into()),
    ];
    #[derive(Debug)]
    struct Vendor(Vec<ChatFrame>);
    #[edge_ai_core::async_trait]
    impl ChatModel for Vendor {
        async fn chat(&self, _: ChatRequest) -> edge_ai_core::Result<edge_ai_core::ChatResponse> {
            Ok(ChatOutput::default().into())
        }
        async fn chat_stream(&self, _: ChatRequest) -> edge_ai_core::Result<ChatStream> {
            let frames = self.0.clone().into_iter().map(Ok);
            Ok(ChatStream::in_dialect(
                Dialect::new("vendor"),
                futures_util::stream::iter(frames),
            ))
        }
    }
    let model = GuardedChatModel::new(Arc::new(Vendor(frames.to_vec())), rails());
    let stream = block_on(model.chat_stream(question())).unwrap();
    assert_eq!(stream.dialect(), Some(&Dialect::new("vendor")));
    let out: Vec<ChatFrame> = block_on(stream.map(Result::unwrap).collect());
    let mut wanted = frames.to_vec();
    // What was found stands where it starts, and the frame that it ended in is gone.
    wanted[1] = ChatFrame::new(vec![ChatEvent::Text("[EMAIL]".into())]);
    wanted.remove(2);
    assert_eq!(out, wanted);
}

#[test]
fn a_thought_that_was_changed_loses_its_signature() {
    let thought = |text: &str| ChatEvent::Reasoning(ReasoningDelta::text(text));
    let signature = || ChatEvent::Reasoning(ReasoningDelta::signature("sig"));
    let events = vec![
        thought("plain"),
        signature(),
        thought("mail ada@exa"),
        thought("mple.com, [EMAIL_1]"),
        signature(),
        ChatEvent::Text("ok".into()),
        ChatEvent::Done,
    ];
    let output = streamed(events, rails()).unwrap();
    let thoughts: Vec<(String, bool)> = output
        .content
        .iter()
        .filter_map(|part| match part {
            edge_ai_core::ContentPart::Reasoning(part) => Some((part.text.clone(), part.signature.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(
        thoughts,
        [
            ("plain".to_owned(), true),
            ("mail [EMAIL], [EMAIL_1]".to_owned(), false)
        ]
    );
}

#[test]
fn calls_that_interleave_are_followed_apart() {
    let arguments = |index, text: &str| ChatEvent::ToolCall(ToolCallDelta::arguments(index, text));
    let events = vec![
        ChatEvent::ToolCall(ToolCallDelta::start(0, "1", "f")),
        ChatEvent::ToolCall(ToolCallDelta::start(1, "2", "f")),
        arguments(0, "{\"to\":\"[EMA"),
        arguments(1, "{\"to\":\"ada\\u0040exam"),
        arguments(0, "IL_1]\"}"),
        arguments(1, "ple.com\"}"),
        ChatEvent::Finish(FinishReason::ToolCalls),
        ChatEvent::Usage(Usage::new(1, 2)),
        ChatEvent::Done,
    ];
    let output = streamed(events, rails()).unwrap();
    let calls: Vec<&str> = output.tool_calls().map(|call| call.arguments.as_str()).collect();
    assert_eq!(calls, [r#"{"to":"zoe@example.org"}"#, r#"{"to":"[EMAIL]"}"#]);
    assert_eq!(
        (output.finish_reason.clone(), output.usage),
        (FinishReason::ToolCalls, Some(Usage::new(1, 2)))
    );
}

#[test]
fn a_flag_holds_nothing_and_is_noted() {
    let request = ChatRequest::new("m").user("hi");
    let trail = request.context.trail.clone();
    let steps = [
        StreamStep::text("ada@"),
        StreamStep::text("example.com"),
        StreamStep::event(ChatEvent::Done),
    ];
    let model = guarded(
        &ScriptedChatModel::new().stream(steps),
        Guardrails::new().with(Rule::flag(Pii::all())),
    );
    let text = block_on(async { model.chat_stream(request).await.unwrap().collect().await })
        .unwrap()
        .text();
    assert_eq!(text, "ada@example.com");
    let notes = trail.guards();
    assert_eq!(
        (notes.len(), notes[0].action, notes[0].category.as_str()),
        (1, GuardAction::Flag, "email")
    );
}

#[test]
fn a_stream_that_breaks_off_says_what_it_had() {
    let steps = [StreamStep::text("hello wor"), StreamStep::text("ld")];
    let model = guarded(&ScriptedChatModel::new().stream(steps), rails());
    let stream = block_on(model.chat_stream(question())).unwrap();
    let items: Vec<_> = block_on(StreamExt::collect(stream));
    assert_eq!(items.len(), 3);
    assert_eq!(items[2].as_ref().unwrap_err().kind(), ErrorKind::Interrupted);
}

/// Counts how often it is asked.
#[derive(Clone, Debug)]
struct Counting<M>(M, Arc<std::sync::atomic::AtomicUsize>);

impl<M: Matcher> Matcher for Counting<M> {
    fn window(&self) -> usize {
        self.0.window()
    }

    fn step(&self, sight: &edge_ai_guard::Sight<'_>) -> edge_ai_guard::Step {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0.step(sight)
    }
}

#[test]
fn a_hostile_text_is_asked_about_once_a_character() {
    for unit in [
        "a",
        "a.",
        "4",
        "4 ",
        "+1 ",
        "(",
        "://a:",
        "sk-",
        "eyJ.",
        "[EMAIL_",
        "-----BEGIN ",
        "password=",
        "DE89",
        "f:",
        "new york ",
    ] {
        let text = unit.repeat(200_000 / unit.len());
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        find(&text, &Counting(Pii::all(), Arc::clone(&count)));
        find(&text, &Counting(Secrets::all(), Arc::clone(&count)));
        find(&text, &Counting(list(), Arc::clone(&count)));
        assert!(
            count.load(std::sync::atomic::Ordering::Relaxed) <= 3 * (text.len() + 1),
            "{unit}"
        );
    }
}
