use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::{Gain, Qrels, Run, average_precision, ndcg, precision, recall, reciprocal_rank};

/// How deep a reciprocal rank and an average precision look: as deep as `trec_eval` reads a run.
const DEPTH: usize = 1_000;

/// How good a run is: for each query, and on average.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// By query, those with something relevant alone.
    pub queries: BTreeMap<String, Scores>,
    /// The mean over the queries; a query that found nothing counts as zero.
    pub mean: Scores,
}

/// The measures of one ranking, or their means: each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// nDCG of the first 10.
    pub ndcg_10: f64,
    /// The share of the first 10 that is relevant.
    pub precision_10: f64,
    /// The share of the relevant that is among the first 10.
    pub recall_10: f64,
    /// The share of the relevant that is among the first 100.
    pub recall_100: f64,
    /// One over the rank of the first that is relevant; its mean is the MRR.
    pub reciprocal_rank: f64,
    /// The precision at each relevant document, on average; its mean is the MAP.
    pub average_precision: f64,
}

/// Measures a run, with linear gains.
pub fn evaluate(qrels: &Qrels, run: &Run) -> Report {
    evaluate_with(qrels, run, Gain::Linear)
}

/// Measures a run.
pub fn evaluate_with(qrels: &Qrels, run: &Run, gain: Gain) -> Report {
    let mut queries = BTreeMap::new();
    for (query, judged) in qrels.queries() {
        let grades: Vec<u32> = judged.values().copied().collect();
        let relevant = grades.iter().filter(|grade| **grade > 0).count();
        let ranked = run.ranked(query).iter().take(DEPTH);
        let ranked: Vec<u32> = ranked
            .map(|document| judged.get(document).copied().unwrap_or(0))
            .collect();
        let scores = Scores {
            ndcg_10: ndcg(&ranked, 10, &grades, gain),
            precision_10: precision(&ranked, 10),
            recall_10: recall(&ranked, 10, relevant),
            recall_100: recall(&ranked, 100, relevant),
            reciprocal_rank: reciprocal_rank(&ranked, DEPTH),
            average_precision: average_precision(&ranked, relevant),
        };
        queries.insert(query.to_owned(), scores);
    }
    // The sum of nothing is -0.0.
    let mean =
        |of: fn(&Scores) -> f64| (queries.values().map(of).sum::<f64>() + 0.0) / queries.len().max(1) as f64;
    let mean = Scores {
        ndcg_10: mean(|scores| scores.ndcg_10),
        precision_10: mean(|scores| scores.precision_10),
        recall_10: mean(|scores| scores.recall_10),
        recall_100: mean(|scores| scores.recall_100),
        reciprocal_rank: mean(|scores| scores.reciprocal_rank),
        average_precision: mean(|scores| scores.average_precision),
    };
    Report { queries, mean }
}

impl Report {
    /// A Markdown table of several runs, a line for each.
    ///
    /// ```
    /// use edge_ai_rag::evaluate::{Qrels, Report, Run, evaluate};
    ///
    /// let report = evaluate(&Qrels::default(), &Run::default());
    /// assert!(Report::table([("keyword", &report)]).contains("| keyword | 0.0000 |"));
    /// ```
    pub fn table<'a>(runs: impl IntoIterator<Item = (&'a str, &'a Self)>) -> String {
        let mut table = "| run | nDCG@10 | recall@10 | recall@100 | MRR | MAP | P@10 |\n| --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
        for (name, report) in runs {
            let Scores {
                ndcg_10,
                precision_10,
                recall_10,
                recall_100,
                reciprocal_rank,
                average_precision,
            } = report.mean;
            // Writing to a text does not fail.
            let _ = writeln!(
                table,
                "| {name} | {ndcg_10:.4} | {recall_10:.4} | {recall_100:.4} | {reciprocal_rank:.4} | {average_precision:.4} | \
                 {precision_10:.4} |"
            );
        }
        table
    }
}

/// The table of one run, and over how many queries it is.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{} queries", self.queries.len());
        f.write_str(&Self::table([(name.as_str(), self)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Qrels, Run) {
        let (mut qrels, mut run) = (Qrels::default(), Run::default());
        for (query, judged) in QRELS {
            for (document, grade) in *judged {
                qrels.judge(*query, *document, *grade);
            }
        }
        for (query, ranked) in RUN {
            run.rank(*query, ranked.iter().copied());
        }
        (qrels, run)
    }

    const QRELS: &[(&str, &[(&str, u32)])] = &[
        ("q1", &[("a", 2), ("b", 1), ("c", 0), ("d", 3)]),
        ("q2", &[("a", 1), ("e", 1)]),
        ("q3", &[("f", 1)]),
        ("q4", &[("g", 0)]),
    ];
    const RUN: &[(&str, &[&str])] = &[
        ("q1", &["b", "x", "a", "c", "y"]),
        ("q2", &["x", "y", "e", "e", "a"]),
        ("q4", &["g"]),
    ];

    #[test]
    fn it_says_what_pytrec_eval_says() {
        let (qrels, run) = world();
        let report = evaluate(&qrels, &run);
        let counted: Vec<&str> = report.queries.keys().map(String::as_str).collect();
        assert_eq!(
            counted,
            ["q1", "q2", "q3"],
            "q4 has nothing relevant, q3 found nothing"
        );
        for (query, expected) in PYTREC_EVAL {
            let found = report.queries[*query];
            let found = [
                found.ndcg_10,
                found.precision_10,
                found.recall_10,
                found.recall_100,
                found.reciprocal_rank,
                found.average_precision,
            ];
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{query}: {found}, expected {expected}"
                );
            }
        }
        let mean = (PYTREC_EVAL[0].1[0] + PYTREC_EVAL[1].1[0]) / 3.0;
        assert!((report.mean.ndcg_10 - mean).abs() < 1e-9);
        assert!(report.to_string().contains("| 3 queries |"));
    }

    /// nDCG@10, P@10, recall@10, recall@100, reciprocal rank and average precision, by PyPI `pytrec-eval-terrier` 0.5.11 of the same
    /// judgements and ranks.
    const PYTREC_EVAL: &[(&str, [f64; 6])] = &[
        (
            "q1",
            [
                0.420_003_991_507_928_16,
                0.2,
                2.0 / 3.0,
                2.0 / 3.0,
                1.0,
                0.555_555_555_555_555_6,
            ],
        ),
        (
            "q2",
            [
                0.570_641_718_955_320_1,
                0.2,
                1.0,
                1.0,
                1.0 / 3.0,
                0.416_666_666_666_666_63,
            ],
        ),
        ("q3", [0.0; 6]),
    ];
}
