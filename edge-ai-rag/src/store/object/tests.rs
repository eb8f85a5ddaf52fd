use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use edge_ai_core::{Error, ErrorKind, Metric, Result, VectorQuery, VectorRecord, VectorStore, async_trait};
use edge_ai_testkit::contract::vector_store::{VectorStoreSubject, cases};
use futures_executor::block_on;
use proptest::prelude::*;

use super::serve::Vectors;
use super::shelf::Shelf;
use super::store::{Object, ObjectVectorStore};
use super::wire::Refusal;
use crate::MemoryVectorStore;
use crate::store::resident::{Elsewhere, Kept, Quantization, numbers};

/// A disk in memory, which can fail after so many writes.
#[derive(Debug, Default)]
struct Disk(Mutex<State>);

#[derive(Clone, Debug, Default)]
struct State {
    terms: Option<String>,
    blocks: BTreeMap<usize, Kept>,
    fails_after: Option<usize>,
}

impl Disk {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, act: impl FnOnce(&mut State)) -> Result<()> {
        self.with(|state| {
            if let Some(left) = &mut state.fails_after {
                *left = left
                    .checked_sub(1)
                    .ok_or_else(|| Error::new(ErrorKind::Unavailable, "full"))?;
            }
            act(state);
            Ok(())
        })
    }
}

impl Elsewhere for Disk {
    fn block(&self, block: usize) -> Result<Vec<f32>> {
        Ok(self.with(|state| numbers(state.blocks[&block].vectors.as_ref().unwrap())))
    }

    fn rows(&self, places: &[(usize, usize)], dimensions: usize) -> Result<Vec<Vec<f32>>> {
        let row = |(block, row): &(usize, usize)| {
            let values = self.block(*block).unwrap();
            values[row * dimensions..][..dimensions].to_vec()
        };
        Ok(places.iter().map(row).collect())
    }
}

impl Shelf for Disk {
    fn terms(&self) -> Result<Option<String>> {
        Ok(self.with(|state| state.terms.clone()))
    }

    fn set_terms(&self, terms: &str) -> Result<()> {
        self.write(|state| state.terms = Some(terms.to_owned()))
    }

    fn blocks(&self, first: usize, coded: bool) -> Result<Vec<Kept>> {
        let some = |kept: &Kept| Kept {
            codes: kept.codes.clone().filter(|_| coded),
            vectors: kept.vectors.clone().filter(|_| !coded),
            ..kept.clone()
        };
        Ok(self.with(|state| {
            state
                .blocks
                .range(first..)
                .take(2)
                .map(|(_, kept)| some(kept))
                .collect()
        }))
    }

    fn put(&self, kept: &Kept) -> Result<()> {
        self.write(|state| drop(state.blocks.insert(kept.block, kept.clone())))
    }

    fn delete(&self, block: usize) -> Result<()> {
        self.write(|state| drop(state.blocks.remove(&block)))
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let before = self.with(|state| state.clone());
        body().inspect_err(|_| self.with(|state| *state = before))
    }
}

/// An object that forgets its memory between any two requests, if it is told to.
#[derive(Clone, Debug)]
struct Local {
    disk: Arc<Disk>,
    vectors: Arc<Mutex<Vectors>>,
    forgetful: bool,
}

impl Local {
    fn new(forgetful: bool) -> Self {
        Self {
            disk: Arc::default(),
            vectors: Arc::default(),
            forgetful,
        }
    }

    fn store(&self, metric: Metric, quantization: Quantization) -> ObjectVectorStore {
        ObjectVectorStore::over(self.clone(), metric).quantized(quantization)
    }
}

#[async_trait]
impl Object for Local {
    async fn ask(&self, body: Vec<u8>) -> Result<Vec<u8>> {
        let mut vectors = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
        if self.forgetful {
            *vectors = Vectors::default();
        }
        vectors
            .serve(&*self.disk, &body)
            .map_err(|error| match Refusal::of(&error) {
                Some(refusal) => refusal.into_error(),
                None => error,
            })
    }
}

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Euclidean, Metric::DotProduct];
const WAYS: [Quantization; 2] = [Quantization::None, Quantization::Int8];

#[test]
fn keeps_the_contract_awake_and_waking() {
    let unlimited = ["a_top_k_over_the_most_is_unsupported"];
    for metric in METRICS {
        for quantization in WAYS {
            for forgetful in [false, true] {
                let subject = || {
                    let store = Local::new(forgetful).store(metric, quantization);
                    VectorStoreSubject::new(store).with_max_metadata(10 << 10)
                };
                block_on(edge_ai_testkit::run(cases(), subject)).assert_passed_but(&unlimited);
            }
        }
    }
}

