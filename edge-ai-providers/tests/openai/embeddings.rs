use bytes::Bytes;
use edge_ai_core::{EmbeddingOutput, EmbeddingRequest, EmbeddingText, ErrorKind, Usage};
use edge_ai_providers::openai::{
    EmbeddingEncoding, decode_embedding_request, decode_embedding_response, encode_embedding_request,
    encode_embedding_response,
};
use serde_json::json;

use crate::fixture::{fixture, json};

fn body(input: &str) -> Bytes {
    format!(r#"{{"model":"text-embedding-3-small","input":{input}}}"#).into()
}

#[test]
fn every_form_of_input_is_read() {
    let text = |text: &str| EmbeddingText::Text(text.into());
    let tokens = |tokens: &[u32]| EmbeddingText::Tokens(tokens.into());
    for (input, expected) in [
        (r#""a\n""#, vec![text("a\n")]),
        (r#"["a", "b"]"#, vec![text("a"), text("b")]),
        ("[1, 2, 3]", vec![tokens(&[1, 2, 3])]),
        ("[[1], [2, 3]]", vec![tokens(&[1]), tokens(&[2, 3])]),
    ] {
        let body = body(input);
        let call = decode_embedding_request(&body).unwrap();
        assert_eq!(call.request.texts, expected);
        assert_eq!(call.encoding, EmbeddingEncoding::Float);
        assert_eq!(encode_embedding_request(&call.request).unwrap(), body);
    }
}

#[test]
fn the_same_dialect_keeps_the_bytes() {
    let body = Bytes::from_static(
        br#"{ "input" : "a", "model":"m", "encoding_format":"base64", "dimensions": 256, "user":"u" }"#,
    );
    let mut call = decode_embedding_request(&body).unwrap();
    assert_eq!(
        (call.encoding, call.request.dimensions),
        (EmbeddingEncoding::Base64, Some(256))
    );
    assert_eq!(encode_embedding_request(&call.request).unwrap(), body);
    call.request.model = "n".into();
    assert_eq!(
        json(&encode_embedding_request(&call.request).unwrap())["model"],
        "n"
    );
    call.request.input.edit();
    let sent = json(&encode_embedding_request(&call.request).unwrap());
    assert_eq!(
        sent,
        json!({"model": "n", "input": ["a"], "encoding_format": "base64", "dimensions": 256, "user": "u"})
    );
}

#[test]
fn what_is_wrong_is_named() {
    let many = format!("[{}]", vec!["\"a\""; 2_049].join(","));
    for (body, param) in [
        (body("\"\""), "input"),
        (body("[]"), "input"),
        (body("5"), "input"),
        (body("null"), "input"),
        (body(&many), "input"),
        (body(r#"["a",""]"#), "input[1]"),
        (body(r#"["a",5]"#), "input[1]"),
        (body("[[1],[]]"), "input[1]"),
        (body("[[1],[-1]]"), "input[1]"),
        (body("[1,-1]"), "input"),
        (body(r#""a","encoding_format":"hex""#), "encoding_format"),
        (body(r#""a","dimensions":0"#), "dimensions"),
        (Bytes::from_static(br#"{"input":"a"}"#), "model"),
    ] {
        let error = decode_embedding_request(&body).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some(param)),
            "{error}"
        );
    }
    for texts in [vec![], vec!["a", ""], vec!["a"; 2_049]] {
        let error = encode_embedding_request(&EmbeddingRequest::new("m", texts)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn vectors_are_read_in_both_encodings_and_in_order() {
    let floats = decode_embedding_response(fixture!("embeddings/float.json")).unwrap();
    assert_eq!(
        floats.embeddings,
        [
            [0.002_306_425_5, -0.009_327_292, 1.0],
            [0.5, -1.0, f32::MIN_POSITIVE]
        ]
    );
    assert_eq!(
        (&*floats.model, floats.usage),
        ("text-embedding-3-small", Some(Usage::new(8, 0)))
    );
    let base64 = decode_embedding_response(fixture!("embeddings/base64.json")).unwrap();
    assert_eq!(base64.embeddings, [[0.5, -1.0, f32::MIN_POSITIVE]]);
}

#[test]
fn an_answer_is_sent_in_the_encoding_that_was_asked_for() {
    for body in [
        fixture!("embeddings/float.json"),
        fixture!("embeddings/base64.json"),
    ] {
        let response = decode_embedding_response(body.clone()).unwrap();
        let (mut kept, mut rewritten) = (0, 0);
        for encoding in [EmbeddingEncoding::Float, EmbeddingEncoding::Base64] {
            let sent = encode_embedding_response(&response, encoding, "other");
            let count = if sent == body { &mut kept } else { &mut rewritten };
            *count += 1;
            let is_text = json(&sent)["data"][0]["embedding"].is_string();
            assert_eq!(is_text, encoding == EmbeddingEncoding::Base64);
            assert_eq!(
                decode_embedding_response(sent).unwrap().into_inner(),
                response.clone().into_inner()
            );
        }
        assert_eq!((kept, rewritten), (1, 1));
    }
    let own = EmbeddingOutput::new("", vec![vec![0.1, 2.0]]);
    let sent = encode_embedding_response(&own.into(), EmbeddingEncoding::Float, "workers-ai/m");
    let item = json!({"object": "embedding", "index": 0, "embedding": [0.1, 2.0]});
    let expected = json!({"object": "list", "data": [item], "model": "workers-ai/m", "usage": {"prompt_tokens": 0, "total_tokens": 0}});
    assert_eq!(json(&sent), expected);
}

#[test]
fn junk_is_a_bad_upstream() {
    for junk in [
        "",
        "{}",
        r#"{"data":5}"#,
        r#"{"data":[{"index":0}]}"#,
        r#"{"data":[{"index":0,"embedding":"?"}]}"#,
        r#"{"data":[{"index":1,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
    ] {
        let error = decode_embedding_response(Bytes::from(junk)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{junk}: {error}");
    }
    let error = decode_embedding_response(fixture!("errors/model.json")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
