use edge_ai_core::{Error, ErrorKind, GuardAction, Result};
use serde::Deserialize;

use crate::deny::DenyList;
use crate::guard::{Guard, Phase, Source};
use crate::injection::Injection;
use crate::length::Length;
use crate::moderation::Moderation;
use crate::pii::{Pii, PiiKind, Region};
use crate::rules::{Guardrails, OnFailure, Rule, StreamMode};
use crate::schema::AnswerSchema;
use crate::secrets::Secrets;

/// Guardrails as a document names them.
///
/// ```
/// use edge_ai_guard::GuardConfig;
///
/// let config = r#"{
///     "secrets": {"action": "block"},
///     "pii": {"types": ["email", "phone"], "action": "redact"},
///     "injection": {"action": "flag"},
///     "deny": [{"name": "rivals", "terms": ["acme"], "action": "block", "on": "answer"}],
///     "length": {"request": 50000},
///     "schema": {"retries": 1},
///     "moderation": {"model": "workers-ai/@cf/meta/llama-guard-3-8b", "on_failure": "open"}
/// }"#;
/// let rails = GuardConfig::from_json(config)?.build()?;
/// assert!(GuardConfig::from_json(r#"{"pii": {"action": "redcat"}}"#).is_err());
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GuardConfig {
    /// Credentials.
    secrets: Option<SecretsConfig>,
    /// Personal data.
    pii: Option<PiiConfig>,
    /// Words and phrases.
    deny: Vec<DenyConfig>,
    /// Prompt injection.
    injection: Option<InjectionConfig>,
    /// How long texts may be, in characters.
    length: Option<LengthConfig>,
    /// Whether an answer has the form that its request asks for.
    schema: Option<SchemaConfig>,
    /// A safety model.
    moderation: Option<ModerationConfig>,
}

