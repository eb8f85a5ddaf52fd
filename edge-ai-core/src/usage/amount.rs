use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// What an answer took: tokens in the sense of OpenTelemetry's `gen_ai.usage.*`, where the parts are contained in their whole, and what
/// vendors charge for that is no token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Usage {
    /// Everything that was read, from a prompt cache or not.
    pub input_tokens: u64,
    /// Everything that was written, reasoning included.
    pub output_tokens: u64,
    /// Of the input: read from the vendor's prompt cache.
    pub cache_read_tokens: u64,
    /// Of the input: written to the vendor's prompt cache.
    pub cache_write_tokens: u64,
    /// Of what was written to the prompt cache: what is kept for an hour instead of minutes, at another price.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h_tokens: u64,
    /// Of the output: spent on reasoning.
    pub reasoning_tokens: u64,
    /// Of the input: sound.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_audio_tokens: u64,
    /// Of the output: sound.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_audio_tokens: u64,
    /// Of the input: pictures, where the vendor counts them apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_image_tokens: u64,
    /// Of the output: pictures.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_image_tokens: u64,
    /// Pictures that were made, for models that are paid by the picture.
    #[serde(skip_serializing_if = "is_zero")]
    pub images: u64,
    /// Sound that was read, in milliseconds, for models that are paid by its length.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_ms: u64,
    /// Characters that were spoken, for models that are paid by them.
    #[serde(skip_serializing_if = "is_zero")]
    pub characters: u64,
    /// Searches, such as a reranker's.
    #[serde(skip_serializing_if = "is_zero")]
    pub searches: u64,
    /// How fast it had to be, which decides the price.
    #[serde(skip_serializing_if = "ServiceTier::is_standard")]
    pub service_tier: ServiceTier,
}

impl Usage {
    /// Tokens in and out, without parts.
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            ..Self::default()
        }
    }

    /// Input and output together.
    pub const fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl Add for Usage {
    type Output = Self;

    /// Saturates. The sum has the tier of its first part that is not the standard one.
    fn add(self, other: Self) -> Self {
        let add = u64::saturating_add;
        Self {
            input_tokens: add(self.input_tokens, other.input_tokens),
            output_tokens: add(self.output_tokens, other.output_tokens),
            cache_read_tokens: add(self.cache_read_tokens, other.cache_read_tokens),
            cache_write_tokens: add(self.cache_write_tokens, other.cache_write_tokens),
            cache_write_1h_tokens: add(self.cache_write_1h_tokens, other.cache_write_1h_tokens),
            reasoning_tokens: add(self.reasoning_tokens, other.reasoning_tokens),
            input_audio_tokens: add(self.input_audio_tokens, other.input_audio_tokens),
            output_audio_tokens: add(self.output_audio_tokens, other.output_audio_tokens),
            input_image_tokens: add(self.input_image_tokens, other.input_image_tokens),
            output_image_tokens: add(self.output_image_tokens, other.output_image_tokens),
            images: add(self.images, other.images),
            audio_ms: add(self.audio_ms, other.audio_ms),
            characters: add(self.characters, other.characters),
            searches: add(self.searches, other.searches),
            service_tier: if self.service_tier.is_standard() {
                other.service_tier
            } else {
                self.service_tier
            },
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// How fast a vendor had to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServiceTier {
    /// As usual.
    #[default]
    Standard,
    /// Within a day, as a part of a batch.
    Batch,
    /// When there is room.
    Flex,
    /// Before others.
    Priority,
}

impl ServiceTier {
    /// The tier that vendors call `name` in their answers; anything else is the standard one.
    pub fn named(name: &str) -> Self {
        match name {
            "batch" => Self::Batch,
            "flex" => Self::Flex,
            "priority" => Self::Priority,
            _ => Self::Standard,
        }
    }

    /// Whether it is the usual one.
    pub const fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_saturate_and_keep_the_tier() {
        let mut batch = Usage::new(u64::MAX, 1);
        batch.service_tier = ServiceTier::Batch;
        let sum = Usage::new(1, 1) + batch;
        assert_eq!((sum.input_tokens, sum.output_tokens), (u64::MAX, 2));
        assert_eq!(sum.service_tier, ServiceTier::Batch);
    }

    #[test]
    fn what_is_not_there_is_not_written() {
        let json = serde_json::to_string(&Usage::new(3, 2)).unwrap();
        assert_eq!(
            json,
            r#"{"input_tokens":3,"output_tokens":2,"cache_read_tokens":0,"cache_write_tokens":0,"reasoning_tokens":0}"#
        );
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), Usage::new(3, 2));
    }
}
