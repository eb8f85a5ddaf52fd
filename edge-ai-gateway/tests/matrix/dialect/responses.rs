//! OpenAI's responses: <https://platform.openai.com/docs/api-reference/responses>.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Client, Server, halves, list, parsed, set, text};
use crate::ask::{Ask, Call, Choice, Item};
use crate::feature::Feature;
use crate::told::{End, SIGNATURE, Told, Usage};

#[derive(Debug)]
pub(crate) struct Responses;

impl Client for Responses {
    fn title(&self) -> &'static str {
        "OpenAI responses"
    }

    fn path(&self) -> &'static str {
        "/v1/responses"
    }

    fn request(&self, feature: Feature, ask: &Ask) -> Option<Value> {
        if matches!(
            feature,
            Feature::CacheMarks
                | Feature::FailedTool
                | Feature::TopK
                | Feature::Seed
                | Feature::Penalties
                | Feature::StopSequences
                | Feature::StoppedBySequence
                | Feature::Choices
        ) {
            return None;
        }
        let mut input = Vec::new();
        ask.items.iter().for_each(|item| write_item(&mut input, item));
        let mut body = json!({"input": input});
        set(&mut body, "instructions", ask.system.clone());
        let tool = |(name, schema): &(String, Value)| json!({"type": "function", "name": name, "parameters": schema, "strict": false});
        if !ask.tools.is_empty() {
            body["tools"] = ask.tools.iter().map(tool).collect();
        }
        let choice = ask.choice.as_ref().map(|choice| match choice {
            Choice::Any => json!("required"),
            Choice::Named(name) => json!({"type": "function", "name": name}),
        });
        set(&mut body, "tool_choice", choice);
        set(&mut body, "parallel_tool_calls", ask.parallel);
        let format = ask.schema.as_ref().map(|schema| json!({"format": {"type": "json_schema", "name": "city", "schema": schema, "strict": true}}));
        set(&mut body, "text", format);
        if ask.thinks {
            body["reasoning"] = json!({"effort": "high", "summary": "auto"});
            body["include"] = json!(["reasoning.encrypted_content"]);
            body["store"] = false.into();
        }
        set(&mut body, "prompt_cache_key", ask.cache_key.clone());
        set(&mut body, "max_output_tokens", ask.max_tokens);
        set(&mut body, "temperature", ask.temperature);
        set(&mut body, "user", ask.user.clone());
        Some(body)
    }

    fn hear(&self, answer: &Value) -> Told {
        let usage = &answer["usage"];
        let mut told = Told {
            thought: None,
            signed: false,
            text: String::new(),
            refusal: String::new(),
            calls: Vec::new(),
            end: End::Stop,
            cited: Vec::new(),
            usage: Usage {
                input: usage["input_tokens"].as_u64().unwrap(),
                cached: usage["input_tokens_details"]["cached_tokens"].as_u64().unwrap(),
                output: usage["output_tokens"].as_u64().unwrap(),
                reasoning: usage["output_tokens_details"]["reasoning_tokens"]
                    .as_u64()
                    .unwrap(),
            },
        };
        for item in list(&answer["output"]) {
            match item["type"].as_str().unwrap() {
                "message" => list(&item["content"])
                    .iter()
                    .for_each(|part| hear_part(&mut told, part)),
                "function_call" => told.calls.push(read_call(item)),
                "reasoning" => {
                    let thought: String = list(&item["summary"])
                        .iter()
                        .map(|part| text(&part["text"]))
                        .collect();
                    told.thought = Some(thought)
                        .filter(|thought| !thought.is_empty())
                        .or(told.thought);
                    told.signed |= item["encrypted_content"].is_string();
                }
                other => panic!("`{other}` is no item that was asked for"),
            }
        }
        told.end = match (
            answer["status"].as_str().unwrap(),
            answer["incomplete_details"]["reason"].as_str(),
        ) {
            ("incomplete", Some("content_filter")) => End::Refused,
            ("incomplete", _) => End::Length,
            _ if !told.refusal.is_empty() => End::Refused,
            _ if !told.calls.is_empty() => End::Calls,
            _ => End::Stop,
        };
        told
    }

    fn collect(&self, events: &[Value]) -> Result<(Value, bool), String> {
        let mut said = String::new();
        let mut pieces = 0;
        for event in events {
            match event["type"].as_str().unwrap() {
                "response.output_text.delta" => {
                    said += event["delta"].as_str().unwrap();
                    pieces += 1;
                }
                "response.completed" | "response.incomplete" => {
                    let response = event["response"].clone();
                    let whole = self.hear(&response);
                    assert_eq!(said, whole.text, "the pieces are the whole");
                    return Ok((response, pieces > 1));
                }
                "response.failed" => return Err(event["response"]["error"].to_string()),
                "error" => return Err(event.to_string()),
                _ => {}
            }
        }
        Err(String::from("no response.completed"))
    }

    fn go_on(&self, request: &Value, answer: &Value) -> Value {
        let mut request = request.clone();
        let output = list(&answer["output"]);
        let call = output
            .iter()
            .find(|item| item["type"] == "function_call")
            .unwrap();
        let result =
            json!({"type": "function_call_output", "call_id": call["call_id"], "output": "21 degrees"});
        let input = request["input"].as_array_mut().unwrap();
        input.extend(output.iter().cloned());
        input.push(result);
        request
    }

    fn field(&self, error: &Value) -> Option<String> {
        error["error"]["param"].as_str().map(str::to_owned)
    }

    fn is_error(&self, _: u16, error: &Value) -> bool {
        error["error"]["message"].is_string() && error["error"]["type"].is_string()
    }
}

