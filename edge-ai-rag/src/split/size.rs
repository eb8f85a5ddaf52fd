use std::fmt;

use edge_ai_core::{first_tokens, last_tokens};

/// The most that a chunk, or an overlap, takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkSize {
    /// Unicode scalar values.
    Characters(usize),
    /// Tokens, by [`estimate_tokens`](edge_ai_core::estimate_tokens): exact counts are some hundred times slower, and every model has its own. Leave a fifth
    /// of the model's window free.
    Tokens(usize),
}

impl ChunkSize {
    /// The least that a chunk may take; smaller sizes are raised to it, for the largest character has to fit.
    pub const MIN: usize = 16;

    pub(super) fn at_least_min(self) -> Self {
        self.map(|size| size.max(Self::MIN))
    }

    /// An overlap is at most half of the size: chunks have to get on.
    pub(super) fn overlap(self, overlap: usize) -> Self {
        self.map(|size| overlap.min(size / 2))
    }

    pub(super) const fn amount(self) -> usize {
        match self {
            Self::Characters(amount) | Self::Tokens(amount) => amount,
        }
    }

    /// Where the longest beginning of `text` that fits ends.
    pub(super) fn fit(self, text: &str) -> usize {
        match self {
            Self::Characters(most) => first_characters(text, most),
            Self::Tokens(most) => first_tokens(text, most as u64).len(),
        }
    }

    /// Where the longest end of `text` that fits begins.
    pub(super) fn fit_end(self, text: &str) -> usize {
        match self {
            Self::Characters(0) => text.len(),
            Self::Characters(most) => text
                .char_indices()
                .rev()
                .nth(most - 1)
                .map_or(0, |(start, _)| start),
            Self::Tokens(most) => text.len().saturating_sub(last_tokens(text, most as u64).len()),
        }
    }

    fn map(self, change: impl FnOnce(usize) -> usize) -> Self {
        match self {
            Self::Characters(amount) => Self::Characters(change(amount)),
            Self::Tokens(amount) => Self::Tokens(change(amount)),
        }
    }
}

/// As in fingerprints: `characters=1000`.
impl fmt::Display for ChunkSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, amount) = match self {
            Self::Characters(amount) => ("characters", amount),
            Self::Tokens(amount) => ("tokens", amount),
        };
        write!(f, "{unit}={amount}")
    }
}

/// The end of the first `most` characters: whole words of memory are counted where nothing but ASCII is.
fn first_characters(text: &str, most: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(..most) {
        // No character has less than a byte.
        None => text.len(),
        Some(window) if window.is_ascii() && text.is_char_boundary(most) => most,
        Some(_) => {
            let mut characters = text.char_indices();
            characters.nth(most).map_or(text.len(), |(end, _)| end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_from_both_ends() {
        let size = ChunkSize::Characters(3);
        for (text, first, last) in [
            ("", "", ""),
            ("abc", "abc", "abc"),
            ("abcd", "abc", "bcd"),
            ("äöüß", "äöü", "öüß"),
            ("ab日本", "ab日", "b日本"),
        ] {
            assert_eq!(text.get(..size.fit(text)).unwrap(), first);
            assert_eq!(text.get(size.fit_end(text)..).unwrap(), last);
        }
    }
}
