//! The measures of one query's ranking, given as grades in order of rank.

/// What a grade is worth in [`ndcg`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gain {
    /// The grade itself: Järvelin and Kekäläinen (<https://doi.org/10.1145/582415.582418>), and what `trec_eval` and BEIR report.
    #[default]
    Linear,
    /// 2^grade − 1: Burges et al. (<https://doi.org/10.1145/1102351.1102363>). With grades of 0 and 1 it is the same.
    Exponential,
}

impl Gain {
    fn of(self, grade: u32) -> f64 {
        match self {
            Self::Linear => f64::from(grade),
            Self::Exponential => f64::from(grade).exp2() - 1.0,
        }
    }
}

/// The share of the first `k` that is relevant; places that are not filled count as not relevant.
pub fn precision(ranked: &[u32], k: usize) -> f64 {
    if k == 0 { 0.0 } else { hits(ranked, k) / k as f64 }
}

/// The share of all `relevant` documents that is among the first `k`.
pub fn recall(ranked: &[u32], k: usize, relevant: usize) -> f64 {
    if relevant == 0 {
        0.0
    } else {
        hits(ranked, k) / relevant as f64
    }
}

/// One over the rank of the first relevant document among the first `k`; 0 when there is none.
pub fn reciprocal_rank(ranked: &[u32], k: usize) -> f64 {
    let first = ranked.iter().take(k).position(|grade| *grade > 0);
    first.map_or(0.0, |at| 1.0 / (at + 1) as f64)
}

/// The mean over all `relevant` documents of the precision at their rank; those that were not found count 0
/// (Manning, Raghavan and Schütze, §8.4: <https://nlp.stanford.edu/IR-book/html/htmledition/evaluation-of-ranked-retrieval-results-1.html>).
pub fn average_precision(ranked: &[u32], relevant: usize) -> f64 {
    if relevant == 0 {
        return 0.0;
    }
    let (mut hits, mut sum) = (0.0, 0.0);
    for (at, grade) in ranked.iter().enumerate() {
        if *grade > 0 {
            hits += 1.0;
            sum += hits / (at + 1) as f64;
        }
    }
    sum / relevant as f64
}

/// The discounted cumulative gain of the first `k`, by that of the best order of the `judged` grades.
///
/// DCG@k = Σ gain(grade at rank i) / log₂(i + 1), for i from 1 to k.
pub fn ndcg(ranked: &[u32], k: usize, judged: &[u32], gain: Gain) -> f64 {
    let mut best = judged.to_vec();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal = dcg(&best, k, gain);
    if ideal > 0.0 {
        dcg(ranked, k, gain) / ideal
    } else {
        0.0
    }
}

fn dcg(grades: &[u32], k: usize, gain: Gain) -> f64 {
    let places = grades.iter().take(k).enumerate();
    places
        .map(|(at, grade)| gain.of(*grade) / ((at + 2) as f64).log2())
        .sum()
}

fn hits(ranked: &[u32], k: usize) -> f64 {
    ranked.iter().take(k).filter(|grade| **grade > 0).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn by_hand() {
        // Relevant at ranks 1, 3 and 6 of six; five relevant in all.
        let ranked = [1, 0, 1, 0, 0, 1];
        near(precision(&ranked, 3), 2.0 / 3.0);
        near(precision(&ranked, 10), 0.3);
        near(recall(&ranked, 6, 5), 0.6);
        near(reciprocal_rank(&ranked, 10), 1.0);
        near(reciprocal_rank(&[0, 0, 2], 10), 1.0 / 3.0);
        near(reciprocal_rank(&[0, 0, 2], 2), 0.0);
        near(average_precision(&ranked, 5), (1.0 + 2.0 / 3.0 + 3.0 / 6.0) / 5.0);
    }

    #[test]
    fn the_example_of_järvelin_and_kekäläinen() {
        // Grades 3 2 3 0 1 2, and two more judged 3 and 2 that were not found, as in https://en.wikipedia.org/wiki/Discounted_cumulative_gain.
        let (ranked, judged) = ([3, 2, 3, 0, 1, 2], [3, 3, 3, 2, 2, 2, 1, 0]);
        assert!((dcg(&ranked, 6, Gain::Linear) - 6.861).abs() < 1e-3);
        assert!((dcg(&[3, 3, 3, 2, 2, 2], 6, Gain::Linear) - 8.740).abs() < 1e-3);
        assert!((ndcg(&ranked, 6, &judged, Gain::Linear) - 0.785).abs() < 1e-3);
    }

    #[test]
    fn nothing_relevant_is_zero_and_no_crash() {
        for measure in [
            precision(&[], 0),
            recall(&[], 10, 0),
            average_precision(&[1], 0),
            ndcg(&[], 10, &[], Gain::Exponential),
        ] {
            near(measure, 0.0);
        }
    }

    proptest! {
        #[test]
        fn the_best_order_is_one_and_none_is_better(mut grades in prop::collection::vec(0_u32..4, 1..30), k in 1_usize..40) {
            let shuffled = grades.clone();
            grades.sort_unstable_by(|a, b| b.cmp(a));
            for gain in [Gain::Linear, Gain::Exponential] {
                let best = ndcg(&grades, k, &grades, gain);
                prop_assert!(best == 0.0 || (best - 1.0).abs() < 1e-12);
                let other = ndcg(&shuffled, k, &grades, gain);
                prop_assert!((0.0..=1.0 + 1e-12).contains(&other));
            }
        }

        #[test]
        fn binary_grades_gain_the_same_both_ways(grades in prop::collection::vec(0_u32..2, 1..30), k in 1_usize..40) {
            let both = [Gain::Linear, Gain::Exponential].map(|gain| ndcg(&grades, k, &grades, gain));
            prop_assert!((both[0] - both[1]).abs() < 1e-12);
        }
    }
}
