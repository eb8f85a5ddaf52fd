use edge_ai_core::{
    AudioPart, ChatRequest, ContentPart, Error, ErrorKind, Extra, FilePart, FunctionTool, ImagePart, Media,
    Message, RawJson, ReasoningConfig, ReasoningPart, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
    ToolResult,
};
use edge_ai_providers::gemini::{GENERATE, encode_generate_request};
use serde_json::{Value, json};

const NEW: &str = "gemini-3.8-flash";
const OLD: &str = "gemini-2.5-flash";

pub(crate) fn encode(request: &ChatRequest) -> Value {
    serde_json::from_slice(&encode_generate_request(request).unwrap()).unwrap()
}

fn refused(request: &ChatRequest) -> Error {
    encode_generate_request(request).unwrap_err()
}

fn raw(value: Value) -> RawJson {
    RawJson::from_serialize(&value).unwrap()
}

fn extra(name: &str, value: Value) -> Extra {
    Extra::new(GENERATE, vec![(name.to_owned(), raw(value))])
}

fn weather() -> FunctionTool {
    FunctionTool::new(
        "get_weather",
        "The weather.",
        raw(json!({"type": "object", "properties": {"city": {"type": ["string", "null"]}}})),
    )
}

fn schema(strict: Option<bool>) -> ResponseFormat {
    ResponseFormat::JsonSchema {
        name: "city".into(),
        description: None,
        schema: raw(json!({"type": "object"})),
        strict,
    }
}

#[test]
fn a_conversation_with_tools() {
    let calls = vec![
        ContentPart::text("Let me look."),
        ContentPart::ToolCall(ToolCall::new("c1", "get_weather", r#"{"city":"Paris","n":1.10}"#)),
        ContentPart::ToolCall(ToolCall::new("c2", "get_weather", "")),
    ];
    let mut failed = ToolResult::from_text("c2", "no city");
    failed.is_error = true;
    let results = vec![
        ContentPart::ToolResult(ToolResult::from_text("c1", r#"{"celsius": 21.0}"#)),
        ContentPart::ToolResult(failed),
    ];
    let request = ChatRequest::new(NEW)
        .system("Be brief.")
        .user("The weather?")
        .message(Message::new(Role::Assistant, calls))
        .message(Message::new(Role::Tool, results))
        .message(Message::from_text(Role::User, "Well?"))
        .tool(weather())
        .tool_choice(ToolChoice::Function("get_weather".into()))
        .max_output_tokens(100);
    let body = encode(&request);
    assert_eq!(
        body,
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "The weather?"}]},
                {"role": "model", "parts": [
                    {"text": "Let me look."},
                    {"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Paris", "n": 1.10}},
                     "thoughtSignature": "skip_thought_signature_validator"},
                    {"functionCall": {"id": "c2", "name": "get_weather", "args": {}}}]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "c1", "name": "get_weather", "response": {"celsius": 21.0}}},
                    {"functionResponse": {"id": "c2", "name": "get_weather", "response": {"error": "no city"}}},
                    {"text": "Well?"}]}],
            "tools": [{"functionDeclarations": [{"name": "get_weather", "description": "The weather.",
                "parametersJsonSchema": {"type": "object", "properties": {"city": {"type": ["string", "null"]}}}}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}},
            "generationConfig": {"maxOutputTokens": 100}
        })
    );
    // Digits and order stay as they were written.
    let text = encode_generate_request(&request).unwrap();
    assert!(
        std::str::from_utf8(&text)
            .unwrap()
            .contains(r#"{"city":"Paris","n":1.10}"#)
    );
    // An older model knows neither ids nor signatures of calls.
    let mut old = request;
    old.model = OLD.into();
    assert_eq!(
        encode(&old)["contents"][1]["parts"][1],
        json!({"functionCall": {"name": "get_weather", "args": {"city": "Paris", "n": 1.10}}})
    );
}

