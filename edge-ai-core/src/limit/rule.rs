mod amount;
mod filter;
mod parts;
mod read;
mod text;
mod window;

use crate::{Error, ErrorKind, Money, Result};

pub use filter::LimitFilter;
pub use parts::{LimitMeasure, LimitScope};
pub use window::LimitWindow;

/// One limit as it is configured, and as a virtual key carries it: so much of a [measure](LimitMeasure), in each
/// [window](LimitWindow), for each combination of [scopes](LimitScope).
///
/// ```
/// use edge_ai_core::{LimitRule, LimitScope, LimitWindow};
///
/// let rule = LimitRule::tokens(100_000, LimitWindow::MINUTE).per([LimitScope::Key, LimitScope::Model]).named("tpm");
/// rule.check()?;
/// assert_eq!(rule.to_string(), "100000 tokens per minute per key and model");
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
///
/// # As JSON
///
/// An object, or the short text of [`Display`](std::fmt::Display); unknown fields are refused:
///
/// ```
/// use edge_ai_core::LimitRule;
///
/// let rules: Vec<LimitRule> = serde_json::from_str(r#"[
///   "60 requests per minute per ip",
///   "$50 per month per tenant on leased",
///   "10 concurrency per key",
///   {"name": "openai-tpm", "measure": "tokens", "amount": 2000000, "window": "minute", "per": ["provider"],
///    "only": {"providers": ["openai"], "models": ["gpt-5*"]}, "backend": "isolate"}
/// ]"#)?;
/// assert_eq!(rules[0].name, "requests-minute-ip");
/// assert_eq!(rules[1].amount, 50_000_000_000);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// | field | what | unless given |
/// | --- | --- | --- |
/// | `name` | the policy's name in headers and errors: lower-case letters, digits, `-` and `_` | made of measure, window and scopes |
/// | `measure` | `requests`, `tokens`, `input_tokens`, `output_tokens`, `spend`, `concurrency` | required |
/// | `amount` | a whole number, or for `spend` dollars as text: `"$12.50"` | required |
/// | `window` | `second`, `minute`, `hour`, `day`, `month`, or a number of them: `10s`, `15m`, `6h`, `7d` | required; `concurrency` has none |
/// | `per` | `ip`, `key`, `tenant`, `model`, `routed_model`, `provider`: each combination counts for itself | one count for all |
/// | `only` | what it applies to, see [`LimitFilter`] | everything |
/// | `backend` | where it is counted: `isolate`, `leased`, `binding`, `kv`, or the name of one's own | `isolate` |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitRule {
    /// The policy's name in headers and errors.
    pub name: String,
    /// Each combination of these counts for itself; none is one count for all.
    pub per: Vec<LimitScope>,
    /// What is counted.
    pub measure: LimitMeasure,
    /// How much: requests, tokens, or nano-dollars.
    pub amount: u64,
    /// In how long; `None` for concurrency alone.
    pub window: Option<LimitWindow>,
    /// What it applies to.
    pub only: LimitFilter,
    /// The name of the backend that counts.
    pub backend: String,
}

impl LimitRule {
    /// The backend that counts in the isolate's memory.
    pub const ISOLATE: &str = "isolate";

    /// The backend that takes leases from a Durable Object.
    pub const LEASED: &str = "leased";

    /// The backend over the Workers rate limiting binding.
    pub const BINDING: &str = "binding";

    /// The backend over Workers KV.
    pub const KV: &str = "kv";

    /// The most bytes of a name.
    pub const MAX_NAME: usize = 64;

    /// So many requests in each window.
    pub fn requests(amount: u64, window: LimitWindow) -> Self {
        Self::new(LimitMeasure::Requests, amount, Some(window))
    }

    /// So many tokens in each window, of input and output together.
    pub fn tokens(amount: u64, window: LimitWindow) -> Self {
        Self::new(LimitMeasure::Tokens, amount, Some(window))
    }

    /// So much money in each window. A negative amount is taken as nothing.
    pub fn spend(amount: Money, window: LimitWindow) -> Self {
        let nano_dollars = u64::try_from(amount.as_nano_dollars()).unwrap_or(0);
        Self::new(LimitMeasure::Spend, nano_dollars, Some(window))
    }

    /// So many requests under way at a time.
    pub fn concurrency(amount: u64) -> Self {
        Self::new(LimitMeasure::Concurrency, amount, None)
    }

    /// A limit for all together, counted in the isolate, under the name that its parts make.
    pub fn new(measure: LimitMeasure, amount: u64, window: Option<LimitWindow>) -> Self {
        let mut rule = Self {
            name: String::new(),
            per: Vec::new(),
            measure,
            amount,
            window,
            only: LimitFilter::default(),
            backend: Self::ISOLATE.to_owned(),
        };
        rule.name = rule.default_name();
        rule
    }

    /// Counts for each combination of these. A name that was not given follows.
    #[must_use]
    pub fn per(mut self, scopes: impl IntoIterator<Item = LimitScope>) -> Self {
        let unnamed = self.name == self.default_name();
        self.per = scopes.into_iter().collect();
        if unnamed {
            self.name = self.default_name();
        }
        self
    }

    /// Sets [`name`](Self::name).
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// Sets [`only`](Self::only).
    #[must_use]
    pub fn only(self, only: LimitFilter) -> Self {
        Self { only, ..self }
    }

