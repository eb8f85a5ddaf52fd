//! A stream's frames, held back only as long as something that is looked for may still start in them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use edge_ai_core::{
    ChatEvent, ChatFrame, ChatOutput, ContentPart, Context, GuardAction, GuardNote, ReasoningDelta, Result,
};

use super::bench::{Lane, Lanes};
use super::edit::{Edit, apply, written};
use super::{check, texts};
use crate::guard::{Phase, Source};
use crate::placeholder::{self, Placeholders};
use crate::scan::{Encoding, Piece, PieceKind, Scanner, find_all};

/// A text that arrives in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text,
    Reasoning,
    Refusal,
    Call(u32),
}

/// Holds frames and lets them go.
#[derive(Debug)]
pub(super) struct Window {
    /// By source: text and refusal, reasoning, calls, everything else.
    text: Lanes,
    reasoning: Lanes,
    calls: Lanes,
    documents: Lanes,
    names: Arc<Placeholders>,
    context: Context,
    channels: BTreeMap<u64, Channel>,
    open: BTreeMap<Part, u64>,
    next: u64,
    held: VecDeque<Held>,
    /// A thought was changed: its signature is not let through.
    thought_changed: bool,
}

/// A frame that is not decided, and the channel of each of its texts.
#[derive(Debug)]
struct Held {
    frame: ChatFrame,
    texts: Vec<(u64, usize)>,
}

impl Window {
    pub(super) fn new(lanes: impl Fn(Source) -> Lanes, names: Arc<Placeholders>, context: Context) -> Self {
        Self {
            text: lanes(Source::Assistant),
            reasoning: lanes(Source::Reasoning),
            calls: lanes(Source::ToolCall),
            documents: lanes(Source::Document),
            names,
            context,
            channels: BTreeMap::new(),
            open: BTreeMap::new(),
            next: 0,
            held: VecDeque::new(),
            thought_changed: false,
        }
    }

    /// Takes a frame, and lets go what is decided.
    ///
    /// # Errors
    /// The refusal, for something that blocks; what stands before it is let go.
    pub(super) fn push(&mut self, mut frame: ChatFrame, out: &mut VecDeque<ChatFrame>) -> Result<()> {
        let mut held = Vec::new();
        let mut blocked = None;
        for event in &mut frame.events {
            if let Err(error) = self.event(event, &mut frame.native, &mut held) {
                blocked = Some(error);
                break;
            }
        }
        if let Some(error) = blocked {
            self.release(out);
            return Err(error);
        }
        self.held.push_back(Held { frame, texts: held });
        self.release(out);
        Ok(())
    }

