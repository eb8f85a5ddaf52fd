//! Anthropic's messages: <https://platform.claude.com/docs/en/api/messages>.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Client, Server, anywhere, halves, list, marked, parsed, set, text};
use crate::ask::{Ask, Call, Choice, Item};
use crate::feature::Feature;
use crate::told::{End, SIGNATURE, Told, Usage};

#[derive(Debug)]
pub(crate) struct Messages;

impl Client for Messages {
    fn title(&self) -> &'static str {
        "Anthropic messages"
    }

    fn path(&self) -> &'static str {
        "/v1/messages"
    }

    fn request(&self, feature: Feature, ask: &Ask) -> Option<Value> {
        if matches!(
            feature,
            Feature::CacheKey | Feature::Seed | Feature::Penalties | Feature::Choices
        ) {
            return None;
        }
        let mut messages = Vec::new();
        ask.items.iter().for_each(|item| write_item(&mut messages, item));
        let mut body = json!({"max_tokens": ask.max_tokens.unwrap_or(20_000), "messages": messages});
        if let Some(system) = &ask.system {
            let mut block = json!({"type": "text", "text": system});
            marked(&mut block, ask.mark);
            body["system"] = json!([block]);
        }
        let tool = |(name, schema): &(String, Value)| json!({"name": name, "input_schema": schema});
        if !ask.tools.is_empty() {
            body["tools"] = ask.tools.iter().map(tool).collect();
        }
        let choice = match (&ask.choice, ask.parallel) {
            (Some(Choice::Any), _) => Some(json!({"type": "any"})),
            (Some(Choice::Named(name)), _) => Some(json!({"type": "tool", "name": name})),
            (None, Some(parallel)) => Some(json!({"type": "auto", "disable_parallel_tool_use": !parallel})),
            (None, None) => None,
        };
        set(&mut body, "tool_choice", choice);
        let format = ask
            .schema
            .as_ref()
            .map(|schema| json!({"format": {"type": "json_schema", "schema": schema}}));
        set(&mut body, "output_config", format);
        set(
            &mut body,
            "thinking",
            ask.thinks
                .then(|| json!({"type": "enabled", "budget_tokens": 16_000})),
        );
        set(&mut body, "temperature", ask.temperature);
        set(&mut body, "top_k", ask.top_k);
        set(
            &mut body,
            "stop_sequences",
            (!ask.stop.is_empty()).then(|| ask.stop.clone()),
        );
        set(
            &mut body,
            "metadata",
            ask.user.as_ref().map(|user| json!({"user_id": user})),
        );
        Some(body)
    }

    fn hear(&self, answer: &Value) -> Told {
        let usage = &answer["usage"];
        let number = |name: &str| usage[name].as_u64().unwrap_or_default();
        let cached = number("cache_read_input_tokens");
        let mut told = Told {
            thought: None,
            signed: false,
            text: String::new(),
            refusal: String::new(),
            calls: Vec::new(),
            end: match answer["stop_reason"].as_str().unwrap() {
                "end_turn" => End::Stop,
                "stop_sequence" => End::Sequence,
                "max_tokens" => End::Length,
                "tool_use" => End::Calls,
                "refusal" => End::Refused,
                other => panic!("`{other}` is no reason of Anthropic's"),
            },
            cited: Vec::new(),
            usage: Usage {
                input: number("input_tokens") + cached + number("cache_creation_input_tokens"),
                cached,
                output: number("output_tokens"),
                reasoning: usage["output_tokens_details"]["thinking_tokens"]
                    .as_u64()
                    .unwrap_or_default(),
            },
        };
        for block in list(&answer["content"]) {
            match block["type"].as_str().unwrap() {
                "text" => {
                    told.text += block["text"].as_str().unwrap();
                    let cited = list(&block["citations"]).iter();
                    told.cited
                        .extend(cited.map(|cited| (text(&cited["url"]), text(&cited["title"]))));
                }
                "thinking" => {
                    let thought = text(&block["thinking"]);
                    told.thought = Some(thought)
                        .filter(|thought| !thought.is_empty())
                        .or(told.thought);
                    told.signed |= !text(&block["signature"]).is_empty();
                }
                "tool_use" => told.calls.push(read_call(block)),
                other => panic!("`{other}` is no block that was asked for"),
            }
        }
        told
    }

    fn collect(&self, events: &[Value]) -> Result<(Value, bool), String> {
        let mut message = Value::Null;
        let mut pieces = 0;
        let mut input = String::new();
        let mut open = None;
        for event in events {
            let index = event["index"]
                .as_u64()
                .map(|index| usize::try_from(index).unwrap());
            match event["type"].as_str().unwrap() {
                "message_start" => message = event["message"].clone(),
                "content_block_start" => {
                    assert!(open.is_none(), "a block begins within another: {events:?}");
                    open = index;
                    input.clear();
                    let blocks = message["content"].as_array_mut().unwrap();
                    assert_eq!(Some(blocks.len()), index);
                    blocks.push(event["content_block"].clone());
                }
                "content_block_delta" => {
                    assert_eq!(open, index);
                    let block = &mut message["content"][index.unwrap()];
                    let delta = &event["delta"];
                    pieces += usize::from(delta["type"] == "text_delta");
                    add_delta(block, delta, &mut input);
                }
                "content_block_stop" => {
                    assert_eq!(open.take(), index);
                    let block = &mut message["content"][index.unwrap()];
                    if block["type"] == "tool_use" && !input.is_empty() {
                        block["input"] = parsed(&input.as_str().into());
                    }
                }
                "message_delta" => {
                    message["stop_reason"] = event["delta"]["stop_reason"].clone();
                    for (name, value) in event["usage"].as_object().unwrap() {
                        message["usage"][name] = value.clone();
                    }
                }
                "message_stop" => return Ok((message, pieces > 1)),
                "error" => return Err(event["error"].to_string()),
                _ => {}
            }
        }
        Err(String::from("no message_stop"))
    }

    fn go_on(&self, request: &Value, answer: &Value) -> Value {
        let mut request = request.clone();
        let content = answer["content"].clone();
        let call = list(&content)
            .iter()
            .find(|block| block["type"] == "tool_use")
            .unwrap();
        let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "21 degrees"});
        let messages = request["messages"].as_array_mut().unwrap();
        messages.push(json!({"role": "assistant", "content": content}));
        messages.push(json!({"role": "user", "content": [result]}));
        request
    }

    fn field(&self, error: &Value) -> Option<String> {
        let message = error["error"]["message"].as_str()?;
        let (field, _) = message.split_once(": ")?;
        (!field.contains(' ')).then(|| field.to_owned())
    }

    fn is_error(&self, status: u16, error: &Value) -> bool {
        let kinds: &[&str] = match status {
            400 => &["invalid_request_error"],
            401 => &["authentication_error"],
            404 => &["not_found_error"],
            429 => &["rate_limit_error"],
            _ => &["api_error", "overloaded_error"],
        };
        error["type"] == "error" && kinds.iter().any(|kind| error["error"]["type"] == *kind)
    }
}

