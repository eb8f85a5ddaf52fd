//! Breaks that were found in one pass over the lines of a text.

use super::cut::{Break, Breaks};
use super::prose;

/// A text's own breaks, in their order; within a line it is cut as prose.
#[derive(Debug, Default)]
pub(super) struct Structure(Vec<Break>);

impl Structure {
    pub(super) fn push(&mut self, level: u8, at: usize) {
        self.0.push(Break { level, at });
    }
}

impl Breaks for Structure {
    fn best(&self, text: &str, fresh: usize, reach: usize) -> Break {
        let known = self.0.partition_point(|known| known.at <= reach);
        let known = self.0.get(..known).unwrap_or_default();
        let mut best: Option<Break> = None;
        for known in known.iter().rev().take_while(|known| known.at > fresh) {
            if best.is_none_or(|best| known.level < best.level) {
                best = Some(*known);
            }
            if known.level == 0 {
                break;
            }
        }
        best.unwrap_or_else(|| prose::inline(text, fresh, reach))
    }
}

/// A line of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Where its last character that is not white space ends.
    pub(super) end: usize,
    /// Its text without white space at either end.
    pub(super) text: &'a str,
    /// The white space before that: a tab stands for four spaces.
    pub(super) indent: usize,
}

/// The lines of `text`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let kept = line.trim_end();
        let words = kept.trim_start();
        let blank = kept.len() - words.len();
        let tabs = kept.bytes().take(blank).filter(|byte| *byte == b'\t').count();
        Line {
            end: start + kept.len(),
            text: words,
            indent: blank + 3 * tabs,
        }
    })
}
