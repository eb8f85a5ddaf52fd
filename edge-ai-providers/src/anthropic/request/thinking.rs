use edge_ai_core::{ChatInput, ContentPart, Error, Result, Role, ToolChoice};

use super::block::is_own;
use crate::anthropic::model::{Accepts, Thinking};
use crate::wire::ObjectWriter;

/// The least budget that Anthropic takes.
const MIN_BUDGET: u32 = 1_024;

/// What the effort `low` is worth in tokens.
const LOW: u32 = 2_048;

/// What each effort is worth in tokens.
const EFFORTS: [(&str, u32); 6] = [
    ("minimal", 1_024),
    ("low", LOW),
    ("medium", 8_192),
    ("high", 16_384),
    ("xhigh", 24_576),
    ("max", 24_576),
];

/// Room for the thoughts of a model that thinks unasked, beside the answer: its limit is one of both, and a small one leaves nothing to say
/// (<https://platform.claude.com/docs/en/models/opus-5-5/migration-guide>).
const UNASKED: u32 = 24_576;

/// How long the answer may be, and how the model thinks before it.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) max_tokens: u32,
    pub(crate) effort: Option<String>,
    mode: Mode,
}

#[derive(Debug, PartialEq)]
enum Mode {
    Unsaid,
    Off,
    Budget(u32),
    Adaptive { summarized: bool },
}

impl Plan {
    pub(crate) fn new(input: &ChatInput, accepts: Accepts, default_max_tokens: u32) -> Result<Self> {
        let limit = input.max_output_tokens;
        let with_room = |room: u32, mode, effort| Self {
            max_tokens: limit.unwrap_or(default_max_tokens.saturating_add(room)),
            effort,
            mode,
        };
        let plain = |mode, effort| with_room(0, mode, effort);
        // The newest models take no sampling parameters, and think unless they are told not to.
        let unasked = || with_room(if accepts.sampling { 0 } else { UNASKED }, Mode::Unsaid, None);
        let Some(wish) = &input.reasoning else {
            return Ok(unasked());
        };
        let effort = wish.effort.as_deref();
        if effort == Some("none") {
            return Ok(match accepts.thinking {
                Thinking::Budget => plain(Mode::Unsaid, None),
                Thinking::Adaptive { can_stop: true } => plain(Mode::Off, None),
                Thinking::Adaptive { can_stop: false } => {
                    with_room(LOW, Mode::Unsaid, Some("low".to_owned()))
                }
            });
        }
        let worth = effort
            .and_then(|effort| EFFORTS.iter().find(|(name, _)| *name == effort))
            .map(|(_, worth)| *worth);
        match (accepts.thinking, wish.max_tokens.or(worth)) {
            (Thinking::Budget, None) if effort.is_some() => {
                let known = EFFORTS.map(|(name, _)| name).join(", ");
                Err(Error::invalid(
                    "reasoning_effort",
                    format!("unknown effort; this model takes none, {known}"),
                ))
            }
            (_, None) if effort.is_none() => Ok(unasked()),
            (Thinking::Adaptive { .. }, budget) => {
                let effort = match (effort, budget) {
                    (Some("minimal"), _) => "low",
                    (Some("xhigh"), _) if !accepts.xhigh => "high",
                    (Some(effort), _) => effort,
                    (None, budget) => fitting_effort(budget.unwrap_or_default(), accepts),
                };
                Ok(Self {
                    max_tokens: limit
                        .unwrap_or(default_max_tokens.saturating_add(budget.unwrap_or_default())),
                    effort: Some(effort.to_owned()),
                    // The models that take no sampling parameters show thoughts only when told to.
                    mode: Mode::Adaptive {
                        summarized: !accepts.sampling,
                    },
                })
            }
            (Thinking::Budget, budget) => {
                let budget = budget.unwrap_or_default().max(MIN_BUDGET);
                let explicit = wish.max_tokens.is_some();
                if !explicit && (forces_tool(input) || lost_thoughts(input)) {
                    return Ok(plain(Mode::Unsaid, None));
                }
                match limit {
                    None => Ok(Self {
                        max_tokens: default_max_tokens.saturating_add(budget),
                        effort: None,
                        mode: Mode::Budget(budget),
                    }),
                    Some(limit) if limit > MIN_BUDGET => Ok(plain(
                        Mode::Budget(budget.min((limit - limit / 4).max(MIN_BUDGET))),
                        None,
                    )),
                    Some(_) if explicit => {
                        let message =
                            format!("to think takes more than {MIN_BUDGET} tokens for the whole answer");
                        Err(Error::invalid("max_tokens", message))
                    }
                    Some(_) => Ok(plain(Mode::Unsaid, None)),
                }
            }
        }
    }

    /// Whether the model is told to think.
    pub(crate) const fn thinks(&self) -> bool {
        matches!(self.mode, Mode::Budget(_) | Mode::Adaptive { .. })
    }

    pub(crate) fn write(&self, body: &mut ObjectWriter<'_>) -> Result<()> {
        if self.mode == Mode::Unsaid {
            return Ok(());
        }
        body.object("thinking", |thinking| {
            match self.mode {
                Mode::Unsaid | Mode::Off => thinking.field("type", "disabled"),
                Mode::Budget(budget) => {
                    thinking.field("type", "enabled");
                    thinking.field("budget_tokens", budget);
                }
                Mode::Adaptive { summarized } => {
                    thinking.field("type", "adaptive");
                    thinking.optional("display", summarized.then_some("summarized"));
                }
            }
            Ok(())
        })
    }
}

