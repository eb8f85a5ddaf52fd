//! Bedrock's Converse: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.

use bytes::Bytes;
use edge_ai_providers::bedrock::eventstream::{MEDIA_TYPE, Message};
use serde_json::{Value, json};

use super::{Server, anywhere, halves, list, parsed, text};
use crate::ask::{Ask, Call, Choice, Item};
use crate::feature::Feature;
use crate::told::{End, SIGNATURE, Told, Usage};

#[derive(Debug)]
pub(crate) struct Converse;

impl Server for Converse {
    fn title(&self) -> &'static str {
        "Converse"
    }

    fn read(&self, body: &Value) -> Ask {
        let system = body.get("system").map(list);
        let mut ask = Ask {
            system: system.map(|blocks| blocks.iter().map(|block| text(&block["text"])).collect()),
            ..Ask::default()
        };
        for message in list(&body["messages"]) {
            let assistant = message["role"] == "assistant";
            let blocks = list(&message["content"])
                .iter()
                .filter(|block| block.get("cachePoint").is_none());
            ask.items.extend(blocks.map(|block| read_block(block, assistant)));
        }
        let tools = list(&body["toolConfig"]["tools"])
            .iter()
            .filter_map(|tool| tool.get("toolSpec"));
        ask.tools = tools
            .map(|tool| (text(&tool["name"]), tool["inputSchema"]["json"].clone()))
            .collect();
        let choice = &body["toolConfig"]["toolChoice"];
        ask.choice = if choice.get("any").is_some() {
            Some(Choice::Any)
        } else {
            choice.get("tool").map(|tool| Choice::Named(text(&tool["name"])))
        };
        let more = &body["additionalModelRequestFields"];
        let disabled = more["tool_choice"]["disable_parallel_tool_use"].as_bool();
        ask.parallel = disabled.map(|disabled| !disabled);
        ask.schema = body["outputConfig"]["textFormat"]["structure"]
            .get("jsonSchema")
            .map(|schema| parsed(&schema["schema"]));
        ask.thinks = matches!(more["thinking"]["type"].as_str(), Some("enabled" | "adaptive"));
        ask.mark = anywhere(body, "cachePoint");
        let config = &body["inferenceConfig"];
        ask.max_tokens = config["maxTokens"].as_u64();
        ask.temperature = config["temperature"].as_f64();
        ask.top_k = more["top_k"].as_u64();
        ask.stop = list(&config["stopSequences"]).iter().map(text).collect();
        ask.user = body["requestMetadata"]["user_id"].as_str().map(str::to_owned);
        ask
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        (feature == Feature::ReasoningTokens).then_some("The API counts no reasoning tokens")
    }

    fn answer(&self, told: &Told) -> Value {
        json!({
            "output": {"message": {"role": "assistant", "content": blocks(told)}},
            "stopReason": stop_reason(told), "usage": usage(told), "metrics": {"latencyMs": 7},
        })
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        let event = |kind: &str, value: Value| Message::event(kind, value.to_string()).encode();
        let mut pieces = vec![event("messageStart", json!({"role": "assistant"}))];
        for (index, block) in blocks(told).into_iter().enumerate() {
            let mut deltas = Vec::new();
            if let Some(call) = block.get("toolUse") {
                let start = json!({"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}});
                pieces.push(event(
                    "contentBlockStart",
                    json!({"contentBlockIndex": index, "start": start}),
                ));
                let input = call["input"].to_string();
                deltas.extend(halves(&input).map(|half| json!({"toolUse": {"input": half}})));
            } else if let Some(thought) = block.get("reasoningContent") {
                let thought = &thought["reasoningText"];
                let halves = halves(thought["text"].as_str().unwrap());
                deltas.extend(halves.map(|half| json!({"reasoningContent": {"text": half}})));
                if let Some(signature) = thought.get("signature") {
                    deltas.push(json!({"reasoningContent": {"signature": signature}}));
                }
            } else if let Some(cited) = block.get("citationsContent") {
                let halves = halves(cited["content"][0]["text"].as_str().unwrap());
                deltas.extend(halves.map(|half| json!({"text": half})));
                deltas.extend(
                    list(&cited["citations"])
                        .iter()
                        .map(|citation| json!({"citation": citation})),
                );
            } else {
                deltas.extend(halves(block["text"].as_str().unwrap()).map(|half| json!({"text": half})));
            }
            let deltas = deltas.into_iter().map(|delta| {
                event(
                    "contentBlockDelta",
                    json!({"contentBlockIndex": index, "delta": delta}),
                )
            });
            pieces.extend(deltas);
            pieces.push(event("contentBlockStop", json!({"contentBlockIndex": index})));
        }
        pieces.push(event("messageStop", json!({"stopReason": stop_reason(told)})));
        pieces.push(event(
            "metadata",
            json!({"usage": usage(told), "metrics": {"latencyMs": 7}}),
        ));
        pieces
    }

    fn media_type(&self) -> &'static str {
        MEDIA_TYPE
    }

    fn error(&self, _: u16) -> Value {
        json!({"message": "the vendor's words"})
    }

    fn error_event(&self) -> Bytes {
        Message::exception(
            "throttlingException",
            json!({"message": "the vendor's words"}).to_string(),
        )
        .encode()
    }
}

