use std::collections::BTreeMap;

use edge_ai_core::{Error, Result};
use percent_encoding::percent_decode_str;

/// The most entries of a page.
const MOST: u32 = 100;
/// The entries of a page unless told.
const USUAL: u32 = 50;

/// What is after the `?`.
#[derive(Debug, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a parameter that comes twice.
    pub(super) fn of(text: Option<&str>) -> Result<Self> {
        let mut query = BTreeMap::new();
        for pair in text
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                percent_decode_str(&text.replace('+', " "))
                    .decode_utf8_lossy()
                    .into_owned()
            };
            let name: String = decode(name).chars().take(64).collect();
            if query.insert(name.clone(), decode(value)).is_some() {
                return Err(Error::invalid(name, "the parameter comes twice"));
            }
        }
        Ok(Self(query))
    }

    /// Refuses parameters that are not known here: a filter with a slip in its name must not show everything.
    pub(super) fn allow(&self, known: &[&str]) -> Result<()> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) if known.is_empty() => Err(Error::invalid(name.as_str(), "this takes no parameters")),
            Some(name) => {
                let message = format!("there is no such parameter; there is {}", known.join(", "));
                Err(Error::invalid(name.as_str(), message))
            }
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>> {
        self.text(name)
            .map(|text| {
                let number = text.parse().ok().filter(|number| *number < 1 << 53);
                number.ok_or_else(|| Error::invalid(name, "must be a whole number"))
            })
            .transpose()
    }

    /// How many entries a page has.
    pub(super) fn limit(&self) -> Result<u32> {
        let asked = self.number("limit")?.unwrap_or(USUAL.into());
        u32::try_from(asked)
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| Error::invalid("limit", format!("a page has 1 to {MOST} entries")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_slips_are_told() {
        let query = Query::of(Some("tenant=a%20b&limit=7&cursor=")).unwrap();
        assert_eq!(query.text("tenant"), Some("a b"));
        assert_eq!(query.limit().unwrap(), 7);
        assert_eq!(query.text("cursor"), None);
        assert_eq!(
            query.allow(&["tenant", "limit"]).unwrap_err().param(),
            Some("cursor")
        );
        assert_eq!(Query::of(Some("a=1&a=2")).unwrap_err().param(), Some("a"));
        for bad in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "limit=99999999999999999999",
        ] {
            assert_eq!(
                Query::of(Some(bad)).unwrap().limit().unwrap_err().param(),
                Some("limit"),
                "{bad}"
            );
        }
    }
}