#[test]
fn signatures_go_back_to_where_they_stood() {
    let thought = |signature: &str| ContentPart::Reasoning(ReasoningPart::new("hm", Some(signature.into())));
    let call = |id: &str| ContentPart::ToolCall(ToolCall::new(id, "f", "{}"));
    let parts = |content: Vec<ContentPart>| {
        let request = ChatRequest::new(NEW)
            .user("?")
            .message(Message::new(Role::Assistant, content))
            .user("!");
        encode(&request)["contents"][1]["parts"].clone()
    };
    let called = |id: &str| json!({"id": id, "name": "f", "args": {}});
    assert_eq!(
        parts(vec![thought("gemini:S"), call("1"), call("2")]),
        json!([{"functionCall": called("1"), "thoughtSignature": "S"}, {"functionCall": called("2")}])
    );
    // As OpenAI's dialect orders them: thoughts before the text before the calls.
    assert_eq!(
        parts(vec![thought("gemini:S"), ContentPart::text("a"), call("1")]),
        json!([{"text": "a"}, {"functionCall": called("1"), "thoughtSignature": "S"}])
    );
    assert_eq!(
        parts(vec![thought("gemini:S"), ContentPart::text("a")]),
        json!([{"text": "a", "thoughtSignature": "S"}])
    );
    assert_eq!(
        parts(vec![ContentPart::text("a"), thought("gemini:S")]),
        json!([{"text": "a"}, {"text": "", "thoughtSignature": "S"}])
    );
    // Another vendor's is none.
    assert_eq!(
        parts(vec![thought("EqQBCkY="), call("1")]),
        json!([{"functionCall": called("1"), "thoughtSignature": "skip_thought_signature_validator"}])
    );
    let unsigned = ContentPart::Reasoning(ReasoningPart::new("hm", None));
    assert_eq!(
        parts(vec![unsigned, ContentPart::text("a")]),
        json!([{"text": "a"}])
    );
}

#[test]
fn pictures_sound_and_documents() {
    let picture = |source| ContentPart::Image(ImagePart::new(source, None, Extra::default()));
    let base64 = |media_type: &str| Media::Base64 {
        media_type: media_type.into(),
        data: "aGk=".into(),
    };
    let content = |part| ChatRequest::new(NEW).message(Message::new(Role::User, vec![part]));
    let part = |part| encode(&content(part))["contents"][0]["parts"][0].clone();
    assert_eq!(
        part(picture(base64("image/jpg"))),
        json!({"inlineData": {"mimeType": "image/jpeg", "data": "aGk="}})
    );
    assert_eq!(
        part(picture(Media::Url("https://example.com/a.png".into()))),
        json!({"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}})
    );
    assert_eq!(
        part(ContentPart::File(FilePart::new(
            Media::FileId("files/abc".into()),
            None,
            Extra::default()
        ))),
        json!({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}})
    );
    assert_eq!(
        part(ContentPart::Audio(AudioPart::new(
            "aGk=".into(),
            "wav".into(),
            Extra::default()
        ))),
        json!({"inlineData": {"mimeType": "audio/wav", "data": "aGk="}})
    );
    for wrong in [
        picture(base64("image/svg+xml")),
        picture(base64("image/gif")),
        picture(Media::Url("ftp://example.com/a.png".into())),
        picture(Media::FileId("file-123".into())),
    ] {
        let error = refused(&content(wrong));
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some("messages[0].content[0]"))
        );
    }
    let mut seen = ToolResult::from_text("c1", "a picture");
    seen.content.push(picture(base64("image/png")));
    let request = ChatRequest::new(NEW)
        .user("?")
        .message(Message::new(
            Role::Assistant,
            vec![ContentPart::ToolCall(ToolCall::new("c1", "look", "{}"))],
        ))
        .message(Message::new(Role::Tool, vec![ContentPart::ToolResult(seen)]));
    assert_eq!(
        encode(&request)["contents"][2]["parts"][0]["functionResponse"]["parts"],
        json!([{"inlineData": {"mimeType": "image/png", "data": "aGk="}}])
    );
}