    /// Sets [`backend`](Self::backend).
    #[must_use]
    pub fn on(self, backend: impl Into<String>) -> Self {
        Self {
            backend: backend.into(),
            ..self
        }
    }

    /// Checks what no type can: reading a rule does it, a rule made in code is checked when it is put to use.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the rule and the field.
    pub fn check(&self) -> Result<()> {
        match self.fault() {
            None => Ok(()),
            Some((field, fault)) => {
                let message = format!("the limit `{}`: `{field}` {fault}", self.name);
                Err(Error::new(ErrorKind::Configuration, message).with_param(field))
            }
        }
    }

    /// The first of several rules that is wrong, or that has the name of an earlier one, with its place.
    pub fn first_fault(rules: &[Self]) -> Option<(usize, Error)> {
        rules.iter().enumerate().find_map(|(at, rule)| {
            if let Err(error) = rule.check() {
                return Some((at, error));
            }
            let twice = rules.iter().take(at).any(|other| other.name == rule.name);
            let message = || {
                format!(
                    "two limits are named `{}`; give one of them another `name`",
                    rule.name
                )
            };
            twice.then(|| {
                let error = Error::new(ErrorKind::Configuration, message());
                (at, error.with_param("name"))
            })
        })
    }

    /// Whether it holds a provider's attempt rather than the caller: one over it is passed over, not refused.
    pub fn is_of_target(&self) -> bool {
        let of_target = |scope: &LimitScope| matches!(scope, LimitScope::Provider | LimitScope::RoutedModel);
        self.per.iter().any(of_target) || !self.only.providers.is_empty()
    }

    /// What stays the same while only the amount, the filter or the backend of a rule change: counts go by it.
    pub fn identity(&self) -> String {
        format!("{}:{}", self.name, self.default_name())
    }

    fn default_name(&self) -> String {
        let mut name = self.measure.as_str().to_owned();
        if let Some(window) = self.window {
            name.push('-');
            name.push_str(&window.to_string());
        }
        for scope in &self.per {
            name.push('-');
            name.push_str(scope.as_str());
        }
        name
    }

    /// The field at fault, and what is wrong with it.
    fn fault(&self) -> Option<(&'static str, String)> {
        let named =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if self.name.is_empty() || self.name.len() > Self::MAX_NAME || !self.name.bytes().all(named) {
            let most = Self::MAX_NAME;
            let fault = format!("is 1 to {most} lower-case letters, digits, `-` and `_`");
            return Some(("name", fault));
        }
        if self.amount == 0 {
            return Some((
                "amount",
                "is at least 1; to refuse everything, take the model or key away".into(),
            ));
        }
        match (self.measure, self.window) {
            (LimitMeasure::Concurrency, Some(_)) => {
                return Some((
                    "window",
                    "does not go with `concurrency`, which counts what is under way".into(),
                ));
            }
            (LimitMeasure::Concurrency, None) | (_, Some(_)) => {}
            (_, None) => {
                return Some((
                    "window",
                    format!("is missing, as in `\"window\": \"{}\"`", LimitWindow::MINUTE),
                ));
            }
        }
        let twice = |(at, scope): (usize, &LimitScope)| self.per.iter().take(at).any(|other| other == scope);
        if self.per.iter().enumerate().any(twice) {
            return Some(("per", "names a scope twice".into()));
        }
        if self.backend.is_empty() {
            return Some(("backend", "is empty".into()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_rule_names_its_field() {
        let rule = LimitRule::requests(1, LimitWindow::MINUTE);
        for (wrong, field) in [
            (rule.clone().named("Über"), "name"),
            (rule.clone().named("x".repeat(65)), "name"),
            (LimitRule::requests(0, LimitWindow::MINUTE), "amount"),
            (LimitRule::new(LimitMeasure::Tokens, 1, None), "window"),
            (
                LimitRule::new(LimitMeasure::Concurrency, 1, Some(LimitWindow::DAY)),
                "window",
            ),
            (rule.clone().per([LimitScope::Ip, LimitScope::Ip]), "per"),
            (rule.clone().on(""), "backend"),
        ] {
            let error = wrong.check().unwrap_err();
            assert_eq!(error.param(), Some(field), "{error}");
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
        rule.check().unwrap();
    }

    #[test]
    fn counts_go_by_what_a_change_of_the_amount_leaves() {
        let rule = LimitRule::requests(1, LimitWindow::MINUTE).per([LimitScope::Key]);
        let more = LimitRule::requests(9, LimitWindow::MINUTE)
            .per([LimitScope::Key])
            .on("kv");
        assert_eq!(rule.identity(), more.identity());
        let other = LimitRule::requests(1, LimitWindow::HOUR).per([LimitScope::Key]);
        assert_ne!(rule.identity(), other.identity());
    }

    #[test]
    fn a_provider_s_limit_is_the_target_s() {
        let rule = LimitRule::requests(1, LimitWindow::MINUTE);
        assert!(
            !rule
                .clone()
                .per([LimitScope::Key, LimitScope::Model])
                .is_of_target()
        );
        assert!(
            rule.clone()
                .per([LimitScope::Key, LimitScope::Provider])
                .is_of_target()
        );
        assert!(
            rule.only(LimitFilter::default().providers(["openai"]))
                .is_of_target()
        );
    }
}
