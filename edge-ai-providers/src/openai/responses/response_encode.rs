use bytes::Bytes;
use edge_ai_core::{ChatOutput, ChatResponse, ContentPart};

use super::answer::{self, Ids, Said, State};
use super::{Echo, RESPONSES, seal, status};
use crate::citation::settled;
use crate::openai::Head;
use crate::wire::{shown_id, write_object};

/// Writes an answer for a client of this dialect. One that came in it goes out as it is.
///
/// - Texts and refusals that follow each other are one message; a thought, a call and what only this dialect knows are items by themselves.
/// - A thought's signature, or a redacted thought, is its encrypted content: the client sends it back, and the vendor gets it back as
///   it was.
/// - Parts that only another dialect knows are left out.
pub fn encode_responses_response(response: &ChatResponse, head: &Head, echo: &Echo) -> Bytes {
    if let Some(body) = response.native_in(&RESPONSES) {
        return body.clone();
    }
    let head = own_head(response, head);
    let items = items(response, &Ids::of(&head.id));
    let body = write_object(|object| {
        let state = State::Ended(&response.finish_reason, response.usage.as_ref());
        answer::write_response(object, &head, echo, &state, |array| {
            items.iter().for_each(|item| array.json(item));
            Ok(())
        })
    });
    // Nothing that is written here fails.
    body.unwrap_or_default().into()
}

fn own_head(output: &ChatOutput, head: &Head) -> Head {
    let model = if output.model.is_empty() {
        &head.model
    } else {
        &output.model
    };
    Head {
        id: shown_id("resp_", &output.id, &head.id),
        created: head.created,
        model: model.clone(),
    }
}

fn items(output: &ChatOutput, ids: &Ids) -> Vec<Vec<u8>> {
    let mut items = Vec::new();
    let mut said = Vec::new();
    let last = status::of(&output.finish_reason);
    for part in &*settled(&output.content) {
        match part {
            ContentPart::Text(part) => said.push(Said::text(part.clone())),
            ContentPart::Refusal(text) => said.push(Said::Refusal(text.clone())),
            part => {
                flush(&mut items, &mut said, ids, "completed");
                let index = items.len();
                items.extend(match part {
                    ContentPart::ToolCall(call) => {
                        let mut call = call.clone();
                        call.arguments = call.arguments_json().to_owned();
                        let call_id = ids.call(&call.id, index);
                        Some(answer::call(&ids.item("fc", index), "completed", &call_id, &call))
                    }
                    ContentPart::Reasoning(part) => {
                        let id = seal::id(part.signature.as_deref()).map(str::to_owned);
                        let id = id.unwrap_or_else(|| ids.item("rs", index));
                        Some(answer::thought(&id, part))
                    }
                    part => answer::own(part),
                });
            }
        }
    }
    flush(&mut items, &mut said, ids, last);
    items
}

fn flush(items: &mut Vec<Vec<u8>>, said: &mut Vec<Said>, ids: &Ids, status: &str) {
    if !said.is_empty() {
        items.push(answer::message(&ids.item("msg", items.len()), status, said));
        said.clear();
    }
}