#[test]
fn vectors_are_many_to_a_row() {
    let local = Local::new(false);
    let store = local.store(Metric::Cosine, Quantization::Int8);
    let records = (0..1_000).map(|at| VectorRecord::new(format!("{at}"), vec![at as f32, 1.0]));
    block_on(store.upsert(records.collect())).unwrap();
    assert_eq!(
        local.disk.with(|state| state.blocks.len()),
        1_000_usize.div_ceil(64)
    );
    let ids: Vec<_> = (0..1_000).map(|at| format!("{at}")).collect();
    block_on(store.delete(&ids)).unwrap();
    assert_eq!(local.disk.with(|state| state.blocks.len()), 0);
}

#[test]
fn a_write_that_fails_changes_nothing() {
    for quantization in WAYS {
        let local = Local::new(false);
        let store = local.store(Metric::Euclidean, quantization);
        let record = |at: usize, value: f32| VectorRecord::new(format!("{at}"), vec![value, 1.0]);
        block_on(store.upsert((0..200).map(|at| record(at, at as f32)).collect())).unwrap();
        local.disk.with(|state| state.fails_after = Some(2));
        let changes = (0..400).map(|at| record(at, -5.0)).collect();
        assert_eq!(
            block_on(store.upsert(changes)).unwrap_err().kind(),
            ErrorKind::Unavailable
        );
        local.disk.with(|state| state.fails_after = None);
        assert_eq!(block_on(store.info()).unwrap().count, 200);
        let found = block_on(store.query(VectorQuery::new(vec![150.0, 1.0]).top_k(1))).unwrap();
        assert_eq!((found[0].id.as_str(), found[0].score), ("150", 0.0));
    }
}

#[test]
fn an_object_stays_with_what_it_was_written_with() {
    let local = Local::new(true);
    let records = vec![VectorRecord::new("a", vec![1.0, 0.0])];
    block_on(local.store(Metric::Cosine, Quantization::Int8).upsert(records)).unwrap();
    let other = local.store(Metric::Euclidean, Quantization::Int8);
    let error = block_on(other.info()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("cosine, int8"), "{error}");
    block_on(
        local
            .store(Metric::Cosine, Quantization::Int8)
            .delete(&["a".into()]),
    )
    .unwrap();
    assert_eq!(block_on(other.info()).unwrap().count, 0);
}

#[derive(Clone, Debug)]
enum Step {
    Upsert(Vec<(u16, u8)>),
    Delete(Vec<u16>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let upsert = prop::collection::vec((0_u16..300, 0_u8..3), 1..150).prop_map(Step::Upsert);
    let delete = prop::collection::vec(0_u16..300, 1..100).prop_map(Step::Delete);
    prop::collection::vec(prop_oneof![2 => upsert, 1 => delete], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever was written, in which order, and however often the object woke: it answers as memory does.
    #[test]
    fn it_answers_as_memory_does(steps in steps(), forgetful in any::<bool>(), int8 in any::<bool>()) {
        let quantization = if int8 { Quantization::Int8 } else { Quantization::None };
        let store = Local::new(forgetful).store(Metric::Euclidean, quantization);
        let memory = MemoryVectorStore::new(Metric::Euclidean);
        for step in steps {
            match step {
                Step::Upsert(records) => {
                    let records: Vec<_> = records
                        .into_iter()
                        .map(|(id, namespace)| VectorRecord::new(id.to_string(), vec![f32::from(id), 1.0]).namespace(namespace.to_string()).metadata("n", namespace))
                        .collect();
                    block_on(store.upsert(records.clone())).unwrap();
                    block_on(memory.upsert(records)).unwrap();
                }
                Step::Delete(ids) => {
                    let ids: Vec<_> = ids.iter().map(u16::to_string).collect();
                    block_on(store.delete(&ids)).unwrap();
                    block_on(memory.delete(&ids)).unwrap();
                }
            }
        }
        prop_assert_eq!(block_on(store.info()).unwrap().count, block_on(memory.info()).unwrap().count);
        for namespace in [None, Some("1")] {
            let mut query = VectorQuery::new(vec![150.0, 1.0]).top_k(400).return_values();
            query.namespace = namespace.map(str::to_owned);
            prop_assert_eq!(block_on(store.query(query.clone())).unwrap(), block_on(memory.query(query)).unwrap());
        }
    }
}
