use std::collections::VecDeque;

use edge_ai_core::{ChatInput, ContentPart, Error, ErrorKind, Message, Result, Role};

use super::part::{self, Kind, Part};
use crate::gemini::GENERATE;
use crate::gemini::model::Accepts;
use crate::gemini::signature::{UNKNOWN, of_call, unmark};
use crate::wire::ObjectWriter;

/// The conversation as Gemini wants it: instructions apart, neighbors of one role together.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    system: Vec<&'a str>,
    turns: Vec<Turn<'a>>,
    call_ids: bool,
}

#[derive(Debug)]
struct Turn<'a> {
    model: bool,
    parts: Vec<Part<'a>>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(input: &'a ChatInput, accepts: Accepts) -> Result<Self> {
        let mut contents = Self {
            system: Vec::new(),
            turns: Vec::new(),
            call_ids: accepts.call_ids,
        };
        let mut calls: Vec<(&str, &str)> = Vec::new();
        for (index, message) in input.messages.iter().enumerate() {
            match message.role {
                Role::System | Role::Developer => contents.add_instructions(index, message)?,
                Role::User | Role::Tool => {
                    let parts = user_parts(index, message, &calls)?;
                    contents.add_turn(false, parts);
                }
                Role::Assistant => {
                    calls.extend(message.tool_calls().map(|call| (&*call.id, &*call.name)));
                    let parts = model_parts(index, message)?;
                    contents.add_turn(true, parts);
                }
                _ => {
                    return Err(
                        Error::new(ErrorKind::Unsupported, "Gemini does not have this role")
                            .with_param(format!("messages[{index}].role")),
                    );
                }
            }
        }
        for turn in &mut contents.turns {
            turn.settle(accepts);
        }
        contents.check(accepts)?;
        Ok(contents)
    }

    /// Writes `systemInstruction` and `contents`.
    pub(super) fn write(&self, body: &mut ObjectWriter<'_>, instruction: Option<&str>) -> Result<()> {
        let system = || self.system.iter().copied().chain(instruction);
        if system().next().is_some() {
            body.object("systemInstruction", |object| {
                object.array("parts", |parts| {
                    system().try_for_each(|text| {
                        parts.object(|part| {
                            part.field("text", text);
                            Ok(())
                        })
                    })
                })
            })?;
        }
        body.array("contents", |contents| {
            self.turns.iter().try_for_each(|turn| {
                contents.object(|content| {
                    content.field("role", if turn.model { "model" } else { "user" });
                    content.array("parts", |parts| {
                        turn.parts.iter().try_for_each(|part| {
                            parts.object(|object| part::write(object, part, self.call_ids))
                        })
                    })
                })
            })
        })
    }

    fn add_instructions(&mut self, index: usize, message: &'a Message) -> Result<()> {
        for (at, part) in message.content.iter().enumerate() {
            let text = part.as_text().ok_or_else(|| {
                let problem = "instructions are text; put the rest into a message of the user";
                Error::new(ErrorKind::Unsupported, problem).with_param(path(index, at))
            })?;
            if !text.is_empty() {
                self.system.push(text);
            }
        }
        Ok(())
    }

    fn add_turn(&mut self, model: bool, mut parts: Vec<Part<'a>>) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.model == model => turn.parts.append(&mut parts),
            _ => self.turns.push(Turn { model, parts }),
        }
    }

    fn check(&self, accepts: Accepts) -> Result<()> {
        match self.turns.last() {
            None => Err(Error::invalid(
                "messages",
                "at least one message with content is needed besides instructions",
            )),
            Some(turn) if turn.model && !accepts.prefill => Err(Error::invalid(
                "messages",
                "this model does not go on with an answer that was begun; the last message must be the user's",
            )),
            Some(_) => Ok(()),
        }
    }
}

impl Turn<'_> {
    /// Results before everything else, and no first call without a signature for a model that insists on one.
    fn settle(&mut self, accepts: Accepts) {
        if !self.model {
            self.parts
                .sort_by_key(|part| !matches!(part.kind, Kind::Result(..)));
            return;
        }
        let first = self
            .parts
            .iter_mut()
            .find(|part| matches!(part.kind, Kind::Call(_)));
        if let Some(first) = first.filter(|_| accepts.call_ids) {
            first.signature.get_or_insert_with(|| UNKNOWN.to_owned());
        }
    }
}