fn fitting_effort(budget: u32, accepts: Accepts) -> &'static str {
    match budget {
        0..=2_048 => "low",
        2_049..=8_192 => "medium",
        8_193..=16_384 => "high",
        _ if accepts.xhigh => "xhigh",
        _ => "high",
    }
}

fn forces_tool(input: &ChatInput) -> bool {
    matches!(
        input.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    )
}

/// Whether the turn that goes on has tool calls without the signed thought before them, as after a client that drops thoughts.
fn lost_thoughts(input: &ChatInput) -> bool {
    let turn = input
        .messages
        .iter()
        .rev()
        .find(|message| message.role == Role::Assistant);
    turn.is_some_and(|turn| {
        let signed = |part: &ContentPart| {
            matches!(part, ContentPart::Reasoning(part) if part.signature.as_deref().is_some_and(is_own) || part.redacted.is_some())
        };
        turn.tool_calls().next().is_some() && !turn.content.iter().any(signed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatRequest, Message, ReasoningConfig, ToolCall};

    fn plan(model: &str, reasoning: ReasoningConfig, limit: Option<u32>) -> Result<Plan> {
        let mut request = ChatRequest::new(model).user("hi").reasoning(reasoning);
        request.input.edit().max_output_tokens = limit;
        Plan::new(&request, Accepts::of(model), 4_096)
    }

    fn check(
        model: &str,
        reasoning: ReasoningConfig,
        limit: Option<u32>,
        max_tokens: u32,
        effort: Option<&str>,
        mode: Mode,
    ) {
        let expect = Plan {
            max_tokens,
            effort: effort.map(str::to_owned),
            mode,
        };
        assert_eq!(plan(model, reasoning, limit).unwrap(), expect);
    }

    #[test]
    fn budgets() {
        const OLD: &str = "claude-sonnet-4-5";
        check(
            OLD,
            ReasoningConfig::effort("low"),
            None,
            6_144,
            None,
            Mode::Budget(2_048),
        );
        check(
            OLD,
            ReasoningConfig::effort("high"),
            Some(8_000),
            8_000,
            None,
            Mode::Budget(6_000),
        );
        check(
            OLD,
            ReasoningConfig::effort("high"),
            Some(1_025),
            1_025,
            None,
            Mode::Budget(1_024),
        );
        check(
            OLD,
            ReasoningConfig::effort("high"),
            Some(1_024),
            1_024,
            None,
            Mode::Unsaid,
        );
        check(
            OLD,
            ReasoningConfig::effort("none"),
            None,
            4_096,
            None,
            Mode::Unsaid,
        );
        check(
            OLD,
            ReasoningConfig::max_tokens(10),
            None,
            5_120,
            None,
            Mode::Budget(1_024),
        );
        check(OLD, ReasoningConfig::default(), None, 4_096, None, Mode::Unsaid);
        assert_eq!(
            plan(OLD, ReasoningConfig::max_tokens(2_000), Some(500))
                .unwrap_err()
                .param(),
            Some("max_tokens")
        );
        assert_eq!(
            plan(OLD, ReasoningConfig::effort("huge"), None)
                .unwrap_err()
                .param(),
            Some("reasoning_effort")
        );
    }

    #[test]
    fn adaptive() {
        let shown = Mode::Adaptive { summarized: true };
        check(
            "claude-opus-4-8",
            ReasoningConfig::effort("xhigh"),
            None,
            28_672,
            Some("xhigh"),
            shown,
        );
        let silent = || Mode::Adaptive { summarized: false };
        check(
            "claude-opus-4-6",
            ReasoningConfig::effort("xhigh"),
            Some(900),
            900,
            Some("high"),
            silent(),
        );
        check(
            "claude-opus-4-6",
            ReasoningConfig::max_tokens(5_000),
            None,
            9_096,
            Some("medium"),
            silent(),
        );
        check(
            "claude-opus-5",
            ReasoningConfig::effort("none"),
            None,
            4_096,
            None,
            Mode::Off,
        );
        check(
            "claude-fable-5",
            ReasoningConfig::effort("none"),
            None,
            6_144,
            Some("low"),
            Mode::Unsaid,
        );
    }

    #[test]
    fn a_model_that_thinks_unasked_has_room_for_it() {
        let unasked = ReasoningConfig::default;
        for (model, limit, max_tokens) in [
            ("claude-opus-5-5", None, 28_672),
            ("claude-haiku-5-5", None, 28_672),
            ("claude-opus-5-5", Some(500), 500),
            ("claude-opus-4-6", None, 4_096),
            ("claude-sonnet-4-5", None, 4_096),
        ] {
            check(model, unasked(), limit, max_tokens, None, Mode::Unsaid);
        }
        let plain = Plan::new(
            &ChatRequest::new("m").user("hi"),
            Accepts::of("claude-opus-5-5"),
            4_096,
        );
        assert_eq!(plain.unwrap().max_tokens, 28_672);
    }

    #[test]
    fn a_wish_yields_to_what_the_vendor_refuses() {
        let request = ChatRequest::new("claude-sonnet-4-5")
            .user("hi")
            .reasoning(ReasoningConfig::effort("high"));
        let accepts = Accepts::of(&request.model);
        let forced = request.clone().tool_choice(ToolChoice::Required);
        assert!(!Plan::new(&forced, accepts, 4_096).unwrap().thinks());
        let call = ContentPart::ToolCall(ToolCall::new("1", "f", "{}"));
        let lost = request.message(Message::new(Role::Assistant, vec![call]));
        assert!(!Plan::new(&lost, accepts, 4_096).unwrap().thinks());
    }
}
