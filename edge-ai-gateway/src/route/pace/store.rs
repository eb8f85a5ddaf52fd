use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, KeyValue, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::FORGOTTEN;
use super::sum::{Sum, Written};

/// Where isolates share how quick targets have lately been, so that a new one does not begin knowing nothing.
///
/// It is read and written behind answers, never while a request waits; a store that fails costs nothing but the sharing.
#[async_trait]
pub trait PaceStore: fmt::Debug + Send + Sync + 'static {
    /// What is known; nothing when nobody has written yet.
    ///
    /// # Errors
    /// When the store fails.
    async fn load(&self) -> Result<PaceSnapshot>;

    /// Keeps what is known in place of what was. What another isolate wrote in between is lost: measurements are samples.
    ///
    /// # Errors
    /// When the store fails; the measurements are offered again later.
    async fn save(&self, paces: &PaceSnapshot) -> Result<()>;
}

#[async_trait]
impl<T: PaceStore + ?Sized> PaceStore for Arc<T> {
    async fn load(&self) -> Result<PaceSnapshot> {
        (**self).load().await
    }

    async fn save(&self, paces: &PaceSnapshot) -> Result<()> {
        (**self).save(paces).await
    }
}

/// How quick targets have been, by `provider/model`: fading averages of the time to the first content, to a whole answer, and for a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaceSnapshot {
    pub(super) targets: BTreeMap<String, [Written; 3]>,
}

/// How many targets a snapshot has at most: about 200 KiB.
const CAPACITY: usize = 1_024;

impl PaceSnapshot {
    /// Adds the measurements of another one: in whatever order snapshots are merged, the result is the same but for rounding.
    pub fn merge(&mut self, other: &Self) {
        for (name, others) in &other.targets {
            let own = self.targets.entry(name.clone()).or_default();
            for (own, other) in own.iter_mut().zip(others) {
                *own = Sum::from(*own).plus(Sum::from(*other)).into();
            }
        }
    }

    /// Forgets what is of no more use, and targets beyond 1,024.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        let mut left = CAPACITY;
        self.targets.retain(|_, paces| {
            let useful = left > 0 && paces.iter().any(|pace| pace.is_of_use(now));
            left -= usize::from(useful);
            useful
        });
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

/// Paces in one entry of a [`KeyValue`] store such as Workers KV.
///
/// An isolate that starts knows what others have written; with Workers KV, up to
/// [a minute](https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency) before that, beside the time between writes. Each isolate that measures
/// costs a read and a write in each of these times; Workers KV takes one write a second for a key, and of those that come at once the last stays.
#[derive(Debug)]
pub struct KeyValuePaces<S> {
    store: S,
    key: String,
}

impl<S: KeyValue> KeyValuePaces<S> {
    /// Keeps them under `paces`.
    pub fn new(store: S) -> Self {
        Self {
            store,
            key: "paces".to_owned(),
        }
    }

    /// Keeps them under another key.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            ..self
        }
    }
}

#[async_trait]
impl<S: KeyValue> PaceStore for KeyValuePaces<S> {
    async fn load(&self) -> Result<PaceSnapshot> {
        let kept = self.store.get(&self.key).await?;
        // Of another version: it is written anew.
        Ok(kept
            .and_then(|kept| serde_json::from_slice(&kept).ok())
            .unwrap_or_default())
    }

    async fn save(&self, paces: &PaceSnapshot) -> Result<()> {
        let json = serde_json::to_vec(paces)
            .map_err(|error| Error::new(ErrorKind::Internal, "paces cannot be written").with_source(error))?;
        let ttl: Duration = FORGOTTEN;
        self.store.put(&self.key, json.into(), Some(ttl)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn snapshot() -> impl Strategy<Value = PaceSnapshot> {
        let written = (
            1_000_000_u64..9_000_000_000,
            500_u64..50_000,
            1_000_000_u64..1_300_000,
        );
        let sums = prop::array::uniform3(written).prop_map(|sums| {
            sums.map(|(mean, weight, at_ms)| {
                serde_json::from_value(serde_json::json!({"mean": mean, "weight": weight, "at_ms": at_ms}))
                    .unwrap()
            })
        });
        prop::collection::btree_map("[a-c]", sums, 0..3).prop_map(|targets| PaceSnapshot { targets })
    }

    fn merged(parts: &[&PaceSnapshot]) -> PaceSnapshot {
        let mut all = PaceSnapshot::default();
        parts.iter().for_each(|part| all.merge(part));
        all
    }

    fn near(a: &PaceSnapshot, b: &PaceSnapshot) -> bool {
        let now = Timestamp::from_millis(1_300_000);
        a.targets.keys().eq(b.targets.keys())
            && a.targets
                .values()
                .flatten()
                .zip(b.targets.values().flatten())
                .all(|(a, b)| {
                    let mean = |written| Sum::from(written).mean(now).unwrap_or_default().as_secs_f64();
                    // A part that has faded to nearly nothing is rounded to thousandths of a call.
                    (mean(*a) - mean(*b)).abs() <= 0.02 * mean(*a).max(0.05)
                })
    }

    proptest! {
        #[test]
        fn merging_is_the_same_in_any_order(a in snapshot(), b in snapshot(), c in snapshot()) {
            prop_assert!(near(&merged(&[&a, &b]), &merged(&[&b, &a])));
            let right = merged(&[&a, &merged(&[&b, &c])]);
            let left = merged(&[&merged(&[&a, &b]), &c]);
            prop_assert!(near(&left, &right), "{:?} {:?}", left, right);
        }

        #[test]
        fn whatever_is_in_the_store_is_read_without_a_panic(text in "\\PC{0,80}", mean: u64, weight: u64, at: u64) {
            let _ = serde_json::from_str::<PaceSnapshot>(&text);
            let json = format!(r#"{{"a/x":[{{"mean":{mean},"weight":{weight},"at_ms":{at}}},{{"mean":0,"weight":0,"at_ms":0}},{{"mean":0,"weight":0,"at_ms":0}}]}}"#);
            let mut read: PaceSnapshot = serde_json::from_str(&json).unwrap();
            let again = read.clone();
            read.merge(&again);
            read.tidy(Timestamp::from_millis(5));
        }
    }
}
