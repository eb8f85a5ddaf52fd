use edge_ai_core::{ChatInput, ChatRequest, ContentPart, Tool, Verbatim};

use crate::openai::responses::RESPONSES;

/// By which of OpenAI's two APIs chats are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatApi {
    /// `/chat/completions`, which every compatible server has.
    Completions,
    /// `/responses`.
    Responses,
    /// The one whose words the request is in, completions for a request in neither's: a client of either API gets all that it has.
    AsAsked,
}

/// The API for each model.
#[derive(Clone, Debug)]
pub(super) struct Apis {
    pub(super) api: ChatApi,
    /// Models that have the Responses API alone, or are to be asked by it.
    pub(super) responses: Vec<String>,
    /// Whether it is OpenAI itself, whose models are known by their names.
    pub(super) vendor: bool,
}

impl Apis {
    /// Whether a request goes by the Responses API.
    pub(super) fn by_responses(&self, request: &ChatRequest) -> bool {
        match self.api {
            _ if self.responses_alone(&request.model) => true,
            ChatApi::Completions => false,
            ChatApi::Responses => true,
            ChatApi::AsAsked => is_in_responses(&request.input),
        }
    }

    /// Whether a model can be asked by the Responses API.
    pub(super) fn speaks_responses(&self, model: &str) -> bool {
        cfg!(feature = "responses") && (self.api != ChatApi::Completions || self.responses_alone(model))
    }

    /// Whether a model can be asked by chat completions.
    pub(super) fn speaks_completions(&self, model: &str) -> bool {
        self.api != ChatApi::Responses && !self.responses_alone(model)
    }

    fn responses_alone(&self, model: &str) -> bool {
        self.responses.iter().any(|name| name == model) || (self.vendor && has_responses_alone(model))
    }
}

/// Whether a request is in the words of the Responses API, as a whole or in a part that only it can carry.
fn is_in_responses(input: &Verbatim<ChatInput>) -> bool {
    let tool = |tool: &Tool| matches!(tool, Tool::Vendor(extra) if extra.get(&RESPONSES, "type").is_some());
    let part = |part: &ContentPart| matches!(part, ContentPart::Other(extra) if extra.get(&RESPONSES, "type").is_some());
    input.native_in(&RESPONSES).is_some()
        || input.extra.fields_for(&RESPONSES).next().is_some()
        || input.tools.iter().any(tool)
        || input.any_part(part)
}

/// OpenAI's models that [have no other endpoint](https://developers.openai.com/api/docs/models): the pro, codex, research and computer-use
/// ones.
fn has_responses_alone(model: &str) -> bool {
    let named = |word: &str| model.split('-').any(|part| part == word);
    named("pro") || named("codex") || model.contains("deep-research") || model.starts_with("computer-use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_without_completions_are_known() {
        for model in [
            "o3-pro",
            "gpt-5-pro-2025-10-06",
            "gpt-5.1-codex-mini",
            "o4-mini-deep-research",
            "computer-use-preview",
        ] {
            assert!(has_responses_alone(model), "{model}");
        }
        for model in ["gpt-4.1", "gpt-6-luna", "o3", "gpt-5-mini", "my-prototype"] {
            assert!(!has_responses_alone(model), "{model}");
        }
    }
}
