use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{
    Clock, Context, Error, ErrorKind, IsolateLimits, LimitBackend, LimitKey, LimitMeasure, LimitRule,
    LimitScope, LimitWindow, Quota, Result,
};

use super::gate::{Asking, Gate, Stage};
use super::refusal::refusal;
use super::{Holds, who};

/// The limits of a gateway: rules, and the backends that count them. A clone is the same limits, so that one kept aside exchanges the
/// [rules](Self::replace) while the gateway runs.
///
/// ```
/// use std::sync::Arc;
/// use edge_ai_core::{LimitRule, ManualClock};
/// use edge_ai_gateway::Limits;
///
/// let limits = Limits::new(Arc::new(ManualClock::default()));
/// let rules: Vec<LimitRule> = serde_json::from_str(r#"["60 requests per minute per ip", "100000 tokens per minute per key"]"#)?;
/// limits.replace(rules)?;
/// // Later, from another configuration: what the rule has counted stays.
/// limits.replace(vec!["90 requests per minute per ip".parse()?])?;
/// assert!(limits.replace(vec!["$5 per month on elsewhere".parse()?]).is_err());
/// assert_eq!(limits.rules().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What counts
///
/// - A request is held to every rule that is for it; the one that would be last to let it in refuses it, and then it has taken nothing of the others.
/// - Requests are counted when they are let in, once, however often a provider is tried for them. Tokens and spend are reserved by an estimate (the prompt's
///   tokens, and the most that the answer may have, or 512) and settled to the vendor's own count at the end. Where the vendor told none, because the stream broke off or the
///   client left, the estimate of what went in and came out counts; an answer from a cache, and a request that no provider answered, count nothing.
/// - A rule that names providers, or counts per provider or routed model, holds the attempts at these. A target over such a limit is passed over
///   while another is left.
/// - Spend needs a price: a model without one is let in, and the record's warnings say so.
/// - Rules that came with the caller's key ([`Context::limits`]) hold beside these, and count for that key alone.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backends: HashMap<String, Arc<dyn LimitBackend>>,
    rules: Mutex<Arc<[Rule]>>,
}

/// A rule that is put to use.
#[derive(Clone, Debug)]
struct Rule {
    rule: Arc<LimitRule>,
    group: Arc<str>,
    stage: Stage,
    of_key: bool,
}

