//! The protocol of a stream, read as strictly as its documentation has it, and put together as the SDKs do.

use serde_json::{Value, json};

/// What a client makes of a stream.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Message {
    pub(crate) head: Value,
    pub(crate) content: Vec<Value>,
    /// The JSON text of each block's input.
    pub(crate) inputs: Vec<String>,
    pub(crate) stop_reason: Option<String>,
    pub(crate) usage: Value,
    pub(crate) complete: bool,
    pub(crate) error: Option<Value>,
}

/// The events of a stream, each with a name that is its type.
pub(crate) fn events(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"), "cut: {text}");
    text.split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let name = name.strip_prefix("event: ").unwrap();
            let data: Vec<_> = data
                .lines()
                .map(|line| line.strip_prefix("data: ").unwrap())
                .collect();
            let data: Value =
                serde_json::from_str(&data.join("\n")).unwrap_or_else(|error| panic!("{error}: {data:?}"));
            assert_eq!(data["type"], name);
            data
        })
        .collect()
}

/// Reads a stream and panics where it breaks the protocol.
pub(crate) fn check(stream: &[u8]) -> Message {
    let mut message = Message::default();
    let mut open: Option<usize> = None;
    let (mut started, mut stopping) = (false, false);
    for event in events(stream) {
        assert!(
            !message.complete && message.error.is_none(),
            "nothing follows the end: {event}"
        );
        let kind = event["type"].as_str().unwrap().to_owned();
        if kind == "error" {
            assert!(event["error"]["type"].is_string() && event["error"]["message"].is_string());
            message.error = Some(event["error"].clone());
            continue;
        }
        if kind == "ping" {
            continue;
        }
        assert_eq!(started, kind != "message_start", "one start, and first: {event}");
        assert!(!stopping || kind == "message_stop", "{event}");
        match kind.as_str() {
            "message_start" => {
                started = true;
                check_head(&event["message"]);
                message.usage = event["message"]["usage"].clone();
                message.head = event["message"].clone();
            }
            "content_block_start" => {
                assert_eq!(open, None, "blocks do not overlap: {event}");
                assert_eq!(event["index"], json!(message.content.len()));
                open = Some(message.content.len());
                check_block(&event["content_block"]);
                message.content.push(event["content_block"].clone());
                message.inputs.push(String::new());
            }
            "content_block_delta" => {
                let index = open.expect("a delta is of an open block");
                assert_eq!(event["index"], json!(index));
                let input = &mut message.inputs[index];
                apply(&mut message.content[index], input, &event["delta"]);
            }
            "content_block_stop" => {
                assert_eq!(event["index"], json!(open.take().expect("an open block")));
            }
            "message_delta" => {
                assert_eq!(open, None, "{event}");
                stopping = true;
                let delta = &event["delta"];
                assert!(delta.as_object().unwrap().contains_key("stop_sequence"));
                let reason = delta["stop_reason"].as_str().unwrap();
                assert!(REASONS.contains(&reason), "{reason}");
                let calls = message.content.iter().any(|block| block["type"] == "tool_use");
                assert!(reason != "tool_use" || calls, "a call to wait for");
                assert!(calls <= (reason != "end_turn"), "calls are not overlooked");
                message.stop_reason = Some(reason.to_owned());
                assert!(event["usage"]["output_tokens"].is_u64(), "{event}");
                for (name, count) in event["usage"].as_object().unwrap() {
                    message.usage[name] = count.clone();
                }
            }
            "message_stop" => {
                assert!(stopping);
                message.complete = true;
            }
            other => panic!("no event of the protocol: {other}"),
        }
    }
    message
}

const REASONS: [&str; 8] = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "compaction",
    "refusal",
    "model_context_window_exceeded",
];

fn check_head(head: &Value) {
    assert_eq!(
        (&head["type"], &head["role"]),
        (&json!("message"), &json!("assistant"))
    );
    assert!(head["id"].is_string() && head["model"].is_string());
    assert_eq!(head["content"], json!([]));
    for name in ["stop_reason", "stop_sequence"] {
        assert_eq!(head.get(name), Some(&Value::Null));
    }
    for name in ["input_tokens", "output_tokens"] {
        assert!(head["usage"][name].is_u64(), "{head}");
    }
}

fn check_block(block: &Value) {
    match block["type"].as_str().unwrap() {
        "text" => assert_eq!(block["text"], ""),
        "thinking" => assert_eq!(
            (&block["thinking"], &block["signature"]),
            (&json!(""), &json!(""))
        ),
        "redacted_thinking" => assert!(block["data"].is_string()),
        "tool_use" => {
            assert!(!block["id"].as_str().unwrap().is_empty() && block["name"].is_string());
            assert_eq!(block["input"], json!({}));
        }
        _ => {}
    }
}

fn apply(block: &mut Value, input: &mut String, delta: &Value) {
    let add = |to: &mut Value, more: &Value| {
        *to = json!(format!("{}{}", to.as_str().unwrap(), more.as_str().unwrap()));
    };
    match (block["type"].as_str().unwrap(), delta["type"].as_str().unwrap()) {
        ("text", "text_delta") => add(&mut block["text"], &delta["text"]),
        ("text", "citations_delta") => match &mut block["citations"] {
            Value::Array(citations) => citations.push(delta["citation"].clone()),
            none => *none = json!([delta["citation"]]),
        },
        ("thinking", "thinking_delta") => {
            assert_eq!(block["signature"], "", "a signature closes a thought");
            add(&mut block["thinking"], &delta["thinking"]);
        }
        ("thinking", "signature_delta") => block["signature"] = delta["signature"].clone(),
        ("tool_use" | "server_tool_use", "input_json_delta") => {
            input.push_str(delta["partial_json"].as_str().unwrap());
        }
        (block, delta) => panic!("a {delta} in a {block}"),
    }
}
