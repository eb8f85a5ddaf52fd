//! What the generations of Gemini accept: newer ones refuse what older ones need.

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It does not.
    Never,
    /// With a budget of tokens, `thinkingBudget`; its least, and its most. A least of 0 is one that can be turned off.
    Budget(u32, u32),
    /// By `thinkingLevel`; whether it takes `minimal`.
    Level { minimal: bool },
}

/// What a model accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepts {
    /// How it thinks.
    pub(super) thinking: Thinking,
    /// `temperature`, `topP` and `topK`.
    pub(super) sampling: bool,
    /// Ids of calls, which the results then must have, and the signatures of calls, without which it answers 400.
    pub(super) call_ids: bool,
    /// JSON schemas beside functions.
    pub(super) schema_with_tools: bool,
    /// A conversation that ends with the model's turn, to be continued.
    pub(super) prefill: bool,
}

impl Accepts {
    /// By the model's name. A Gemini that is not known here is taken for a new one, any other model for one that does not think.
    ///
    /// Sources, of November 2026: <https://ai.google.dev/gemini-api/docs/thinking>,
    /// <https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/guides/gemini-3-8-flash>,
    /// <https://ai.google.dev/gemini-api/docs/generate-content/whats-new-gemini-3.6>,
    /// <https://ai.google.dev/gemini-api/docs/structured-output>.
    pub(super) fn of(model: &str) -> Self {
        if !model.starts_with("gemini-") {
            return FIRST;
        }
        GENERATIONS
            .iter()
            .find(|(prefix, _)| model.starts_with(prefix))
            .map_or(CURRENT, |(_, accepts)| *accepts)
    }
}

const FIRST: Accepts = Accepts {
    thinking: Thinking::Never,
    sampling: true,
    call_ids: false,
    schema_with_tools: false,
    prefill: true,
};

const fn budget(least: u32, most: u32) -> Accepts {
    Accepts {
        thinking: Thinking::Budget(least, most),
        ..FIRST
    }
}

const THIRD: Accepts = Accepts {
    thinking: Thinking::Level { minimal: true },
    call_ids: true,
    schema_with_tools: true,
    ..FIRST
};

const THIRD_PRO: Accepts = Accepts {
    thinking: Thinking::Level { minimal: false },
    ..THIRD
};

const WITHOUT_SAMPLING: Accepts = Accepts {
    sampling: false,
    prefill: false,
    ..THIRD
};

const CURRENT: Accepts = Accepts {
    thinking: Thinking::Level { minimal: false },
    ..WITHOUT_SAMPLING
};

/// The first prefix that fits counts.
const GENERATIONS: &[(&str, Accepts)] = &[
    ("gemini-3.6-flash", WITHOUT_SAMPLING),
    ("gemini-3.5-flash-lite", WITHOUT_SAMPLING),
    ("gemini-3.5-flash", THIRD),
    ("gemini-3.1-flash", THIRD),
    ("gemini-3.1-pro", THIRD_PRO),
    ("gemini-3-flash", THIRD),
    ("gemini-3-pro", THIRD_PRO),
    ("gemini-2.5-pro", budget(128, 32_768)),
    ("gemini-2.5-flash-lite", budget(0, 24_576)),
    ("gemini-2.5-flash-image", FIRST),
    ("gemini-2.5-flash", budget(0, 24_576)),
    ("gemini-2.0", FIRST),
    ("gemini-1", FIRST),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_told_apart() {
        for (model, expect) in [
            ("gemini-3.8-flash", CURRENT),
            ("gemini-3.7-flash", CURRENT),
            ("gemini-4-pro", CURRENT),
            ("gemini-3.6-flash", WITHOUT_SAMPLING),
            ("gemini-3.5-flash-lite", WITHOUT_SAMPLING),
            ("gemini-3.5-flash", THIRD),
            ("gemini-3.1-pro-preview", THIRD_PRO),
            ("gemini-3.1-flash-lite", THIRD),
            ("gemini-2.5-flash-lite-preview-09-2025", budget(0, 24_576)),
            ("gemini-2.5-pro", budget(128, 32_768)),
            ("gemini-2.0-flash-001", FIRST),
            ("gemma-3-27b-it", FIRST),
        ] {
            assert_eq!(Accepts::of(model), expect, "{model}");
        }
    }
}
