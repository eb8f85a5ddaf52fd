use std::collections::BTreeMap;
use std::sync::Arc;

use edge_ai_core::{Error, LimitRule, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ModelPermissions, Principal};

/// What the owner of a virtual key may do: what an operator sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KeySettings {
    /// A name for people.
    #[serde(default)]
    pub name: String,
    /// The models that may be asked for; all unless told.
    #[serde(default)]
    pub models: ModelPermissions,
    /// Limits of this key alone, budgets among them: `"$20 per month"`, `"100000 tokens per minute"`.
    #[serde(default)]
    pub limits: Vec<LimitRule>,
    /// Labels for the requests' records and routing.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// When the key is over, in milliseconds since 1970; never unless told.
    #[serde(default)]
    pub expires_at_ms: Option<u64>,
    /// Whether it is turned off for now.
    #[serde(default)]
    pub disabled: bool,
}

impl KeySettings {
    /// The most limits.
    pub const MAX_LIMITS: usize = 16;

    /// The most labels.
    pub const MAX_LABELS: usize = 16;

    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) that names the field.
    pub(crate) fn check(&self) -> Result<()> {
        if self.name.is_empty() || self.name.len() > 128 || self.name.chars().any(char::is_control) {
            let message = "a name for people is needed, of at most 128 bytes without control characters";
            return Err(Error::invalid("name", message));
        }
        self.models.check("models")?;
        if self.limits.len() > Self::MAX_LIMITS {
            let message = format!("at most {} limits can be set", Self::MAX_LIMITS);
            return Err(Error::invalid("limits", message));
        }
        if self.metadata.len() > Self::MAX_LABELS {
            let message = format!("at most {} labels can be given", Self::MAX_LABELS);
            return Err(Error::invalid("metadata", message));
        }
        for (label, value) in &self.metadata {
            let control = label.chars().chain(value.chars()).any(char::is_control);
            if label.is_empty() || label.len() > 64 || value.len() > 256 || control {
                let message =
                    "a label has at most 64 bytes and its value at most 256, without control characters";
                return Err(Error::invalid(
                    format!("metadata.{}", label.escape_default().take(64).collect::<String>()),
                    message,
                ));
            }
        }
        Ok(())
    }
}

/// A virtual key as it is kept: everything but what opens the door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyRecord {
    /// Its public identifier.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// What its owner may do.
    #[serde(flatten)]
    pub settings: KeySettings,
    /// When it was made, in milliseconds since 1970; so for all times here.
    pub created_at_ms: u64,
    /// When its settings were last changed.
    pub updated_at_ms: u64,
    /// When it was last used, to a few minutes.
    pub last_used_at_ms: Option<u64>,
}

impl KeyRecord {
    pub(super) fn principal(&self) -> Principal {
        let mut principal = Principal::of(self.tenant.as_str());
        principal.key = Some(self.id.as_str().into());
        principal.name = Some(Arc::from(self.settings.name.as_str()));
        principal.models = self.settings.models.clone();
        principal.limits = self.settings.limits.as_slice().into();
        principal.metadata = self.settings.metadata.clone();
        principal.expires = self.settings.expires_at_ms.map(Timestamp::from_millis);
        principal
    }
}

/// Refuses what no tenant can be named: the name is in paths, in cache keys and in the names of objects.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) that names `field`.
pub(crate) fn check_tenant(field: &str, tenant: &str) -> Result<()> {
    let mut bytes = tenant.bytes();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if tenant.len() <= 64 && bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric()) && bytes.all(plain)
    {
        return Ok(());
    }
    let message = "a tenant is 1 to 64 letters, digits, `-`, `_`, `.` and `@`, with a letter or digit first";
    Err(Error::invalid(field, message))
}
