//! OpenAI's chat completions: <https://platform.openai.com/docs/api-reference/chat>.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Client, Server, anywhere, data, halves, list, marked, parsed, set, text};
use crate::ask::{Ask, Call, Choice, Item};
use crate::feature::Feature;
use crate::told::{End, Told, Usage};

#[derive(Debug)]
pub(crate) struct Chat;

impl Client for Chat {
    fn title(&self) -> &'static str {
        "OpenAI chat completions"
    }

    fn path(&self) -> &'static str {
        "/v1/chat/completions"
    }

    fn request(&self, feature: Feature, ask: &Ask) -> Option<Value> {
        if feature == Feature::FailedTool {
            return None;
        }
        let mut messages = Vec::new();
        if let Some(system) = &ask.system {
            let mut part = json!({"type": "text", "text": system});
            marked(&mut part, ask.mark);
            messages.push(json!({"role": "system", "content": [part]}));
        }
        ask.items.iter().for_each(|item| write_item(&mut messages, item));
        let mut body = json!({"messages": messages});
        let tool = |(name, schema): &(String, Value)| json!({"type": "function", "function": {"name": name, "parameters": schema}});
        if !ask.tools.is_empty() {
            body["tools"] = ask.tools.iter().map(tool).collect();
        }
        let choice = ask.choice.as_ref().map(|choice| match choice {
            Choice::Any => json!("required"),
            Choice::Named(name) => json!({"type": "function", "function": {"name": name}}),
        });
        set(&mut body, "tool_choice", choice);
        set(&mut body, "parallel_tool_calls", ask.parallel);
        let format = ask.schema.as_ref().map(|schema| json!({"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": true}}));
        set(&mut body, "response_format", format);
        set(&mut body, "reasoning_effort", ask.thinks.then_some("high"));
        set(&mut body, "prompt_cache_key", ask.cache_key.clone());
        set(&mut body, "max_completion_tokens", ask.max_tokens);
        set(&mut body, "temperature", ask.temperature);
        // Not OpenAI's own, but known to most who speak its dialect.
        set(&mut body, "top_k", ask.top_k);
        set(&mut body, "seed", ask.seed);
        set(&mut body, "presence_penalty", ask.penalty);
        set(
            &mut body,
            "stop",
            (!ask.stop.is_empty()).then(|| ask.stop.clone()),
        );
        set(&mut body, "user", ask.user.clone());
        set(&mut body, "n", ask.choices);
        Some(body)
    }

    fn hear(&self, answer: &Value) -> Told {
        let choice = &answer["choices"][0];
        let message = &choice["message"];
        let usage = &answer["usage"];
        let calls = list(&message["tool_calls"]).iter().map(read_call).collect();
        let cited = |mark: &Value| {
            let cited = &mark["url_citation"];
            (text(&cited["url"]), text(&cited["title"]))
        };
        Told {
            thought: message["reasoning_content"].as_str().map(str::to_owned),
            signed: !list(&message["thinking_blocks"]).is_empty() || anywhere(message, "extra_content"),
            text: text(&message["content"]),
            refusal: text(&message["refusal"]),
            calls,
            end: match choice["finish_reason"].as_str().unwrap() {
                "length" => End::Length,
                "tool_calls" => End::Calls,
                "content_filter" => End::Refused,
                "stop" => End::Stop,
                other => panic!("`{other}` is no reason of OpenAI's"),
            },
            cited: list(&message["annotations"]).iter().map(cited).collect(),
            usage: Usage {
                input: usage["prompt_tokens"].as_u64().unwrap(),
                cached: usage["prompt_tokens_details"]["cached_tokens"]
                    .as_u64()
                    .unwrap_or_default(),
                output: usage["completion_tokens"].as_u64().unwrap(),
                reasoning: usage["completion_tokens_details"]["reasoning_tokens"]
                    .as_u64()
                    .unwrap_or_default(),
            },
        }
    }

    fn collect(&self, events: &[Value]) -> Result<(Value, bool), String> {
        let mut message = json!({"role": "assistant", "content": ""});
        let mut finish = Value::Null;
        let mut usage = Value::Null;
        let mut pieces = 0;
        for chunk in events {
            if let Some(error) = chunk.get("error") {
                return Err(error.to_string());
            }
            if !chunk["usage"].is_null() {
                usage = chunk["usage"].clone();
            }
            let Some(choice) = chunk["choices"].get(0) else {
                continue;
            };
            pieces += usize::from(
                choice["delta"]["content"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
            );
            add_delta(&mut message, &choice["delta"]);
            if !choice["finish_reason"].is_null() {
                finish = choice["finish_reason"].clone();
            }
        }
        if finish.is_null() {
            return Err(String::from("no finish_reason"));
        }
        Ok((
            json!({"choices": [{"message": message, "finish_reason": finish}], "usage": usage}),
            pieces > 1,
        ))
    }

    fn go_on(&self, request: &Value, answer: &Value) -> Value {
        let mut request = request.clone();
        let message = answer["choices"][0]["message"].clone();
        let id = message["tool_calls"][0]["id"].clone();
        let messages = request["messages"].as_array_mut().unwrap();
        messages.push(message);
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "21 degrees"}));
        request
    }

    fn field(&self, error: &Value) -> Option<String> {
        error["error"]["param"].as_str().map(str::to_owned)
    }

    fn is_error(&self, _: u16, error: &Value) -> bool {
        error["error"]["message"].is_string() && error["error"]["type"].is_string()
    }
}

