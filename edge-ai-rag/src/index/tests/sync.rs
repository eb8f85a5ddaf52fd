use edge_ai_core::Bytes;
use futures_executor::block_on;

use super::world::{BUCKET, Wanted, World, id};
use crate::{BucketEvent, Document, MediaType, ObjectStore as _, Synced};

fn store(world: &mut World, key: &str, text: &str) {
    block_on(world.bucket.put(key, "text/plain", Bytes::from(text.to_owned()))).unwrap();
    let wanted = Wanted {
        text: text.to_owned(),
        team: BUCKET.to_owned(),
    };
    world.wanted.insert(id(key), wanted);
}

fn remove(world: &mut World, key: &str) {
    block_on(world.bucket.delete(&[key.to_owned()])).unwrap();
    world.wanted.remove(&id(key));
}

/// The whole bucket, three objects at a time.
fn sync(world: &World, prefix: &str) -> Synced {
    let mut whole = Synced::default();
    loop {
        let part = block_on(
            world
                .index
                .sync(&world.namespace(), "docs", prefix, whole.cursor.as_deref(), 3),
        )
        .unwrap();
        whole.added += part.added;
        whole.changed += part.changed;
        whole.unchanged += part.unchanged;
        whole.deleted += part.deleted;
        whole.skipped.extend(part.skipped);
        whole.cursor = part.cursor;
        if whole.cursor.is_none() {
            return whole;
        }
    }
}

fn counts(synced: &Synced) -> [usize; 4] {
    [synced.added, synced.changed, synced.unchanged, synced.deleted]
}

#[test]
fn the_index_follows_the_bucket() {
    let mut world = World::new();
    for at in 0..8 {
        store(&mut world, &format!("docs/{at}.txt"), &format!("line {at}\n"));
    }
    assert_eq!(counts(&sync(&world, "docs/")), [8, 0, 0, 0]);
    world.finish();
    world.check();
    assert_eq!(world.embedded_texts(), 8);
    assert_eq!(counts(&sync(&world, "docs/")), [0, 0, 8, 0]);
    assert!(world.queue.take().is_none());
    for key in ["docs/0.txt", "docs/4.txt", "docs/7.txt"] {
        remove(&mut world, key);
    }
    store(&mut world, "docs/1.txt", "another\n");
    store(&mut world, "docs/4a.txt", "new\n");
    assert_eq!(counts(&sync(&world, "docs/")), [1, 1, 4, 3]);
    world.finish();
    world.check();
    assert_eq!(world.embedded_texts(), 10);
}

#[test]
fn what_did_not_come_from_the_bucket_or_is_outside_of_the_prefix_stays() {
    let mut world = World::new();
    world.put("docs/b.txt", "by hand\n", "x");
    store(&mut world, "docs/a.txt", "one\n");
    store(&mut world, "other/a.txt", "two\n");
    sync(&world, "");
    world.finish();
    for key in ["docs/a.txt", "other/a.txt"] {
        block_on(world.bucket.delete(&[key.to_owned()])).unwrap();
    }
    world.wanted.remove(&id("docs/a.txt"));
    assert_eq!(counts(&sync(&world, "docs/")), [0, 0, 0, 1]);
    world.finish();
    world.check();
}

#[test]
fn a_key_that_cannot_be_an_id_is_told_and_an_object_that_cannot_be_read_fails_alone() {
    let mut world = World::new();
    store(&mut world, "a.txt", "one\n");
    store(&mut world, "b.txt", "! nonsense");
    let long = "x".repeat(600);
    block_on(world.bucket.put(&long, "text/plain", Bytes::from_static(b"x"))).unwrap();
    let synced = sync(&world, "");
    assert_eq!(synced.skipped.len(), 1);
    assert_eq!(synced.skipped[0].0, long);
    world.finish();
    world.check();
    // What failed is not tried over and over.
    assert_eq!(counts(&sync(&world, "")), [0, 0, 2, 0]);
}

fn event(action: &str, key: &str) -> BucketEvent {
    let event = serde_json::json!({
        "account": "3f4b7e3dcab231cbfdaa90a6a28bd548", "action": action, "bucket": "docs", "object": {"key": key}, "eventTime": "2024-05-24T19:36:44.379Z",
    });
    serde_json::from_value(event).unwrap()
}

#[test]
fn notifications_twice_and_in_any_order_come_to_the_same() {
    let mut world = World::new();
    store(&mut world, "a.txt", "one\n");
    let take = |world: &World, action| {
        block_on(
            world
                .index
                .take_event(&world.namespace(), &event(action, "a.txt")),
        )
        .unwrap()
    };
    // The deletion is of a copy before.
    assert!(take(&world, "DeleteObject"));
    assert!(!take(&world, "PutObject"));
    world.finish();
    world.check();
    assert!(!take(&world, "CopyObject"));
    remove(&mut world, "a.txt");
    assert!(take(&world, "CompleteMultipartUpload"));
    assert!(!take(&world, "LifecycleDeletion"));
    world.finish();
    world.check();
}

#[test]
fn an_object_that_goes_before_it_is_read_is_a_deletion() {
    let mut world = World::new();
    store(&mut world, "a.txt", "one\n");
    sync(&world, "");
    remove(&mut world, "a.txt");
    world.finish();
    world.check();
}

#[test]
fn an_object_written_again_as_it_was_embeds_nothing() {
    let mut world = World::new();
    store(&mut world, "a.txt", "one\n");
    sync(&world, "");
    world.finish();
    let document = Document::new(id("a.txt"), MediaType::PLAIN, "one\n").source("r2://docs/a.txt");
    let accepted = block_on(world.index.put(&world.namespace(), document)).unwrap();
    assert!(!accepted.changed);
    store(&mut world, "a.txt", "two\n");
    store(&mut world, "a.txt", "one\n");
    sync(&world, "");
    world.finish();
    world.check();
    assert_eq!(world.embedded_texts(), 1);
}
