use bytes::Bytes;
use edge_ai_core::{ServiceTier, Usage};
use http::HeaderMap;

use super::UsageTap;
use crate::bedrock::eventstream::Message;

fn tapped(media_type: &str, body: impl Into<Bytes>) -> UsageTap {
    let mut tap = UsageTap::new(&HeaderMap::from_iter([(
        "content-type".parse().unwrap(),
        media_type.parse().unwrap(),
    )]));
    let body = body.into();
    for piece in body.chunks(5) {
        tap.feed(&Bytes::copy_from_slice(piece));
    }
    tap
}

fn json(body: &'static str) -> Usage {
    tapped("application/json; charset=utf-8", body).usage().unwrap()
}

#[test]
fn whole_answers_of_every_vendor() {
    let chat = tapped(
        "application/json",
        r#"{"model":"gpt-6","choices":[{"message":{"content":"usage"}}],"service_tier":"flex","usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}"#,
    );
    assert_eq!(
        (chat.model(), chat.usage().unwrap().total_tokens()),
        (Some("gpt-6"), 13)
    );
    assert_eq!(chat.usage().unwrap().service_tier, ServiceTier::Flex);
    let responses = json(
        r#"{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":5},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":3}}}"#,
    );
    assert_eq!(
        (
            responses.input_tokens,
            responses.cache_read_tokens,
            responses.reasoning_tokens
        ),
        (9, 5, 3)
    );
    let messages = json(
        r#"{"type":"message","usage":{"input_tokens":9,"cache_read_input_tokens":5,"output_tokens":4}}"#,
    );
    assert_eq!((messages.input_tokens, messages.cache_read_tokens), (14, 5));
    let gemini =
        json(r#"{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":2}}"#);
    assert_eq!((gemini.input_tokens, gemini.output_tokens), (9, 6));
    let converse = json(r#"{"usage":{"inputTokens":9,"outputTokens":4,"totalTokens":13}}"#);
    assert_eq!(converse, Usage::new(9, 4));
    let cohere = json(
        r#"{"usage":{"billed_units":{"input_tokens":5,"output_tokens":4},"tokens":{"input_tokens":9,"output_tokens":4}}}"#,
    );
    assert_eq!(cohere, Usage::new(9, 4));
    assert_eq!(
        json(r#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#),
        Usage::new(8, 0)
    );
    assert_eq!(
        json(r#"{"text":"hi","usage":{"type":"duration","seconds":7}}"#).audio_ms,
        7_000
    );
    let picture = json(
        r#"{"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens":272}}"#,
    );
    assert_eq!((picture.input_image_tokens, picture.output_tokens), (40, 272));
}

#[test]
fn streams_of_every_vendor() {
    let events = |body: &'static str| tapped("text/event-stream", body);
    let chat = events(
        "data: {\"model\":\"m\",\"choices\":[]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n",
    );
    assert_eq!((chat.model(), chat.usage()), (Some("m"), Some(Usage::new(9, 4))));
    let messages = events(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n\
         event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n",
    );
    assert_eq!(
        (messages.model(), messages.usage()),
        (Some("claude"), Some(Usage::new(9, 4)))
    );
    let responses = events(
        "data: {\"type\":\"response.completed\",\"response\":{\"model\":\"m\",\"output\":[],\"usage\":{\"input_tokens\":9,\"input_tokens_details\":{},\"output_tokens\":4}}}\n\n",
    );
    assert_eq!(responses.usage(), Some(Usage::new(9, 4)));
    let cohere = events(
        "data: {\"type\":\"message-end\",\"delta\":{\"usage\":{\"billed_units\":{\"input_tokens\":9,\"output_tokens\":4}}}}\n\n",
    );
    assert_eq!(cohere.usage(), Some(Usage::new(9, 4)));
    let metadata = Message::event("metadata", r#"{"usage":{"inputTokens":9,"outputTokens":4}}"#).encode();
    assert_eq!(
        tapped("application/vnd.amazon.eventstream", metadata).usage(),
        Some(Usage::new(9, 4))
    );
}

#[test]
fn the_answers_of_a_conversation_add_up() {
    let mut tap = UsageTap::of_events();
    let done = br#"{"type":"response.done","response":{"usage":{"input_tokens":9,"output_tokens":4,"input_token_details":{"audio_tokens":8},"output_token_details":{"audio_tokens":3}}}}"#;
    tap.event(done);
    tap.event(br#"{"type":"response.output_audio.delta","delta":"AAAA"}"#);
    tap.event(done);
    let usage = tap.usage().unwrap();
    assert_eq!(
        (
            usage.input_tokens,
            usage.input_audio_tokens,
            usage.output_audio_tokens
        ),
        (18, 16, 6)
    );
}

#[test]
fn a_conversation_tells_its_model_its_transcriptions_and_what_broke_off() {
    let mut tap = UsageTap::of_events();
    tap.event(br#"{"type":"session.created","session":{"model":"gpt-realtime-2","audio":{"input":{"transcription":{"model":"whisper-1"}}}}}"#);
    tap.event(br#"{"type":"conversation.item.input_audio_transcription.completed","transcript":"usage","usage":{"type":"tokens","input_tokens":7,"output_tokens":2,"input_token_details":{"audio_tokens":7}}}"#);
    assert_eq!(tap.usage().map(|usage| usage.input_tokens), Some(7));
    assert_eq!(tap.transcriptions(), None);
    tap.event(br#"{"type":"response.created","response":{"id":"resp_1"}}"#);
    assert_eq!(tap.unfinished(), 1);
    tap.event(br#"{"type":"response.done","response":{"usage":{"input_tokens":100,"output_tokens":5,"input_token_details":{"cached_tokens":80,"audio_tokens":90,"cached_tokens_details":{"text_tokens":5,"audio_tokens":75}}}}}"#);
    let usage = tap.usage().unwrap();
    assert_eq!(
        (
            usage.input_tokens,
            usage.cache_read_tokens,
            usage.input_audio_tokens
        ),
        (100, 80, 15)
    );
    assert_eq!((tap.model(), tap.unfinished()), (Some("gpt-realtime-2"), 0));
    assert_eq!(tap.transcriptions().map(|usage| usage.input_tokens), Some(7));
    tap.event(br#"{"type":"response.created","response":{"id":"resp_2","usage":null}}"#);
    tap.event(br#"{"type":"response.done","response":{"usage":null}}"#);
    assert_eq!(tap.usage().map(|usage| usage.input_tokens), Some(100));
}

#[test]
fn what_is_not_known_has_no_tokens() {
    for (media_type, body) in [
        ("audio/mpeg", "\u{1}usage"),
        ("application/json", r#"{"usage":"none"}"#),
        ("application/json", r#"{"usage":{"requests":1}}"#),
        ("text/event-stream", "data: usage\n\n"),
        (
            "application/vnd.amazon.eventstream",
            "nonsense that is no message at all",
        ),
    ] {
        assert_eq!(tapped(media_type, body).usage(), None, "{body}");
    }
}
