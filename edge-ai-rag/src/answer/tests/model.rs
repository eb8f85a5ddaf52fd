use edge_ai_core::{
    Capabilities, ChatEvent, ChatFrame, ContentPart, Error, ErrorKind, FinishReason, Provider, RawJson,
    ResponseFormat, Result, Role, Usage,
};
use edge_ai_testkit::contract::chat_model::{ChatModelSubject, cases};
use futures_util::StreamExt;
use serde_json::json;

use super::*;
use crate::{QueryWork, Threshold};

#[test]
fn an_answer_cites_document_heading_and_bytes() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().answer("Thirty days [1].");
    let answer = answer(
        &library.model(&chat),
        ask("How many days of leave do employees have?"),
    );
    assert_eq!(answer.text(), "Thirty days [1].");
    let cited = &answer.citations[0];
    assert_eq!(cited.document_id.as_str(), "leave.md");
    assert_eq!(
        (cited.chunk_id.as_str(), cited.heading.as_slice()),
        ("chunk-of-leave.md", &["Leave".to_owned(), "Days".to_owned()][..])
    );
    assert_eq!((cited.range.clone(), cited.at.clone()), (0..36, 12..15));
    assert_eq!(cited.source.as_deref(), Some("https://example.com/leave"));
    assert_eq!(answer.sources.len(), 2);

    let asked = chat.last_request().unwrap();
    assert_eq!(asked.model, "answerer");
    assert_eq!(asked.messages[0].role, Role::System);
    let turn = asked.messages[1].text();
    assert!(
        turn.contains("Source [1]:\n===")
            && turn.contains("Leave > Days\n\nEmployees have thirty days of leave.")
    );
    assert!(turn.ends_with("Question:\nHow many days of leave do employees have?"));
}

#[test]
fn openai_clients_see_sources_and_annotations() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().answer("Thirty [1], with a note [2] [7].");
    let context = Context::default().with_tenant("acme");
    let request = ask("days of leave, sick note?").with_context(context.clone());
    let output = block_on(library.model(&chat).chat(request)).unwrap();
    assert_eq!(output.text(), "Thirty [1], with a note [2].");
    let annotations = field(&output, "annotations").unwrap();
    let by_url = annotations
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["type"] == "url_citation")
        .unwrap();
    let place = &by_url["url_citation"];
    assert_eq!(
        (&place["url"], &place["title"]),
        (&json!("https://example.com/leave"), &json!("Leave"))
    );
    assert_eq!(by_url["document"]["heading"], json!(["Leave", "Days"]));
    let by_file = annotations
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["type"] == "file_citation")
        .unwrap();
    assert_eq!(by_file["file_citation"]["file_id"], "sick.md");
    assert_eq!(by_file["document"]["range"], json!({"start": 0, "end": 43}));
    assert_eq!(field(&output, "sources").unwrap().as_array().unwrap().len(), 2);
    assert_eq!(field(&output, "invented_citations"), Some(json!([7])));
    assert!(context.trail.warnings()[0].contains("[7]"));
}

#[test]
fn a_stream_has_its_sources_first_and_its_citations_and_usage_last() {
    let library = Library::handbook();
    let pieces = ["Thirty days", " [", "1", "].", " And", " [9", "]."];
    let mut events = vec![ChatEvent::Start(edge_ai_core::ChatStart::new(
        "id",
        "answerer-2026",
    ))];
    events.extend(pieces.map(|piece| ChatEvent::Text(piece.into())));
    events.extend([
        ChatEvent::Finish(FinishReason::Stop),
        ChatEvent::Usage(Usage::new(5, 7)),
        ChatEvent::Done,
    ]);
    let model = library.model(&ScriptedChatModel::new().events(events.clone()).events(events));
    let stream = block_on(model.answer_stream(ask("How many days of leave?"), None)).unwrap();
    let events: Vec<AnswerEvent> = block_on(stream.map(Result::unwrap).collect());
    assert!(matches!(&events[0], AnswerEvent::Chat(ChatEvent::Start(_))));
    assert!(matches!(&events[1], AnswerEvent::Sources(sources) if sources.len() == 2));
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            AnswerEvent::Chat(ChatEvent::Text(text)) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(text, "Thirty days [1]. And.");
    let tail = &events[events.len() - 4..];
    assert!(
        matches!(&tail[0], AnswerEvent::Citations { citations, invented } if citations.len() == 1 && *invented == [9])
    );
    assert_eq!(tail[2], AnswerEvent::Chat(ChatEvent::Usage(Usage::new(5, 7))));
    assert_eq!(tail[3], AnswerEvent::Chat(ChatEvent::Done));

    let output = block_on(async {
        model
            .chat_stream(ask("How many days of leave?"))
            .await?
            .collect()
            .await
    })
    .unwrap();
    assert_eq!(
        (output.text().as_str(), output.model.as_str()),
        ("Thirty days [1]. And.", "answerer-2026")
    );
    assert_eq!(output.usage, Some(Usage::new(5, 7)));
    assert_eq!(
        field(&output, "annotations").unwrap()[0]["url_citation"]["start_index"],
        12
    );
}

