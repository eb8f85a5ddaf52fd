use std::collections::BTreeMap;

use edge_ai_core::{
    Comparison, Filter, Metric, Mutation, Result, StoreInfo, VectorCapabilities, VectorMatch, VectorQuery,
    VectorRecord, VectorStore, async_trait,
};
use edge_ai_testkit::contract::vector_store::{VectorStoreSubject, cases};
use futures_executor::block_on;
use proptest::prelude::*;

use super::{MemoryVectorStore, Quantization};

#[test]
fn keeps_the_contract_with_every_metric() {
    let unlimited = [
        "an_id_over_the_limit_is_refused",
        "metadata_over_the_limit_is_refused",
        "a_top_k_over_the_most_is_unsupported",
    ];
    for metric in [Metric::Cosine, Metric::Euclidean, Metric::DotProduct] {
        let subject = || VectorStoreSubject::new(MemoryVectorStore::new(metric));
        block_on(edge_ai_testkit::run(cases(), subject)).assert_passed_but(&unlimited);
        let subject =
            || VectorStoreSubject::new(MemoryVectorStore::new(metric).quantized(Quantization::Int8));
        block_on(edge_ai_testkit::run(cases(), subject)).assert_passed_but(&unlimited);
        let subject = || {
            VectorStoreSubject::new(MemoryVectorStore::new(metric).with_dimensions(21)).with_dimensions(21)
        };
        block_on(edge_ai_testkit::run(cases(), subject)).assert_passed_but(&unlimited);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Upsert { id: u8, namespace: u8, value: i8 },
    Delete { id: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let upsert = (0_u8..12, 0_u8..3, -5_i8..5).prop_map(|(id, namespace, value)| Step::Upsert {
        id,
        namespace,
        value,
    });
    let delete = (0_u8..12).prop_map(|id| Step::Delete { id });
    prop::collection::vec(prop_oneof![2 => upsert, 1 => delete], 0..60)
}

fn record(id: u8, namespace: u8, value: i8) -> VectorRecord {
    let record = VectorRecord::new(id.to_string(), vec![f32::from(value), 1.0]).metadata("value", value);
    if namespace == 0 {
        record
    } else {
        record.namespace(namespace.to_string())
    }
}

proptest! {
    /// After any writes, queries answer what sorting a plain map would.
    #[test]
    fn writes_and_queries_agree_with_a_plain_map(steps in steps(), at in -5_i8..5, top_k in 1_usize..15, bound in -5_i8..5) {
        let store = MemoryVectorStore::new(Metric::Euclidean);
        let mut map: BTreeMap<String, VectorRecord> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Upsert { id, namespace, value } => {
                    let record = record(id, namespace, value);
                    block_on(store.upsert(vec![record.clone()])).unwrap();
                    map.insert(record.id.clone(), record);
                }
                Step::Delete { id } => {
                    block_on(store.delete(&[id.to_string()])).unwrap();
                    map.remove(&id.to_string());
                }
            }
        }
        let ids: Vec<String> = map.keys().cloned().collect();
        prop_assert_eq!(block_on(store.get(&ids)).unwrap(), map.values().cloned().collect::<Vec<_>>());
        prop_assert_eq!(block_on(store.info()).unwrap().count, map.len() as u64);

        let filter = Filter::new().with("value", Comparison::Gte, bound);
        for namespace in [None, Some("1"), Some("none")] {
            let mut query = VectorQuery::new(vec![f32::from(at), 1.0]).top_k(top_k).filter(filter.clone());
            query.namespace = namespace.map(str::to_owned);
            let found = block_on(store.query(query)).unwrap();
            let mut expected: Vec<(f32, &str)> = map
                .values()
                .filter(|record| namespace.is_none() || record.namespace.as_deref() == namespace)
                .filter(|record| filter.matches(&record.metadata))
                .map(|record| ((record.values[0] - f32::from(at)).abs(), record.id.as_str()))
                .collect();
            expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
            expected.truncate(top_k);
            let found: Vec<_> = found.iter().map(|found| (found.score, found.id.as_str())).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn an_empty_store_answers_with_none() {
    let store = MemoryVectorStore::new(Metric::Cosine);
    assert!(
        block_on(store.query(VectorQuery::new(vec![1.0])))
            .unwrap()
            .is_empty()
    );
    assert_eq!(block_on(store.info()).unwrap().dimensions, None);
}

/// Vectors that lie in clusters, as texts of a few subjects do: the near ones are near to each other too, which is hard for eight bits.
fn clustered(count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let mut state = 7_u64;
    let mut noise = move || {
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sum += (state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5;
        }
        sum
    };
    let centers: Vec<Vec<f32>> = (0..20)
        .map(|_| (0..dimensions).map(|_| noise()).collect())
        .collect();
    let near = |at: usize| {
        centers[at % 20]
            .iter()
            .map(|value| value + 0.3 * noise())
            .collect()
    };
    (0..count).map(near).collect()
}

#[test]
fn eight_bits_find_what_all_do() {
    const TOP_K: usize = 10;
    let vectors = clustered(4_020, 96);
    let (kept, questions) = vectors.split_at(4_000);
    for metric in [Metric::Cosine, Metric::Euclidean, Metric::DotProduct] {
        let exact = MemoryVectorStore::new(metric);
        let coded = MemoryVectorStore::new(metric).quantized(Quantization::Int8);
        let records: Vec<_> = kept
            .iter()
            .enumerate()
            .map(|(at, values)| VectorRecord::new(at.to_string(), values.clone()))
            .collect();
        block_on(exact.upsert(records.clone())).unwrap();
        block_on(coded.upsert(records)).unwrap();
        let mut found = 0;
        for question in questions {
            let query = VectorQuery::new(question.clone()).top_k(TOP_K);
            let expected = block_on(exact.query(query.clone())).unwrap();
            let matches = block_on(coded.query(query)).unwrap();
            found += matches.iter().filter(|found| expected.contains(found)).count();
        }
        let recall = found as f64 / (TOP_K * questions.len()) as f64;
        assert!(recall >= 0.995, "{metric:?}: {recall}");
    }
}

/// Searches everything, keeps what it can of bad calls, and scores upside down.
#[derive(Debug)]
struct Careless(MemoryVectorStore);

#[async_trait]
impl VectorStore for Careless {
    fn capabilities(&self) -> VectorCapabilities {
        self.0.capabilities()
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        for record in records {
            self.0.upsert(vec![record]).await?;
        }
        Ok(Mutation::VISIBLE)
    }

    async fn query(&self, mut query: VectorQuery) -> Result<Vec<VectorMatch>> {
        (query.namespace, query.filter) = (None, Filter::new());
        let mut found = self.0.query(query).await?;
        found.iter_mut().for_each(|found| found.score = -found.score);
        Ok(found)
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        self.0.get(ids).await
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        self.0.delete(ids).await
    }

    async fn info(&self) -> Result<StoreInfo> {
        self.0.info().await
    }
}

#[test]
fn the_suite_finds_each_broken_clause() {
    let subject = || VectorStoreSubject::new(Careless(MemoryVectorStore::new(Metric::Cosine)));
    let report = block_on(edge_ai_testkit::run(cases(), subject));
    let failed: Vec<_> = report.failed().map(|(name, _)| name).collect();
    for broken in [
        "a_bad_record_keeps_the_others_out",
        "a_namespace_keeps_records_apart",
        "an_empty_namespace_has_no_match",
        "scores_are_those_of_the_metric",
        "matches_come_nearest_first",
        "equality",
        "a_filter_comes_before_top_k",
    ] {
        assert!(failed.contains(&broken), "{broken} passed\n{report}");
    }
    assert!(!failed.contains(&"what_was_kept_is_got"), "{report}");
}