fn hear_part(told: &mut Told, part: &Value) {
    match part["type"].as_str().unwrap() {
        "output_text" => {
            told.text += part["text"].as_str().unwrap();
            let cited = list(&part["annotations"]).iter();
            told.cited
                .extend(cited.map(|cited| (text(&cited["url"]), text(&cited["title"]))));
        }
        "refusal" => told.refusal += part["refusal"].as_str().unwrap(),
        other => panic!("`{other}` is no part of an answer"),
    }
}

fn write_item(input: &mut Vec<Value>, item: &Item) {
    let part = |input: &mut Vec<Value>, part: Value| match input.last_mut() {
        Some(last) if last["role"] == "user" => last["content"].as_array_mut().unwrap().push(part),
        _ => input.push(json!({"role": "user", "content": [part]})),
    };
    match item {
        Item::User(text) => {
            input.push(json!({"role": "user", "content": [{"type": "input_text", "text": text}]}))
        }
        Item::Assistant(text) => input.push(json!({"role": "assistant", "content": text})),
        Item::Image(url) => part(
            input,
            json!({"type": "input_image", "image_url": url, "detail": "auto"}),
        ),
        Item::Document(data) => part(
            input,
            json!({"type": "input_file", "filename": "a.pdf", "file_data": format!("data:application/pdf;base64,{data}")}),
        ),
        Item::Call(call) => input.push(write_call(call)),
        Item::Result { id, text, .. } => {
            input.push(json!({"type": "function_call_output", "call_id": id, "output": text}))
        }
        Item::Thought { .. } => unreachable!("thoughts go back as they came"),
    }
}

fn write_call(call: &Call) -> Value {
    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments.to_string()})
}

fn read_call(item: &Value) -> Call {
    Call::new(
        item["call_id"].as_str().unwrap(),
        item["name"].as_str().unwrap(),
        parsed(&item["arguments"]),
    )
}

