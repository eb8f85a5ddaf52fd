use std::cmp::Reverse;

use edge_ai_core::Context;
use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::route::Route;

/// What keeps requests together on a [sticky route](Route::sticky).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Affinity {
    /// The tenant.
    Tenant,
    /// The value under a key of the caller's [metadata](edge_ai_core::Context::metadata), within its tenant.
    Metadata(String),
}

impl Affinity {
    /// By the value of a metadata key, such as `session`.
    pub fn metadata(key: impl Into<String>) -> Self {
        Self::Metadata(key.into())
    }

    /// What the request is kept together by; `None` when it has nothing of it.
    pub(in crate::route) fn key(&self, context: &Context) -> Option<u64> {
        let tenant = context.tenant.as_deref();
        match self {
            Self::Tenant => tenant.map(|tenant| stable_hash([tenant])),
            Self::Metadata(key) => {
                let value = context.metadata.get(key)?;
                Some(stable_hash([tenant.unwrap_or_default(), value]))
            }
        }
    }
}

/// Children with what keeps requests together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::route) struct Sticky<N> {
    pub(in crate::route) by: Affinity,
    pub(in crate::route) routes: Vec<N>,
}

impl Route {
    /// The same one for the same tenant or session, in every isolate, with nothing stored.
    ///
    /// For providers' prompt caches: a conversation that stays at one of several accounts or regions finds its prefix there. Chosen by
    /// rendezvous hashing, so each has its own order of fallbacks, and removing one moves only the requests that it had. Requests
    /// without a key are spread evenly.
    ///
    /// ```
    /// use edge_ai_gateway::{Affinity, Route};
    ///
    /// let warm = Route::sticky(Affinity::metadata("session"), ["eu/gpt-5", "us/gpt-5"]);
    /// let json = r#"{"sticky": {"by": {"metadata": "session"}, "routes": ["eu/gpt-5", "us/gpt-5"]}}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, warm);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn sticky<T: Into<Self>>(by: Affinity, routes: impl IntoIterator<Item = T>) -> Self {
        Self::by(Strategy::Sticky(Sticky {
            by,
            routes: routes.into_iter().map(Into::into).collect(),
        }))
    }
}

/// The order of rendezvous hashing (Thaler, Ravishankar: *A name-based mapping scheme for rendezvous*, 1996): the highest of the
/// children's scores for this key first.
pub(in crate::route) fn rendezvous(children: impl Iterator<Item = u64>, key: u64) -> Vec<usize> {
    let mut scored: Vec<_> = children
        .map(|child| mixed(child ^ mixed(key)))
        .enumerate()
        .collect();
    scored.sort_by_key(|(_, score)| Reverse(*score));
    scored.into_iter().map(|(at, _)| at).collect()
}

/// FNV-1a over the texts and their ends, mixed: the same in every isolate and version, which the standard library's hash is not.
pub(in crate::route) fn stable_hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for text in texts {
        text.bytes().for_each(&mut add);
        // No text has this byte in it.
        add(0xff);
    }
    mixed(hash)
}

/// The finalizer of MurmurHash3: every bit of the input moves every bit of the output.
const fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn targets(count: usize) -> Vec<u64> {
        (0..count)
            .map(|at| stable_hash([format!("p/{at}").as_str()]))
            .collect()
    }

    fn homes(targets: &[u64], keys: u64) -> Vec<usize> {
        (0..keys)
            .map(|key| rendezvous(targets.iter().copied(), stable_hash([key.to_string().as_str()]))[0])
            .collect()
    }

    #[test]
    fn keys_spread_evenly() {
        const KEYS: u64 = 10_000;
        let mut counts = [0_u32; 5];
        for home in homes(&targets(5), KEYS) {
            counts[home] += 1;
        }
        // Four standard deviations around 2,000.
        assert!(
            counts.iter().all(|count| count.abs_diff(2_000) < 160),
            "{counts:?}"
        );
    }

    proptest! {
        #[test]
        fn removal_moves_only_the_share_of_the_removed(count in 2_usize..8, gone in 0_usize..8) {
            let gone = gone % count;
            let before = targets(count);
            let mut after = before.clone();
            after.remove(gone);
            for (old, new) in homes(&before, 200).into_iter().zip(homes(&after, 200)) {
                if old != gone {
                    prop_assert_eq!(before[old], after[new]);
                }
            }
        }

        #[test]
        fn the_fallback_is_where_the_key_goes_once_its_home_is_gone(count in 2_usize..8, key: u64) {
            let all = targets(count);
            let order = rendezvous(all.iter().copied(), key);
            let rest: Vec<_> = all.iter().copied().enumerate().filter(|(at, _)| *at != order[0]).collect();
            let next = rendezvous(rest.iter().map(|(_, target)| *target), key)[0];
            prop_assert_eq!(rest[next].0, order[1]);
        }
    }

    #[test]
    fn the_hash_is_fixed() {
        // A change of it moves every conversation away from its prompt cache. The values are from another implementation.
        assert_eq!(stable_hash(["acme", "session-1"]), 0xc19f_6b9a_6559_46e2);
        assert_eq!(mixed(1), 0xb456_bcfc_34c2_cb2c);
        assert_ne!(stable_hash(["ab", "c"]), stable_hash(["a", "bc"]));
    }

    #[test]
    fn a_session_is_its_tenants_own() {
        let mut acme = Context::default().with_tenant("acme");
        acme.metadata.insert("session".into(), "1".into());
        let mut other = acme.clone();
        other.tenant = Some("other".into());
        let by = Affinity::metadata("session");
        assert!(by.key(&acme).is_some() && by.key(&acme) != by.key(&other));
        assert_eq!(by.key(&Context::default()), None);
        assert_eq!(Affinity::Tenant.key(&Context::default()), None);
    }
}
