use edge_ai_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Which models somebody may ask for, by name.
///
/// A name is a model (`openai/gpt-5-mini`), a route (`smart`), everything of a provider or below a name (`openai/*`), or everything (`*`).
/// What is denied wins. Without anything allowed, all that is not denied is.
///
/// A model goes by the one name `provider/model`, however it is asked for. A route is a name of its own: who may ask for it gets what it
/// leads to.
///
/// ```
/// use edge_ai_gateway::ModelPermissions;
///
/// let models: ModelPermissions = serde_json::from_str(r#"{"allow": ["openai/*", "smart"], "deny": ["openai/gpt-5-pro"]}"#).unwrap();
/// assert!(models.permit("openai/gpt-5-mini") && models.permit("smart"));
/// assert!(!models.permit("openai/gpt-5-pro") && !models.permit("anthropic/claude-haiku-4-5"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelPermissions {
    /// What may be asked for; everything when there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// What may not be asked for, even if it is allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

impl ModelPermissions {
    /// The most patterns of a list.
    pub const MAX_PATTERNS: usize = 64;

    /// These models and no others.
    pub fn allow<T: Into<String>>(patterns: impl IntoIterator<Item = T>) -> Self {
        Self {
            allow: patterns.into_iter().map(Into::into).collect(),
            deny: Vec::new(),
        }
    }

    /// Whether a name may be asked for.
    pub fn permit(&self, name: &str) -> bool {
        self.permit_any(&[name])
    }

    /// Whether something may be asked for that goes by all of these names.
    pub(crate) fn permit_any(&self, names: &[&str]) -> bool {
        let listed = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| names.iter().any(|name| matches(pattern, name)))
        };
        !listed(&self.deny) && (self.allow.is_empty() || listed(&self.allow))
    }

    /// Whether everything of a provider may be asked for.
    pub(crate) fn permit_all_of(&self, provider: &str) -> bool {
        let of_it = |pattern: &String| {
            let rest = pattern.strip_prefix(provider);
            pattern == "*" || rest.is_some_and(|rest| rest.starts_with('/'))
        };
        !self.deny.iter().any(of_it) && self.permit(&format!("{provider}/*"))
    }

    /// What may be asked for, in words.
    pub(crate) fn describe(&self) -> String {
        let allowed = if self.allow.is_empty() {
            "everything".to_owned()
        } else {
            self.allow.join(", ")
        };
        if self.deny.is_empty() {
            allowed
        } else {
            format!("{allowed}, except {}", self.deny.join(", "))
        }
    }

    /// Refuses patterns that would never match, and lists that are too long.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] that names the pattern.
    pub(crate) fn check(&self, field: &str) -> Result<()> {
        for (list, patterns) in [("allow", &self.allow), ("deny", &self.deny)] {
            if patterns.len() > Self::MAX_PATTERNS {
                let message = format!(
                    "at most {} patterns can be listed; use `provider/*`",
                    Self::MAX_PATTERNS
                );
                return Err(
                    Error::new(ErrorKind::InvalidRequest, message).with_param(format!("{field}.{list}"))
                );
            }
            for (at, pattern) in patterns.iter().enumerate() {
                let body = pattern.strip_suffix("/*").unwrap_or(pattern);
                let fits = !body.is_empty() && body.len() <= 256 && !body.chars().any(char::is_control);
                if pattern != "*" && (!fits || body.contains('*')) {
                    let message = "a pattern is a name, `prefix/*`, or `*`, of at most 256 bytes";
                    return Err(Error::invalid(format!("{field}.{list}[{at}]"), message));
                }
            }
        }
        Ok(())
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => prefix.ends_with('/') && name.len() > prefix.len() && name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn models(allow: &[&str], deny: &[&str]) -> ModelPermissions {
        let own = |list: &[&str]| list.iter().map(|pattern| (*pattern).to_owned()).collect();
        ModelPermissions {
            allow: own(allow),
            deny: own(deny),
        }
    }

    #[test]
    fn patterns_match_whole_names_or_what_is_below() {
        let permit = |pattern, name| models(&[pattern], &[]).permit(name);
        assert!(permit("openai/*", "openai/gpt-5") && permit("openai/*", "openai/a/b"));
        assert!(
            !permit("openai/*", "openai/")
                && !permit("openai/*", "openai")
                && !permit("openai/*", "openai2/x")
        );
        assert!(permit("smart", "smart") && !permit("smart", "smarter") && !permit("smart", "Smart"));
        assert!(permit("*", "anything"));
    }

    #[test]
    fn a_denied_name_is_denied_by_any_of_its_names() {
        let models = models(&[], &["openai/*"]);
        assert!(!models.permit_any(&["gpt-5", "openai/gpt-5"]));
        assert!(models.permit_any(&["claude", "anthropic/claude"]));
    }

    #[test]
    fn what_cannot_match_is_refused_by_its_place() {
        for bad in ["", "a*", "*/x", "a/*/b", "/*", "a\nb", "**"] {
            let error = models(&["ok", bad], &[]).check("models").unwrap_err();
            assert_eq!(error.param(), Some("models.allow[1]"), "{bad}");
        }
        assert!(
            models(&["*", "a/*", "@cf/meta/llama"], &["a/b"])
                .check("models")
                .is_ok()
        );
    }

    proptest! {
        #[test]
        fn deny_always_wins(name in "[a-z]{1,3}/[a-z]{1,3}", patterns in proptest::collection::vec("[a-z]{1,2}(/\\*|/[a-z]{1,2})?|\\*", 0..4)) {
            let mut permissions = models(&[], &[]);
            permissions.allow = patterns;
            permissions.deny = vec![name.clone()];
            prop_assert!(!permissions.permit(&name));
            permissions.deny.clear();
            permissions.allow.push("*".into());
            prop_assert!(permissions.permit(&name));
        }
    }
}
