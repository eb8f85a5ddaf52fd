use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, HttpClient, Result, Secret};
use http::HeaderName;

use super::{EnabledBy, VENDORS, Vendor};
use crate::openai::{OpenAi, is_plain};

impl OpenAi {
    /// A vendor of the [table](VENDORS) with a key.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// use edge_ai_core::{HttpClient, Provider, Secret};
    /// use edge_ai_providers::{OpenAi, compatible::GROQ};
    ///
    /// # fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
    /// let groq = OpenAi::vendor(&GROQ, http, Secret::new("gsk_…"))?;
    /// assert_eq!(groq.name(), "groq");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a key that cannot be one, and for a vendor whose address has settings of yours, such as Azure: those
    /// are made by [`Vendor::from_settings`], or by [`Vendor::builder`] with the address.
    pub fn vendor(vendor: &Vendor, http: Arc<dyn HttpClient>, key: Secret) -> Result<Self> {
        let base_url = fill(vendor.base_url, &|_| None)?;
        vendor.builder(http, key).base_url(base_url).build()
    }
}

impl Vendor {
    /// The vendor by its settings; `None` without the one that says that it is to be there.
    ///
    /// `settings` gives the value of a setting; an empty one counts as missing.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an address, a key or another setting that cannot be one, and for one that is missing; the
    /// error names it.
    pub fn from_settings(
        &self,
        http: Arc<dyn HttpClient>,
        settings: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<OpenAi>> {
        let setting = |name: &str| settings(name).filter(|value| !value.trim().is_empty());
        let key = setting(self.key_setting);
        let base_url = setting(self.base_url_setting);
        let enabled = match self.enabled_by {
            EnabledBy::Key => key.is_some(),
            EnabledBy::BaseUrl => base_url.is_some(),
        };
        if !enabled {
            return Ok(None);
        }
        let mut builder = self.builder(http, Secret::new(key.unwrap_or_default()));
        let mut template = self.base_url;
        if let Some(deployments) = self.deployments
            && let Some(version) = setting(deployments.version_setting)
        {
            template = deployments.base_url;
            builder = builder.deployments(version.trim());
        }
        let base_url = base_url.map_or_else(|| fill(template, &setting), Ok)?;
        builder = builder.base_url(base_url);
        for (header, name) in self.headers {
            if let Some(value) = setting(name) {
                builder = builder.header(HeaderName::from_static(header), value.trim());
            }
        }
        builder.build().map(Some)
    }
}

/// Every vendor of the [table](VENDORS) whose settings are there, in the table's order.
///
/// # Errors
/// As [`Vendor::from_settings`].
pub fn all_from_settings(
    http: &Arc<dyn HttpClient>,
    settings: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<OpenAi>> {
    VENDORS
        .iter()
        .filter_map(|vendor| vendor.from_settings(Arc::clone(http), settings).transpose())
        .collect()
}

/// The address with the settings in their places.
fn fill(template: &str, setting: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let wrong =
        |name: &str, problem: &str| Error::new(ErrorKind::Configuration, format!("`{name}` {problem}"));
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        let (name, default) = match place.split_once('=') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (place, None),
        };
        let value = setting(name)
            .or(default)
            .ok_or_else(|| wrong(name, "is missing; it is a part of the vendor's address"))?;
        let value = value.trim();
        if !value.chars().all(is_plain) {
            return Err(wrong(name, "must be of letters, digits, `-`, `_` and `.`"));
        }
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_filled_with_settings() {
        let setting = |name: &str| match name {
            "A" => Some(" acc-1 ".to_owned()),
            "BAD" => Some("evil.example/".to_owned()),
            _ => None,
        };
        let fill = |template| fill(template, &setting);
        assert_eq!(
            fill("https://x/{A}/{B=default}/c").unwrap(),
            "https://x/acc-1/default/c"
        );
        assert_eq!(fill("https://x").unwrap(), "https://x");
        for (template, name) in [("https://{B}.x", "`B`"), ("https://{BAD}.x", "`BAD`")] {
            let error = fill(template).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().contains(name), "{error}");
        }
    }
}