impl Server for Responses {
    fn title(&self) -> &'static str {
        "responses"
    }

    fn read(&self, body: &Value) -> Ask {
        let mut ask = Ask {
            system: body["instructions"].as_str().map(str::to_owned),
            ..Ask::default()
        };
        for item in list(&body["input"]) {
            read_item(&mut ask, item);
        }
        ask.tools = list(&body["tools"])
            .iter()
            .map(|tool| (text(&tool["name"]), tool["parameters"].clone()))
            .collect();
        ask.choice = match &body["tool_choice"] {
            Value::String(word) if word == "required" => Some(Choice::Any),
            Value::Object(named) => Some(Choice::Named(text(&named["name"]))),
            _ => None,
        };
        ask.parallel = body["parallel_tool_calls"].as_bool();
        ask.schema = body["text"]["format"].get("schema").cloned();
        ask.thinks = body["reasoning"]["effort"]
            .as_str()
            .is_some_and(|effort| effort != "none");
        ask.cache_key = body["prompt_cache_key"].as_str().map(str::to_owned);
        ask.max_tokens = body["max_output_tokens"].as_u64();
        ask.temperature = body["temperature"].as_f64();
        ask.user = body["user"].as_str().map(str::to_owned);
        ask
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        (feature == Feature::StoppedBySequence).then_some("The API stops at no sequences")
    }

    fn answer(&self, told: &Told) -> Value {
        json!({
            "id": "resp_1", "object": "response", "created_at": 1_764_000_000, "status": status(told), "error": null,
            "incomplete_details": incomplete(told), "model": "m", "output": items(told), "usage": usage(told),
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        })
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        let mut number = 0;
        let mut event = |kind: &str, mut value: Value| {
            value["type"] = kind.into();
            value["sequence_number"] = number.into();
            number += 1;
            Bytes::from(format!("event: {kind}\ndata: {value}\n\n"))
        };
        let whole = self.answer(told);
        let mut begun = whole.clone();
        begun["status"] = "in_progress".into();
        begun["output"] = json!([]);
        begun["usage"] = Value::Null;
        begun["incomplete_details"] = Value::Null;
        let mut pieces = vec![event("response.created", json!({"response": begun}))];
        for (index, item) in items(told).into_iter().enumerate() {
            let mut empty = item.clone();
            match item["type"].as_str().unwrap() {
                "message" => empty["content"] = json!([]),
                "reasoning" => empty["summary"] = json!([]),
                _ => empty["arguments"] = "".into(),
            }
            pieces.push(event(
                "response.output_item.added",
                json!({"output_index": index, "item": empty}),
            ));
            let id = item["id"].clone();
            let at = |more: Value| {
                let mut value = json!({"output_index": index, "item_id": id});
                value
                    .as_object_mut()
                    .unwrap()
                    .extend(more.as_object().unwrap().clone());
                value
            };
            match item["type"].as_str().unwrap() {
                "message" => {
                    let part = &item["content"][0];
                    let mut empty = part.clone();
                    empty["text"] = "".into();
                    empty["annotations"] = json!([]);
                    pieces.push(event(
                        "response.content_part.added",
                        at(json!({"content_index": 0, "part": empty})),
                    ));
                    for half in halves(part["text"].as_str().unwrap()) {
                        pieces.push(event(
                            "response.output_text.delta",
                            at(json!({"content_index": 0, "delta": half})),
                        ));
                    }
                    for (number, cited) in list(&part["annotations"]).iter().enumerate() {
                        let cited =
                            json!({"content_index": 0, "annotation_index": number, "annotation": cited});
                        pieces.push(event("response.output_text.annotation.added", at(cited)));
                    }
                    pieces.push(event(
                        "response.output_text.done",
                        at(json!({"content_index": 0, "text": part["text"]})),
                    ));
                    pieces.push(event(
                        "response.content_part.done",
                        at(json!({"content_index": 0, "part": part})),
                    ));
                }
                "reasoning" => {
                    let part = &item["summary"][0];
                    pieces.push(event(
                        "response.reasoning_summary_part.added",
                        at(json!({"summary_index": 0, "part": {"type": "summary_text", "text": ""}})),
                    ));
                    for half in halves(part["text"].as_str().unwrap()) {
                        pieces.push(event(
                            "response.reasoning_summary_text.delta",
                            at(json!({"summary_index": 0, "delta": half})),
                        ));
                    }
                    pieces.push(event(
                        "response.reasoning_summary_part.done",
                        at(json!({"summary_index": 0, "part": part})),
                    ));
                }
                _ => {
                    for half in halves(item["arguments"].as_str().unwrap()) {
                        pieces.push(event(
                            "response.function_call_arguments.delta",
                            at(json!({"delta": half})),
                        ));
                    }
                    pieces.push(event(
                        "response.function_call_arguments.done",
                        at(json!({"arguments": item["arguments"]})),
                    ));
                }
            }
            pieces.push(event(
                "response.output_item.done",
                json!({"output_index": index, "item": item}),
            ));
        }
        pieces.push(event(
            &format!("response.{}", status(told)),
            json!({"response": whole}),
        ));
        pieces
    }

    fn error(&self, status: u16) -> Value {
        Server::error(&super::Chat, status)
    }

    fn error_event(&self) -> Bytes {
        let error = json!({"type": "error", "code": "server_error", "message": "the vendor's words", "param": null, "sequence_number": 9});
        format!("event: error\ndata: {error}\n\n").into()
    }
}

