//! What the generations of Gemini take and refuse.

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Never,
    /// The budgets that it takes beside -1.
    Budget(i64, i64),
    Level {
        minimal: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) thinking: Thinking,
    /// Gemini 3: calls have ids and signatures, and both must come back.
    pub(super) third: bool,
    /// From 3.5 Flash-Lite on: no penalties, and no turn of the model at the end.
    pub(super) late: bool,
}

pub(super) fn generation(model: &str) -> Generation {
    let budget = |low, high| Generation {
        thinking: Thinking::Budget(low, high),
        third: false,
        late: false,
    };
    let level = |minimal, late| Generation {
        thinking: Thinking::Level { minimal },
        third: true,
        late,
    };
    match model {
        _ if model.starts_with("gemini-2.5-pro") => budget(128, 32_768),
        _ if model.starts_with("gemini-2.5-flash") => budget(0, 24_576),
        _ if model.starts_with("gemini-3.5-flash-lite") || model.starts_with("gemini-3.6") => {
            level(true, true)
        }
        _ if model.starts_with("gemini-3.5") || model.starts_with("gemini-3-flash") => level(true, false),
        _ if model.starts_with("gemini-3.1-flash") => level(true, false),
        _ if model.starts_with("gemini-3.1-pro") => level(false, false),
        _ if model.starts_with("gemini-3") || model.starts_with("gemini-4") => level(false, true),
        _ => Generation {
            thinking: Thinking::Never,
            third: false,
            late: false,
        },
    }
}
