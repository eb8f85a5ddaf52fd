use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;

/// A partition of the index: what one search looks through. It carries the tenant, and never crosses it.
///
/// At most 64 bytes of ASCII, which is what [Vectorize takes](https://developers.cloudflare.com/vectorize/platform/limits/). A tenant or name with other characters
/// than letters, digits, `.`, `_` and `-`, or too long, is hashed as a whole; different pairs never share a namespace.
///
/// ```
/// use edge_ai_rag::Namespace;
///
/// assert_eq!(Namespace::of(Some("acme"), Some("handbook")).as_str(), "t/acme/handbook");
/// assert_eq!(Namespace::of(None, Some("handbook")).as_str(), "open/handbook");
/// assert_eq!(Namespace::of(None, None).as_str(), "open");
/// assert!(Namespace::of(Some("Ænima GmbH"), None).as_str().starts_with("h/"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// The longest, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// The partition `name` of a tenant; without a tenant, of everybody who has none.
    pub fn of(tenant: Option<&str>, name: Option<&str>) -> Self {
        let plain = [tenant, name].into_iter().flatten().all(is_plain);
        if plain {
            let text = match (tenant, name) {
                (None, None) => "open".to_owned(),
                (None, Some(name)) => format!("open/{name}"),
                (Some(tenant), None) => format!("t/{tenant}"),
                (Some(tenant), Some(name)) => format!("t/{tenant}/{name}"),
            };
            if text.len() <= Self::MAX_BYTES {
                return Self(text.into());
            }
        }
        let digest = Digest::new("namespace")
            .optional(tenant)
            .optional(name)
            .into_base64();
        Self(format!("h/{digest}").into())
    }

    /// One that was kept, as it was kept.
    #[cfg(test)]
    pub(crate) fn kept(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// As the stores know it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Namespace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// As it was written.
impl<'de> Deserialize<'de> for Namespace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = Option<String>> {
        prop_oneof![
            Just(None),
            "[a-c/.]{0,3}".prop_map(Some),
            "open|t|h|".prop_map(Some),
            "\\PC{0,80}".prop_map(Some),
        ]
    }

    proptest! {
        #[test]
        fn different_pairs_have_different_namespaces_that_fit(a in (part(), part()), b in (part(), part())) {
            let of = |pair: &(Option<String>, Option<String>)| Namespace::of(pair.0.as_deref(), pair.1.as_deref());
            prop_assert_eq!(a == b, of(&a) == of(&b));
            prop_assert!(of(&a).as_str().len() <= Namespace::MAX_BYTES && of(&a).as_str().is_ascii());
        }
    }
}
