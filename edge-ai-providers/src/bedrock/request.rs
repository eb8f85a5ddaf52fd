mod block;
mod config;
mod document;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatInput, ChatRequest, ContentPart, Error, ErrorKind, RawJson, Result};

use self::block::{Marks, write_piece};
use self::config::Config;
use self::document::Documents;
use super::CONVERSE;
use super::family::Family;
use crate::anthropic::{Conversation, MESSAGES, Turn};
use crate::openai::CHAT;
use crate::wire::{ArrayWriter, ObjectWriter, write_object};

/// Fields of Converse's own, which a client of any dialect may send under their names.
const OWN: [&str; 6] = [
    "guardrailConfig",
    "additionalModelResponseFieldPaths",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
];

/// Writes the body of `POST /model/{model}/converse`, which is that of `/converse-stream` as well.
///
/// - Instructions, wherever they stand, become `system`. Neighbors of one role become one message, tool results come first in theirs.
/// - Thoughts go back to Claude, with their signature or encryption; no other model takes them.
/// - Cache marks (`cache_control` of OpenAI's and Anthropic's clients) become cache points behind what they mark, for Claude and Nova.
/// - A JSON schema is `outputConfig.textFormat` where the model enforces it, else an instruction, unless it must be enforced.
/// - How Claude thinks is `thinking` among `additionalModelRequestFields` with `outputConfig.effort`; for gpt-oss it is `reasoning_effort`, for
///   Nova 2 `reasoningConfig`.
/// - No parallel calls, and no calls at all in a conversation that has had some, are told to Claude in its own `tool_choice`. Converse has no
///   word for either: to another model the first is not told, and the second is an error.
/// - Sampling parameters are left out where the model refuses them; seeds and penalties, which Converse does not have, always.
/// - `guardrailConfig`, `performanceConfig`, `promptVariables`, `requestMetadata`, `serviceTier`, `additionalModelRequestFields` and
///   `additionalModelResponseFieldPaths` are passed on from clients of every dialect.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what Bedrock has no counterpart for, such as pictures at an address, and
/// [`ErrorKind::InvalidRequest`] for what it would refuse; both name the field.
pub fn encode_converse_request(request: &ChatRequest) -> Result<Bytes> {
    let input: &ChatInput = request;
    if input.choices.is_some_and(|choices| choices > 1) {
        let message = "Bedrock gives one answer for a request; ask again for more";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
    }
    let family = Family::of(&request.model);
    let config = Config::new(input, family)?;
    let conversation = Conversation::new(input, &CONVERSE)?;
    let marks = Marks::new(input, family);
    let body = write_object(|body| {
        write_system(body, &conversation, config.instruction.as_deref(), &marks)?;
        write_messages(body, &conversation, &marks)?;
        config.write(body)?;
        tools::write(body, input, &marks)?;
        for name in OWN {
            body.optional(name, own_field(input, name));
        }
        Ok(())
    })?;
    Ok(body.into())
}

/// A field of Converse's in a request of any dialect.
fn own_field<'a>(input: &'a ChatInput, name: &str) -> Option<&'a RawJson> {
    [CONVERSE, CHAT, MESSAGES]
        .iter()
        .find_map(|dialect| input.extra.get(dialect, name))
}

fn write_system(
    body: &mut ObjectWriter<'_>,
    conversation: &Conversation<'_>,
    instruction: Option<&str>,
    marks: &Marks<'_>,
) -> Result<()> {
    if conversation.system.is_empty() && instruction.is_none() {
        return Ok(());
    }
    body.array("system", |blocks| {
        for (part, mark) in &conversation.system {
            text(blocks, &part.text)?;
            marks.write_point(blocks, marks.of(&part.extra, *mark))?;
        }
        instruction.map_or(Ok(()), |instruction| text(blocks, instruction))
    })
}

fn text(blocks: &mut ArrayWriter<'_>, text: &str) -> Result<()> {
    blocks.object(|block| {
        block.field("text", text);
        Ok(())
    })
}

fn write_messages(
    body: &mut ObjectWriter<'_>,
    conversation: &Conversation<'_>,
    marks: &Marks<'_>,
) -> Result<()> {
    let mut documents = Documents::default();
    let last = conversation.turns.len().saturating_sub(1);
    body.array("messages", |messages| {
        for (at, turn) in conversation.turns.iter().enumerate() {
            messages.object(|message| {
                message.field("role", if turn.assistant { "assistant" } else { "user" });
                message.array("content", |blocks| {
                    write_turn(blocks, turn, marks, &mut documents)?;
                    let whole = marks.whole.filter(|_| at == last);
                    marks.write_point(blocks, whole)
                })
            })?;
        }
        Ok(())
    })
}

fn write_turn(
    blocks: &mut ArrayWriter<'_>,
    turn: &Turn<'_>,
    marks: &Marks<'_>,
    documents: &mut Documents,
) -> Result<()> {
    for piece in &turn.pieces {
        if matches!(piece.part, ContentPart::Reasoning(_)) && marks.family.claude().is_none() {
            continue;
        }
        write_piece(blocks, piece, marks, documents)?;
    }
    Ok(())
}