#[test]
fn a_stream_that_breaks_off_is_an_error() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().events([ChatEvent::Text("Thirty".into())]);
    let stream = block_on(library.model(&chat).chat_stream(ask("days of leave?"))).unwrap();
    let items: Vec<Result<ChatFrame>> = block_on(StreamExt::collect(stream));
    assert_eq!(
        items.last().unwrap().as_ref().unwrap_err().kind(),
        ErrorKind::Interrupted
    );
}

#[test]
fn without_evidence_no_model_is_asked() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new();
    let model = library
        .model(&chat)
        .not_found("Das steht nicht in den Dokumenten.");
    // Nothing found, and found too weakly.
    for (model, question) in [
        (model.clone(), "quantum chromodynamics"),
        (
            model.clone().evidence(Threshold::default().keyword(1_000.0)),
            "days of leave",
        ),
        (
            model.clone().evidence(Threshold::default().dense(0.5)),
            "days of leave",
        ),
        (model.clone().context_tokens(1), "days of leave"),
    ] {
        let answer = answer(&model, ask(question));
        assert_eq!(answer.text(), "Das steht nicht in den Dokumenten.");
        assert_eq!(
            (answer.sources.len(), answer.output.usage),
            (0, Some(Usage::default()))
        );
        let streamed = block_on(async { model.chat_stream(ask(question)).await?.collect().await }).unwrap();
        assert_eq!(streamed.text(), "Das steht nicht in den Dokumenten.");
    }
    assert_eq!(chat.requests().len(), 0);
}

#[test]
fn a_tenant_is_answered_from_its_own_documents() {
    let library = Library::handbook();
    library.put(
        "rival",
        chunk("secret.md", "The days of leave at the rival are forty."),
    );
    let chat = ScriptedChatModel::new().otherwise("So [1].");
    let mine = answer(&library.model(&chat), ask("days of leave"));
    assert!(
        mine.sources
            .iter()
            .all(|source| source.document_id.as_str() != "secret.md")
    );
    let other = ask("days of leave").with_context(Context::default().with_tenant("nobody"));
    assert_eq!(answer(&library.model(&chat), other).sources, []);
}

#[test]
fn a_conversation_is_rewritten_or_searched_with_the_turn_before() {
    let library = Library::handbook();
    let conversation = || {
        ask("What about sick leave?")
            .assistant("It needs a note [1].")
            .user("From which day?")
    };
    let chat = ScriptedChatModel::new().otherwise("The third [1].");
    // By the words of the last turn alone, the first document would not be found.
    assert_eq!(
        answer(&library.model(&chat), conversation()).sources[0]
            .document_id
            .as_str(),
        "sick.md"
    );
    assert_eq!(chat.last_request().unwrap().messages.len(), 4);

    let query = ScriptedChatModel::new().answer("From which day does sick leave need a note?");
    let retriever = library.retriever().query_model(query.clone(), "small");
    let model = RagModel::new(retriever, chat, "answerer", SeededEntropy::new(1)).namespace("docs");
    assert_eq!(
        answer(&model, conversation()).sources[0].document_id.as_str(),
        "sick.md"
    );
    assert_eq!(query.requests().len(), 1);
}

#[test]
fn a_requests_own_options_count() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().otherwise("So [1].");
    let model = library.model(&chat);
    let one = block_on(model.answer(ask("days of leave, sick"), Some(RetrievalOptions::new(1)))).unwrap();
    assert_eq!(one.sources.len(), 1);
    let wrong = RetrievalOptions::new(1).query(QueryWork::default().hyde());
    let error = block_on(model.answer(ask("days of leave"), Some(wrong))).unwrap_err();
    assert_eq!(error.param(), Some("query"));
}

