//! What the generations of Claude accept: newer ones refuse parameters that older ones need.

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// With a budget of tokens: `{"type":"enabled","budget_tokens":n}`.
    Budget,
    /// As much as it finds right, steered by `output_config.effort`.
    Adaptive {
        /// Whether `{"type":"disabled"}` is accepted.
        can_stop: bool,
    },
}

/// What a model accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// How it thinks.
    pub(crate) thinking: Thinking,
    /// `temperature`, `top_p` and `top_k`; a model without them answers 400.
    pub(crate) sampling: bool,
    /// `output_config.format` and strict tools.
    pub(crate) schemas: bool,
    /// A `tool_choice` of `any` or `tool`.
    pub(crate) forced_tools: bool,
    /// The effort `xhigh`.
    pub(crate) xhigh: bool,
}

impl Accepts {
    /// By the model's name. A Claude that is not known here is taken for a new one, any other model for an old one:
    /// servers that speak the dialect follow its first form.
    ///
    /// Sources: <https://platform.claude.com/docs/en/about-claude/models/migration-guide>,
    /// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>.
    pub(crate) fn of(model: &str) -> Self {
        let Some(at) = model.find("claude-") else {
            return FIRST;
        };
        let name = model.get(at..).unwrap_or(model);
        GENERATIONS
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map_or(CURRENT, |(_, accepts)| *accepts)
    }
}

const FIRST: Accepts = Accepts {
    thinking: Thinking::Budget,
    sampling: true,
    schemas: false,
    forced_tools: true,
    xhigh: false,
};

const WITH_SCHEMAS: Accepts = Accepts {
    schemas: true,
    ..FIRST
};

const ADAPTIVE: Accepts = Accepts {
    thinking: Thinking::Adaptive { can_stop: true },
    ..WITH_SCHEMAS
};

const CURRENT: Accepts = Accepts {
    sampling: false,
    xhigh: true,
    ..ADAPTIVE
};

const ALWAYS_THINKS: Accepts = Accepts {
    thinking: Thinking::Adaptive { can_stop: false },
    ..CURRENT
};

const NEVER_FORCED: Accepts = Accepts {
    forced_tools: false,
    ..ALWAYS_THINKS
};

/// The first prefix that fits counts.
const GENERATIONS: &[(&str, Accepts)] = &[
    ("claude-opus-5-5", NEVER_FORCED),
    ("claude-sonnet-5-5", NEVER_FORCED),
    ("claude-fable-5-1", NEVER_FORCED),
    ("claude-fable-5", ALWAYS_THINKS),
    ("claude-opus-4-8", CURRENT),
    ("claude-opus-4-7", CURRENT),
    ("claude-opus-4-6", ADAPTIVE),
    ("claude-sonnet-4-6", ADAPTIVE),
    ("claude-opus-4-5", WITH_SCHEMAS),
    ("claude-sonnet-4-5", WITH_SCHEMAS),
    ("claude-haiku-4-5", WITH_SCHEMAS),
    ("claude-opus-4-1", WITH_SCHEMAS),
    ("claude-opus-4", FIRST),
    ("claude-sonnet-4", FIRST),
    ("claude-3", FIRST),
    ("claude-2", FIRST),
    ("claude-instant", FIRST),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_told_apart() {
        for (model, expect) in [
            ("claude-opus-5-5", NEVER_FORCED),
            ("claude-opus-5", CURRENT),
            ("claude-sonnet-5", CURRENT),
            ("claude-haiku-5-5", CURRENT),
            ("claude-opus-4-7", CURRENT),
            ("claude-sonnet-4-6", ADAPTIVE),
            ("claude-haiku-4-5-20251001", WITH_SCHEMAS),
            ("claude-opus-4-1-20250805", WITH_SCHEMAS),
            ("claude-opus-4-20250514", FIRST),
            ("claude-sonnet-4@20250514", FIRST),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", WITH_SCHEMAS),
            ("claude-3-7-sonnet-latest", FIRST),
            ("claude-future-9", CURRENT),
            ("MiniMax-M2", FIRST),
        ] {
            assert_eq!(Accepts::of(model), expect, "{model}");
        }
    }
}
