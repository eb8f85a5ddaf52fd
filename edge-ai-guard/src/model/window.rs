//! A stream's frames, held back only as long as something that is looked for may still start in them.

mod channel;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use edge_ai_core::{
    ChatEvent, ChatFrame, ChatOutput, ContentPart, Context, GuardAction, ReasoningDelta, Result,
};

use super::bench::Lanes;
use super::check::{self, note, replacement};
use super::edit::{Edit, apply, written};
use super::texts;
use crate::guard::{Phase, Source};
use crate::placeholder::Placeholders;
use crate::scan::find_all;
use channel::{Channel, Part};

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