fn write_item(messages: &mut Vec<Value>, item: &Item) {
    let part = |messages: &mut Vec<Value>, part: Value| match messages.last_mut() {
        Some(last) if last["role"] == "user" => {
            if let Some(text) = last["content"].as_str().map(str::to_owned) {
                last["content"] = json!([{"type": "text", "text": text}]);
            }
            last["content"].as_array_mut().unwrap().push(part);
        }
        _ => messages.push(json!({"role": "user", "content": [part]})),
    };
    match item {
        Item::User(text) => messages.push(json!({"role": "user", "content": text})),
        Item::Image(url) => part(messages, json!({"type": "image_url", "image_url": {"url": url}})),
        Item::Document(data) => part(
            messages,
            json!({"type": "file", "file": {"filename": "a.pdf", "file_data": format!("data:application/pdf;base64,{data}")}}),
        ),
        Item::Assistant(text) => messages.push(json!({"role": "assistant", "content": text})),
        Item::Call(call) => {
            let call = write_call(call);
            match messages.last_mut() {
                Some(last) if last["role"] == "assistant" => {
                    last["tool_calls"].as_array_mut().unwrap().push(call)
                }
                _ => messages.push(json!({"role": "assistant", "content": null, "tool_calls": [call]})),
            }
        }
        Item::Result { id, text, .. } => {
            messages.push(json!({"role": "tool", "tool_call_id": id, "content": text}))
        }
        Item::Thought { .. } => unreachable!("thoughts go back as they came"),
    }
}

fn write_call(call: &Call) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments.to_string()}})
}

fn read_call(call: &Value) -> Call {
    let function = &call["function"];
    Call::new(
        call["id"].as_str().unwrap(),
        function["name"].as_str().unwrap(),
        parsed(&function["arguments"]),
    )
}

fn add_delta(message: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Array(calls) if name == "tool_calls" => {
                for call in calls {
                    let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                    let known = message["tool_calls"]
                        .as_array_mut()
                        .map(std::mem::take)
                        .unwrap_or_default();
                    message["tool_calls"] = known.into();
                    let calls = message["tool_calls"].as_array_mut().unwrap();
                    calls.resize(calls.len().max(index + 1), json!({"function": {"arguments": ""}}));
                    let known = &mut calls[index];
                    for (name, value) in call.as_object().unwrap() {
                        if name != "function" {
                            known[name] = value.clone();
                        }
                    }
                    if let Some(name) = call["function"].get("name") {
                        known["function"]["name"] = name.clone();
                    }
                    let more = text(&call["function"]["arguments"]);
                    known["function"]["arguments"] = (text(&known["function"]["arguments"]) + &more).into();
                }
            }
            Value::Array(items) => {
                let mut all = list(&message[name]).to_vec();
                all.extend(items.iter().cloned());
                message[name] = all.into();
            }
            Value::String(more) if name != "role" => message[name] = (text(&message[name]) + more).into(),
            other => message[name] = other.clone(),
        }
    }
}

