use std::collections::HashMap;

/// How the lists of several searches become one.
///
/// What to take depends on how good the parts are. Published nDCG@10 of BM25 with BGE-base
/// ([Anserini](https://github.com/castorini/anserini/blob/master/docs/experiments-beir-fusion.md)):
///
/// | | SciFact | NFCorpus | FiQA |
/// | --- | --- | --- | --- |
/// | BM25 alone | 0.6789 | 0.3218 | 0.2361 |
/// | vectors alone | 0.7408 | 0.3735 | **0.4065** |
/// | [`Rrf`](Self::Rrf), k = 60 | 0.7420 | 0.3725 | 0.3671 |
/// | [`Weighted`](Self::Weighted), one half each | **0.7472** | **0.3782** | 0.3942 |
///
/// Weighted is better than reciprocal ranks on all three, since a rank forgets how much better the first is than the second. Where words find much less than
/// vectors do, as on FiQA, an equal share drags the better part down: hence a default of 0.7 for vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fusion {
    /// Each list's scores are brought to 0 for its worst and 1 for its best, and added up by weight. A fused score is from 0 to 1.
    Weighted {
        /// The weight of vectors, from 0 to 1; words have the rest. More for questions in sentences, 0.5 or less for names, numbers and codes.
        dense: f32,
    },
    /// Reciprocal rank fusion: the sum of `1 / (k + rank)`, ranks from 1 ([Cormack, Clarke, Büttcher
    /// 2009](https://plg.uwaterloo.ca/~gvcormac/cormacksigir09-rrf.pdf)). It looks at no score: for parts whose scores mean nothing.
    Rrf {
        /// The larger, the less the first ranks stand out; 60 in the paper.
        k: f32,
    },
    /// The better of the normalized scores: for parts of which mostly one is right.
    Max,
}

impl Fusion {
    /// Reciprocal rank fusion with the paper's 60.
    pub const RRF: Self = Self::Rrf { k: 60.0 };
}

impl Default for Fusion {
    fn default() -> Self {
        Self::Weighted { dense: 0.7 }
    }
}

/// Which part a list is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Dense,
    Keyword,
}

/// What one search found, best first.
#[derive(Clone, Debug)]
pub(super) struct RankedList {
    pub(super) part: Part,
    /// Ids with the score of their store.
    pub(super) found: Vec<(String, f32)>,
    /// Whether a higher score is better.
    pub(super) higher_is_better: bool,
}

/// One of the fused list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fused {
    pub(super) id: String,
    pub(super) score: f32,
    /// The best score that the vector store gave.
    pub(super) dense: Option<f32>,
    /// The best score that the keyword store gave.
    pub(super) keyword: Option<f32>,
}

/// Makes one list of several, best first, ties by id.
pub(super) fn fuse(fusion: Fusion, lists: &[RankedList]) -> Vec<Fused> {
    let of_part = |part| lists.iter().filter(|list| list.part == part).count();
    let (dense, keyword) = (of_part(Part::Dense), of_part(Part::Keyword));
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut fused: Vec<Fused> = Vec::new();
    for list in lists {
        let alone = if list.part == Part::Dense { keyword } else { dense } == 0;
        let same = if list.part == Part::Dense { dense } else { keyword };
        let weight = match fusion {
            _ if alone => 1.0,
            Fusion::Weighted { dense } if list.part == Part::Dense => dense.clamp(0.0, 1.0),
            Fusion::Weighted { dense } => 1.0 - dense.clamp(0.0, 1.0),
            Fusion::Rrf { .. } | Fusion::Max => 1.0,
        } / same as f32;
        let scale = Scale::of(list);
        let mut seen = std::collections::HashSet::new();
        for (rank, (id, score)) in list.found.iter().enumerate() {
            if !seen.insert(id.as_str()) {
                continue;
            }
            let place = *at.entry(id.as_str()).or_insert_with(|| {
                fused.push(Fused {
                    id: id.clone(),
                    score: 0.0,
                    dense: None,
                    keyword: None,
                });
                fused.len() - 1
            });
            let Some(entry) = fused.get_mut(place) else {
                continue;
            };
            match fusion {
                Fusion::Weighted { .. } => entry.score += weight * scale.apply(*score),
                Fusion::Rrf { k } => entry.score += weight / (k.max(0.0) + rank as f32 + 1.0),
                Fusion::Max => entry.score = entry.score.max(scale.apply(*score)),
            }
            let own = match list.part {
                Part::Dense => &mut entry.dense,
                Part::Keyword => &mut entry.keyword,
            };
            let better = own.is_none_or(|known| (*score > known) == list.higher_is_better);
            if better {
                *own = Some(*score);
            }
        }
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    fused
}

/// Brings scores to 0..=1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    worst: f32,
    best: f32,
}

impl Scale {
    fn of(list: &RankedList) -> Self {
        let scores = list.found.iter().map(|(_, score)| *score);
        let scale = Self::over(scores);
        if list.higher_is_better {
            scale
        } else {
            Self {
                worst: scale.best,
                best: scale.worst,
            }
        }
    }

