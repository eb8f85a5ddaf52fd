use std::collections::HashSet;

use edge_ai_core::estimate_tokens;

use super::Source;
use crate::{Passage, RetrievedChunk};

/// What a source costs beside its text: its number and the lines around it.
const AROUND: u64 = 50;

/// Makes numbered sources of what was found, best first, within a budget of tokens.
///
/// Passages of one document that overlap or touch become one, in the document's order; a text that is there already, under another name, is left out. What does
/// not fit is passed over for what does; if not even the best fits, its beginning is taken.
pub(super) fn pack(found: Vec<RetrievedChunk>, budget: u64) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut left = budget;
    for chunk in found {
        let new = Source::new(chunk);
        if !seen.insert(new.text.split_whitespace().collect::<Vec<_>>().join(" ")) {
            continue;
        }
        let Some(at) = sources.iter().position(|source| meets(source, &new)) else {
            if cost(&new) <= left {
                left -= cost(&new);
                sources.push(new);
            } else if sources.is_empty() {
                sources.extend(beginning(new, left));
                left = 0;
            }
            continue;
        };
        // What is joined may close the gap to others.
        let joined = sources
            .iter()
            .skip(at)
            .filter(|source| meets(source, &new))
            .collect::<Vec<_>>();
        let before: u64 = joined.iter().map(|source| cost(source)).sum();
        let joined = joined.into_iter().skip(1).fold(
            sources
                .get(at)
                .map_or_else(|| new.clone(), |first| join(first, &new)),
            |joined, other| join(&joined, other),
        );
        let more = cost(&joined).saturating_sub(before);
        if more <= left {
            left -= more;
            sources.retain(|source| !meets(source, &new));
            sources.insert(at.min(sources.len()), joined);
        }
    }
    for (index, source) in sources.iter_mut().enumerate() {
        source.number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    }
    sources
}

/// The order in which sources are shown: the best at the beginning and at the end, the weakest in the middle, where models overlook most
/// ([Liu et al. 2023, *Lost in the middle*](https://arxiv.org/abs/2307.03172)).
pub(super) fn edges_first(sources: &[Source]) -> Vec<&Source> {
    let (front, back): (Vec<_>, Vec<_>) = sources.iter().enumerate().partition(|(index, _)| index % 2 == 0);
    front
        .into_iter()
        .chain(back.into_iter().rev())
        .map(|(_, source)| source)
        .collect()
}

/// Whether two passages of one document overlap or touch.
fn meets(a: &Source, b: &Source) -> bool {
    a.document_id == b.document_id && a.range.start <= b.range.end && b.range.start <= a.range.end
}

fn cost(source: &Source) -> u64 {
    estimate_tokens(&source.text)
        .saturating_add(estimate_tokens(&source.place()))
        .saturating_add(AROUND)
}

/// Both passages as one, under the better one's name.
fn join(better: &Source, other: &Source) -> Source {
    let passage = |source: &Source| {
        Passage::of(
            source.text.clone(),
            source.range.clone(),
            source.chunk_ids.clone(),
        )
    };
    let (mut first, mut second) = (passage(better), passage(other));
    if second.range.start < first.range.start {
        std::mem::swap(&mut first, &mut second);
    }
    first.join(&second);
    Source {
        text: first.text,
        range: first.range,
        chunk_ids: first.chunk_ids,
        ..better.clone()
    }
}

/// As much of a source's beginning as fits.
fn beginning(mut source: Source, budget: u64) -> Option<Source> {
    let whole = source.text.len() as u64 == source.range.end.saturating_sub(source.range.start);
    while cost(&source) > budget {
        let mut end = source.text.len() / 2;
        while !source.text.is_char_boundary(end) {
            end -= 1;
        }
        if end == 0 {
            return None;
        }
        source.text.truncate(end);
    }
    if whole {
        source.range.end = source.range.start + source.text.len() as u64;
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DocumentId, StoredChunk};
    use proptest::prelude::*;

    const TEXT: &str = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu ";

    fn found(document: &str, ordinal: u32, range: std::ops::Range<usize>) -> RetrievedChunk {
        let text = TEXT[range.clone()].to_owned();
        let range = range.start as u64..range.end as u64;
        let id = format!("{document}{ordinal}");
        let chunk = StoredChunk::new(id, DocumentId::new(document).unwrap(), ordinal, text, range);
        RetrievedChunk::of_chunk(chunk, 1.0)
    }

    #[test]
    fn what_overlaps_is_one_source_in_the_documents_order() {
        let sources = pack(
            vec![found("a", 1, 6..17), found("b", 0, 30..36), found("a", 0, 0..10)],
            1_000,
        );
        assert_eq!(sources.len(), 2);
        assert_eq!(
            (sources[0].text.as_str(), sources[0].range.clone()),
            ("alpha beta gamma ", 0..17)
        );
        assert_eq!(sources[0].chunk_id, "a1");
        assert_eq!(sources[0].chunk_ids, ["a0", "a1"]);
        assert_eq!((sources[0].number, sources[1].number), (1, 2));
    }

    #[test]
    fn the_same_text_is_shown_once() {
        let sources = pack(vec![found("a", 0, 0..10), found("copy", 0, 0..10)], 1_000);
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0].document_id.as_str(), "a");
    }

    #[test]
    fn the_best_are_at_the_edges() {
        let sources: Vec<Source> = pack(
            (0..5)
                .map(|n| found(&n.to_string(), 0, n as usize * 11..n as usize * 11 + 9))
                .collect(),
            9_000,
        );
        let order: Vec<u32> = edges_first(&sources).iter().map(|source| source.number).collect();
        assert_eq!(order, [1, 3, 5, 4, 2]);
    }

    #[test]
    fn a_best_that_does_not_fit_is_cut_and_says_so() {
        let sources = pack(vec![found("a", 0, 0..TEXT.len())], AROUND + 4);
        assert_eq!(sources[0].range.end, sources[0].text.len() as u64);
        assert!(TEXT.starts_with(&sources[0].text) && sources[0].text.len() < TEXT.len());
        assert_eq!(pack(vec![found("a", 0, 0..30)], 3), []);
    }

    proptest! {
        #[test]
        fn the_budget_holds_and_every_source_is_its_range(
            cuts in prop::collection::vec(("[ab]", 0_usize..50, 1_usize..17), 0..9),
            budget in 0_u64..400,
        ) {
            let chunks = cuts
                .iter()
                .enumerate()
                .map(|(ordinal, (document, start, length))| found(document, ordinal as u32, *start..start + length))
                .collect();
            let sources = pack(chunks, budget);
            prop_assert!(sources.iter().map(cost).sum::<u64>() <= budget);
            for source in &sources {
                prop_assert_eq!(source.text.as_str(), &TEXT[source.range.start as usize..source.range.end as usize]);
            }
            prop_assert_eq!(edges_first(&sources).len(), sources.len());
        }
    }
}
