use std::ops::Range;

use edge_ai_core::Result;
use futures_util::future::try_join_all;

use super::{Expand, RetrievedChunk};
use crate::{ChunkSource, Namespace, StoredChunk};

/// A text to answer from: a range of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passage {
    /// The text.
    pub text: String,
    /// The bytes of the document's text that it is.
    pub range: Range<u64>,
    /// The ordinals of the chunks in it.
    pub ordinals: Range<u32>,
    /// The ids of the chunks in it that are known, in the document's order.
    pub chunk_ids: Vec<String>,
}

impl Passage {
    /// A chunk's own text.
    pub(super) fn of_chunk(chunk: &StoredChunk) -> Self {
        Self {
            text: chunk.text.clone(),
            range: chunk.range.clone(),
            ordinals: chunk.ordinal..chunk.ordinal.saturating_add(1),
            chunk_ids: vec![chunk.id.clone()],
        }
    }

    /// A text of a document.
    pub(crate) fn of(text: String, range: Range<u64>, chunk_ids: Vec<String>) -> Self {
        Self {
            text,
            range,
            ordinals: 0..0,
            chunk_ids,
        }
    }

    /// The passage that a chunk is a part of.
    pub(super) fn of_parent(chunk: &StoredChunk) -> Self {
        Self {
            text: chunk.answer_text().to_owned(),
            range: chunk.answer_range(),
            ..Self::of_chunk(chunk)
        }
    }

    /// Puts a later passage of the same document behind this one. What both have is there once; where text of the document lies
    /// between them, a blank line does.
    pub(crate) fn join(&mut self, next: &Self) {
        if next.range.end > self.range.end {
            let known = self.range.end.checked_sub(next.range.start);
            let known = known.and_then(|bytes| usize::try_from(bytes).ok());
            match known.and_then(|bytes| next.text.get(bytes..)) {
                Some(new) => self.text.push_str(new),
                None => {
                    self.text.push_str("\n\n");
                    self.text.push_str(&next.text);
                }
            }
            self.range.end = next.range.end;
        }
        self.ordinals.start = self.ordinals.start.min(next.ordinals.start);
        self.ordinals.end = self.ordinals.end.max(next.ordinals.end);
        for id in &next.chunk_ids {
            if !self.chunk_ids.contains(id) {
                self.chunk_ids.push(id.clone());
            }
        }
    }
}

/// Leaves one chunk of each passage, the best.
pub(super) fn collapse_parents(found: &mut Vec<RetrievedChunk>) {
    let mut seen = std::collections::HashSet::new();
    found.retain(|one| {
        let parent = one.chunk.parent.as_ref();
        parent.is_none_or(|parent| seen.insert((one.chunk.document.clone(), parent.ordinal)))
    });
    for one in found {
        one.passage = Passage::of_parent(&one.chunk);
    }
}

/// Gives each chunk its neighbors; of those whose passages overlap or touch the best stays, with the passage of all.
pub(super) async fn add_neighbors(
    source: &dyn ChunkSource,
    namespace: &Namespace,
    found: Vec<RetrievedChunk>,
    count: u32,
) -> Result<Vec<RetrievedChunk>> {
    let windows = windows(found, count);
    try_join_all(windows.into_iter().map(async |(mut best, ordinals)| {
        let document = &best.chunk.document;
        let chunks = source.range(namespace, document, ordinals).await?;
        let mut passages = chunks.iter().map(Passage::of_chunk);
        if let Some(first) = passages.next() {
            best.passage = passages.fold(first, |mut passage, next| {
                passage.join(&next);
                passage
            });
        }
        Ok(best)
    }))
    .await
}

