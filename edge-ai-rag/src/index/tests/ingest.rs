use std::time::Duration;

use edge_ai_core::{Error, ErrorKind};
use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
use futures_executor::block_on;
use futures_util::StreamExt as _;

use super::world::{World, id};
use crate::{ChunkSource as _, Document, IndexOptions, JobState, MediaType, ObjectStore as _, Ran};

#[test]
fn an_unchanged_document_calls_nothing() {
    let mut world = World::new();
    let first = world.put("a", "one\ntwo\n", "x");
    world.finish();
    let before = world.faults.calls();
    let again = world.put("a", "one\ntwo\n", "x");
    assert_eq!(again.id, first.id);
    assert!(world.queue.take().is_none());
    assert_eq!(world.faults.calls() - before, 1, "the manifest alone is asked");
    assert_eq!(world.embedded_texts(), 2);
}

#[test]
fn a_changed_document_embeds_its_new_chunks_alone() {
    let mut world = World::new();
    world.put("a", "one\ntwo\nthree\n", "x");
    world.finish();
    assert_eq!(world.embedded_texts(), 3);
    // One is new, one goes, two move.
    let job = world.put("a", "three\nfour\none\n", "x");
    world.finish();
    world.check();
    assert_eq!(world.embedded_texts(), 4);
    let job = block_on(world.index.job(&world.namespace(), &job.id)).unwrap();
    assert_eq!((job.embedded, job.state), (1, JobState::Searchable));
    let chunks = block_on(world.index.manifest().range(&world.namespace(), &id("a"), 0..9)).unwrap();
    let texts: Vec<_> = chunks
        .iter()
        .map(|chunk| (chunk.ordinal, chunk.text.as_str(), chunk.range.clone()))
        .collect();
    assert_eq!(
        texts,
        [(0, "three\n", 0..6), (1, "four\n", 6..11), (2, "one\n", 11..15)]
    );
}

#[test]
fn new_metadata_reaches_the_stores_without_a_model() {
    let mut world = World::new();
    world.put("a", "one\ntwo\nthree\n", "x");
    world.finish();
    world.put("a", "one\ntwo\nthree\n", "y");
    world.finish();
    world.check();
    assert_eq!(world.embedded_texts(), 3);
    let found = world.ids_of(&id("a"), "one\n");
    let chunk = block_on(world.index.manifest().chunks(&world.namespace(), &found))
        .unwrap()
        .remove(0);
    assert_eq!(
        (chunk.metadata["team"].as_str(), chunk.metadata["author"].as_str()),
        (Some("y"), Some("nobody"))
    );
    assert_eq!(chunk.heading, ["Lines"]);
    assert_eq!(chunk.answer_text(), "one\ntwo\nthree\n");
}

#[test]
fn another_way_of_splitting_embeds_what_it_makes_differently() {
    let mut world = World::new();
    world.put("a", "one\n", "x");
    world.put("b", "one\ntwo\n", "x");
    world.finish();
    world.deploy(2, "m");
    world.reindex();
    world.finish();
    world.check();
    // The document of one line has the same chunk as before.
    assert_eq!(world.embedded_texts(), 3 + 1);
    world.reindex();
    assert!(world.queue.take().is_none());
}

#[test]
fn a_passage_is_kept_once_for_all_its_chunks() {
    let mut world = World::new();
    world.put("a", "one\ntwo\nthree\nfour\n", "x");
    world.finish();
    assert_eq!(world.database.rows("SELECT text FROM rag_passages").len(), 1);
}