    /// The stream ends here.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(super) fn finish(&mut self, out: &mut VecDeque<ChatFrame>) -> Result<()> {
        let closed = self.close(|_| true);
        self.release(out);
        closed
    }

    fn event(
        &mut self,
        event: &mut ChatEvent,
        native: &mut Option<bytes::Bytes>,
        held: &mut Vec<(u64, usize)>,
    ) -> Result<()> {
        match event {
            ChatEvent::Text(text) => {
                self.close(|part| matches!(part, Part::Reasoning | Part::Refusal))?;
                held.push((self.feed(Part::Text, text)?, text.len()));
            }
            ChatEvent::Refusal(text) => {
                self.close(|part| matches!(part, Part::Reasoning | Part::Text))?;
                held.push((self.feed(Part::Refusal, text)?, text.len()));
            }
            ChatEvent::Reasoning(delta) => {
                if !delta.text.is_empty() {
                    self.close(|part| matches!(part, Part::Text | Part::Refusal))?;
                    held.push((self.feed(Part::Reasoning, &delta.text)?, delta.text.len()));
                }
                if delta.signature.is_some() || delta.redacted.is_some() {
                    self.close(|part| !matches!(part, Part::Call(_)))?;
                }
            }
            ChatEvent::ToolCall(delta) => {
                if !self.open.contains_key(&Part::Call(delta.index)) {
                    self.close(|part| !matches!(part, Part::Call(_)))?;
                }
                held.push((
                    self.feed(Part::Call(delta.index), &delta.arguments)?,
                    delta.arguments.len(),
                ));
            }
            ChatEvent::Part(part) => {
                self.close(|part| !matches!(part, Part::Call(_)))?;
                if self.whole(part)? {
                    *native = None;
                }
            }
            ChatEvent::Finish(_) | ChatEvent::Done => self.close(|_| true)?,
            _ => {}
        }
        Ok(())
    }

    /// Gives more of a text to its scanners.
    fn feed(&mut self, part: Part, text: &str) -> Result<u64> {
        let id = match self.open.get(&part) {
            Some(id) => *id,
            None => {
                let id = self.next;
                self.next += 1;
                self.open.insert(part, id);
                self.channels.insert(id, Channel::new(part, self.lanes(part)));
                id
            }
        };
        self.scan(id, |channel, lanes, names, context| {
            channel.push(text, lanes, names, context)
        })?;
        Ok(id)
    }

    /// The texts of these parts are at their end.
    fn close(&mut self, parts: impl Fn(Part) -> bool) -> Result<()> {
        let closed: Vec<(Part, u64)> = self
            .open
            .iter()
            .map(|(part, id)| (*part, *id))
            .filter(|(part, _)| parts(*part))
            .collect();
        for (part, id) in closed {
            self.open.remove(&part);
            self.scan(id, Channel::finish)?;
        }
        Ok(())
    }

    fn scan(
        &mut self,
        id: u64,
        scan: impl FnOnce(&mut Channel, &Lanes, &Placeholders, &Context) -> Result<()>,
    ) -> Result<()> {
        let Some(mut channel) = self.channels.remove(&id) else {
            return Ok(());
        };
        let part = channel.part;
        let scanned = scan(&mut channel, self.lanes(part), &self.names, &self.context);
        self.channels.insert(id, channel);
        scanned
    }

    const fn lanes(&self, part: Part) -> &Lanes {
        match part {
            Part::Text | Part::Refusal => &self.text,
            Part::Reasoning => &self.reasoning,
            Part::Call(_) => &self.calls,
        }
    }

    /// A part that is there as a whole; says whether it was changed.
    fn whole(&self, part: &mut ContentPart) -> Result<bool> {
        let mut output = ChatOutput::default();
        output
            .content
            .push(std::mem::replace(part, ContentPart::Refusal(String::new())));
        let mut edits = Vec::new();
        for (index, passage) in texts::of_output(&output).iter().enumerate() {
            let lanes = match passage.source {
                Source::Assistant => &self.text,
                Source::Reasoning => &self.reasoning,
                Source::ToolCall => &self.calls,
                _ => &self.documents,
            };
            for lane in &lanes.flags {
                for hit in find_all(&passage.text, passage.encoding, &lane.matchers) {
                    note(
                        &self.context,
                        lane,
                        hit.matcher,
                        &hit.category,
                        GuardAction::Flag,
                        &passage.place,
                    );
                }
            }
            if let Some(hit) = find_all(&passage.text, passage.encoding, &lanes.block.matchers).first() {
                let (guard, _) = lanes.block.guard(hit.matcher).unwrap_or_default();
                return Err(check::block(
                    &self.context,
                    Phase::Answer,
                    guard,
                    &hit.category,
                    &passage.place,
                    None,
                ));
            }
            for hit in find_all(&passage.text, passage.encoding, &lanes.edit.matchers) {
                note(
                    &self.context,
                    &lanes.edit,
                    hit.matcher,
                    &hit.category,
                    GuardAction::Redact,
                    &passage.place,
                );
                let replacement =
                    replacement(&lanes.edit, hit.matcher, &hit.category, &hit.text, &self.names);
                edits.push(Edit {
                    passage: index,
                    span: hit.span,
                    replacement: written(&replacement, passage.encoding, hit.bare),
                });
            }
        }
        let changed = !edits.is_empty();
        if changed {
            apply(texts::in_output(&mut output), edits);
        }
        if let Some(checked) = output.content.pop() {
            *part = checked;
        }
        Ok(changed)
    }

    /// Lets go the frames whose texts are decided.
    fn release(&mut self, out: &mut VecDeque<ChatFrame>) {
        while let Some(held) = self.held.front() {
            let mut needs: BTreeMap<u64, usize> = BTreeMap::new();
            held.texts
                .iter()
                .for_each(|(id, len)| *needs.entry(*id).or_default() += len);
            let decided = |(id, len): (&u64, &usize)| {
                self.channels
                    .get(id)
                    .is_none_or(|channel| channel.decided() >= *len)
            };
            if !needs.iter().all(decided) {
                return;
            }
            let Some(held) = self.held.pop_front() else { return };
            let frame = self.rewritten(held);
            // A frame that came with nothing is a ping; one that had its texts taken out is nothing.
            out.extend(frame);
            let open: Vec<u64> = self.open.values().copied().collect();
            self.channels
                .retain(|id, channel| open.contains(id) || channel.fed > channel.taken);
        }
    }

    /// The frame with its texts as the client may see them; `None` when nothing is left of it.
    fn rewritten(&mut self, held: Held) -> Option<ChatFrame> {
        let Held { mut frame, texts } = held;
        let mut texts = texts.into_iter();
        let mut changed = false;
        let mut events = Vec::with_capacity(frame.events.len());
        for mut event in frame.events {
            let keep = match &mut event {
                ChatEvent::Text(text) | ChatEvent::Refusal(text) => {
                    let edited = self.take(&mut texts, text);
                    changed |= edited;
                    !(edited && text.is_empty())
                }
                ChatEvent::Reasoning(delta) => {
                    let edited = self.thought(&mut texts, delta);
                    changed |= edited;
                    !(edited && *delta == ReasoningDelta::default())
                }
                ChatEvent::ToolCall(delta) => {
                    changed |= self.take(&mut texts, &mut delta.arguments);
                    true
                }
                _ => true,
            };
            if keep {
                events.push(event);
            }
        }
        frame.events = events;
        if changed {
            frame.native = None;
            if frame.events.is_empty() {
                return None;
            }
        }
        Some(frame)
    }

    fn thought(
        &mut self,
        texts: &mut impl Iterator<Item = (u64, usize)>,
        delta: &mut ReasoningDelta,
    ) -> bool {
        let mut changed = !delta.text.is_empty() && self.take(texts, &mut delta.text);
        self.thought_changed |= changed;
        if delta.signature.is_some() && std::mem::take(&mut self.thought_changed) {
            delta.signature = None;
            changed = true;
        }
        changed
    }

    fn take(&mut self, texts: &mut impl Iterator<Item = (u64, usize)>, text: &mut String) -> bool {
        let channel = texts.next().and_then(|(id, _)| self.channels.get_mut(&id));
        let edited = channel.and_then(|channel| channel.take(text));
        let changed = edited.is_some();
        if let Some(edited) = edited {
            *text = edited;
        }
        changed
    }
}