/// The ordinals to read around each chunk, best first, without overlaps.
fn windows(found: Vec<RetrievedChunk>, count: u32) -> Vec<(RetrievedChunk, Range<u32>)> {
    let mut windows: Vec<(RetrievedChunk, Range<u32>)> = Vec::new();
    for one in found {
        let at = one.chunk.ordinal;
        let mut window = at.saturating_sub(count)..at.saturating_add(count).saturating_add(1);
        let mut home: Option<usize> = None;
        // A window may close the gap between two others.
        let mut place = 0;
        while let Some((other, range)) = windows.get(place) {
            let meets = other.chunk.document == one.chunk.document
                && range.start <= window.end
                && window.start <= range.end;
            if !meets {
                place += 1;
                continue;
            }
            window = window.start.min(range.start)..window.end.max(range.end);
            match home {
                None => {
                    home = Some(place);
                    place += 1;
                }
                Some(_) => {
                    windows.remove(place);
                }
            }
        }
        match home.and_then(|home| windows.get_mut(home)) {
            Some((_, range)) => *range = window,
            None => windows.push((one, window)),
        }
    }
    windows
}

/// Whether the rows of passages are wanted, not only their own texts.
pub(super) const fn neighbors(expand: Expand) -> Option<u32> {
    match expand {
        Expand::Neighbors(count) if count > 0 => Some(count),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DocumentId;
    use proptest::prelude::*;

    fn hit(document: &str, ordinal: u32) -> RetrievedChunk {
        let document = DocumentId::new(document).unwrap();
        let chunk = StoredChunk::new(format!("{document}-{ordinal}"), document, ordinal, "x", 0..1);
        RetrievedChunk::of_chunk(chunk, 1.0)
    }

    fn passage(text: &str, range: Range<u64>) -> Passage {
        Passage {
            text: text[range.start as usize..range.end as usize].to_owned(),
            range,
            ordinals: 0..1,
            chunk_ids: Vec::new(),
        }
    }

    #[test]
    fn windows_that_meet_become_one_under_the_best() {
        let found = vec![hit("a", 10), hit("b", 0), hit("a", 4), hit("a", 7), hit("a", 20)];
        let windows = windows(found, 1);
        let shown: Vec<_> = windows
            .iter()
            .map(|(best, range)| (best.chunk.id.as_str(), range.clone()))
            .collect();
        assert_eq!(shown, [("a-10", 3..12), ("b-0", 0..2), ("a-20", 19..22)]);
    }

    proptest! {
        #[test]
        fn what_overlaps_is_there_once(text in "[a-zé ]{1,60}", cuts in prop::collection::vec((0_usize..60, 0_usize..60), 1..6)) {
            let floor = |mut at: usize| { while !text.is_char_boundary(at) { at -= 1; } at as u64 };
            let mut ranges: Vec<Range<u64>> = cuts
                .iter()
                .map(|(a, b)| floor((*a).min(text.len()))..floor((*b).min(text.len())))
                .filter(|range| range.start < range.end)
                .collect();
            ranges.sort_by_key(|range| (range.start, range.end));
            prop_assume!(!ranges.is_empty() && ranges.windows(2).all(|pair| pair[1].start <= pair[0].end));
            let mut joined = passage(&text, ranges[0].clone());
            ranges[1..].iter().for_each(|range| joined.join(&passage(&text, range.clone())));
            let end = ranges.iter().map(|range| range.end).max().unwrap();
            prop_assert_eq!(joined.range.clone(), ranges[0].start..end);
            prop_assert_eq!(joined.text.as_str(), &text[ranges[0].start as usize..end as usize]);
        }

        #[test]
        fn no_ordinal_is_in_two_windows(hits in prop::collection::vec(0_u32..40, 1..12), count in 1_u32..4) {
            let windows = windows(hits.iter().map(|ordinal| hit("a", *ordinal)).collect(), count);
            for ordinal in 0..60 {
                prop_assert!(windows.iter().filter(|(_, range)| range.contains(&ordinal)).count() <= 1);
            }
            for ordinal in hits {
                prop_assert!(windows.iter().any(|(_, range)| range.contains(&ordinal)));
            }
        }
    }
}
