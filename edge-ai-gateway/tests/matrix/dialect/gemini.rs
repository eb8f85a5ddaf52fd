//! Google's `generateContent`: <https://ai.google.dev/api/generate-content>.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Server, data, halves, list, text};
use crate::ask::{Ask, Call, Choice, Item};
use crate::feature::Feature;
use crate::told::{End, SIGNATURE, Told, Usage};

#[derive(Debug)]
pub(crate) struct Gemini;

impl Server for Gemini {
    fn title(&self) -> &'static str {
        "generateContent"
    }

    fn read(&self, body: &Value) -> Ask {
        let system = body
            .get("systemInstruction")
            .map(|content| list(&content["parts"]));
        let mut ask = Ask {
            system: system.map(|parts| parts.iter().map(|part| text(&part["text"])).collect()),
            ..Ask::default()
        };
        for content in list(&body["contents"]) {
            let model = content["role"] == "model";
            list(&content["parts"])
                .iter()
                .for_each(|part| read_part(&mut ask, part, model));
        }
        let functions = list(&body["tools"])
            .iter()
            .flat_map(|tool| list(&tool["functionDeclarations"]));
        ask.tools = functions
            .map(|function| {
                let schema = function
                    .get("parametersJsonSchema")
                    .or(function.get("parameters"));
                // One without any is a function without arguments.
                let none = json!({"type": "object", "properties": {}});
                (text(&function["name"]), schema.cloned().unwrap_or(none))
            })
            .collect();
        let config = &body["toolConfig"]["functionCallingConfig"];
        ask.choice = match (config["mode"].as_str(), list(&config["allowedFunctionNames"])) {
            (Some("ANY"), [name]) => Some(Choice::Named(text(name))),
            (Some("ANY"), _) => Some(Choice::Any),
            _ => None,
        };
        let config = &body["generationConfig"];
        ask.schema = config.get("responseJsonSchema").cloned();
        let thinking = &config["thinkingConfig"];
        ask.thinks = thinking["includeThoughts"] == true;
        ask.max_tokens = config["maxOutputTokens"].as_u64();
        ask.temperature = config["temperature"].as_f64();
        ask.top_k = config["topK"].as_u64();
        ask.seed = config["seed"].as_u64();
        ask.penalty = config["presencePenalty"].as_f64();
        ask.stop = list(&config["stopSequences"]).iter().map(text).collect();
        ask
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        (feature == Feature::StoppedBySequence).then_some("The API says `STOP` for an end and for a sequence")
    }

    fn answer(&self, told: &Told) -> Value {
        let mut answer = chunk(parts(told), told);
        finish(&mut answer, told);
        answer
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        for part in parts(told) {
            let said = part["text"].as_str().unwrap_or_default().to_owned();
            if said.is_empty() {
                pieces.push(chunk(vec![part], told));
                continue;
            }
            for half in halves(&said) {
                let mut part = part.clone();
                part["text"] = half.into();
                pieces.push(chunk(vec![part], told));
            }
        }
        finish(pieces.last_mut().unwrap(), told);
        pieces.iter().map(data).collect()
    }

    fn error(&self, status: u16) -> Value {
        let name = match status {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            _ => "INTERNAL",
        };
        json!({"error": {"code": status, "message": "the vendor's words", "status": name}})
    }

    fn error_event(&self) -> Bytes {
        data(&json!({"error": {"code": 503, "message": "the vendor's words", "status": "UNAVAILABLE"}}))
    }
}

fn read_part(ask: &mut Ask, part: &Value, model: bool) {
    let signature = part["thoughtSignature"].as_str().map(str::to_owned);
    if signature.is_some() || part["thought"] == true {
        let thought = if part["thought"] == true {
            text(&part["text"])
        } else {
            String::new()
        };
        ask.items.push(Item::Thought {
            text: thought,
            signature,
        });
    }
    if part["thought"] == true {
        return;
    }
    if let Some(said) = part["text"].as_str() {
        ask.items.push(if model {
            Item::Assistant(said.to_owned())
        } else {
            Item::User(said.to_owned())
        });
    } else if let Some(inline) = part.get("inlineData") {
        let (kind, data) = (text(&inline["mimeType"]), text(&inline["data"]));
        ask.items.push(if kind == "application/pdf" {
            Item::Document(data)
        } else {
            Item::Image(format!("data:{kind};base64,{data}"))
        });
    } else if let Some(file) = part.get("fileData") {
        ask.items.push(Item::Image(text(&file["fileUri"])));
    } else if let Some(call) = part.get("functionCall") {
        let args = call.get("args").cloned().unwrap_or(json!({}));
        ask.items.push(Item::Call(Call::new(
            call["id"].as_str().unwrap_or(&text(&call["name"])),
            call["name"].as_str().unwrap(),
            args,
        )));
    } else if let Some(result) = part.get("functionResponse") {
        let response = &result["response"];
        let failed = response.get("error").is_some();
        let said = if failed {
            &response["error"]
        } else if response.get("output").is_some() {
            &response["output"]
        } else {
            &response["result"]
        };
        ask.items.push(Item::Result {
            id: result["id"]
                .as_str()
                .unwrap_or(result["name"].as_str().unwrap())
                .to_owned(),
            text: text(said),
            failed,
        });
    } else {
        panic!("{part} is no part of Google's");
    }
}

fn parts(told: &Told) -> Vec<Value> {
    let mut parts = Vec::new();
    if let Some(thought) = &told.thought {
        parts.push(json!({"text": thought, "thought": true}));
    }
    if !told.text.is_empty() {
        parts.push(json!({"text": told.text}));
    }
    for (index, call) in told.calls.iter().enumerate() {
        let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}});
        if told.signed && index == 0 {
            part["thoughtSignature"] = SIGNATURE.into();
        }
        parts.push(part);
    }
    parts
}

fn chunk(parts: Vec<Value>, told: &Told) -> Value {
    let Usage {
        input,
        cached,
        output,
        reasoning,
    } = told.usage;
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": input, "cachedContentTokenCount": cached, "candidatesTokenCount": output - reasoning,
            "thoughtsTokenCount": reasoning, "totalTokenCount": input + output,
        },
        "modelVersion": "m", "responseId": "r1",
    })
}

fn finish(answer: &mut Value, told: &Told) {
    let candidate = &mut answer["candidates"][0];
    candidate["finishReason"] = match told.end {
        End::Length => "MAX_TOKENS",
        End::Refused => "SAFETY",
        _ => "STOP",
    }
    .into();
    if told.cited.is_empty() {
        return;
    }
    let source = |(url, title): &(String, String)| json!({"web": {"uri": url, "title": title}});
    let sources: Vec<_> = told.cited.iter().map(source).collect();
    candidate["groundingMetadata"] = json!({
        "webSearchQueries": ["weather lisbon"],
        "groundingChunks": sources,
        "groundingSupports": [{
            "segment": {"startIndex": 0, "endIndex": told.text.len(), "text": told.text},
            "groundingChunkIndices": (0..told.cited.len()).collect::<Vec<_>>(),
        }],
    });
}
