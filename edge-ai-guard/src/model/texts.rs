//! The texts of requests and answers, to read and to change.

use edge_ai_core::{ChatInput, ChatOutput, ContentPart, Extra, Message, RawJson, ReasoningPart, Role, Tool};

use crate::guard::{Passage, Source};

/// A text to change.
pub(super) enum Slot<'a> {
    Text(&'a mut String),
    /// A thought that was changed is not the vendor's own any more: its signature goes.
    Thought(&'a mut ReasoningPart),
    Json(&'a mut RawJson),
}

/// The texts of a request.
pub(super) fn of_input(input: &ChatInput) -> Vec<Passage<'_>> {
    let mut passages = Vec::new();
    for (index, message) in input.messages.iter().enumerate() {
        let place = format!("messages[{index}].content");
        of_parts(&message.content, source(message), &place, &mut passages);
        of_extra(&message.extra, &format!("messages[{index}]"), &mut passages);
    }
    for (index, tool) in input.tools.iter().enumerate() {
        if let Tool::Function(tool) = tool
            && let Some(description) = &tool.description
        {
            let place = format!("tools[{index}].description");
            passages.push(Passage::new(description, Source::System, place));
        }
    }
    of_extra(&input.extra, "", &mut passages);
    passages
}

/// The same texts, in the same order.
pub(super) fn in_input(input: &mut ChatInput) -> Vec<Slot<'_>> {
    let mut slots = Vec::new();
    for message in &mut input.messages {
        in_parts(&mut message.content, &mut slots);
        in_extra(&mut message.extra, &mut slots);
    }
    for tool in &mut input.tools {
        if let Tool::Function(tool) = tool
            && let Some(description) = &mut tool.description
        {
            slots.push(Slot::Text(description));
        }
    }
    in_extra(&mut input.extra, &mut slots);
    slots
}

/// The texts of an answer.
pub(super) fn of_output(output: &ChatOutput) -> Vec<Passage<'_>> {
    let mut passages = Vec::new();
    of_parts(&output.content, Source::Assistant, "content", &mut passages);
    passages
}

/// The same texts, in the same order.
pub(super) fn in_output(output: &mut ChatOutput) -> Vec<Slot<'_>> {
    let mut slots = Vec::new();
    in_parts(&mut output.content, &mut slots);
    slots
}

fn source(message: &Message) -> Source {
    match message.role {
        Role::System | Role::Developer => Source::System,
        Role::Assistant => Source::Assistant,
        Role::Tool => Source::ToolResult,
        _ => Source::User,
    }
}

/// The texts of parts.
pub(super) fn of_parts<'a>(
    parts: &'a [ContentPart],
    source: Source,
    place: &str,
    passages: &mut Vec<Passage<'a>>,
) {
    for (index, part) in parts.iter().enumerate() {
        let place = format!("{place}[{index}]");
        match part {
            ContentPart::Text(part) => {
                passages.push(Passage::new(&part.text, source, place.as_str()));
                of_extra(&part.extra, &place, passages);
            }
            ContentPart::Refusal(text) => {
                passages.push(Passage::new(text, source, format!("{place}.refusal")))
            }
            ContentPart::Reasoning(part) if part.redacted.is_none() => {
                passages.push(Passage::new(
                    &part.text,
                    Source::Reasoning,
                    format!("{place}.reasoning"),
                ));
            }
            ContentPart::ToolCall(call) => {
                passages.push(Passage::json(
                    &call.arguments,
                    Source::ToolCall,
                    format!("{place}.arguments"),
                ));
            }
            ContentPart::ToolResult(result) => {
                of_parts(
                    &result.content,
                    Source::ToolResult,
                    &format!("{place}.content"),
                    passages,
                );
            }
            ContentPart::Other(extra) => of_extra(extra, &place, passages),
            _ => {}
        }
    }
}

/// The same texts, in the same order.
pub(super) fn in_parts<'a>(parts: &'a mut [ContentPart], slots: &mut Vec<Slot<'a>>) {
    for part in parts {
        match part {
            ContentPart::Text(part) => {
                slots.push(Slot::Text(&mut part.text));
                in_extra(&mut part.extra, slots);
            }
            ContentPart::Refusal(text) => slots.push(Slot::Text(text)),
            ContentPart::Reasoning(part) if part.redacted.is_none() => slots.push(Slot::Thought(part)),
            ContentPart::ToolCall(call) => slots.push(Slot::Text(&mut call.arguments)),
            ContentPart::ToolResult(result) => in_parts(&mut result.content, slots),
            ContentPart::Other(extra) => in_extra(extra, slots),
            _ => {}
        }
    }
}

/// Unknown fields that have a text somewhere.
fn of_extra<'a>(extra: &'a Extra, place: &str, passages: &mut Vec<Passage<'a>>) {
    for (name, value) in extra.values().filter(|(_, value)| has_text(value)) {
        let place = if place.is_empty() {
            name.to_owned()
        } else {
            format!("{place}.{name}")
        };
        passages.push(Passage::json(value.get(), Source::Document, place));
    }
}

fn in_extra<'a>(extra: &'a mut Extra, slots: &mut Vec<Slot<'a>>) {
    let values = extra.values_mut().filter(|(_, value)| has_text(value));
    slots.extend(values.map(|(_, value)| Slot::Json(value)));
}

fn has_text(value: &RawJson) -> bool {
    value.get().contains('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Encoding;
    use edge_ai_core::{Dialect, FunctionTool, TextPart, ToolCall, ToolResult};

    #[test]
    fn reading_and_changing_go_the_same_way() {
        let field = |name: &str, json: &str| (name.to_owned(), RawJson::parse(json).unwrap());
        let extra = |name: &str| Extra::new(Dialect::new("d"), vec![field(name, "\"x\""), field("n", "1")]);
        let parts = vec![
            ContentPart::Text(TextPart::new("a", extra("e1"))),
            ContentPart::Reasoning(ReasoningPart::redacted("r")),
            ContentPart::Reasoning(ReasoningPart::new("b", None)),
            ContentPart::image_url("https://example.com"),
            ContentPart::ToolCall(ToolCall::new("1", "f", "{\"c\":1}")),
            ContentPart::ToolResult(ToolResult::from_text("1", "d")),
            ContentPart::Refusal("e".into()),
            ContentPart::Other(extra("e2")),
        ];
        let mut input = ChatInput::default();
        input.messages.push(Message::new(Role::User, parts));
        let mut tool = FunctionTool::named("f");
        tool.description = Some("g".into());
        input.tools.push(Tool::Function(tool));
        input.extra = extra("user");
        let read: Vec<(String, bool)> = of_input(&input)
            .iter()
            .map(|passage| (passage.text.to_string(), passage.encoding == Encoding::Json))
            .collect();
        let changed: Vec<String> = in_input(&mut input)
            .iter()
            .map(|slot| match slot {
                Slot::Text(text) => text.to_string(),
                Slot::Thought(part) => part.text.clone(),
                Slot::Json(value) => value.get().to_owned(),
            })
            .collect();
        assert_eq!(
            read.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>(),
            changed
        );
        assert_eq!(
            changed,
            ["a", "\"x\"", "b", "{\"c\":1}", "d", "e", "\"x\"", "g", "\"x\""]
        );
        assert_eq!(read.iter().filter(|(_, json)| *json).count(), 4);
    }
}
