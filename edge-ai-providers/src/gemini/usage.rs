use edge_ai_core::Usage;
use serde::Deserialize;

use crate::openai::Count;

/// `usageMetadata` (<https://ai.google.dev/api/generate-content#UsageMetadata>): what came from the cache is in the prompt's
/// count, thoughts and the prompts of Google's own tools stand beside.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UsageMetadata {
    prompt_token_count: Option<Count>,
    cached_content_token_count: Option<Count>,
    candidates_token_count: Option<Count>,
    tool_use_prompt_token_count: Option<Count>,
    thoughts_token_count: Option<Count>,
    prompt_tokens_details: Option<Vec<ModalityCount>>,
    candidates_tokens_details: Option<Vec<ModalityCount>>,
}

/// What of a count is text, sound or pictures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ModalityCount {
    modality: Option<String>,
    token_count: Option<Count>,
}

impl UsageMetadata {
    /// In the vocabulary's sense, in which the parts are contained in their whole.
    pub(crate) fn usage(self) -> Usage {
        let number = |count: Option<Count>| count.unwrap_or_default().0;
        let thoughts = number(self.thoughts_token_count);
        let mut usage = Usage::new(
            number(self.prompt_token_count).saturating_add(number(self.tool_use_prompt_token_count)),
            number(self.candidates_token_count).saturating_add(thoughts),
        );
        usage.cache_read_tokens = number(self.cached_content_token_count);
        usage.reasoning_tokens = thoughts;
        let of = |details: &Option<Vec<ModalityCount>>, modality: &str| {
            let details = details.iter().flatten();
            details
                .filter(|detail| detail.modality.as_deref() == Some(modality))
                .map(|detail| number(detail.token_count))
                .fold(0, u64::saturating_add)
        };
        usage.input_audio_tokens = of(&self.prompt_tokens_details, "AUDIO");
        usage.input_image_tokens = of(&self.prompt_tokens_details, "IMAGE");
        usage.output_audio_tokens = of(&self.candidates_tokens_details, "AUDIO");
        usage.output_image_tokens = of(&self.candidates_tokens_details, "IMAGE");
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_are_output_and_tools_prompts_input() {
        let usage = serde_json::from_str::<UsageMetadata>(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":10,"toolUsePromptTokenCount":5,
                "thoughtsTokenCount":40,"totalTokenCount":155,"promptTokensDetails":[{"modality":"TEXT","tokenCount":70},{"modality":"IMAGE","tokenCount":30}]}"#,
        );
        let usage = usage.unwrap().usage();
        assert_eq!((usage.input_tokens, usage.output_tokens), (105, 50));
        assert_eq!((usage.cache_read_tokens, usage.reasoning_tokens), (60, 40));
        assert_eq!((usage.total_tokens(), usage.input_image_tokens), (155, 30));
    }
}
