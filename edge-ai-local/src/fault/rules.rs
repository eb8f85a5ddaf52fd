//! Faults by rule, set through `POST /_local/faults`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::Plan;
use crate::surface::Surface;

/// Rules kept at most.
const KEPT: usize = 100;
/// Distinct counted directives remembered at most; then counting starts anew.
const COUNTED: usize = 10_000;

/// What a request is matched by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) surface: Surface,
    pub(crate) path: &'a str,
    pub(crate) model: Option<&'a str>,
    /// Text of the last user message or of the input.
    pub(crate) text: Option<&'a str>,
    /// The whole body.
    pub(crate) body: &'a [u8],
}

/// All rules, oldest first; the first that matches strikes.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_id: u64,
    rules: Vec<Rule>,
    counted: HashMap<String, u64>,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    surface: Option<Surface>,
    path: Option<String>,
    model: Option<String>,
    contains: Option<String>,
    plan: Plan,
    times: Option<u64>,
    after: u64,
    matched: u64,
}

impl Rule {
    fn from_json(id: u64, value: &Value) -> Result<Self, String> {
        let object = value.as_object().ok_or("a rule is a JSON object")?;
        if let Some(key) = object
            .keys()
            .find(|key| !["match", "fault", "times", "after"].contains(&key.as_str()))
        {
            return Err(format!(
                "unknown key `{key}`: a rule has match, fault, times, after"
            ));
        }
        let spec = object
            .get("fault")
            .and_then(Value::as_str)
            .ok_or("`fault` is missing: a specification string")?;
        let plan: Plan = spec.parse()?;
        let count = |key: &str| match object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or(format!("`{key}` is a whole number")),
        };
        let none = Value::Null;
        let wanted = object.get("match").unwrap_or(&none);
        let allowed = ["surface", "path", "model", "contains"];
        if let Some(key) = wanted
            .as_object()
            .and_then(|m| m.keys().find(|key| !allowed.contains(&key.as_str())))
        {
            return Err(format!(
                "unknown key `match.{key}`: surface, path, model, contains"
            ));
        }
        let text = |key: &str| match wanted.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_str()
                .map(|s| Some(s.to_owned()))
                .ok_or(format!("`match.{key}` is a string")),
        };
        let surface = text("surface")?
            .map(|name| Surface::from_name(&name).ok_or(format!("unknown surface `{name}`")))
            .transpose()?;
        Ok(Self {
            id,
            surface,
            path: text("path")?,
            model: text("model")?,
            contains: text("contains")?,
            times: count("times")?.or(plan.times),
            plan,
            after: count("after")?.unwrap_or(0),
            matched: 0,
        })
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        let within = |needle: &str| {
            let (needle, hay) = (needle.as_bytes(), subject.body);
            needle.is_empty() || hay.windows(needle.len()).any(|window| window == needle)
        };
        self.surface
            .or(self.plan.only)
            .is_none_or(|surface| surface == subject.surface)
            && self
                .path
                .as_deref()
                .is_none_or(|path| subject.path.contains(path))
            && self
                .model
                .as_deref()
                .is_none_or(|model| subject.model == Some(model))
            && self.contains.as_deref().is_none_or(within)
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "fault": self.plan.spec, "times": self.times, "after": self.after,
            "matched": self.matched,
            "match": { "surface": self.surface.map(Surface::name), "path": self.path, "model": self.model,
                       "contains": self.contains },
        })
    }
}

impl Rules {
    /// Adds a rule and returns its id.
    pub(crate) fn add(&self, value: &Value) -> Result<u64, String> {
        let mut inner = self.lock();
        if inner.rules.len() == KEPT {
            return Err(format!("there are {KEPT} rules already; DELETE /_local/faults"));
        }
        let rule = Rule::from_json(inner.last_id + 1, value)?;
        inner.last_id += 1;
        inner.rules.push(rule);
        Ok(inner.last_id)
    }