    /// The scale of scores of which the highest is the best.
    pub(super) fn over(scores: impl Iterator<Item = f32>) -> Self {
        let start = Self {
            worst: f32::INFINITY,
            best: f32::NEG_INFINITY,
        };
        scores
            .filter(|score| score.is_finite())
            .fold(start, |scale, score| Self {
                worst: scale.worst.min(score),
                best: scale.best.max(score),
            })
    }

    /// 1 for the best, 0 for the worst; 1 for all when they are equal.
    pub(super) fn apply(self, score: f32) -> f32 {
        if !score.is_finite() {
            return 0.0;
        }
        // The distance of two `f32` may be no `f32`.
        let (worst, best) = (f64::from(self.worst), f64::from(self.best));
        if best == worst {
            return 1.0;
        }
        ((f64::from(score) - worst) / (best - worst)).clamp(0.0, 1.0) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(part: Part, higher_is_better: bool, found: &[(&str, f32)]) -> RankedList {
        RankedList {
            part,
            higher_is_better,
            found: found
                .iter()
                .map(|(id, score)| ((*id).to_owned(), *score))
                .collect(),
        }
    }

    fn order(fused: &[Fused]) -> Vec<&str> {
        fused.iter().map(|one| one.id.as_str()).collect()
    }

    #[test]
    fn weighted_is_the_sum_of_normalized_scores() {
        let lists = [
            list(Part::Dense, true, &[("a", 0.9), ("b", 0.8), ("c", 0.5)]),
            list(Part::Keyword, true, &[("b", 12.0), ("d", 2.0)]),
        ];
        let fused = fuse(Fusion::Weighted { dense: 0.5 }, &lists);
        assert_eq!(order(&fused), ["b", "a", "c", "d"]);
        assert_eq!(fused[0].score, 0.5 * 0.75 + 0.5);
        assert_eq!((fused[0].dense, fused[0].keyword), (Some(0.8), Some(12.0)));
        assert_eq!((fused[1].dense, fused[1].keyword), (Some(0.9), None));
    }

    #[test]
    fn score_direction_of_a_distance_is_turned() {
        // Near is low for `euclidean` and `dot-product`: what is nearest must come first.
        let near = [("near", 0.1), ("far", 9.0)];
        for fusion in [Fusion::default(), Fusion::RRF, Fusion::Max] {
            let lists = [
                list(Part::Dense, false, &near),
                list(Part::Dense, false, &[("near", 0.05)]),
            ];
            let fused = fuse(fusion, &lists);
            assert_eq!(order(&fused), ["near", "far"]);
            assert_eq!(fused[0].dense, Some(0.05));
        }
    }

    #[test]
    fn rrf_is_the_papers() {
        let lists = [
            list(Part::Dense, true, &[("a", 0.9), ("b", 0.8)]),
            list(Part::Keyword, true, &[("b", 3.0)]),
        ];
        let fused = fuse(Fusion::RRF, &lists);
        assert_eq!(order(&fused), ["b", "a"]);
        assert_eq!(fused[0].score, 1.0 / 62.0 + 1.0 / 61.0);
    }

    #[test]
    fn one_part_alone_has_all_the_weight() {
        let fused = fuse(
            Fusion::Weighted { dense: 0.0 },
            &[list(Part::Dense, true, &[("a", 0.9), ("b", 0.1)])],
        );
        assert_eq!(fused[0].score, 1.0);
    }

    #[test]
    fn scores_at_the_ends_of_their_type_are_scores() {
        let found = [("a", f32::MAX), ("b", 0.0), ("c", f32::MIN), ("d", f32::NAN)];
        let fused = fuse(Fusion::default(), &[list(Part::Keyword, true, &found)]);
        let scores: Vec<f32> = fused.iter().map(|one| one.score).collect();
        assert_eq!(scores, [1.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn ties_are_in_the_order_of_ids() {
        let found = [("c", 1.0), ("a", 1.0), ("b", 1.0)];
        let fused = fuse(Fusion::default(), &[list(Part::Keyword, true, &found)]);
        assert_eq!(order(&fused), ["a", "b", "c"]);
    }

    proptest! {
        #[test]
        fn every_id_comes_once_and_in_bounds(
            dense in prop::collection::vec(("[a-f]", -1.0_f32..1.0), 0..12),
            words in prop::collection::vec(("[a-f]", prop::num::f32::ANY), 0..12),
            weight in prop::num::f32::ANY,
        ) {
            let lists = [
                RankedList { part: Part::Dense, found: dense.clone(), higher_is_better: false },
                RankedList { part: Part::Keyword, found: words.clone(), higher_is_better: true },
            ];
            let wanted: std::collections::BTreeSet<_> = dense.iter().chain(&words).map(|(id, _)| id.as_str()).collect();
            for fusion in [Fusion::Weighted { dense: weight }, Fusion::Rrf { k: 60.0 }, Fusion::Max] {
                let fused = fuse(fusion, &lists);
                let ids: std::collections::BTreeSet<_> = fused.iter().map(|one| one.id.as_str()).collect();
                prop_assert_eq!(fused.len(), ids.len());
                prop_assert_eq!(&ids, &wanted);
                if !weight.is_nan() {
                    prop_assert!(fused.iter().all(|one| (0.0..=1.001).contains(&one.score)));
                }
                prop_assert!(fused.windows(2).all(|pair| pair[0].score.total_cmp(&pair[1].score).is_ge()));
            }
        }
    }
}
