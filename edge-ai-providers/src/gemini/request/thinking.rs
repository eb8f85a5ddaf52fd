use edge_ai_core::{ChatInput, Error, Result};

use crate::gemini::model::{Accepts, Thinking};
use crate::wire::ObjectWriter;

/// The efforts by their names, with what each is worth in tokens
/// (<https://ai.google.dev/gemini-api/docs/openai#thinking> for the first four).
const EFFORTS: [(&str, u32); 7] = [
    ("none", 0),
    ("minimal", 512),
    ("low", 1_024),
    ("medium", 8_192),
    ("high", 24_576),
    ("xhigh", 24_576),
    ("max", 24_576),
];

/// The least budget of a model that need not think, when it thinks: one of them takes no less.
const MIN_BUDGET: u32 = 512;

/// Writes `thinkingConfig`, where the request says something about reasoning and the model thinks.
pub(super) fn write(config: &mut ObjectWriter<'_>, input: &ChatInput, accepts: Accepts) -> Result<()> {
    let Some(wish) = &input.reasoning else {
        return Ok(());
    };
    let worth = match wish.effort.as_deref() {
        None => None,
        Some(effort) => Some(worth(effort)?),
    };
    let off = wish.effort.as_deref() == Some("none");
    let budget = if off { worth } else { wish.max_tokens.or(worth) };
    let Some(budget) = budget.filter(|_| accepts.thinking != Thinking::Never) else {
        return Ok(());
    };
    config.object("thinkingConfig", |thinking| {
        match accepts.thinking {
            Thinking::Never => {}
            Thinking::Budget(0, _) if budget == 0 => thinking.field("thinkingBudget", 0),
            Thinking::Budget(least, most) => {
                thinking.field(
                    "thinkingBudget",
                    budget.clamp(least.max(MIN_BUDGET.min(most)), most),
                );
            }
            Thinking::Level { minimal } => {
                // The effort's own word counts more than what a budget beside it is worth.
                let worth = if off { 0 } else { worth.unwrap_or(budget) };
                thinking.field("thinkingLevel", level(worth, minimal));
            }
        }
        if !off {
            thinking.field("includeThoughts", true);
        }
        Ok(())
    })
}

fn worth(effort: &str) -> Result<u32> {
    let known = EFFORTS.iter().find(|(name, _)| *name == effort);
    known.map(|(_, worth)| *worth).ok_or_else(|| {
        let known = EFFORTS.map(|(name, _)| name).join(", ");
        Error::invalid("reasoning_effort", format!("`{effort}` is not one of {known}"))
    })
}

/// No model with levels can be told not to think at all.
const fn level(budget: u32, minimal: bool) -> &'static str {
    match budget {
        0..=512 if minimal => "minimal",
        0..=2_048 => "low",
        2_049..=12_288 => "medium",
        _ => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::write_object;
    use edge_ai_core::{ChatRequest, ReasoningConfig};

    fn check(model: &str, wish: ReasoningConfig, expect: &str) {
        let request = ChatRequest::new(model).reasoning(wish);
        let text = write_object(|config| write(config, &request, Accepts::of(model))).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expect, "{model}");
    }

    #[test]
    fn wishes_become_what_the_model_takes() {
        let effort = |name: &str| ReasoningConfig::effort(name);
        let tokens = ReasoningConfig::max_tokens;
        for (model, wish, expect) in [
            (
                "gemini-2.5-flash",
                effort("none"),
                r#"{"thinkingConfig":{"thinkingBudget":0}}"#,
            ),
            (
                "gemini-2.5-flash",
                effort("medium"),
                r#"{"thinkingConfig":{"thinkingBudget":8192,"includeThoughts":true}}"#,
            ),
            (
                "gemini-2.5-flash",
                tokens(7),
                r#"{"thinkingConfig":{"thinkingBudget":512,"includeThoughts":true}}"#,
            ),
            (
                "gemini-2.5-pro",
                effort("none"),
                r#"{"thinkingConfig":{"thinkingBudget":512}}"#,
            ),
            (
                "gemini-2.5-pro",
                tokens(99_999),
                r#"{"thinkingConfig":{"thinkingBudget":32768,"includeThoughts":true}}"#,
            ),
            (
                "gemini-3.8-flash",
                effort("minimal"),
                r#"{"thinkingConfig":{"thinkingLevel":"low","includeThoughts":true}}"#,
            ),
            (
                "gemini-3.6-flash",
                effort("none"),
                r#"{"thinkingConfig":{"thinkingLevel":"minimal"}}"#,
            ),
            (
                "gemini-3.8-flash",
                effort("xhigh"),
                r#"{"thinkingConfig":{"thinkingLevel":"high","includeThoughts":true}}"#,
            ),
            (
                "gemini-3.8-flash",
                tokens(4_000),
                r#"{"thinkingConfig":{"thinkingLevel":"medium","includeThoughts":true}}"#,
            ),
            ("gemini-2.0-flash", effort("high"), "{}"),
            ("gemini-3.8-flash", ReasoningConfig::default(), "{}"),
        ] {
            check(model, wish, expect);
        }
    }

    #[test]
    fn an_unknown_effort_is_named() {
        let request = ChatRequest::new("m").reasoning(ReasoningConfig::effort("huge"));
        let error = write_object(|config| write(config, &request, Accepts::of("gemini-3.8-flash")));
        assert_eq!(error.unwrap_err().param(), Some("reasoning_effort"));
    }
}
