use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a limit applies to: a request has to be in every list that is not empty.
///
/// A text that ends in `*` stands for everything that begins so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LimitFilter {
    /// Models: the name that the client wrote, or in a provider's limit also `provider/model`, or the provider's own name for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Providers; a limit that names some is the providers', not the caller's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
    /// Tenants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// Public identifiers of keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Values of the caller's labels, all of which it must have. Over HTTP a client says them itself: they can spare it nothing that
    /// another limit does not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl LimitFilter {
    /// Sets [`models`](Self::models).
    #[must_use]
    pub fn models<T: Into<String>>(mut self, models: impl IntoIterator<Item = T>) -> Self {
        self.models = models.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`providers`](Self::providers).
    #[must_use]
    pub fn providers<T: Into<String>>(mut self, providers: impl IntoIterator<Item = T>) -> Self {
        self.providers = providers.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`tenants`](Self::tenants).
    #[must_use]
    pub fn tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        self.tenants = tenants.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`keys`](Self::keys).
    #[must_use]
    pub fn keys<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Adds to [`metadata`](Self::metadata).
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Whether a list is empty or has one of the names.
    pub fn admits<'a>(list: &[String], names: impl IntoIterator<Item = &'a str>) -> bool {
        list.is_empty()
            || names.into_iter().any(|name| {
                list.iter().any(|pattern| match pattern.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => name == pattern,
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_the_rest() {
        let list = ["openai/*".to_owned(), "smart".to_owned()];
        for (name, admitted) in [
            ("openai/gpt-5", true),
            ("smart", true),
            ("smarter", false),
            ("", false),
        ] {
            assert_eq!(LimitFilter::admits(&list, [name]), admitted, "{name}");
        }
        assert!(LimitFilter::admits(&[], ["anything"]));
        assert!(LimitFilter::admits(&[], []));
        assert!(!LimitFilter::admits(&list, []));
    }
}
