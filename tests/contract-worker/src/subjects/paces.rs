//! What a store of paces must hold, on the real Workers KV.

use std::sync::Arc;

use edge_ai_cache::WorkersKv;
use edge_ai_core::{KeyValue, Result};
use edge_ai_gateway::{KeyValuePaces, PaceSnapshot, PaceStore};
use edge_ai_testkit::{Case, Check, Must, Stop, Subject};
use futures_util::FutureExt;
use serde_json::{Value, json};
use worker::Env;

use super::run_id;
use crate::suite::Suite;

/// A store of paces over Workers KV, and the store below it.
struct Paces {
    kv: Arc<WorkersKv>,
    key: String,
    paces: KeyValuePaces<Arc<WorkersKv>>,
}

impl Subject for Paces {
    fn enter(&mut self, _: &'static str) {}
}

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    let cases = vec![
        Case::new("nothing_is_known_at_first", |paces| {
            nothing_is_known_at_first(paces).boxed()
        }),
        Case::new("what_one_isolate_saved_another_loads", |paces| {
            what_one_isolate_saved_another_loads(paces).boxed()
        }),
        Case::new("what_does_not_read_is_nothing_and_is_written_anew", |paces| {
            what_does_not_read_is_nothing_and_is_written_anew(paces).boxed()
        }),
    ];
    suite.add("pace_store/workers_kv", cases, move || {
        let key = format!("paces-{}", run_id());
        let kv = Arc::new(WorkersKv::from_env(env, "CACHE")?);
        Ok(Paces {
            paces: KeyValuePaces::new(Arc::clone(&kv)).key(&key),
            kv,
            key,
        })
    });
}

async fn nothing_is_known_at_first(subject: Paces) -> Check {
    let known = subject.paces.load().await.must("an empty store loads")?;
    same(&known, &PaceSnapshot::default(), "nobody has written")
}

async fn what_one_isolate_saved_another_loads(subject: Paces) -> Check {
    let (first, second) = (snapshot("a/x", 1_500)?, snapshot("b/y", 90)?);
    for saved in [first, second] {
        subject.paces.save(&saved).await.must("paces are saved")?;
        let another = KeyValuePaces::new(Arc::clone(&subject.kv)).key(&subject.key);
        let loaded = another.load().await.must("paces are loaded")?;
        same(&loaded, &saved, "what was saved last is known")?;
    }
    Ok(())
}

async fn what_does_not_read_is_nothing_and_is_written_anew(subject: Paces) -> Check {
    let junk = subject.kv.put(&subject.key, "[1,2".into(), None).await;
    junk.must("KV takes a value")?;
    let known = subject
        .paces
        .load()
        .await
        .must("what does not read is no failure")?;
    same(&known, &PaceSnapshot::default(), "what does not read is nothing")?;
    let saved = snapshot("a/x", 7)?;
    subject.paces.save(&saved).await.must("it is written anew")?;
    let known = subject.paces.load().await.must("paces are loaded")?;
    same(&known, &saved, "what was written anew is known")
}

/// Paces of one target.
fn snapshot(target: &str, mean: u64) -> Result<PaceSnapshot, Stop> {
    let pace = json!({"mean": mean, "weight": 1_000, "at_ms": 1_798_000_000_000_u64});
    let mut targets = serde_json::Map::new();
    targets.insert(target.to_owned(), json!([pace, pace, pace]));
    serde_json::from_value(Value::Object(targets))
        .map_err(|error| Stop::failed(format!("paces read: {error}")))
}

fn same(found: &PaceSnapshot, expected: &PaceSnapshot, clause: &str) -> Check {
    if found == expected {
        return Ok(());
    }
    Err(Stop::failed(format!("{clause}: {found:?} is not {expected:?}")))
}