/// What is done about a finding.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Action {
    Block,
    Redact,
    Flag,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct SecretsConfig {
    #[serde(default = "block")]
    action: Action,
    on: Option<Phase>,
    sources: Option<Vec<Source>>,
    /// Whether what is assigned to a name such as `api_key` counts, if it looks random.
    #[serde(default = "yes")]
    assigned: bool,
    #[serde(default = "yes")]
    restore: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct PiiConfig {
    /// All unless given.
    types: Option<Vec<PiiKind>>,
    /// All unless given.
    regions: Option<Vec<Region>>,
    /// Kinds of one's own: names and shapes, such as `{"employee": "E-######"}`.
    #[serde(default)]
    shapes: std::collections::BTreeMap<String, String>,
    #[serde(default = "redact")]
    action: Action,
    on: Option<Phase>,
    sources: Option<Vec<Source>>,
    /// Whether what was replaced in the request is put back in the answer.
    #[serde(default = "yes")]
    restore: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct DenyConfig {
    /// What findings are called.
    #[serde(default = "denied")]
    name: String,
    terms: Vec<String>,
    #[serde(default = "yes")]
    whole_words: bool,
    #[serde(default = "block")]
    action: Action,
    on: Option<Phase>,
    sources: Option<Vec<Source>>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct InjectionConfig {
    /// The score from which a text counts, from 1 to 100; 70 unless given.
    threshold: Option<u32>,
    #[serde(default = "flag")]
    action: Action,
    sources: Option<Vec<Source>>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct LengthConfig {
    /// The most characters of a request.
    request: Option<usize>,
    /// The most characters of an answer.
    answer: Option<usize>,
    #[serde(default = "block")]
    action: Action,
    #[serde(default)]
    stream: StreamMode,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct SchemaConfig {
    /// How often the model is asked again; 0 refuses at once.
    #[serde(default = "once")]
    retries: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct ModerationConfig {
    /// The name of a Llama Guard, as a request would name it.
    model: String,
    /// Such as `S1`; all unless given.
    categories: Option<Vec<String>>,
    #[serde(default = "block")]
    action: Action,
    on: Option<Phase>,
    #[serde(default)]
    on_failure: OnFailure,
    #[serde(default)]
    stream: StreamMode,
}

const fn block() -> Action {
    Action::Block
}

const fn redact() -> Action {
    Action::Redact
}

const fn flag() -> Action {
    Action::Flag
}

const fn yes() -> bool {
    true
}

const fn once() -> u32 {
    1
}

fn denied() -> String {
    "denied".to_owned()
}

impl GuardConfig {
    /// Reads a document.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the line and the column of what does not read.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            let message = format!("the guardrails do not read: {error}");
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })
    }

    /// The guardrails.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for values that make no sense, such as a deny list without terms.
    pub fn build(&self) -> Result<Guardrails> {
        let mut rails = Guardrails::new();
        if let Some(config) = &self.secrets {
            let secrets = if config.assigned {
                Secrets::all()
            } else {
                Secrets::known()
            };
            let rule = rule(secrets, config.action, config.on, config.sources.as_ref());
            rails = rails.with(rule.restore(config.restore));
        }
        if let Some(config) = &self.pii {
            let rule = rule(config.guard()?, config.action, config.on, config.sources.as_ref());
            rails = rails.with(rule.restore(config.restore));
        }
        for config in &self.deny {
            let list = DenyList::new(config.name.as_str(), &config.terms)?.whole_words(config.whole_words);
            // What was denied is not said again.
            let rule = rule(list, config.action, config.on, config.sources.as_ref()).restore(false);
            rails = rails.with(rule);
        }
        if let Some(config) = &self.injection {
            let threshold = config.threshold.unwrap_or(Injection::DEFAULT_THRESHOLD);
            if !(1..=100).contains(&threshold) {
                return Err(wrong("`injection.threshold` is from 1 to 100"));
            }
            let rule = rule(
                Injection::at(threshold),
                config.action,
                None,
                config.sources.as_ref(),
            );
            rails = rails.with(rule.restore(false));
        }
        if let Some(config) = &self.length {
            if matches!(config.action, Action::Redact) {
                return Err(wrong("`length.action` is `block` or `flag`"));
            }
            let bounds = [
                config.request.map(Length::request_at_most),
                config.answer.map(Length::answer_at_most),
            ];
            for length in bounds.into_iter().flatten() {
                rails = rails.with(rule(length, config.action, None, None).stream(config.stream));
            }
        }
        if let Some(config) = &self.schema {
            if config.retries > Rule::MAX_RETRIES {
                return Err(wrong("`schema.retries` is at most 5"));
            }
            rails = rails.with(match config.retries {
                0 => Rule::block(AnswerSchema),
                times => Rule::retry(AnswerSchema, times),
            });
        }
        if let Some(config) = &self.moderation {
            if config.model.is_empty() {
                return Err(wrong("`moderation.model` is the name of a Llama Guard"));
            }
            let mut guard = Moderation::new(&config.model);
            if let Some(categories) = &config.categories {
                guard = guard.categories(categories)?;
            }
            let rule = rule(guard, config.action, config.on, None);
            rails = rails.with(
                rule.restore(false)
                    .on_failure(config.on_failure)
                    .stream(config.stream),
            );
        }
        Ok(rails)
    }
}

impl PiiConfig {
    fn guard(&self) -> Result<Pii> {
        let mut pii = match &self.types {
            Some(types) => Pii::of(types.iter().copied()),
            None => Pii::all(),
        };
        if let Some(regions) = &self.regions {
            pii = pii.regions(regions.iter().copied());
        }
        self.shapes
            .iter()
            .try_fold(pii, |pii, (name, shape)| pii.shape(name, shape))
    }
}

fn rule(guard: impl Guard, action: Action, on: Option<Phase>, sources: Option<&Vec<Source>>) -> Rule {
    let action = match action {
        Action::Block => GuardAction::Block,
        Action::Redact => GuardAction::Redact,
        Action::Flag => GuardAction::Flag,
    };
    let mut rule = Rule::new(guard, action);
    if let Some(phase) = on {
        rule = rule.only(phase);
    }
    if let Some(sources) = sources {
        rule = rule.sources(sources.iter().copied());
    }
    rule
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("guardrails: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> String {
        let built = GuardConfig::from_json(json).and_then(|config| config.build());
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.message().to_owned()
    }

    #[test]
    fn a_slip_is_told_with_its_place() {
        assert!(problem(r#"{"pi": {}}"#).contains("unknown field `pi`"));
        assert!(problem("{\n\"pii\": {\"types\": [\"mail\"]}}").contains("line 2"));
        assert!(problem(r#"{"deny": [{"terms": []}]}"#).contains("no terms"));
        assert!(problem(r#"{"pii": {"shapes": {"x": "abc"}}}"#).contains("`x`"));
        assert!(problem(r#"{"injection": {"threshold": 0}}"#).contains("threshold"));
        assert!(problem(r#"{"length": {"request": 1, "action": "redact"}}"#).contains("length.action"));
        assert!(problem(r#"{"schema": {"retries": 9}}"#).contains("at most 5"));
        assert!(problem(r#"{"moderation": {"model": "g", "categories": ["S99"]}}"#).contains("S99"));
        assert!(problem(r#"{"moderation": {}}"#).contains("model"));
    }

    #[test]
    fn each_guard_is_one_rule() {
        let json = r#"{"secrets": {}, "pii": {}, "deny": [{"terms": ["a"]}, {"terms": ["b"]}], "injection": {},
            "length": {"request": 1, "answer": 1}, "schema": {}, "moderation": {"model": "g"}}"#;
        let rails = GuardConfig::from_json(json).unwrap().build().unwrap();
        assert_eq!(rails.rules.len(), 9);
        assert!(GuardConfig::from_json("{}").unwrap().build().unwrap().is_empty());
    }
}