#[test]
fn json_is_not_searched_for_marks() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().answer(r#"{"days":[9]}"#);
    let request = ask("days of leave?").response_format(ResponseFormat::JsonSchema {
        name: "days".into(),
        description: None,
        schema: RawJson::parse("{}").unwrap(),
        strict: None,
    });
    let answer = answer(&library.model(&chat), request);
    assert_eq!(
        (answer.text().as_str(), answer.invented.len()),
        (r#"{"days":[9]}"#, 0)
    );
    assert!(!chat.last_request().unwrap().messages[0].text().contains("[1]"));
}

#[test]
fn tools_pictures_and_forms_reach_the_model_without_sources_too() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().otherwise("{}");
    let model = library.model(&chat);
    let question = || ask("quantum chromodynamics");
    let picture = ContentPart::image_url("https://example.com/a.png");
    let mut pictured = question();
    pictured.input.edit().messages[0].content.push(picture);
    let tool = edge_ai_core::FunctionTool::new("f", "", RawJson::parse("{}").unwrap());
    for request in [
        pictured,
        question().tool(tool),
        question().response_format(ResponseFormat::JsonObject),
    ] {
        block_on(model.chat(request)).unwrap();
        let turn = chat.last_request().unwrap().messages[1].text();
        assert!(turn.starts_with("There are no sources"), "{turn}");
    }
    assert_eq!(chat.requests().len(), 3);
}

#[test]
fn what_is_no_question_is_refused_by_its_field() {
    let model = Library::handbook().model(&ScriptedChatModel::new());
    for request in [
        ChatRequest::new("docs"),
        ask(" "),
        ChatRequest::new("docs").system("x"),
    ] {
        let error = block_on(model.answer(request, None)).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some("messages"))
        );
    }
    let mut many = ask("days?");
    many.input.edit().choices = Some(2);
    assert_eq!(block_on(model.answer(many, None)).unwrap_err().param(), Some("n"));
}

#[test]
fn a_provider_serves_its_models_by_name() {
    let library = Library::handbook();
    let chat = ScriptedChatModel::new().otherwise("Thirty [1].");
    let provider =
        RagProvider::new("rag").model_with("docs", library.model(&chat), Capabilities::CHAT.tools());
    assert_eq!(
        (provider.name(), provider.models()[0].id.as_str()),
        ("rag", "docs")
    );
    let model = provider.chat_model().unwrap();
    assert_eq!(
        block_on(model.chat(ask("days of leave?"))).unwrap().text(),
        "Thirty [1]."
    );
    let mut unknown = ask("days of leave?");
    unknown.model = "nothing".into();
    let error = block_on(model.chat(unknown)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("docs"));
}

#[test]
fn keeps_the_contract_of_a_chat_model() {
    let library = Library::empty();
    let namespace = Namespace::of(None, Some("docs"));
    let text = "The capital of France is Paris, on the Seine, with 2100000 inhabitants and weather.";
    let record = KeywordRecord::new("chunk-of-paris", text).namespace(namespace.as_str());
    block_on(library.words.upsert(vec![record])).unwrap();
    library.chunks.put(&namespace, chunk("paris", text));
    let subject = || {
        let inner = ScriptedChatModel::from_fn(answer_of_a_simple_model);
        let in_flight = inner.in_flight();
        ChatModelSubject::new(library.model(&inner), "docs").with_in_flight(in_flight)
    };
    block_on(edge_ai_testkit::run(cases(), subject)).assert_passed_but(&[
        "a_tool_makes_a_round_trip",
        "a_required_tool_is_called",
        "a_named_tool_is_called",
        "no_tool_is_called_when_none_may_be",
        "a_streamed_call_accumulates_to_the_same_call",
        "a_call_has_an_id_of_its_own",
        "an_answer_fits_its_schema",
        "a_streamed_answer_fits_its_schema",
        "an_unknown_model_is_not_found",
        "a_rate_limit_tells_when_to_come_back",
        "a_rate_limited_stream_fails_at_the_call",
        "a_failing_vendor_may_be_retried",
        "a_wrong_key_is_an_authentication_error",
        "a_cut_stream_is_interrupted",
        "a_stream_without_its_end_mark_is_interrupted",
        "an_error_within_a_stream_ends_it",
        "a_malformed_frame_is_a_bad_upstream",
        "an_answer_that_is_none_is_a_bad_upstream",
    ]);
}

/// Answers with one text, and refuses what it cannot.
fn answer_of_a_simple_model(request: &ChatRequest) -> Result<ChatOutput> {
    let image = request.any_part(|part| matches!(part, ContentPart::Image(_)));
    if image || !request.tools.is_empty() || !request.stop.is_empty() || request.response_format.is_some() {
        return Err(Error::new(ErrorKind::Unsupported, "only text"));
    }
    let cut = request.max_output_tokens.is_some_and(|most| most < 3);
    let mut output = ChatOutput::from_text(if cut { "Paris" } else { "Paris [1]" });
    output.model = "answerer".into();
    let words = request
        .messages
        .iter()
        .map(|message| message.text().split_whitespace().count() as u64)
        .sum();
    output.usage = Some(Usage::new(words, if cut { 1 } else { 3 }));
    output.finish_reason = if cut {
        FinishReason::Length
    } else {
        FinishReason::Stop
    };
    Ok(output)
}
