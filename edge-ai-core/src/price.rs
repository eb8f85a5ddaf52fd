use serde::{Deserialize, Serialize};

use crate::{Money, ServiceTier, Usage};

/// What a model costs.
///
/// Prices are whole numbers of pico-dollars, which is dollars for a million of something, times a million: $0.15 for a million tokens is
/// `150_000`.
///
/// ```
/// use edge_ai_core::{Money, Price, Usage};
///
/// let price = Price::new(3_000_000, 15_000_000).cache_read(300_000).cache_write(3_750_000);
/// let mut usage = Usage::new(1_000, 50);
/// usage.cache_read_tokens = 700;
/// usage.cache_write_tokens = 200;
/// assert_eq!(price.of(&usage), Money::from_nano_dollars(2_010_000));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// As usual.
    pub standard: Rates,
    /// In a batch; as usual where there is nothing.
    pub batch: Option<Rates>,
    /// When there is room; as usual where there is nothing.
    pub flex: Option<Rates>,
    /// Before others; as usual where there is nothing.
    pub priority: Option<Rates>,
    /// For a picture.
    pub image: u64,
    /// For a second of sound.
    pub audio_second: u64,
    /// For a character that is spoken.
    pub character: u64,
    /// For a search.
    pub search: u64,
}

/// What tokens cost, by the length of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rates {
    /// What they cost.
    pub tokens: TokenPrice,
    /// What all of them cost in a request with more input than so many tokens.
    pub long_context: Option<(u64, TokenPrice)>,
}

/// What a token costs, by its kind, in pico-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenPrice {
    /// Input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Output that is reasoning.
    pub reasoning: u64,
    /// Input that is read from the vendor's prompt cache.
    pub cache_read: u64,
    /// Input that is written to the vendor's prompt cache.
    pub cache_write: u64,
    /// The same, to be kept for an hour.
    pub cache_write_1h: u64,
    /// Input that is sound.
    pub input_audio: u64,
    /// Output that is sound.
    pub output_audio: u64,
    /// Input that is a picture.
    pub input_image: u64,
    /// Output that is a picture.
    pub output_image: u64,
}

impl TokenPrice {
    /// A price for input and output, whatever they are.
    pub const fn new(input: u64, output: u64) -> Self {
        Self {
            input,
            output,
            reasoning: output,
            cache_read: input,
            cache_write: input,
            cache_write_1h: input,
            input_audio: input,
            output_audio: output,
            input_image: input,
            output_image: output,
        }
    }

    /// What the tokens of `usage` cost, in pico-dollars.
    fn of(&self, usage: &Usage) -> u128 {
        let parts =
            |whole: u64, parts: &[u64]| parts.iter().fold(whole, |rest, part| rest.saturating_sub(*part));
        let text = parts(
            usage.input_tokens,
            &[
                usage.cache_read_tokens,
                usage.cache_write_tokens,
                usage.input_audio_tokens,
                usage.input_image_tokens,
            ],
        );
        let answer = parts(
            usage.output_tokens,
            &[
                usage.reasoning_tokens,
                usage.output_audio_tokens,
                usage.output_image_tokens,
            ],
        );
        let hour = usage.cache_write_1h_tokens.min(usage.cache_write_tokens);
        sum([
            (text, self.input),
            (usage.cache_read_tokens, self.cache_read),
            (usage.cache_write_tokens.saturating_sub(hour), self.cache_write),
            (hour, self.cache_write_1h),
            (usage.input_audio_tokens, self.input_audio),
            (usage.input_image_tokens, self.input_image),
            (answer, self.output),
            (usage.reasoning_tokens, self.reasoning),
            (usage.output_audio_tokens, self.output_audio),
            (usage.output_image_tokens, self.output_image),
        ])
    }
}

impl Rates {
    /// The same for every length.
    pub const fn flat(tokens: TokenPrice) -> Self {
        Self {
            tokens,
            long_context: None,
        }
    }

    fn of(&self, usage: &Usage) -> u128 {
        match &self.long_context {
            Some((above, tokens)) if usage.input_tokens > *above => tokens.of(usage),
            _ => self.tokens.of(usage),
        }
    }
}