fn path(message: usize, at: usize) -> String {
    format!("messages[{message}].content[{at}]")
}

fn user_parts<'a>(index: usize, message: &'a Message, calls: &[(&'a str, &'a str)]) -> Result<Vec<Part<'a>>> {
    let mut parts = Vec::with_capacity(message.content.len());
    for (position, content) in message.content.iter().enumerate() {
        let at = path(index, position);
        let kind = match content {
            ContentPart::ToolResult(result) => {
                let known = calls.iter().rev().find(|(id, _)| *id == result.call_id);
                let (_, name) = known.ok_or_else(|| {
                    let problem = format!("no call before it has the id `{}`", result.call_id);
                    Error::invalid(&*at, problem)
                })?;
                Kind::Result(result, name)
            }
            _ if message.role == Role::Tool => {
                let problem = "a tool's message holds results, each with the id of its call";
                return Err(Error::invalid(at, problem));
            }
            ContentPart::ToolCall(_) | ContentPart::Reasoning(_) => {
                return Err(Error::invalid(
                    at,
                    "calls of tools and thoughts belong to the assistant",
                ));
            }
            content => match kind(content) {
                Some(kind) => kind,
                None => {
                    let problem = "a part that only another vendor knows";
                    return Err(Error::new(ErrorKind::Unsupported, problem).with_param(at));
                }
            },
        };
        if !matches!(kind, Kind::Text("", _)) {
            parts.push(Part {
                kind,
                signature: None,
                at,
            });
        }
    }
    Ok(parts)
}

/// The assistant's parts, with the signatures of its thoughts on the parts that they were given for: those that come before a call belong to
/// it, and one beside text alone to the text that follows, or to nothing but itself. What other vendors' models said in a form of their own
/// is left out.
fn model_parts(index: usize, message: &Message) -> Result<Vec<Part<'_>>> {
    let own: Vec<_> = message.tool_calls().map(|call| of_call(&call.extra)).collect();
    let mut own = own.into_iter();
    let known: Vec<_> = own.clone().flatten().collect();
    let mut unsigned = own.clone().filter(Option::is_none).count();
    let mut waiting = VecDeque::new();
    let mut parts = Vec::with_capacity(message.content.len());
    for (position, content) in message.content.iter().enumerate() {
        let at = path(index, position);
        let (kind, signature) = match content {
            ContentPart::Reasoning(thought) => {
                let signature = thought.signature.as_deref().and_then(unmark);
                let new = signature.filter(|signature| !known.iter().any(|known| known == signature));
                waiting.extend(new.map(str::to_owned));
                continue;
            }
            ContentPart::ToolCall(call) => {
                let signature = own.next().flatten().or_else(|| {
                    unsigned = unsigned.saturating_sub(1);
                    waiting.pop_front()
                });
                (Kind::Call(call), signature)
            }
            ContentPart::ToolResult(_) => {
                return Err(Error::invalid(
                    at,
                    "a result of a tool does not belong to the assistant",
                ));
            }
            content => match kind(content) {
                Some(Kind::Text("", _)) | None => continue,
                Some(kind @ Kind::Text(..)) if unsigned == 0 => (kind, waiting.pop_front()),
                Some(kind) => (kind, None),
            },
        };
        parts.push(Part { kind, signature, at });
    }
    parts.extend(waiting.into_iter().map(|signature| Part {
        kind: Kind::Text("", None),
        signature: Some(signature),
        at: String::new(),
    }));
    Ok(parts)
}

/// What anybody may say; `None` for what only another vendor knows.
fn kind(content: &ContentPart) -> Option<Kind<'_>> {
    Some(match content {
        ContentPart::Text(part) => Kind::Text(&part.text, Some(&part.extra)),
        ContentPart::Refusal(text) => Kind::Text(text, None),
        ContentPart::Image(part) => Kind::Image(part),
        ContentPart::Audio(part) => Kind::Audio(part),
        ContentPart::File(part) => Kind::File(part),
        ContentPart::Other(extra) if extra.fields_for(&GENERATE).next().is_some() => Kind::Own(extra),
        _ => return None,
    })
}
