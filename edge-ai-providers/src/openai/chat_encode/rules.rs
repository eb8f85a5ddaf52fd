//! What a server's rules change in a conversation.

use std::borrow::Cow;

use edge_ai_core::{ContentPart, Extra, Message, ReasoningPart, Role};

use super::Compatibility;
use crate::openai::compatibility::{SendReasoning, ToolCallIds};
use crate::openai::{CHAT, thinking};

/// Whether a client's own message has something that the server refuses.
pub(super) fn refuses(server: &Compatibility, message: &Message) -> bool {
    let part = |part: &ContentPart| match part {
        ContentPart::ToolCall(call) => matches!(tool_call_id(server, &call.id), Cow::Owned(_)),
        ContentPart::ToolResult(result) => {
            matches!(tool_call_id(server, &result.call_id), Cow::Owned(_))
        }
        ContentPart::Other(extra) if extra.get(&CHAT, "type").is_none() => has_unknown(server, extra),
        _ => false,
    };
    (message.role == Role::Developer && !server.developer_role)
        || (message.name.is_some() && !server.message_names)
        || has_unknown(server, &message.extra)
        || message.content.iter().any(part)
        || (message.role == Role::Assistant && moves_reasoning(server, message))
}

fn has_unknown(server: &Compatibility, extra: &Extra) -> bool {
    extra
        .fields_for(&CHAT)
        .any(|(name, _)| !allows_message_field(server, name))
}

fn moves_reasoning(server: &Compatibility, message: &Message) -> bool {
    let written = thoughts(message).find_map(thinking::field_of);
    match server.send_reasoning {
        SendReasoning::InOwnField | SendReasoning::Never | SendReasoning::WithToolCalls => {
            written != reasoning_field(server, &message.content)
        }
        SendReasoning::AsWritten | SendReasoning::Always => false,
    }
}

fn thoughts(message: &Message) -> impl Iterator<Item = &ReasoningPart> {
    message.content.iter().filter_map(as_thought)
}

fn as_thought(part: &ContentPart) -> Option<&ReasoningPart> {
    match part {
        ContentPart::Reasoning(thought) => Some(thought),
        _ => None,
    }
}

/// The field for the thoughts of an assistant's turn, if they are to be sent.
pub(super) fn reasoning_field(server: &Compatibility, parts: &[ContentPart]) -> Option<&'static str> {
    let own = server.reasoning_field.as_str();
    let written = || parts.iter().filter_map(as_thought).find_map(thinking::field_of);
    match server.send_reasoning {
        SendReasoning::AsWritten => written(),
        SendReasoning::InOwnField => written().map(|_| own),
        SendReasoning::Always => written().or(Some(own)),
        SendReasoning::Never => None,
        SendReasoning::WithToolCalls => parts
            .iter()
            .any(|part| matches!(part, ContentPart::ToolCall(_)))
            .then_some(own),
    }
}

/// Whether a message may have a field beside those of OpenAI that the encoder writes by itself.
pub(super) fn allows_message_field(server: &Compatibility, name: &str) -> bool {
    server
        .message_fields
        .is_none_or(|allowed| allowed.contains(&name))
}

/// The id in the server's form.
pub(super) fn tool_call_id<'a>(server: &Compatibility, id: &'a str) -> Cow<'a, str> {
    const LENGTH: usize = 9;
    let fits = id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match server.tool_call_ids {
        ToolCallIds::NineAlphanumerics if !fits => Cow::Owned(alphanumerics(id.as_bytes(), LENGTH)),
        _ => Cow::Borrowed(id),
    }
}

/// A text of digits and letters that stands for `bytes`. Of 62^9 texts, two of a conversation's will not be the same.
fn alphanumerics(bytes: &[u8], length: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // FNV-1a.
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let digit = |_| {
        let digit = DIGITS.get(usize::try_from(hash % 62).unwrap_or_default());
        hash /= 62;
        char::from(digit.copied().unwrap_or(b'0'))
    };
    (0..length).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Compatibility = Compatibility {
        tool_call_ids: ToolCallIds::NineAlphanumerics,
        ..Compatibility::COMPATIBLE
    };

    #[test]
    fn ids_are_kept_or_replaced_by_nine_alphanumerics() {
        assert_eq!(tool_call_id(&SERVER, "D681PevKs"), "D681PevKs");
        let replaced: Vec<_> = (0..2_000)
            .map(|number| tool_call_id(&SERVER, &format!("call_{number}")).into_owned())
            .collect();
        for id in &replaced {
            assert!(
                id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{id}"
            );
        }
        let mut apart = replaced.clone();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), replaced.len());
        assert_eq!(tool_call_id(&SERVER, "call_7"), replaced[7]);
        assert_eq!(tool_call_id(&SERVER, "").len(), 9);
        assert_eq!(tool_call_id(&Compatibility::COMPATIBLE, "call_7"), "call_7");
    }
}