fn read_item(ask: &mut Ask, item: &Value) {
    match item["type"].as_str().unwrap_or("message") {
        "message" => {
            let parts = match &item["content"] {
                Value::String(text) => vec![json!({"type": "input_text", "text": text})],
                parts => list(parts).to_vec(),
            };
            let said = || parts.iter().map(|part| text(&part["text"])).collect::<String>();
            match item["role"].as_str().unwrap() {
                "system" | "developer" => ask.system = Some(said()),
                "assistant" => ask.items.push(Item::Assistant(said())),
                _ => ask
                    .items
                    .extend(parts.iter().map(|part| match part["type"].as_str().unwrap() {
                        "input_text" => Item::User(text(&part["text"])),
                        "input_image" => Item::Image(text(&part["image_url"])),
                        "input_file" => Item::Document(
                            text(&part["file_data"]).replace("data:application/pdf;base64,", ""),
                        ),
                        other => panic!("`{other}` is no part of an input"),
                    })),
            }
        }
        "reasoning" => ask.items.push(Item::Thought {
            text: list(&item["summary"])
                .iter()
                .map(|part| text(&part["text"]))
                .collect(),
            signature: item["encrypted_content"].as_str().map(str::to_owned),
        }),
        "function_call" => ask.items.push(Item::Call(read_call(item))),
        "function_call_output" => ask.items.push(super::chat::result(
            text(&item["call_id"]),
            &text(&item["output"]),
        )),
        other => panic!("`{other}` is no item of OpenAI's"),
    }
}

fn items(told: &Told) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(thought) = &told.thought {
        let mut item = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": thought}]});
        set(&mut item, "encrypted_content", told.signed.then_some(SIGNATURE));
        items.push(item);
    }
    if !told.text.is_empty() {
        let cited = |(url, title): &(String, String)| json!({"type": "url_citation", "url": url, "title": title, "start_index": 0, "end_index": told.text.len()});
        let annotations: Vec<_> = told.cited.iter().map(cited).collect();
        let content =
            json!([{"type": "output_text", "text": told.text, "annotations": annotations, "logprobs": []}]);
        items.push(json!({"type": "message", "id": "msg_1", "status": status(told), "role": "assistant", "content": content}));
    }
    items.extend(told.calls.iter().map(|call| {
        let mut item = write_call(call);
        item["id"] = format!("fc_{}", call.id).into();
        item["status"] = "completed".into();
        item
    }));
    items
}

fn status(told: &Told) -> &'static str {
    match told.end {
        End::Length | End::Refused => "incomplete",
        _ => "completed",
    }
}

fn incomplete(told: &Told) -> Value {
    match told.end {
        End::Length => json!({"reason": "max_output_tokens"}),
        End::Refused => json!({"reason": "content_filter"}),
        _ => Value::Null,
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
        "input_tokens": input, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning}, "total_tokens": input + output,
    })
}
