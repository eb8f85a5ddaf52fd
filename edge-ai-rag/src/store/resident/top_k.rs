use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The nearest of all that is offered, in memory for that many.
#[derive(Debug)]
pub(super) struct TopK<'a> {
    limit: usize,
    /// The farthest is on top.
    heap: BinaryHeap<Candidate<'a>>,
    /// Nothing farther than this can get in.
    farthest: f32,
}

/// A record that may be among the nearest. The lesser one is nearer; of equal distance, the one of the lesser id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) distance: f32,
    pub(super) id: &'a str,
    pub(super) block: usize,
    pub(super) row: usize,
}

impl<'a> TopK<'a> {
    pub(super) fn new(limit: usize) -> Self {
        let farthest = if limit == 0 {
            f32::NEG_INFINITY
        } else {
            f32::INFINITY
        };
        Self {
            limit,
            heap: BinaryHeap::with_capacity(limit),
            farthest,
        }
    }

    /// Whether a record at this distance may get in: the one comparison that most records cost.
    pub(super) fn admits(&self, distance: f32) -> bool {
        distance <= self.farthest
    }

    pub(super) fn push(&mut self, candidate: Candidate<'a>) {
        if self.heap.len() < self.limit {
            self.heap.push(candidate);
        } else if let Some(mut farthest) = self.heap.peek_mut()
            && candidate < *farthest
        {
            *farthest = candidate;
        }
        if self.heap.len() == self.limit
            && let Some(farthest) = self.heap.peek()
        {
            self.farthest = farthest.distance;
        }
    }

    /// The nearest first.
    pub(super) fn into_sorted(self) -> Vec<Candidate<'a>> {
        self.heap.into_sorted_vec()
    }
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance
            .total_cmp(&other.distance)
            .then_with(|| self.id.cmp(other.id))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_head_of_the_sorted_whole(distances in prop::collection::vec(-9_i8..9, 0..60), limit in 0_usize..12) {
            let ids: Vec<String> = (0..distances.len()).map(|at| format!("{at:03}")).collect();
            let candidates: Vec<_> = distances
                .iter()
                .zip(&ids)
                .enumerate()
                .map(|(row, (distance, id))| Candidate { distance: f32::from(*distance), id, block: 0, row })
                .collect();
            let mut nearest = TopK::new(limit);
            for candidate in candidates.iter().rev().filter(|_| limit > 0) {
                if nearest.admits(candidate.distance) {
                    nearest.push(*candidate);
                }
            }
            let mut sorted = candidates;
            sorted.sort();
            let expected: Vec<_> = sorted.iter().take(limit).map(|candidate| candidate.row).collect();
            let found: Vec<_> = nearest.into_sorted().iter().map(|candidate| candidate.row).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