fn write_item(messages: &mut Vec<Value>, item: &Item) {
    let (role, block) = match item {
        Item::User(text) => ("user", json!({"type": "text", "text": text})),
        Item::Assistant(text) => ("assistant", json!({"type": "text", "text": text})),
        Item::Image(url) => {
            let source = match url.strip_prefix("data:image/png;base64,") {
                Some(data) => json!({"type": "base64", "media_type": "image/png", "data": data}),
                None => json!({"type": "url", "url": url}),
            };
            ("user", json!({"type": "image", "source": source}))
        }
        Item::Document(data) => (
            "user",
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}),
        ),
        Item::Call(call) => ("assistant", write_call(call)),
        Item::Result { id, text, failed } => (
            "user",
            json!({"type": "tool_result", "tool_use_id": id, "content": text, "is_error": failed}),
        ),
        Item::Thought { .. } => unreachable!("thoughts go back as they came"),
    };
    match messages.last_mut() {
        Some(last) if last["role"] == role => last["content"].as_array_mut().unwrap().push(block),
        _ => messages.push(json!({"role": role, "content": [block]})),
    }
}

fn write_call(call: &Call) -> Value {
    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})
}

fn read_call(block: &Value) -> Call {
    Call::new(
        block["id"].as_str().unwrap(),
        block["name"].as_str().unwrap(),
        block["input"].clone(),
    )
}

