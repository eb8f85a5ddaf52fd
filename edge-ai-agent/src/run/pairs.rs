use std::collections::BTreeSet;

use edge_ai_core::{ContentPart, Message, Role, ToolResult};

/// Makes every call have its result right behind it, as vendors demand: a call without one gets an error, a result without a call goes.
pub(crate) fn pair(messages: Vec<Message>) -> Vec<Message> {
    let mut paired = Vec::with_capacity(messages.len());
    let mut open: BTreeSet<String> = BTreeSet::new();
    for mut message in messages {
        if message.role == Role::Tool {
            message.content.retain(|part| match part {
                ContentPart::ToolResult(result) => open.remove(&result.call_id),
                _ => true,
            });
            if !message.content.is_empty() {
                paired.push(message);
            }
            continue;
        }
        // Results may also come in a user's message, beside a text.
        message.content.retain(|part| match part {
            ContentPart::ToolResult(result) => open.remove(&result.call_id),
            _ => true,
        });
        let answers = message
            .content
            .iter()
            .any(|part| matches!(part, ContentPart::ToolResult(_)));
        if !answers {
            close(&mut open, &mut paired);
        }
        if message.content.is_empty() {
            continue;
        }
        open.extend(message.tool_calls().map(|call| call.id.clone()));
        paired.push(message);
    }
    close(&mut open, &mut paired);
    paired
}

fn close(open: &mut BTreeSet<String>, paired: &mut Vec<Message>) {
    let missing: Vec<_> = std::mem::take(open)
        .into_iter()
        .map(|call| {
            let mut result = ToolResult::from_text(
                call,
                "The call was interrupted; whether it happened is not known.",
            );
            result.is_error = true;
            ContentPart::ToolResult(result)
        })
        .collect();
    if !missing.is_empty() {
        paired.push(Message::new(Role::Tool, missing));
    }
}

#[cfg(test)]
mod tests {
    use edge_ai_core::ToolCall;

    use super::*;

    fn call(id: &str) -> Message {
        let call = ToolCall::new(id, "t", "{}");
        Message::new(Role::Assistant, vec![ContentPart::ToolCall(call)])
    }

    fn result(id: &str) -> Message {
        Message::new(
            Role::Tool,
            vec![ContentPart::ToolResult(ToolResult::from_text(id, "ok"))],
        )
    }

    #[test]
    fn calls_and_results_are_pairs() {
        let user = || Message::from_text(Role::User, "hi");
        let whole = vec![user(), call("a"), result("a"), user()];
        assert_eq!(pair(whole.clone()), whole);
        let paired = pair(vec![result("z"), call("a"), user(), result("a"), call("b")]);
        let roles: Vec<_> = paired.iter().map(|message| message.role).collect();
        assert_eq!(
            roles,
            [
                Role::Assistant,
                Role::Tool,
                Role::User,
                Role::Assistant,
                Role::Tool
            ]
        );
    }
}
