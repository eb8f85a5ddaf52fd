use std::fmt;

use edge_ai_core::{Result, Usage};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::wire::ObjectWriter;

/// `usage`, as OpenAI and its compatibles write it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UsageFields {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's place for what came from its prompt cache.
    prompt_cache_hit_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Count,
    /// OpenRouter's and LiteLLM's names for what was written to the prompt cache.
    #[serde(alias = "cache_creation_tokens")]
    cache_write_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
}

impl From<UsageFields> for Usage {
    fn from(fields: UsageFields) -> Self {
        let completion = fields.completion_tokens.0;
        let details = fields.completion_tokens_details.unwrap_or_default();
        let reasoning = details.reasoning_tokens.0;
        let input = match fields.prompt_tokens.0 {
            // Some vendors of embeddings tell the total alone.
            0 if completion == 0 => fields.total_tokens.0,
            tokens => tokens,
        };
        let prompt = fields.prompt_tokens_details.unwrap_or_default();
        let with_reasoning = completion.saturating_add(reasoning);
        // xAI counts reasoning beside the completion; only the total tells.
        let beside = reasoning > completion
            || (reasoning > 0 && fields.total_tokens.0 == input.saturating_add(with_reasoning));
        let mut usage = Usage::new(input, if beside { with_reasoning } else { completion });
        usage.cache_read_tokens = prompt.cached_tokens.0.max(fields.prompt_cache_hit_tokens.0);
        usage.cache_write_tokens = prompt.cache_write_tokens.0;
        usage.reasoning_tokens = reasoning;
        usage.input_audio_tokens = prompt.audio_tokens.0;
        usage.input_image_tokens = prompt.image_tokens.0;
        usage.output_audio_tokens = details.audio_tokens.0;
        usage.output_image_tokens = details.image_tokens.0;
        usage
    }
}

/// Writes the fields of `usage`.
pub(super) fn write_usage(object: &mut ObjectWriter<'_>, usage: &Usage) -> Result<()> {
    object.field("prompt_tokens", usage.input_tokens);
    object.field("completion_tokens", usage.output_tokens);
    object.field("total_tokens", usage.total_tokens());
    object.object("prompt_tokens_details", |details| {
        details.field("cached_tokens", usage.cache_read_tokens);
        details.optional("cache_write_tokens", some(usage.cache_write_tokens));
        details.optional("audio_tokens", some(usage.input_audio_tokens));
        details.optional("image_tokens", some(usage.input_image_tokens));
        Ok(())
    })?;
    object.object("completion_tokens_details", |details| {
        details.field("reasoning_tokens", usage.reasoning_tokens);
        details.optional("audio_tokens", some(usage.output_audio_tokens));
        details.optional("image_tokens", some(usage.output_image_tokens));
        Ok(())
    })
}

fn some(tokens: u64) -> Option<u64> {
    (tokens > 0).then_some(tokens)
}

/// A number of tokens. A number that is no count of them, or something else, counts as zero: it must not cost an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Lenient;

        impl<'de> Visitor<'de> for Lenient {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of tokens")
            }

            fn visit_u64<E>(self, count: u64) -> std::result::Result<Count, E> {
                Ok(Count(count))
            }

            fn visit_i64<E>(self, count: i64) -> std::result::Result<Count, E> {
                Ok(Count(u64::try_from(count).unwrap_or_default()))
            }

            fn visit_f64<E>(self, count: f64) -> std::result::Result<Count, E> {
                // Saturates, and is zero for a negative number.
                Ok(Count(count as u64))
            }

            fn visit_bool<E>(self, _: bool) -> std::result::Result<Count, E> {
                Ok(Count(0))
            }

            fn visit_str<E>(self, _: &str) -> std::result::Result<Count, E> {
                Ok(Count(0))
            }

            fn visit_unit<E>(self) -> std::result::Result<Count, E> {
                Ok(Count(0))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Count, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Count(0))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Count, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Count(0))
            }
        }

        deserializer.deserialize_any(Lenient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::write_object;

    fn usage(json: &str) -> Usage {
        serde_json::from_str::<UsageFields>(json).unwrap().into()
    }

    #[test]
    fn every_vendors_parts_are_contained_in_the_whole() {
        let openai = usage(
            r#"{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":7,"audio_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#,
        );
        assert_eq!((openai.input_tokens, openai.output_tokens), (19, 10));
        assert_eq!((openai.cache_read_tokens, openai.reasoning_tokens), (7, 4));

        let xai = usage(
            r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":241,"completion_tokens_details":{"reasoning_tokens":200}}"#,
        );
        assert_eq!((xai.output_tokens, xai.reasoning_tokens), (209, 200));

        let deepseek = usage(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_cache_hit_tokens":6}"#,
        );
        assert_eq!(deepseek.cache_read_tokens, 6);
    }

    #[test]
    fn odd_numbers_cost_no_answer() {
        let odd = usage(
            r#"{"prompt_tokens":12.0,"completion_tokens":-1,"total_tokens":null,"prompt_tokens_details":null,"neurons":0.5}"#,
        );
        assert_eq!(odd, Usage::new(12, 0));
        assert_eq!(
            usage(r#"{"prompt_tokens":"many","completion_tokens":[1,{}],"total_tokens":{"a":1}}"#),
            Usage::default()
        );
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let mut written = Usage::new(9, 8);
        written.cache_read_tokens = 3;
        written.cache_write_tokens = 2;
        written.reasoning_tokens = 8;
        written.input_audio_tokens = 4;
        written.output_image_tokens = 5;
        let json = write_object(|object| write_usage(object, &written)).unwrap();
        assert_eq!(usage(std::str::from_utf8(&json).unwrap()), written);
    }
}
