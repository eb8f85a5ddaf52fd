//! The one way in which ranges are cut: as far as the size allows, at the best place before that.

use std::ops::Range;

use super::size::ChunkSize;

/// Where a text may be cut, and how well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Break {
    /// The lower the better.
    pub(super) level: u8,
    /// Where the piece before it ends.
    pub(super) at: usize,
}

/// Knows where a text may be cut.
pub(super) trait Breaks {
    /// The best break after `fresh` and up to `reach`, the last of equals; `fresh` and `reach` are character boundaries, and there is at least a
    /// character between them.
    fn best(&self, text: &str, fresh: usize, reach: usize) -> Break;
}

/// Sizes of chunks and of what they share with the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) size: ChunkSize,
    pub(super) overlap: ChunkSize,
}

impl Sizes {
    /// Chunks of at most `size`, without overlap.
    pub(super) fn new(size: ChunkSize) -> Self {
        let size = size.at_least_min();
        Self {
            size,
            overlap: size.overlap(0),
        }
    }

    /// The same with an overlap, at most half of the size.
    pub(super) fn overlapping(self, most: usize) -> Self {
        Self {
            overlap: self.size.overlap(most),
            ..self
        }
    }

    /// `name` with the sizes; `name` may have parameters of its own.
    pub(super) fn fingerprint(&self, name: &str) -> String {
        let mark = if name.contains(':') { ',' } else { ':' };
        format!("{name}{mark}{},overlap={}", self.size, self.overlap.amount())
    }
}

/// Cuts `within` into ranges that fit; they begin and end with characters that are not white space, and are added to `out`.
///
/// Every byte is looked at a bounded number of times: a step reads at most twice a chunk's size, and gets on by at least half of it unless it stops at a
/// break for the sake of what follows.
pub(super) fn cut(
    text: &str,
    within: Range<usize>,
    sizes: Sizes,
    breaks: &impl Breaks,
    out: &mut Vec<Range<usize>>,
) {
    let end = within.start + trim_end(slice(text, within.start, within.end));
    let mut fresh = skip_space(text, within.start, end);
    let mut before: Option<Range<usize>> = None;
    while fresh < end {
        let range = next(text, fresh, end, sizes, breaks, before.as_ref());
        fresh = skip_space(text, range.end, end);
        before = Some(range.clone());
        out.push(range);
    }
}

/// The chunk that takes the text on from `fresh`.
fn next(
    text: &str,
    fresh: usize,
    end: usize,
    sizes: Sizes,
    breaks: &impl Breaks,
    before: Option<&Range<usize>>,
) -> Range<usize> {
    let alone = reach(text, fresh, fresh, end, sizes.size, breaks);
    let shared = before
        .filter(|_| sizes.overlap.amount() > 0)
        .and_then(|before| overlap(text, before, fresh, sizes.overlap));
    let (start, chosen) = match shared {
        None => (fresh, alone),
        Some(start) => {
            let with = reach(text, start, fresh, end, sizes.size, breaks);
            if with.at > fresh && with.level <= alone.level {
                (start, with)
            } else {
                // What would be cut for the overlap's sake keeps whole; the overlap gets what is left.
                let room = start + sizes.size.fit_end(slice(text, start, alone.at));
                let start = if room == start {
                    start
                } else {
                    unit_start(text, room.min(fresh), fresh)
                };
                (start, alone)
            }
        }
    };
    let end = fresh + trim_end(slice(text, fresh, chosen.at));
    start..end.max(after_first(text, fresh))
}

/// Where a chunk from `start` ends best, its new text beginning at `fresh`.
fn reach(text: &str, start: usize, fresh: usize, end: usize, size: ChunkSize, breaks: &impl Breaks) -> Break {
    let reach = start + size.fit(slice(text, start, end));
    if reach >= end {
        return Break { level: 0, at: end };
    }
    if reach <= fresh {
        return Break {
            level: u8::MAX,
            at: if start == fresh {
                after_first(text, fresh)
            } else {
                fresh
            },
        };
    }
    breaks.best(text, fresh, reach)
}

/// Where the end of the chunk before begins that the next one repeats: a line, a sentence or a word.
fn overlap(text: &str, before: &Range<usize>, fresh: usize, size: ChunkSize) -> Option<usize> {
    let old = slice(text, before.start, before.end);
    let start = before.start + size.fit_end(old);
    if start <= before.start || start >= before.end {
        return None;
    }
    // It may begin right there.
    let before_it = text.get(..start)?.chars().next_back()?;
    let begins = slice(text, start, fresh).starts_with(char::is_whitespace);
    let found = if begins || before_it.is_whitespace() {
        skip_space(text, start, fresh)
    } else {
        unit_start(text, start, fresh)
    };
    (found < before.end).then_some(found)
}

/// The first line, else sentence, else word that begins after `from`; `end` when there is none.
fn unit_start(text: &str, from: usize, end: usize) -> usize {
    let tail = slice(text, from, end);
    let line = tail.trim_end().find('\n').map(|at| at + 1);
    match line.or_else(|| super::prose::first_sentence_end(tail)) {
        Some(at) => skip_space(text, from + at, end),
        None => word_start(text, from, end),
    }
}

/// The first word that begins at `from` or later; `from` itself in scripts without spaces; `end` when there is none.
fn word_start(text: &str, from: usize, end: usize) -> usize {
    let tail = slice(text, from, end);
    match tail.find(char::is_whitespace) {
        Some(at) => skip_space(text, from + at, end),
        None if tail.is_ascii() => end,
        None => from,
    }
}

pub(super) fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

pub(super) fn trim_end(text: &str) -> usize {
    text.trim_end().len()
}

pub(super) fn skip_space(text: &str, from: usize, end: usize) -> usize {
    let rest = slice(text, from, end);
    from + (rest.len() - rest.trim_start().len())
}

fn after_first(text: &str, at: usize) -> usize {
    let first = text.get(at..).and_then(|rest| rest.chars().next());
    at + first.map_or(1, char::len_utf8)
}
