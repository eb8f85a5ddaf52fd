//! What goes wrong elsewhere when documents are taken up or removed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_core::{
    Clock as _, Entropy, ManualClock, Metric, Mutation, Result, SeededEntropy, StoreInfo, Timestamp,
    VectorCapabilities, VectorMatch, VectorQuery, VectorRecord, VectorStore, async_trait,
};
use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;

use super::world::{ByLines, Lines, World, id};
use crate::{
    ChunkSource as _, Document, Index, JobState, Manifest, MediaType, MemoryObjects, MemoryQueue,
    MemoryVectorStore, Namespace, Pipeline,
};

#[test]
fn rig_taking_a_document_up_again_doubles_nothing() {
    let mut world = World::new();
    for team in ["x", "y", "x"] {
        world.put("a", "one\ntwo\n", team);
        world.finish();
    }
    assert_eq!(world.vector_ids().len(), 2);
    world.check();
}

#[test]
fn langchainjs_a_namespace_is_one_and_tenants_do_not_meet() {
    let mut world = World::new();
    world.put("a", "one\n", "x");
    world.finish();
    let other = Namespace::of(Some("other"), Some("docs"));
    let ids = world.ids_of(&id("a"), "one\n");
    assert!(
        block_on(world.index.manifest().chunks(&other, &ids))
            .unwrap()
            .is_empty()
    );
    assert_eq!(block_on(world.index.get(&other, &id("a"))).unwrap(), None);
    let job = block_on(world.index.get(&world.namespace(), &id("a")))
        .unwrap()
        .unwrap()
        .job;
    assert!(block_on(world.index.job(&other, &job.id)).is_err());
    assert!(block_on(world.index.delete(&other, &id("a"))).is_err());
    let found = |namespace: &Namespace| {
        let query = VectorQuery::new(vec![1.0; 8]).namespace(namespace.as_str());
        block_on(world.vectors.query(query)).unwrap().len()
    };
    assert_eq!((found(&world.namespace()), found(&other)), (1, 0));
    // The same document of another tenant is another one.
    let document = Document::new(id("a"), MediaType::PLAIN, "one\n");
    block_on(world.index.put(&other, document)).unwrap();
    world.finish();
    assert_eq!((found(&world.namespace()), found(&other)), (1, 1));
}

#[test]
fn langchainjs_hundreds_of_chunks_are_removed_whole() {
    let mut world = World::new();
    world.deploy_with(1, "m", crate::IndexOptions::default());
    let text: String = (0..1_200).map(|line| format!("line {line}\n")).collect();
    world.put("a", &text, "x");
    world.finish();
    world.check();
    assert_eq!(world.vector_ids().len(), 1_200);
    world.delete("a");
    world.finish();
    world.check();
    assert!(world.vector_ids().is_empty());
}

#[test]
fn langchain_py_ids_are_the_documents_own_and_short_enough_whatever_its_name() {
    let mut world = World::new();
    let name = "ä/".repeat(160);
    world.put(&name, "one\n", "x");
    world.finish();
    world.check();
    assert!(world.vector_ids().iter().all(|id| id.len() <= 64));
}

#[test]
fn second_brain_stale_vectors_do_not_survive_an_update() {
    let mut world = World::new();
    world.put("a", "one\ntwo\n", "x");
    world.finish();
    world.put("a", "three\n", "x");
    world.finish();
    assert_eq!(
        world.vector_ids().into_iter().collect::<Vec<_>>(),
        world.ids_of(&id("a"), "three\n")
    );
}

/// A store that shows its writes when told to, and names another writer's mutation as the last one.
#[derive(Clone, Debug)]
struct Late {
    hidden: MemoryVectorStore,
    shown: Arc<Mutex<(bool, Option<String>)>>,
}

#[async_trait]
impl VectorStore for Late {
    fn capabilities(&self) -> VectorCapabilities {
        let mut capabilities = self.hidden.capabilities();
        capabilities.immediate = false;
        capabilities
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        self.hidden.upsert(records).await?;
        Ok(Mutation::pending("ours"))
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        self.hidden.query(query).await
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        let shown = self.shown.lock().unwrap().0;
        if shown {
            self.hidden.get(ids).await
        } else {
            Ok(Vec::new())
        }
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        self.hidden.delete(ids).await?;
        Ok(Mutation::pending("ours"))
    }

    async fn info(&self) -> Result<StoreInfo> {
        Ok(StoreInfo::new(0, None, self.shown.lock().unwrap().1.clone()))
    }
}

#[test]
fn langchain_py_waiting_for_a_write_ends_also_behind_other_writers_and_when_it_never_shows() {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000_000));
    let store = Late {
        hidden: MemoryVectorStore::new(Metric::Cosine),
        shown: Arc::default(),
    };
    let index = Index::builder(Sqlite::new(&[Manifest::MIGRATION]))
        .originals(MemoryObjects::default())
        .pipeline(Pipeline::new(
            Lines,
            ByLines(1),
            ScriptedEmbeddingModel::new(8),
            "m",
        ))
        .vectors(store.clone())
        .queue(MemoryQueue::default())
        .clock(clock.clone())
        .entropy(SeededEntropy::new(SeededEntropy::new(1).next_u64()))
        .build()
        .unwrap();
    let namespace = Namespace::of(None, None);
    let put = |text: &str| {
        let document = Document::new(id("a"), MediaType::PLAIN, text.to_owned());
        block_on(index.put(&namespace, document)).unwrap().job
    };
    let job = put("one\n");
    let began = clock.now();
    let waited = block_on(index.wait(&namespace, &job.id, Duration::from_secs(20))).unwrap();
    assert_eq!(waited.state, JobState::Indexed);
    assert!(clock.now().since(began) <= Duration::from_secs(22));
    // Its own mutation is the last one.
    store.shown.lock().unwrap().1 = Some("ours".to_owned());
    assert_eq!(
        block_on(index.job(&namespace, &job.id)).unwrap().state,
        JobState::Searchable
    );
    // Somebody else's came after it.
    let job = put("two\n");
    *store.shown.lock().unwrap() = (false, Some("theirs".to_owned()));
    assert_eq!(
        block_on(index.wait(&namespace, &job.id, Duration::ZERO))
            .unwrap()
            .state,
        JobState::Indexed
    );
    store.shown.lock().unwrap().0 = true;
    assert_eq!(block_on(index.sweep()).unwrap().seen, 1);
    assert_eq!(
        block_on(index.job(&namespace, &job.id)).unwrap().state,
        JobState::Searchable
    );
}
