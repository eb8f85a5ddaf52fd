use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Error, ErrorKind, Result, Timestamp};
use serde_json::{Map, Value};

use super::wrong;
use crate::access::{ModelPermissions, Principal, check_tenant};

/// What a token says.
pub(super) struct Claims(pub(super) Map<String, Value>);

impl Claims {
    pub(super) fn issuer(&self) -> Option<&str> {
        self.0.get("iss")?.as_str()
    }

    /// Whether it is for one of the audiences, and now.
    pub(super) fn check(&self, audiences: &[String], now: Timestamp, leeway: Duration) -> Result<()> {
        let meant = |audience: &Value| {
            audience
                .as_str()
                .is_some_and(|audience| audiences.iter().any(|known| known == audience))
        };
        let ours = match self.0.get("aud") {
            Some(Value::Array(list)) => list.iter().any(meant),
            Some(one) => meant(one),
            None => false,
        };
        if !ours {
            return Err(wrong("is for another audience"));
        }
        let seconds = |name: &str| self.0.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
        let now = now.as_millis() as f64 / 1_000.0;
        let leeway = leeway.as_secs_f64();
        // Comparisons with what is no number are false.
        if !seconds("exp").is_some_and(|exp| now < exp + leeway) {
            return Err(wrong("has expired, or does not say when it does"));
        }
        if !seconds("nbf").is_none_or(|nbf| now >= nbf - leeway) {
            return Err(wrong("is not valid yet"));
        }
        Ok(())
    }

    /// The value at a path such as `app_metadata.tenant`; a name with dots in it, such as an address, is found as it is.
    fn at(&self, path: &str) -> Option<&Value> {
        if let Some(value) = self.0.get(path) {
            return Some(value);
        }
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// Texts of a list, or of one text with spaces or commas in between.
    fn texts(&self, path: &str) -> Vec<String> {
        match self.at(path) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(text)) => text
                .split([' ', ','])
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Which claim of a token says what. A claim is a name or a path: `app_metadata.tenant`.
///
/// | what | claim unless told |
/// | --- | --- |
/// | tenant | `tenant`; required |
/// | key, for limits and records | `sub`, else `common_name` (Access service tokens), else `client_id` |
/// | name | `name` |
/// | models that may be asked for | `models`, a list or a text with spaces; all without it |
/// | labels for records and routing | `metadata`, an object of texts, numbers and booleans |
/// | roles, such as one for the admin API | `roles` |
#[derive(Clone, Debug)]
pub struct ClaimMapping {
    tenant: Tenant,
    name: String,
    models: String,
    metadata: String,
    roles: String,
}

#[derive(Clone, Debug)]
enum Tenant {
    Claim(String),
    Fixed(String),
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            tenant: Tenant::Claim("tenant".to_owned()),
            name: "name".to_owned(),
            models: "models".to_owned(),
            metadata: "metadata".to_owned(),
            roles: "roles".to_owned(),
        }
    }
}

impl ClaimMapping {
    /// All tokens are one tenant's.
    pub fn fixed_tenant(tenant: impl Into<String>) -> Self {
        Self {
            tenant: Tenant::Fixed(tenant.into()),
            ..Self::default()
        }
    }

    /// Sets the claim of the tenant.
    #[must_use]
    pub fn tenant(self, claim: impl Into<String>) -> Self {
        Self {
            tenant: Tenant::Claim(claim.into()),
            ..self
        }
    }

    /// Sets the claim of the name.
    #[must_use]
    pub fn name(self, claim: impl Into<String>) -> Self {
        Self {
            name: claim.into(),
            ..self
        }
    }

    /// Sets the claim of the models.
    #[must_use]
    pub fn models(self, claim: impl Into<String>) -> Self {
        Self {
            models: claim.into(),
            ..self
        }
    }

    /// Sets the claim of the labels.
    #[must_use]
    pub fn metadata(self, claim: impl Into<String>) -> Self {
        Self {
            metadata: claim.into(),
            ..self
        }
    }

    /// Sets the claim of the roles.
    #[must_use]
    pub fn roles(self, claim: impl Into<String>) -> Self {
        Self {
            roles: claim.into(),
            ..self
        }
    }

    pub(super) fn principal(&self, claims: &Claims) -> Result<Principal> {
        let denied = |message: String| {
            Error::new(ErrorKind::PermissionDenied, message).with_code("token_without_tenant")
        };
        let tenant = match &self.tenant {
            Tenant::Fixed(tenant) => tenant,
            Tenant::Claim(claim) => {
                let tenant = claims.text(claim).ok_or_else(|| {
                    denied(format!(
                        "the token names no tenant; its issuer has to add the claim `{claim}`"
                    ))
                })?;
                check_tenant(claim, tenant).map_err(|error| {
                    denied(format!("the token's tenant cannot be one: {}", error.message()))
                })?;
                tenant
            }
        };
        let mut principal = Principal::of(tenant);
        let key = ["sub", "common_name", "client_id"]
            .into_iter()
            .find_map(|claim| claims.text(claim));
        principal.key = key.map(|key| {
            key.chars()
                .filter(|letter| !letter.is_control())
                .take(128)
                .collect::<String>()
                .into()
        });
        principal.name = claims.text(&self.name).map(Arc::from);
        // A list that is there and empty allows nothing: no model has this name.
        if claims.at(&self.models).is_some() {
            let models = claims.texts(&self.models);
            principal.models = ModelPermissions::allow(if models.is_empty() {
                vec![String::new()]
            } else {
                models
            });
        }
        principal.metadata = labels(claims.at(&self.metadata));
        principal.roles = claims.texts(&self.roles);
        Ok(principal)
    }
}

/// At most 16 labels, as keys have them; what is none is left out.
fn labels(value: Option<&Value>) -> BTreeMap<String, String> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    let labels = fields.filter_map(|(label, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        let plain = !label.chars().chain(text.chars()).any(char::is_control);
        (plain && !label.is_empty() && label.len() <= 64 && text.len() <= 256).then(|| (label.clone(), text))
    });
    labels.take(16).collect()
}