    pub(crate) fn list(&self) -> Vec<Value> {
        self.lock().rules.iter().map(Rule::to_json).collect()
    }

    /// Removes one rule, or all; says whether there was any.
    pub(crate) fn remove(&self, id: Option<u64>) -> bool {
        let mut inner = self.lock();
        let before = inner.rules.len();
        inner.rules.retain(|rule| id.is_some_and(|id| rule.id != id));
        if id.is_none() {
            inner.counted.clear();
        }
        inner.rules.len() < before
    }

    /// The first rule that strikes this request. A rule skips `after` matching requests, strikes `times`, and rests.
    pub(super) fn matching(&self, subject: &Subject<'_>) -> Option<Plan> {
        let mut inner = self.lock();
        inner.rules.iter_mut().find_map(|rule| {
            if !rule.matches(subject) || rule.times.is_some_and(|times| rule.matched >= rule.after + times) {
                return None;
            }
            rule.matched += 1;
            (rule.matched > rule.after).then(|| rule.plan.clone())
        })
    }

    /// Whether a directive with `times` has not struck that often on this text.
    pub(super) fn takes(&self, plan: &Plan, subject: &Subject<'_>) -> bool {
        let Some(times) = plan.times else { return true };
        let mut inner = self.lock();
        if inner.counted.len() >= COUNTED {
            inner.counted.clear();
        }
        let key = format!(
            "{}\n{}\n{}",
            subject.surface.name(),
            plan.spec,
            subject.text.unwrap_or_default()
        );
        let seen = inner.counted.entry(key).or_insert(0);
        *seen += 1;
        *seen <= times
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(surface: Surface, text: &str) -> Subject<'_> {
        Subject {
            surface,
            path: "/v1/chat/completions",
            model: Some("gpt-4o"),
            text: Some(text),
            body: text.as_bytes(),
        }
    }

    #[test]
    fn a_rule_skips_strikes_and_rests() {
        let rules = Rules::default();
        rules
            .add(&json!({ "match": { "surface": "openai" }, "fault": "status=500", "times": 2, "after": 1 }))
            .unwrap();
        let struck: Vec<bool> = (0..5)
            .map(|_| rules.matching(&subject(Surface::OpenAi, "hi")).is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(rules.remove(None) && rules.list().is_empty());
    }

    #[test]
    fn every_condition_must_hold() {
        let rules = Rules::default();
        let wanted =
            json!({ "surface": "anthropic", "path": "/chat", "model": "gpt-4o", "contains": "needle" });
        rules.add(&json!({ "match": wanted, "fault": "hang" })).unwrap();
        assert!(rules.matching(&subject(Surface::OpenAi, "a needle")).is_none());
        assert!(rules.matching(&subject(Surface::Anthropic, "hay")).is_none());
        assert!(rules.matching(&subject(Surface::Anthropic, "a needle")).is_some());
    }

    #[test]
    fn mistakes_in_rules_are_named() {
        let rules = Rules::default();
        for (bad, part) in [
            (json!([]), "object"),
            (json!({ "match": {} }), "`fault`"),
            (json!({ "fault": "hang", "time": 1 }), "`time`"),
            (json!({ "fault": "hang", "match": { "surface": "bard" } }), "bard"),
            (json!({ "fault": "hang", "match": { "url": "x" } }), "match.url"),
        ] {
            assert!(rules.add(&bad).unwrap_err().contains(part), "{bad}");
        }
    }

    #[test]
    fn a_counted_directive_lets_the_retry_through() {
        let rules = Rules::default();
        let plan: Plan = "status=500, times=1".parse().unwrap();
        assert!(rules.takes(&plan, &subject(Surface::OpenAi, "one")));
        assert!(!rules.takes(&plan, &subject(Surface::OpenAi, "one")));
        assert!(rules.takes(&plan, &subject(Surface::OpenAi, "two")));
    }
}
