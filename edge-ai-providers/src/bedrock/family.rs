//! What the models of Bedrock accept beyond what Converse has in common for all.

use crate::anthropic::Accepts;

/// A model's own ways, by its identifier, that of an inference profile, or an ARN with one of them in it. An ARN that does not tell the model
/// (an application's inference profile, a provisioned or an imported model) is that of a model of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family {
    pub(super) kind: Kind,
    /// Whether it enforces JSON schemas, of answers and of tools.
    pub(super) schemas: bool,
    /// Whether it takes cache points.
    pub(super) caches: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anthropic's, with the ways of its generation.
    Claude(Accepts),
    /// Amazon's. The second generation thinks.
    Nova {
        thinks: bool,
    },
    /// OpenAI's open weights.
    GptOss,
    Other,
}

/// Open-weight models that [enforce schemas](https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html).
const SCHEMAS: [&str; 9] = [
    "deepseek.v3",
    "google.gemma-3",
    "minimax.minimax",
    "mistral.magistral",
    "mistral.ministral",
    "mistral.mistral-large-3",
    "moonshot",
    "nvidia.nemotron",
    "qwen.qwen3",
];

impl Family {
    pub(super) fn of(model: &str) -> Self {
        let has = |part: &str| model.contains(part);
        if has("claude-") {
            let accepts = Accepts::of(model);
            return Self {
                kind: Kind::Claude(accepts),
                schemas: accepts.schemas,
                caches: true,
            };
        }
        if has("amazon.nova") {
            return Self {
                kind: Kind::Nova {
                    thinks: has("nova-2"),
                },
                schemas: false,
                caches: true,
            };
        }
        let gpt_oss = has("openai.gpt-oss");
        Self {
            kind: if gpt_oss { Kind::GptOss } else { Kind::Other },
            schemas: gpt_oss || SCHEMAS.iter().any(|part| has(part)),
            caches: false,
        }
    }

    /// What Claude's generation accepts, of a Claude.
    pub(super) const fn claude(&self) -> Option<Accepts> {
        match self.kind {
            Kind::Claude(accepts) => Some(accepts),
            _ => None,
        }
    }

    /// Whether a tool's result says that the tool failed
    /// ([Claude and Nova alone](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html)).
    pub(super) const fn takes_status(&self) -> bool {
        matches!(self.kind, Kind::Claude(_) | Kind::Nova { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_every_name_they_have() {
        for model in [
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
        ] {
            let family = Family::of(model);
            assert!(
                family.claude().is_some() && family.schemas && family.caches,
                "{model}"
            );
        }
        assert!(!Family::of("anthropic.claude-3-haiku-20240307-v1:0").schemas);
        assert_eq!(
            Family::of("us.amazon.nova-2-lite-v1:0").kind,
            Kind::Nova { thinks: true }
        );
        assert_eq!(
            Family::of("amazon.nova-pro-v1:0").kind,
            Kind::Nova { thinks: false }
        );
        assert_eq!(Family::of("openai.gpt-oss-120b-1:0").kind, Kind::GptOss);
        let plain = Family::of("meta.llama3-3-70b-instruct-v1:0");
        assert_eq!(
            (plain.kind, plain.schemas, plain.caches),
            (Kind::Other, false, false)
        );
        assert!(Family::of("qwen.qwen3-32b-v1:0").schemas);
        assert_eq!(
            Family::of("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc").kind,
            Kind::Other
        );
    }
}