/// The scanners of one text, and what they have decided.
#[derive(Debug)]
struct Channel {
    part: Part,
    encoding: Encoding,
    fed: usize,
    taken: usize,
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
struct Decided {
    len: usize,
    instead: Option<String>,
}

impl Channel {
    fn new(part: Part, lanes: &Lanes) -> Self {
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

    fn push(&mut self, text: &str, lanes: &Lanes, names: &Placeholders, context: &Context) -> Result<()> {
        self.fed += text.len();
        self.advance(|scanner| scanner.push(text), lanes, names, context)
    }

    fn finish(&mut self, lanes: &Lanes, names: &Placeholders, context: &Context) -> Result<()> {
        self.advance(Scanner::finish, lanes, names, context)
    }

    fn advance(
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
    fn decided(&self) -> usize {
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
    fn take(&mut self, text: &str) -> Option<String> {
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

/// What stands in the place of a match in an answer.
fn replacement(lane: &Lane, matcher: usize, category: &str, text: &str, names: &Placeholders) -> String {
    match lane.guard(matcher) {
        Some(_) => placeholder::mark(category),
        None => names.original(text).unwrap_or(text).to_owned(),
    }
}

fn note(context: &Context, lane: &Lane, matcher: usize, category: &str, action: GuardAction, place: &str) {
    if let Some((guard, _)) = lane.guard(matcher) {
        context
            .trail
            .add_guard(GuardNote::new(guard, category, action, place));
    }
}