#[test]
fn a_deleted_document_is_gone_from_answers_at_once_and_from_everything_in_the_end() {
    let mut world = World::new();
    world.put("a", "a secret\n", "x");
    world.finish();
    let ids = world.ids_of(&id("a"), "a secret\n");
    let version = block_on(world.index.manifest().version(&world.namespace())).unwrap();
    world.delete("a");
    assert!(
        block_on(world.index.manifest().chunks(&world.namespace(), &ids))
            .unwrap()
            .is_empty()
    );
    assert!(block_on(world.index.manifest().version(&world.namespace())).unwrap() > version);
    assert_eq!(
        block_on(world.index.get(&world.namespace(), &id("a"))).unwrap(),
        None
    );
    world.finish();
    world.check();
    for table in ["rag_documents", "rag_jobs", "rag_chunks", "rag_passages"] {
        assert!(!world.database.dump(table).contains("secret"), "{table}");
    }
    let error = block_on(world.index.delete(&world.namespace(), &id("a"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn what_is_gone_is_forgotten_after_a_while() {
    let mut world = World::new();
    world.put("a", "one\n", "x");
    world.finish();
    world.delete("a");
    world.put("b", "one\n", "x");
    world.finish();
    world.clock.advance(IndexOptions::default().keep * 2);
    for _ in 0..2 {
        block_on(world.index.sweep()).unwrap();
    }
    assert!(!world.database.dump("rag_documents").contains("\"a\""));
    assert_eq!(world.database.rows("SELECT * FROM rag_jobs").len(), 1);
    world.check();
}

#[test]
fn without_capacity_a_job_waits_as_long_as_it_is_told_and_keeps_what_it_has() {
    let busy = Error::new(ErrorKind::RateLimited, "out of capacity")
        .with_code("3040")
        .with_retry_after(Duration::from_secs(17));
    let mut world = World::with(ScriptedEmbeddingModel::new(8));
    let job = world.put("a", "one\ntwo\nthree\n", "x");
    world.embedder = world.embedder.clone().fail(busy);
    let message = world.queue.take().unwrap();
    assert_eq!(
        block_on(world.index.run(&message)).unwrap(),
        Ran::Again(Duration::from_secs(17))
    );
    let waiting = block_on(world.index.job(&world.namespace(), &job.id)).unwrap();
    assert_eq!((waiting.state, waiting.attempts), (JobState::Queued, 1));
    assert_eq!(waiting.error.unwrap().code.as_deref(), Some("3040"));
    // Whoever comes too early is sent away.
    assert!(matches!(
        block_on(world.index.run(&message)).unwrap(),
        Ran::Again(_)
    ));
    world.clock.advance(Duration::from_secs(17));
    assert_eq!(block_on(world.index.run(&message)).unwrap(), Ran::Done);
    assert_eq!(world.state(&job), JobState::Searchable);
    world.check();
}

#[test]
fn a_document_that_cannot_be_read_fails_with_its_reason_and_leaves_the_one_before() {
    let mut world = World::new();
    world.put("a", "one\n", "x");
    world.finish();
    let before = world.wanted.clone();
    let job = world.put("a", "! nonsense", "x");
    world.finish();
    world.wanted = before;
    let failed = block_on(world.index.job(&world.namespace(), &job.id)).unwrap();
    assert_eq!(failed.state, JobState::Failed);
    assert!(failed.error.unwrap().message.contains("cannot be read"));
    let live = block_on(world.index.get(&world.namespace(), &id("a")))
        .unwrap()
        .unwrap()
        .live
        .unwrap();
    assert_eq!(live.chunks, 1);
    let ids = world.ids_of(&id("a"), "one\n");
    assert_eq!(world.vector_ids().into_iter().collect::<Vec<_>>(), ids);
    // It is tried again on demand, and by putting it again.
    let retried = block_on(world.index.retry(&world.namespace(), &job.id)).unwrap();
    assert_ne!(retried.id, job.id);
    world.finish();
    assert_eq!(world.state(&retried), JobState::Failed);
    world.put("a", "two\n", "x");
    world.finish();
    world.check();
}

#[test]
fn a_job_is_given_up_in_the_end_and_leaves_nothing_behind() {
    let mut world = World::new();
    let down = || Error::new(ErrorKind::Unavailable, "down");
    let job = world.put("a", "one\ntwo\nthree\n", "x");
    // The first batch is written; the second never is.
    world.step();
    let mut embedder = world.embedder.clone();
    for _ in 0..IndexOptions::default().max_attempts {
        embedder = embedder.fail(down());
    }
    let job = block_on(world.index.job(&world.namespace(), &job.id)).unwrap();
    assert_eq!(job.state, JobState::Searchable, "three chunks fit one run");
    world.put("a", "four\nfive\nsix\nseven\n", "x");
    world.finish();
    assert_eq!(
        block_on(world.index.get(&world.namespace(), &id("a")))
            .unwrap()
            .unwrap()
            .job
            .state,
        JobState::Failed
    );
    let kept: Vec<_> = world.vector_ids().into_iter().collect();
    let mut expected = world.ids_of(&id("a"), "one\ntwo\nthree\n");
    expected.sort();
    assert_eq!(kept, expected);
}

#[test]
fn lost_messages_are_made_up_for() {
    let mut world = World::new();
    let job = world.put("a", "one\n", "x");
    world.queue.take().unwrap();
    assert_eq!(
        block_on(world.index.sweep()).unwrap().sent,
        0,
        "it may still be on its way"
    );
    world.finish();
    assert_eq!(world.state(&job), JobState::Searchable);
}

#[test]
fn a_long_document_takes_several_runs_and_tells_how_far_it_is() {
    let mut world = World::new();
    let text: String = (0..20).map(|line| format!("line {line}\n")).collect();
    let job = world.put("a", &text, "x");
    assert_eq!(world.step().unwrap().unwrap(), Ran::Again(Duration::ZERO));
    let JobState::Running { done, total, .. } = world.state(&job) else {
        panic!("it is under way");
    };
    assert_eq!((done, total), (6, 20));
    world.finish();
    world.check();
    assert_eq!(world.embedded_texts(), 20);
}

#[test]
fn a_job_can_be_worked_on_where_it_was_asked_for_and_watched() {
    let mut world = World::new();
    let job = world.put("a", "one\ntwo\n", "x");
    let namespace = world.namespace();
    let done = block_on(world.index.wait(&namespace, &job.id, Duration::from_secs(30))).unwrap();
    assert_eq!(done.state, JobState::Searchable);
    let watched = world
        .index
        .watch(namespace, job.id, Duration::from_secs(1), Duration::from_secs(30));
    let seen: Vec<_> = block_on(watched.collect());
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].as_ref().unwrap().state, JobState::Searchable);
    assert_eq!(
        block_on(world.originals.list("", None, 9)).unwrap().objects.len(),
        1
    );
}

#[test]
fn lines_of_a_batch_stand_for_themselves() {
    let mut world = World::new();
    let lines = "{\"id\":\"a\",\"text\":\"one\",\"metadata\":{\"team\":\"x\"}}\n\nnonsense\n{\"id\":\"\",\"text\":\"x\"}\n{\"id\":\"b\",\"text\":\"\"}\n{\"id\":\"c\",\"text\":\"x\",\"metadata\":{\"a.b\":1}}\n{\"id\":\"d\",\"text\":\"x\",\"metdata\":{}}";
    let outcomes = block_on(world.index.put_all(&world.namespace(), &World::body(lines))).unwrap();
    let told: Vec<_> = outcomes
        .iter()
        .map(|outcome| (outcome.line, outcome.job.is_some(), outcome.error.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            (1, true, false),
            (3, false, true),
            (4, false, true),
            (5, false, true),
            (6, false, true),
            (7, false, true)
        ]
    );
    assert!(
        outcomes[4]
            .error
            .as_ref()
            .unwrap()
            .message
            .contains("metadata.a.b")
    );
    assert!(outcomes[5].error.as_ref().unwrap().message.contains("metdata"));
    world.finish();
    world.wanted.insert(
        id("a"),
        super::world::Wanted {
            text: "one".to_owned(),
            team: "x".to_owned(),
        },
    );
    world.check();
    let many = "{}\n".repeat(crate::Index::MAX_LINES + 1);
    let error = block_on(world.index.put_all(&world.namespace(), &World::body(&many))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn the_list_goes_on_where_it_ended() {
    let mut world = World::new();
    for name in ["a", "b", "c", "d", "e"] {
        world.put(name, "one\n", "x");
    }
    let (mut cursor, mut names) = (None, Vec::new());
    loop {
        let page = block_on(world.index.list(&world.namespace(), cursor.as_deref(), 2)).unwrap();
        names.extend(page.documents.into_iter().map(|document| document.id.to_string()));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.concat(), "abcde");
}

#[test]
fn what_the_index_does_not_take_is_said_with_the_field() {
    let world = World::new();
    let put = |document| block_on(world.index.put(&world.namespace(), document)).unwrap_err();
    let plain = |body: &str| Document::new(id("a"), MediaType::PLAIN, body.to_owned());
    assert_eq!(put(plain("")).param(), Some("body"));
    assert_eq!(
        put(plain(&"x".repeat((10 << 20) + 1))).kind(),
        ErrorKind::TooLarge
    );
    assert_eq!(
        put(plain("x").metadata("document", "y")).param(),
        Some("metadata.document")
    );
    assert_eq!(put(plain("x").metadata("$x", "y")).param(), Some("metadata.$x"));
    assert_eq!(
        put(plain("x").metadata("x", "y".repeat(9_000))).param(),
        Some("metadata")
    );
}
