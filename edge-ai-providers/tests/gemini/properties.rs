use bytes::Bytes;
use edge_ai_core::{ChatEvent, ChatRequest, ContentPart, Error, Message, ReasoningPart, Role, ToolCall};
use edge_ai_providers::gemini::{
    GenerateStreamDecoder, decode_error, decode_generate_response, encode_generate_request,
};
use proptest::prelude::*;

use crate::fixture;

fn read(stream: &Bytes, cuts: &[usize]) -> (Vec<ChatEvent>, Option<Error>) {
    let mut decoder = GenerateStreamDecoder::new();
    let mut events = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([stream.len()]) {
        match decoder.push(stream.slice(from..to)) {
            Ok(frames) => events.extend(frames.into_iter().flat_map(|frame| frame.events)),
            Err(error) => return (events, Some(error)),
        }
        from = to;
    }
    match decoder.finish() {
        Ok(frames) => {
            events.extend(frames.into_iter().flat_map(|frame| frame.events));
            (events, None)
        }
        Err(error) => (events, Some(error)),
    }
}

fn part() -> impl Strategy<Value = ContentPart> {
    prop_oneof![
        "[a-zé\"\\\\ ]{0,4}".prop_map(ContentPart::text),
        ("[a-z]{0,3}", prop::option::of("(gemini:)?[A-Z]{0,3}"))
            .prop_map(|(text, signature)| ContentPart::Reasoning(ReasoningPart::new(text, signature))),
        "[a-z]{1,3}".prop_map(|id| ContentPart::ToolCall(ToolCall::new(id, "f", "{\"a\": 1.10}"))),
    ]
}

proptest! {
    /// However a stream is cut, it says the same.
    #[test]
    fn any_cut_of_any_stream_says_the_same(cuts in prop::collection::vec(0_usize..2_000, 0..12)) {
        for stream in [fixture!("text.stream.sse"), fixture!("tools.stream.sse"), fixture!("overloaded.stream.sse")] {
            let mut cuts = cuts.clone();
            cuts.retain(|cut| *cut < stream.len());
            cuts.sort_unstable();
            let ((whole, failed), (cut, failed_cut)) = (read(&stream, &[]), read(&stream, &cuts));
            prop_assert_eq!(whole, cut);
            prop_assert_eq!(failed.map(|error| error.to_string()), failed_cut.map(|error| error.to_string()));
        }
    }

    /// Nothing that comes panics.
    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        json in "(\\{\"(candidates|error|promptFeedback|usageMetadata)\":)?[\\[{\"]?(content|parts|text|functionCall|finishReason|[0-9]|:|,|\"|\\{|\\[|\\]|\\}| ){0,30}",
        status in any::<u16>(),
    ) {
        for body in [Bytes::from(bytes), Bytes::from(json)] {
            let _ = decode_generate_response(body.clone());
            let _ = decode_error(status, &http::HeaderMap::new(), body.clone());
            let event = [b"data: ", &body[..], b"\n\n"].concat();
            let _ = read(&Bytes::from(event), &[]);
        }
    }

    /// The same conversation is always written alike, as JSON, with every signature of Gemini's in it and no other.
    #[test]
    fn a_conversation_is_written_alike(parts in prop::collection::vec(part(), 1..8)) {
        let request = || ChatRequest::new("gemini-3.8-flash").user("?").message(Message::new(Role::Assistant, parts.clone())).user("!");
        let body = encode_generate_request(&request()).unwrap();
        prop_assert_eq!(&body, &encode_generate_request(&request()).unwrap());
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let mut sent = Vec::new();
        for part in value["contents"].as_array().unwrap().iter().flat_map(|content| content["parts"].as_array().unwrap()) {
            sent.extend(part["thoughtSignature"].as_str().filter(|signature| !signature.starts_with("skip_")).map(str::to_owned));
        }
        let given: Vec<_> = parts.iter().filter_map(|part| match part {
            ContentPart::Reasoning(part) => part.signature.as_deref()?.strip_prefix("gemini:").filter(|own| !own.is_empty()).map(str::to_owned),
            _ => None,
        }).collect();
        sent.sort();
        let mut given = given;
        given.sort();
        prop_assert_eq!(sent, given);
    }
}
