//! How good a ranking is: the measures of retrieval, over judged collections.
//!
//! ```
//! use edge_ai_rag::evaluate::{Qrels, Run, evaluate};
//!
//! let mut qrels = Qrels::default();
//! qrels.judge("q1", "a", 2);
//! qrels.judge("q1", "b", 1);
//! let mut run = Run::default();
//! run.rank("q1", ["b", "x", "a"]);
//! let report = evaluate(&qrels, &run);
//! assert_eq!(report.mean.recall_100, 1.0);
//! assert_eq!(report.mean.reciprocal_rank, 1.0);
//! assert!((report.mean.ndcg_10 - (1.0 + 2.0 / 2.0) / (2.0 + 1.0 / 3_f64.log2())).abs() < 1e-12);
//! ```

mod collection;
mod measure;
mod report;

pub use collection::{Collection, CollectionDocument, CollectionError, CollectionQuery};
pub use measure::{Gain, average_precision, ndcg, precision, recall, reciprocal_rank};
pub use report::{Report, Scores, evaluate, evaluate_with};

use std::collections::BTreeMap;

/// Which documents answer which query, and how well: the judgements of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qrels {
    queries: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Qrels {
    /// Notes how relevant a document is to a query: 0 is judged and not relevant. The last judgement of a pair counts.
    pub fn judge(&mut self, query: impl Into<String>, document: impl Into<String>, grade: u32) {
        self.queries
            .entry(query.into())
            .or_default()
            .insert(document.into(), grade);
    }

    /// The grade of a document; 0 for one that nobody judged.
    pub fn grade(&self, query: &str, document: &str) -> u32 {
        let of_query = self.queries.get(query);
        of_query
            .and_then(|judged| judged.get(document))
            .copied()
            .unwrap_or(0)
    }

    /// The queries that have something relevant, with the grades of all documents judged for them. A query without says nothing about a
    /// ranking, and is left out of every mean, as by `trec_eval`.
    pub fn queries(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, u32>)> {
        let judged = self
            .queries
            .iter()
            .map(|(query, judged)| (query.as_str(), judged));
        judged.filter(|(_, judged)| judged.values().any(|grade| *grade > 0))
    }
}

/// What a retriever found: for each query the documents, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    queries: BTreeMap<String, Vec<String>>,
}

impl Run {
    /// Notes what was found for a query, best first. Of a document that is there twice, as where its chunks were found, the first counts.
    pub fn rank<T: Into<String>>(
        &mut self,
        query: impl Into<String>,
        documents: impl IntoIterator<Item = T>,
    ) {
        let mut ranked: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for document in documents {
            let document = document.into();
            if seen.insert(document.clone()) {
                ranked.push(document);
            }
        }
        self.queries.insert(query.into(), ranked);
    }

    /// What was found for a query; nothing for one that was not asked.
    pub fn ranked(&self, query: &str) -> &[String] {
        self.queries.get(query).map_or(&[], Vec::as_slice)
    }
}
