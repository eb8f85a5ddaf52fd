use edge_ai_core::{
    ChatInput, ContentPart, Dialect, Error, ErrorKind, Message, RawJson, Result, Role, TextPart,
};

use super::block::{Piece, cache_control, write_block, write_text};
use crate::wire::ObjectWriter;

/// The messages as Anthropic wants them: instructions apart, turns that alternate.
pub(crate) struct Conversation<'a> {
    /// The instructions, each with a cache mark that an OpenAI client gave it.
    pub(crate) system: Vec<(&'a TextPart, Option<&'a RawJson>)>,
    pub(crate) turns: Vec<Turn<'a>>,
}

/// What one of the two says until the other does.
pub(crate) struct Turn<'a> {
    pub(crate) assistant: bool,
    pub(crate) pieces: Vec<Piece<'a>>,
}

impl<'a> Conversation<'a> {
    /// The conversation for a vendor of `dialect`.
    pub(crate) fn new(input: &'a ChatInput, dialect: &Dialect) -> Result<Self> {
        let mut conversation = Self {
            system: Vec::new(),
            turns: Vec::new(),
        };
        for (index, message) in input.messages.iter().enumerate() {
            match message.role {
                Role::System | Role::Developer => conversation.add_instructions(index, message)?,
                Role::User | Role::Tool | Role::Assistant => {
                    conversation.add_turn(index, message, dialect)?
                }
                _ => {
                    let message = "the vendor does not have this role";
                    return Err(Error::new(ErrorKind::Unsupported, message)
                        .with_param(format!("messages[{index}].role")));
                }
            }
        }
        if conversation.turns.is_empty() {
            return Err(Error::invalid(
                "messages",
                "at least one message with content is needed besides instructions",
            ));
        }
        for turn in &mut conversation.turns {
            turn.order();
        }
        conversation.trim_prefill();
        Ok(conversation)
    }

    pub(super) fn write_system(&self, body: &mut ObjectWriter<'_>, instruction: Option<&str>) -> Result<()> {
        if self.system.is_empty() && instruction.is_none() {
            return Ok(());
        }
        body.array("system", |blocks| {
            for (part, cache) in &self.system {
                blocks.object(|object| {
                    write_text(object, &part.text, &part.extra, *cache);
                    Ok(())
                })?;
            }
            if let Some(instruction) = instruction {
                blocks.object(|object| {
                    object.field("type", "text");
                    object.field("text", instruction);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }

    pub(super) fn write_messages(&self, body: &mut ObjectWriter<'_>) -> Result<()> {
        body.array("messages", |messages| {
            for turn in &self.turns {
                messages.object(|message| {
                    message.field("role", if turn.assistant { "assistant" } else { "user" });
                    message.array("content", |blocks| {
                        turn.pieces
                            .iter()
                            .try_for_each(|piece| blocks.object(|object| write_block(object, piece)))
                    })
                })?;
            }
            Ok(())
        })
    }

    fn add_instructions(&mut self, index: usize, message: &'a Message) -> Result<()> {
        let last = message.content.len().saturating_sub(1);
        for (at, part) in message.content.iter().enumerate() {
            let ContentPart::Text(part) = part else {
                let problem = "instructions are text; put the rest into a message of the user";
                let param = format!("messages[{index}].content[{at}]");
                return Err(Error::new(ErrorKind::Unsupported, problem).with_param(param));
            };
            if !part.text.trim().is_empty() {
                let of_message = if at == last {
                    cache_control(&message.extra)
                } else {
                    None
                };
                self.system
                    .push((part, cache_control(&part.extra).or(of_message)));
            }
        }
        Ok(())
    }

    fn add_turn(&mut self, index: usize, message: &'a Message, dialect: &Dialect) -> Result<()> {
        let assistant = message.role == Role::Assistant;
        let last = message.content.len().saturating_sub(1);
        let mut pieces = Vec::with_capacity(message.content.len());
        for (at, part) in message.content.iter().enumerate() {
            let of_message = if at == last {
                cache_control(&message.extra)
            } else {
                None
            };
            let piece = Piece::new(index, at, part, of_message);
            piece.check_speaker(message.role)?;
            if piece.is_sent() && !(assistant && piece.is_foreign(dialect)) {
                pieces.push(piece);
            }
        }
        if pieces.is_empty() {
            return Ok(());
        }
        match self.turns.last_mut() {
            Some(turn) if turn.assistant == assistant => turn.pieces.append(&mut pieces),
            _ => self.turns.push(Turn { assistant, pieces }),
        }
        Ok(())
    }

    /// The beginning of the answer that the caller put into the model's mouth must not end in white space.
    fn trim_prefill(&mut self) {
        if let Some(Turn {
            assistant: true,
            pieces,
        }) = self.turns.last_mut()
        {
            if let Some(piece) = pieces.last_mut() {
                piece.trim_end = true;
            }
            pieces.retain(Piece::is_sent);
            if pieces.is_empty() {
                self.turns.pop();
            }
        }
    }
}

impl Turn<'_> {
    /// Tool results before everything else, thoughts before everything else; what is in order already stays as it is.
    fn order(&mut self) {
        if !self.assistant {
            self.pieces
                .sort_by_key(|piece| !matches!(piece.part, ContentPart::ToolResult(_)));
            return;
        }
        let thought = |piece: &Piece<'_>| matches!(piece.part, ContentPart::Reasoning(_));
        if !self.pieces.first().is_some_and(thought) {
            self.pieces.sort_by_key(|piece| !thought(piece));
        }
    }
}