#[test]
fn the_form_of_the_answer() {
    let config = |request: ChatRequest| encode(&request)["generationConfig"].clone();
    let ask = |model: &str| ChatRequest::new(model).user("?");
    assert_eq!(
        config(ask(OLD).response_format(schema(Some(true)))),
        json!({"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}})
    );
    assert_eq!(
        config(ask(NEW).response_format(ResponseFormat::JsonObject)),
        json!({"responseMimeType": "application/json"})
    );
    assert!(
        config(ask(NEW).tool(weather()).response_format(schema(Some(true))))["responseJsonSchema"]
            .is_object()
    );
    let error = refused(&ask(OLD).tool(weather()).response_format(schema(Some(true))));
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::Unsupported, Some("response_format"))
    );
    let body = encode(&ask(OLD).tool(weather()).response_format(schema(None)));
    assert!(
        body["systemInstruction"]["parts"][0]["text"]
            .as_str()
            .unwrap()
            .contains(r#"{"type":"object"}"#)
    );
    assert_eq!(body.get("generationConfig"), None);
}

#[test]
fn sampling_by_what_the_model_takes() {
    let request = |model: &str| {
        let mut request = ChatRequest::new(model).user("?").temperature(1.5);
        let input = request.input.edit();
        (input.top_p, input.top_k, input.seed) = (Some(0.9), Some(40), Some(7));
        (input.presence_penalty, input.frequency_penalty) = (Some(1.0), Some(1.0));
        input.stop = vec!["END".into(), String::new()];
        request
    };
    assert_eq!(
        encode(&request(OLD))["generationConfig"],
        json!({"temperature": 1.5, "topP": 0.9, "topK": 40, "seed": 7, "stopSequences": ["END"]})
    );
    assert_eq!(
        encode(&request(NEW))["generationConfig"],
        json!({"seed": 7, "stopSequences": ["END"]})
    );
    let mut many = request(NEW);
    many.input.edit().stop = vec!["x".into(); 6];
    assert_eq!(refused(&many).param(), Some("stop"));
}

#[test]
fn fields_of_the_dialect_pass_and_stand_above() {
    let mut request = ChatRequest::new(NEW)
        .user("?")
        .max_output_tokens(5)
        .reasoning(ReasoningConfig::effort("high"));
    request.input.edit().extra = Extra::new(
        GENERATE,
        vec![
            (
                "safetySettings".into(),
                raw(json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}])),
            ),
            (
                "generationConfig".into(),
                raw(
                    json!({"thinkingConfig": {"thinkingLevel": "low"}, "mediaResolution": "MEDIA_RESOLUTION_LOW"}),
                ),
            ),
        ],
    );
    request
        .input
        .edit()
        .tools
        .push(Tool::Vendor(extra("googleSearch", json!({}))));
    let body = encode(&request);
    assert_eq!(body["safetySettings"][0]["threshold"], "BLOCK_NONE");
    assert_eq!(body["tools"], json!([{"googleSearch": {}}]));
    assert_eq!(
        body["generationConfig"],
        json!({"maxOutputTokens": 5, "thinkingConfig": {"thinkingLevel": "low"}, "mediaResolution": "MEDIA_RESOLUTION_LOW"})
    );
}

#[test]
fn what_gemini_would_refuse_is_named() {
    let ask = || ChatRequest::new(NEW).user("?");
    let orphan = ContentPart::ToolResult(ToolResult::from_text("c9", "x"));
    let broken = ContentPart::ToolCall(ToolCall::new("c1", "f", "{\"a\":"));
    let mut several = ask();
    several.input.edit().choices = Some(2);
    for (request, param) in [
        (ChatRequest::new(NEW).system("Be brief."), "messages"),
        (ask().assistant("Well,"), "messages"),
        (
            ask().message(Message::new(Role::Tool, vec![orphan])),
            "messages[1].content[0]",
        ),
        (
            ask()
                .message(Message::new(Role::Assistant, vec![broken]))
                .user("!"),
            "messages[1].content[0]",
        ),
        (ask().tool_choice(ToolChoice::Required), "tool_choice"),
        (several, "n"),
    ] {
        assert_eq!(refused(&request).param(), Some(param));
    }
    assert_eq!(
        encode(&ChatRequest::new(OLD).user("?").assistant("Well,"))["contents"][1]["role"],
        "model"
    );
}
