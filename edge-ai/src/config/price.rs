use edge_ai_core::{Price, Rates, TokenPrice};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A model's price, in dollars for a million tokens.
///
/// ```
/// use edge_ai::config::PriceConfig;
/// use edge_ai::core::{Money, Price, Usage};
///
/// let config: PriceConfig = serde_json::from_str(r#"{"input": 1.25, "output": 10, "cache_read": 0.125,
///     "batch": {"input": 0.625, "output": 5}}"#)?;
/// let price = Price::from(&config);
/// assert_eq!(price.of(&Usage::new(1_000, 100)), Money::from_nano_dollars(2_250_000));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PriceConfig {
    /// Input.
    pub input: Dollars,
    /// Output.
    #[serde(default)]
    pub output: Dollars,
    /// Output that is reasoning; as other output unless told.
    pub reasoning: Option<Dollars>,
    /// Input from the vendor's prompt cache; as other input unless told.
    pub cache_read: Option<Dollars>,
    /// Input that is written to the vendor's prompt cache; as other input unless told.
    pub cache_write: Option<Dollars>,
    /// Input that is sound; as other input unless told.
    pub input_audio: Option<Dollars>,
    /// Output that is sound; as other output unless told.
    pub output_audio: Option<Dollars>,
    /// What it costs in a request with more input than so many tokens.
    pub long_context: Option<LongContext>,
    /// What it costs in a batch.
    pub batch: Option<TokenPriceConfig>,
    /// What it costs when there is room.
    pub flex: Option<TokenPriceConfig>,
    /// What it costs before others.
    pub priority: Option<TokenPriceConfig>,
    /// Dollars for a thousand pictures.
    #[serde(default)]
    pub thousand_images: Dollars,
    /// Dollars for a thousand searches.
    #[serde(default)]
    pub thousand_searches: Dollars,
}

/// What tokens cost, in dollars for a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenPriceConfig {
    /// Input.
    pub input: Dollars,
    /// Output.
    #[serde(default)]
    pub output: Dollars,
    /// Input from the vendor's prompt cache; as other input unless told.
    pub cache_read: Option<Dollars>,
}

/// A price above a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LongContext {
    /// The most tokens of input that are not long yet.
    pub above_tokens: u64,
    /// Input.
    pub input: Dollars,
    /// Output.
    #[serde(default)]
    pub output: Dollars,
    /// Input from the vendor's prompt cache; as other input unless told.
    pub cache_read: Option<Dollars>,
}

/// Dollars for a million, kept as pico-dollars for one: exact to a millionth of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transparent))]
pub struct Dollars(#[cfg_attr(feature = "schema", schemars(with = "f64", range(min = 0)))] u64);

/// More than any model costs; a number above it was meant otherwise.
const MOST: f64 = 1e6;

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        if !(0.0..=MOST).contains(&dollars) {
            return Err(D::Error::custom(
                "a price is a number of dollars from 0 to 1000000",
            ));
        }
        // Within the bounds it is a whole number of at most 10^12.
        Ok(Self((dollars * 1e6).round() as u64))
    }
}

impl From<&PriceConfig> for Price {
    fn from(config: &PriceConfig) -> Self {
        let mut price = Self::new(config.input.0, config.output.0);
        let tokens = &mut price.standard.tokens;
        for (told, place) in [
            (config.reasoning, &mut tokens.reasoning),
            (config.cache_read, &mut tokens.cache_read),
            (config.cache_write, &mut tokens.cache_write),
            (config.cache_write, &mut tokens.cache_write_1h),
            (config.input_audio, &mut tokens.input_audio),
            (config.output_audio, &mut tokens.output_audio),
        ] {
            *place = told.map_or(*place, |dollars| dollars.0);
        }
        price.standard.long_context = config.long_context.map(|long| {
            (
                long.above_tokens,
                tokens_of(long.input, long.output, long.cache_read),
            )
        });
        let tier = |tier: Option<TokenPriceConfig>| {
            tier.map(|tier| Rates::flat(tokens_of(tier.input, tier.output, tier.cache_read)))
        };
        price.batch = tier(config.batch);
        price.flex = tier(config.flex);
        price.priority = tier(config.priority);
        // A thousand at a dollar is a millionth of a million at a thousand dollars.
        price.image = config.thousand_images.0.saturating_mul(1_000);
        price.search = config.thousand_searches.0.saturating_mul(1_000);
        price
    }
}

fn tokens_of(input: Dollars, output: Dollars, cache_read: Option<Dollars>) -> TokenPrice {
    let mut tokens = TokenPrice::new(input.0, output.0);
    tokens.cache_read = cache_read.map_or(input.0, |dollars| dollars.0);
    tokens
}
