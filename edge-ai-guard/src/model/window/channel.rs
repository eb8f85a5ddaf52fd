//! One text of a stream, and what is decided of it.

use std::collections::VecDeque;

use edge_ai_core::{Context, GuardAction, Result};

use super::super::bench::Lanes;
use super::super::check::{self, note, replacement};
use super::super::edit::written;
use crate::guard::Phase;
use crate::placeholder::Placeholders;
use crate::scan::{Encoding, Piece, PieceKind, Scanner};

/// A text that arrives in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Text,
    Reasoning,
    Refusal,
    Call(u32),
}

/// The scanners of one text, and what they have decided.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) part: Part,
    encoding: Encoding,
    pub(super) fed: usize,
    pub(super) taken: usize,
    block: Option<Scanner>,
    block_decided: usize,
    edit: Option<Scanner>,
    edit_decided: usize,
    /// Decided and not taken yet.
    pieces: VecDeque<Decided>,
    flags: Vec<Scanner>,
}

/// A piece of a text, and what stands in its place.
#[derive(Debug)]
pub(super) struct Decided {
    len: usize,
    instead: Option<String>,
}

impl Channel {
    pub(super) fn new(part: Part, lanes: &Lanes) -> Self {
        let encoding = match part {
            Part::Call(_) => Encoding::Json,
            _ => Encoding::Plain,
        };
        Self {
            part,
            encoding,
            fed: 0,
            taken: 0,
            block: lanes.block.scanner(encoding),
            block_decided: 0,
            edit: lanes.edit.scanner(encoding),
            edit_decided: 0,
            pieces: VecDeque::new(),
            flags: lanes
                .flags
                .iter()
                .filter_map(|lane| lane.scanner(encoding))
                .collect(),
        }
    }

    pub(super) fn push(
        &mut self,
        text: &str,
        lanes: &Lanes,
        names: &Placeholders,
        context: &Context,
    ) -> Result<()> {
        self.fed += text.len();
        self.advance(|scanner| scanner.push(text), lanes, names, context)
    }

    pub(super) fn finish(&mut self, lanes: &Lanes, names: &Placeholders, context: &Context) -> Result<()> {
        self.advance(Scanner::finish, lanes, names, context)
    }

    pub(super) fn advance(
        &mut self,
        scan: impl Fn(&mut Scanner) -> Vec<Piece>,
        lanes: &Lanes,
        names: &Placeholders,
        context: &Context,
    ) -> Result<()> {
        let place = self.place();
        for (lane, scanner) in lanes.flags.iter().zip(&mut self.flags) {
            for piece in scan(scanner) {
                if let PieceKind::Hit {
                    matcher, category, ..
                } = piece.kind
                {
                    note(context, lane, matcher, &category, GuardAction::Flag, place);
                }
            }
        }
        let edits = self.edit.as_mut().map(&scan).unwrap_or_default();
        for piece in edits {
            self.edit_decided += piece.len;
            let instead = match piece.kind {
                PieceKind::Plain => None,
                PieceKind::Tail => Some(String::new()),
                PieceKind::Hit {
                    matcher,
                    category,
                    bare,
                } => {
                    note(
                        context,
                        &lanes.edit,
                        matcher,
                        &category,
                        GuardAction::Redact,
                        place,
                    );
                    let text = replacement(&lanes.edit, matcher, &category, &piece.text, names);
                    Some(written(&text, self.encoding, bare))
                }
            };
            self.pieces.push_back(Decided {
                len: piece.len,
                instead,
            });
        }
        for piece in self.block.as_mut().map(&scan).unwrap_or_default() {
            if let PieceKind::Hit {
                matcher, category, ..
            } = piece.kind
            {
                let (guard, _) = lanes.block.guard(matcher).unwrap_or_default();
                return Err(check::block(
                    context,
                    Phase::Answer,
                    guard,
                    &category,
                    place,
                    None,
                ));
            }
            self.block_decided += piece.len;
        }
        Ok(())
    }

    const fn place(&self) -> &'static str {
        match self.part {
            Part::Text => "content",
            Part::Reasoning => "reasoning",
            Part::Refusal => "refusal",
            Part::Call(_) => "tool_calls.arguments",
        }
    }

    /// How many bytes are decided and not taken.
    pub(super) fn decided(&self) -> usize {
        let block = if self.block.is_some() {
            self.block_decided
        } else {
            self.fed
        };
        let edit = if self.edit.is_some() {
            self.edit_decided
        } else {
            self.fed
        };
        block.min(edit).saturating_sub(self.taken)
    }

    /// The next of the text as the client may see it; `None` when it is as it was.
    pub(super) fn take(&mut self, text: &str) -> Option<String> {
        self.taken += text.len();
        self.edit.as_ref()?;
        let mut out = String::with_capacity(text.len());
        let mut changed = false;
        let mut at = 0;
        while at < text.len() {
            let Some(piece) = self.pieces.front_mut() else {
                break;
            };
            let len = piece.len.min(text.len() - at);
            match &mut piece.instead {
                None => out.push_str(text.get(at..at + len).unwrap_or_default()),
                Some(instead) => {
                    changed = true;
                    // The first of the frames that it was in has it all.
                    out.push_str(&std::mem::take(instead));
                }
            }
            at += len;
            piece.len -= len;
            if piece.len == 0 {
                self.pieces.pop_front();
            }
        }
        changed.then_some(out)
    }
}