impl Server for Chat {
    fn title(&self) -> &'static str {
        "chat completions"
    }

    fn read(&self, body: &Value) -> Ask {
        let mut ask = Ask::default();
        for message in list(&body["messages"]) {
            read_message(&mut ask, message);
        }
        ask.tools = list(&body["tools"])
            .iter()
            .map(|tool| {
                (
                    text(&tool["function"]["name"]),
                    tool["function"]["parameters"].clone(),
                )
            })
            .collect();
        ask.choice = match &body["tool_choice"] {
            Value::String(word) if word == "required" || word == "any" => Some(Choice::Any),
            Value::Object(named) => Some(Choice::Named(text(&named["function"]["name"]))),
            _ => None,
        };
        ask.parallel = body["parallel_tool_calls"].as_bool();
        ask.schema = body["response_format"]["json_schema"].get("schema").cloned();
        ask.thinks = body
            .get("reasoning_effort")
            .is_some_and(|effort| effort != "none");
        ask.mark = anywhere(&body["messages"], "cache_control");
        ask.cache_key = body["prompt_cache_key"].as_str().map(str::to_owned);
        ask.max_tokens = body["max_completion_tokens"]
            .as_u64()
            .or(body["max_tokens"].as_u64());
        ask.temperature = body["temperature"].as_f64();
        ask.top_k = body["top_k"].as_u64();
        ask.seed = body["seed"].as_u64().or(body["random_seed"].as_u64());
        ask.penalty = body["presence_penalty"].as_f64();
        ask.stop = list(&body["stop"]).iter().map(text).collect();
        ask.user = body["user"].as_str().map(str::to_owned);
        ask.choices = body["n"].as_u64();
        ask
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        match feature {
            Feature::SignedThoughts => Some("The API signs no thoughts"),
            Feature::StoppedBySequence => Some("The API says `stop` for an end and for a sequence"),
            _ => None,
        }
    }

    fn answer(&self, told: &Told) -> Value {
        let mut message = json!({"role": "assistant", "content": told.text});
        set(&mut message, "reasoning_content", told.thought.clone());
        if !told.calls.is_empty() {
            message["tool_calls"] = told.calls.iter().map(write_call).collect();
        }
        let cited = |(url, title): &(String, String)| json!({"type": "url_citation", "url_citation": {"url": url, "title": title, "start_index": 0, "end_index": told.text.len()}});
        if !told.cited.is_empty() {
            message["annotations"] = told.cited.iter().map(cited).collect();
        }
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_764_000_000, "model": "m",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(told)}],
            "usage": usage(told),
        })
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        let chunk = |delta: Value, finish: Value| {
            data(
                &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}),
            )
        };
        let mut pieces = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
        for thought in told.thought.iter().flat_map(|thought| halves(thought)) {
            pieces.push(chunk(json!({"reasoning_content": thought}), Value::Null));
        }
        for text in halves(&told.text).into_iter().filter(|text| !text.is_empty()) {
            pieces.push(chunk(json!({"content": text}), Value::Null));
        }
        for (index, call) in told.calls.iter().enumerate() {
            let mut start = write_call(call);
            start["index"] = index.into();
            start["function"]["arguments"] = "".into();
            pieces.push(chunk(json!({"tool_calls": [start]}), Value::Null));
        }
        // The pieces of the calls come in turns.
        for half in 0..2 {
            for (index, call) in told.calls.iter().enumerate() {
                let arguments = call.arguments.to_string();
                let piece = halves(&arguments)[half];
                pieces.push(chunk(
                    json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}),
                    Value::Null,
                ));
            }
        }
        let whole = Server::answer(self, told);
        if let Some(cited) = whole["choices"][0]["message"].get("annotations") {
            pieces.push(chunk(json!({"annotations": cited}), Value::Null));
        }
        pieces.push(chunk(json!({}), finish(told).into()));
        pieces.push(data(&json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": "m", "choices": [], "usage": usage(told)})));
        pieces.push(Bytes::from_static(b"data: [DONE]\n\n"));
        pieces
    }

    fn error(&self, status: u16) -> Value {
        json!({"error": {"message": "the vendor's words", "type": "an_error", "param": null, "code": format!("code_{status}")}})
    }

    fn error_event(&self) -> Bytes {
        data(
            &json!({"error": {"message": "the vendor's words", "type": "server_error", "param": null, "code": null}}),
        )
    }
}

fn read_message(ask: &mut Ask, message: &Value) {
    let content = match &message["content"] {
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        parts => list(parts).to_vec(),
    };
    match message["role"].as_str().unwrap() {
        "system" | "developer" => ask.system = Some(content.iter().map(|part| text(&part["text"])).collect()),
        "assistant" => {
            if let Some(thought) = message["reasoning_content"]
                .as_str()
                .filter(|thought| !thought.is_empty())
            {
                ask.items.push(Item::Thought {
                    text: thought.to_owned(),
                    signature: None,
                });
            }
            let said: String = content.iter().map(|part| text(&part["text"])).collect();
            if !said.is_empty() {
                ask.items.push(Item::Assistant(said));
            }
            ask.items.extend(
                list(&message["tool_calls"])
                    .iter()
                    .map(|call| Item::Call(read_call(call))),
            );
        }
        "tool" => {
            let said: String = content.iter().map(|part| text(&part["text"])).collect();
            ask.items.push(result(text(&message["tool_call_id"]), &said));
        }
        _ => ask
            .items
            .extend(content.iter().map(|part| match part["type"].as_str().unwrap() {
                "text" => Item::User(text(&part["text"])),
                "image_url" => Item::Image(text(&part["image_url"]["url"])),
                "file" => Item::Document(
                    text(&part["file"]["file_data"]).replace("data:application/pdf;base64,", ""),
                ),
                other => panic!("`{other}` is no part of OpenAI's"),
            })),
    }
}

/// A result whose failure can only be told in its words.
pub(super) fn result(id: String, said: &str) -> Item {
    let words = said.strip_prefix("Error: ");
    Item::Result {
        id,
        text: words.unwrap_or(said).to_owned(),
        failed: words.is_some(),
    }
}

pub(super) fn finish(told: &Told) -> &'static str {
    match told.end {
        End::Stop | End::Sequence => "stop",
        End::Length => "length",
        End::Calls => "tool_calls",
        End::Refused => "content_filter",
    }
}

pub(super) fn usage(told: &Told) -> Value {
    let Usage {
        input,
        cached,
        output,
        reasoning,
    } = told.usage;
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    })
}