fn add_delta(block: &mut Value, delta: &Value, input: &mut String) {
    let mut add =
        |name: &str, more: &Value| block[name] = (text(&block[name]) + more.as_str().unwrap()).into();
    match delta["type"].as_str().unwrap() {
        "text_delta" => add("text", &delta["text"]),
        "thinking_delta" => add("thinking", &delta["thinking"]),
        "signature_delta" => add("signature", &delta["signature"]),
        "input_json_delta" => *input += delta["partial_json"].as_str().unwrap(),
        "citations_delta" => {
            let mut all = list(&block["citations"]).to_vec();
            all.push(delta["citation"].clone());
            block["citations"] = all.into();
        }
        other => panic!("`{other}` is no delta of Anthropic's"),
    }
}

impl Server for Messages {
    fn title(&self) -> &'static str {
        "messages"
    }

    fn read(&self, body: &Value) -> Ask {
        let system = match &body["system"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            blocks => Some(list(blocks).iter().map(|block| text(&block["text"])).collect()),
        };
        let mut ask = Ask {
            system,
            ..Ask::default()
        };
        for message in list(&body["messages"]) {
            let assistant = message["role"] == "assistant";
            let blocks = match &message["content"] {
                Value::String(text) => vec![json!({"type": "text", "text": text})],
                blocks => list(blocks).to_vec(),
            };
            ask.items
                .extend(blocks.iter().map(|block| read_block(block, assistant)));
        }
        ask.tools = list(&body["tools"])
            .iter()
            .map(|tool| (text(&tool["name"]), tool["input_schema"].clone()))
            .collect();
        let choice = &body["tool_choice"];
        ask.choice = match choice["type"].as_str() {
            Some("any") => Some(Choice::Any),
            Some("tool") => Some(Choice::Named(text(&choice["name"]))),
            _ => None,
        };
        ask.parallel = choice["disable_parallel_tool_use"]
            .as_bool()
            .map(|disabled| !disabled);
        ask.schema = body["output_config"]["format"].get("schema").cloned();
        ask.thinks = matches!(body["thinking"]["type"].as_str(), Some("enabled" | "adaptive"));
        ask.mark = anywhere(body, "cache_control");
        ask.max_tokens = body["max_tokens"].as_u64();
        ask.temperature = body["temperature"].as_f64();
        ask.top_k = body["top_k"].as_u64();
        ask.stop = list(&body["stop_sequences"]).iter().map(text).collect();
        ask.user = body["metadata"]["user_id"].as_str().map(str::to_owned);
        ask
    }

    fn lacks(&self, _: Feature) -> Option<&'static str> {
        None
    }

    fn answer(&self, told: &Told) -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": blocks(told), "stop_reason": stop_reason(told),
            "stop_sequence": (told.end == End::Sequence).then_some("END"), "usage": usage(told),
        })
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        let event = |value: Value| {
            Bytes::from(format!(
                "event: {}\ndata: {value}\n\n",
                value["type"].as_str().unwrap()
            ))
        };
        let mut start = self.answer(told);
        start["content"] = json!([]);
        start["stop_reason"] = Value::Null;
        start["stop_sequence"] = Value::Null;
        let mut pieces = vec![event(json!({"type": "message_start", "message": start}))];
        for (index, block) in blocks(told).into_iter().enumerate() {
            let mut empty = block.clone();
            let deltas = deltas(&block, &mut empty);
            pieces.push(event(
                json!({"type": "content_block_start", "index": index, "content_block": empty}),
            ));
            pieces.extend(
                deltas.into_iter().map(|delta| {
                    event(json!({"type": "content_block_delta", "index": index, "delta": delta}))
                }),
            );
            pieces.push(event(json!({"type": "content_block_stop", "index": index})));
        }
        let whole = self.answer(told);
        let delta = json!({"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"]});
        pieces.push(event(
            json!({"type": "message_delta", "delta": delta, "usage": usage(told)}),
        ));
        pieces.push(event(json!({"type": "message_stop"})));
        pieces
    }

    fn error(&self, status: u16) -> Value {
        let kind = match status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            _ => "api_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": "the vendor's words"}, "request_id": "req_1"})
    }

    fn error_event(&self) -> Bytes {
        let error =
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "the vendor's words"}});
        format!("event: error\ndata: {error}\n\n").into()
    }
}