impl Limits {
    /// No rule yet, and the backend `isolate`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let isolate: Arc<dyn LimitBackend> = Arc::new(IsolateLimits::new(clock));
        Self(Arc::new(Inner {
            backends: HashMap::from([(LimitRule::ISOLATE.to_owned(), isolate)]),
            rules: Mutex::new(Arc::new([])),
        }))
    }

    /// Adds a backend under the name that rules have for it; one of the same name goes. Rules stay, so backends come before them.
    #[must_use]
    pub fn backend(self, name: impl Into<String>, backend: impl LimitBackend) -> Self {
        let mut backends = self.0.backends.clone();
        backends.insert(name.into(), Arc::new(backend));
        let rules = Mutex::new(self.current());
        Self(Arc::new(Inner { backends, rules }))
    }

    /// Puts these rules in the place of those before, at once and all together. What a rule has counted stays with its
    /// [identity](LimitRule::identity), also when its amount is another now.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] as [`check`](Self::check), and for two rules of one name; the rules before stay then.
    pub fn replace(&self, rules: Vec<LimitRule>) -> Result<()> {
        self.check(&rules)?;
        if let Some((_, error)) = LimitRule::first_fault(&rules) {
            return Err(error);
        }
        let rules = rules.into_iter().map(Rule::new).collect();
        *self.0.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }

    /// Whether rules can be put to use here, such as those of a key that is made.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the rule, the field, and what would do.
    pub fn check(&self, rules: &[LimitRule]) -> Result<()> {
        rules.iter().try_for_each(|rule| {
            rule.check()?;
            self.counted_by(rule)?.check_rule(rule)
        })
    }

    /// The rules that hold now.
    pub fn rules(&self) -> Vec<LimitRule> {
        self.current().iter().map(|rule| (*rule.rule).clone()).collect()
    }

    fn current(&self) -> Arc<[Rule]> {
        Arc::clone(&self.0.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn counted_by(&self, rule: &LimitRule) -> Result<&Arc<dyn LimitBackend>> {
        self.0.backends.get(&rule.backend).ok_or_else(|| {
            let mut known: Vec<_> = self.0.backends.keys().map(String::as_str).collect();
            known.sort_unstable();
            let message = format!(
                "the limit `{}`: `backend` is `{}`, and there is {}",
                rule.name,
                rule.backend,
                known.join(", ")
            );
            Error::new(ErrorKind::Configuration, message).with_param("backend")
        })
    }

    /// The rules of a stage: the gateway's, and those that came with the key.
    fn at_stage(&self, stage: Stage, context: &Context) -> Vec<Rule> {
        let own = context.limits.iter();
        let own = own.filter(|rule| Stage::of(rule).after_key() == stage);
        let own = own.map(|rule| Rule::of_key(rule.clone()));
        let rules = self.current();
        let gateways = rules.iter().filter(|rule| rule.stage == stage).cloned();
        gateways.chain(own).collect()
    }
}

impl Rule {
    /// One of the gateway's.
    fn new(rule: LimitRule) -> Self {
        Self {
            group: rule.identity().into(),
            stage: Stage::of(&rule),
            rule: Arc::new(rule),
            of_key: false,
        }
    }

    /// One that came with a key. They are one group together, which is bounded as one.
    fn of_key(rule: LimitRule) -> Self {
        Self {
            group: Arc::from("key"),
            stage: Stage::of(&rule).after_key(),
            rule: Arc::new(rule),
            of_key: true,
        }
    }

    fn key(&self, asking: &Asking<'_>) -> LimitKey {
        let mut who = who::who(&self.rule, asking);
        if self.of_key {
            let key = asking.context.key.as_deref().unwrap_or_default();
            who = format!("{}\nof={key}\n{who}", self.rule.identity());
        }
        LimitKey::in_group(Arc::clone(&self.rule), Arc::clone(&self.group), who)
    }
}

impl Stage {
    /// When a rule can be applied.
    fn of(rule: &LimitRule) -> Self {
        let only = &rule.only;
        if rule.is_of_target() {
            return Self::Target;
        }
        let early = matches!(rule.measure, LimitMeasure::Requests | LimitMeasure::Concurrency);
        let model = rule.per.contains(&LimitScope::Model) || !only.models.is_empty();
        if !early || model {
            return Self::Asked;
        }
        let address = rule.measure == LimitMeasure::Requests
            && rule.per.iter().all(|scope| *scope == LimitScope::Ip)
            && only.tenants.is_empty()
            && only.keys.is_empty()
            && only.metadata.is_empty();
        if address { Self::Address } else { Self::Caller }
    }

    /// When a rule that comes with the key can be applied.
    fn after_key(self) -> Self {
        match self {
            Self::Address => Self::Caller,
            stage => stage,
        }
    }
}

#[async_trait]
impl Gate for Limits {
    async fn admit(&self, asking: &Asking<'_>, holds: &mut Holds) -> Result<()> {
        for rule in self.at_stage(asking.stage, asking.context) {
            if !who::applies(&rule.rule.only, asking) {
                continue;
            }
            let Some(amount) = asking.estimate.of(rule.rule.measure) else {
                let model = asking.target.map_or(asking.model, |(_, model)| model);
                asking.context.trail.warn(format!(
                    "the limit `{}` did not count this request: no price of `{model}` is known",
                    rule.rule.name
                ));
                continue;
            };
            let key = rule.key(asking);
            let taken = async {
                self.counted_by(&rule.rule)?
                    .take(&key, amount, asking.context)
                    .await
            };
            let outcome = match taken.await {
                Ok(outcome) => outcome,
                Err(error) => {
                    holds.give_back();
                    return Err(error);
                }
            };
            holds.tell(key.clone(), outcome);
            if !outcome.allowed {
                holds.give_back();
                return Err(refusal(asking, &rule.rule, amount, &outcome));
            }
            holds.add(Arc::clone(self.counted_by(&rule.rule)?), key, outcome.hold);
        }
        if matches!(asking.stage, Stage::Asked | Stage::Target) {
            holds.count_requests();
        }
        Ok(())
    }

    fn has(&self, stage: Stage, context: &Context) -> bool {
        let own = context.limits.iter().map(|rule| Stage::of(rule).after_key());
        self.current()
            .iter()
            .map(|rule| rule.stage)
            .chain(own)
            .any(|of| of == stage)
    }
}

/// The shortest way to a limit, for [`GatewayBuilder::rate_limit`](crate::GatewayBuilder::rate_limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// So much for each client address.
    PerIp(Quota),
}

impl Limit {
    /// So much for each client address, counted in the isolate: no request waits for it, and callers spread over
    /// several isolates may get more.
    pub const fn per_ip(quota: Quota) -> Self {
        Self::PerIp(quota)
    }

    /// The rule, named `ip`. Parts of a second are counted by the second.
    pub fn rule(self) -> LimitRule {
        let Self::PerIp(quota) = self;
        let period = quota.period().max(Duration::from_nanos(1));
        let seconds = u32::try_from(period.as_nanos().div_ceil(1_000_000_000)).unwrap_or(u32::MAX);
        let whole = u128::from(seconds) * 1_000_000_000;
        let amount = u128::from(quota.requests().get()) * whole / period.as_nanos();
        let window = std::num::NonZeroU32::new(seconds).map_or(LimitWindow::SECOND, LimitWindow::Seconds);
        LimitRule::requests(u64::try_from(amount).unwrap_or(u64::MAX), window)
            .per([LimitScope::Ip])
            .named("ip")
    }
}

#[cfg(test)]
mod tests;