impl Price {
    /// A price for input and output tokens; what concerns a prompt cache, sound or pictures costs what other tokens cost.
    pub fn new(input: u64, output: u64) -> Self {
        Self {
            standard: Rates::flat(TokenPrice::new(input, output)),
            ..Self::default()
        }
    }

    /// Another price for what is read from a prompt cache.
    #[must_use]
    pub fn cache_read(mut self, cache_read: u64) -> Self {
        self.standard.tokens.cache_read = cache_read;
        self
    }

    /// Another price for what is written to a prompt cache, for whatever time.
    #[must_use]
    pub fn cache_write(mut self, cache_write: u64) -> Self {
        self.standard.tokens.cache_write = cache_write;
        self.standard.tokens.cache_write_1h = cache_write;
        self
    }

    /// What `usage` costs, to the nearest nano-dollar.
    pub fn of(&self, usage: &Usage) -> Money {
        let tier = match usage.service_tier {
            ServiceTier::Standard => None,
            ServiceTier::Batch => self.batch.as_ref(),
            ServiceTier::Flex => self.flex.as_ref(),
            ServiceTier::Priority => self.priority.as_ref(),
        };
        let tokens = tier.unwrap_or(&self.standard).of(usage);
        let rest = sum([
            (usage.images, self.image),
            (usage.characters, self.character),
            (usage.searches, self.search),
        ]);
        let sound = u128::from(usage.audio_ms) * u128::from(self.audio_second) / 1_000;
        let pico_dollars = tokens
            .saturating_add(rest)
            .saturating_add(sound)
            .saturating_add(500);
        Money::from_nano_dollars(i64::try_from(pico_dollars / 1_000).unwrap_or(i64::MAX))
    }
}

/// Products of two numbers of 64 bits fit; their sum does not overflow either.
fn sum<const N: usize>(parts: [(u64, u64); N]) -> u128 {
    parts
        .into_iter()
        .map(|(number, price)| u128::from(number) * u128::from(price))
        .fold(0, u128::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_exact_and_saturates() {
        // 1,000 in at $0.15 and 500 out at $0.60 for a million.
        let price = Price::new(150_000, 600_000);
        assert_eq!(
            price.of(&Usage::new(1_000, 500)),
            Money::from_nano_dollars(450_000)
        );
        assert_eq!(price.of(&Usage::default()), Money::ZERO);
        let dear = Price::new(u64::MAX, u64::MAX);
        assert_eq!(
            dear.of(&Usage::new(u64::MAX, u64::MAX)),
            Money::from_nano_dollars(i64::MAX)
        );
    }

    #[test]
    fn a_long_request_is_dearer_to_its_first_token() {
        let mut price = Price::new(1_000_000, 10_000_000);
        price.standard.long_context = Some((200_000, TokenPrice::new(2_000_000, 15_000_000)));
        let at = |input| price.of(&Usage::new(input, 0)).as_nano_dollars();
        assert_eq!(at(200_000), 200_000_000);
        assert_eq!(at(200_001), 400_002_000);
    }

    #[test]
    fn tiers_and_kinds_have_their_own_prices() {
        let mut price = Price::new(2_000_000, 8_000_000).cache_write(2_500_000);
        price.batch = Some(Rates::flat(TokenPrice::new(1_000_000, 4_000_000)));
        price.standard.tokens.cache_write_1h = 4_000_000;
        price.standard.tokens.output_audio = 20_000_000;
        price.audio_second = 100_000_000;
        let mut usage = Usage::new(1_000, 100);
        usage.cache_write_tokens = 300;
        usage.cache_write_1h_tokens = 100;
        usage.output_audio_tokens = 40;
        usage.audio_ms = 1_500;
        // 700 x 2 + 200 x 2.5 + 100 x 4 + 60 x 8 + 40 x 20, in millionths of a dollar, and 1.5 s.
        assert_eq!(price.of(&usage), Money::from_nano_dollars(3_580_000 + 150_000));
        usage.service_tier = ServiceTier::Batch;
        assert_eq!(price.of(&usage), Money::from_nano_dollars(1_400_000 + 150_000));
        usage.service_tier = ServiceTier::Flex;
        assert_eq!(price.of(&usage), Money::from_nano_dollars(3_730_000));
    }
}