fn read_block(block: &Value, assistant: bool) -> Item {
    match block["type"].as_str().unwrap() {
        "text" if assistant => Item::Assistant(text(&block["text"])),
        "text" => Item::User(text(&block["text"])),
        "image" if block["source"]["type"] == "base64" => {
            let source = &block["source"];
            Item::Image(format!(
                "data:{};base64,{}",
                text(&source["media_type"]),
                text(&source["data"])
            ))
        }
        "image" => Item::Image(text(&block["source"]["url"])),
        "document" => Item::Document(text(&block["source"]["data"])),
        "thinking" => Item::Thought {
            text: text(&block["thinking"]),
            signature: block["signature"].as_str().map(str::to_owned),
        },
        "tool_use" => Item::Call(read_call(block)),
        "tool_result" => Item::Result {
            id: text(&block["tool_use_id"]),
            text: match &block["content"] {
                Value::String(text) => text.clone(),
                blocks => list(blocks).iter().map(|block| text(&block["text"])).collect(),
            },
            failed: block["is_error"] == true,
        },
        other => panic!("`{other}` is no block of Anthropic's"),
    }
}

fn blocks(told: &Told) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thought) = &told.thought {
        blocks.push(json!({"type": "thinking", "thinking": thought, "signature": if told.signed { SIGNATURE } else { "" }}));
    }
    if !told.text.is_empty() {
        let mut block = json!({"type": "text", "text": told.text});
        let cited = |(url, title): &(String, String)| json!({"type": "web_search_result_location", "url": url, "title": title, "cited_text": "sunny", "encrypted_index": "Eo8B"});
        if !told.cited.is_empty() {
            block["citations"] = told.cited.iter().map(cited).collect();
        }
        blocks.push(block);
    }
    blocks.extend(told.calls.iter().map(write_call));
    blocks
}

/// The deltas of a block, which is left empty.
fn deltas(block: &Value, empty: &mut Value) -> Vec<Value> {
    let two = |kind: &str, name: &str, text: &str| {
        halves(text)
            .map(|half| json!({"type": kind, name: half}))
            .to_vec()
    };
    match block["type"].as_str().unwrap() {
        "text" => {
            empty["text"] = "".into();
            let mut deltas = two("text_delta", "text", block["text"].as_str().unwrap());
            if let Some(cited) = block.get("citations") {
                empty["citations"] = json!([]);
                deltas.extend(
                    list(cited)
                        .iter()
                        .map(|cited| json!({"type": "citations_delta", "citation": cited})),
                );
            }
            deltas
        }
        "thinking" => {
            empty["thinking"] = "".into();
            empty["signature"] = "".into();
            let mut deltas = two("thinking_delta", "thinking", block["thinking"].as_str().unwrap());
            deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            deltas
        }
        _ => {
            empty["input"] = json!({});
            // A call without input has one empty delta.
            let input = if block["input"] == json!({}) {
                String::new()
            } else {
                block["input"].to_string()
            };
            two("input_json_delta", "partial_json", &input)
        }
    }
}

fn stop_reason(told: &Told) -> &'static str {
    match told.end {
        End::Stop => "end_turn",
        End::Sequence => "stop_sequence",
        End::Length => "max_tokens",
        End::Calls => "tool_use",
        End::Refused => "refusal",
    }
}

fn usage(told: &Told) -> Value {
    let Usage {
        input,
        cached,
        output,
        reasoning,
    } = told.usage;
    json!({
        "input_tokens": input - cached, "cache_read_input_tokens": cached, "cache_creation_input_tokens": 0,
        "output_tokens": output, "output_tokens_details": {"thinking_tokens": reasoning},
    })
}