fn read_block(block: &Value, assistant: bool) -> Item {
    if let Some(said) = block["text"].as_str() {
        return if assistant {
            Item::Assistant(said.to_owned())
        } else {
            Item::User(said.to_owned())
        };
    }
    if let Some(image) = block.get("image") {
        return Item::Image(format!(
            "data:image/{};base64,{}",
            text(&image["format"]),
            text(&image["source"]["bytes"])
        ));
    }
    if let Some(document) = block.get("document") {
        return Item::Document(text(&document["source"]["bytes"]));
    }
    if let Some(call) = block.get("toolUse") {
        return Item::Call(Call::new(
            call["toolUseId"].as_str().unwrap(),
            call["name"].as_str().unwrap(),
            call["input"].clone(),
        ));
    }
    if let Some(result) = block.get("toolResult") {
        return Item::Result {
            id: text(&result["toolUseId"]),
            text: list(&result["content"])
                .iter()
                .map(|block| text(&block["text"]))
                .collect(),
            failed: result["status"] == "error",
        };
    }
    if let Some(thought) = block.get("reasoningContent") {
        let thought = &thought["reasoningText"];
        return Item::Thought {
            text: text(&thought["text"]),
            signature: thought["signature"].as_str().map(str::to_owned),
        };
    }
    panic!("{block} is no block of Bedrock's")
}

fn blocks(told: &Told) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thought) = &told.thought {
        let mut thought = json!({"text": thought});
        if told.signed {
            thought["signature"] = SIGNATURE.into();
        }
        blocks.push(json!({"reasoningContent": {"reasoningText": thought}}));
    }
    if !told.text.is_empty() {
        let cited = |(url, title): &(String, String)| json!({"title": title, "sourceContent": [{"text": "sunny"}], "location": {"web": {"url": url, "domain": "example.com"}}});
        let citations: Vec<_> = told.cited.iter().map(cited).collect();
        blocks.push(if citations.is_empty() {
            json!({"text": told.text})
        } else {
            json!({"citationsContent": {"content": [{"text": told.text}], "citations": citations}})
        });
    }
    let call =
        |call: &Call| json!({"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}});
    blocks.extend(told.calls.iter().map(call));
    blocks
}

fn stop_reason(told: &Told) -> &'static str {
    match told.end {
        End::Stop => "end_turn",
        End::Sequence => "stop_sequence",
        End::Length => "max_tokens",
        End::Calls => "tool_use",
        End::Refused => "content_filtered",
    }
}

fn usage(told: &Told) -> Value {
    let Usage {
        input,
        cached,
        output,
        ..
    } = told.usage;
    json!({"inputTokens": input - cached, "cacheReadInputTokens": cached, "outputTokens": output, "totalTokens": input + output})
}
