//! What the vendors' models cost, hold and can do, as data.
//!
//! ```
//! use edge_ai_core::{Money, Usage};
//! use edge_ai_providers::catalog;
//!
//! let model = catalog::find("openai", "gpt-4o-mini").unwrap();
//! assert_eq!(model.max_input_tokens, Some(128_000));
//! assert!(model.capabilities.vision);
//! let cost = model.price.unwrap().of(&Usage::new(1_000, 500));
//! assert_eq!(cost, Money::from_nano_dollars(450_000));
//! ```
//!
//! The data are facts of a [`date`] from a [`source`], and of the vendors' own pages where that has nothing; `cargo xtask prices` writes them anew.
//! They are read where they lie, a line when it is asked for: nothing is parsed when a Worker starts.

mod entry;
mod line;

pub use entry::{CatalogEntry, ModelKind};

/// Where the facts come from.
pub fn source() -> &'static str {
    header("# source ")
}

/// The source's version.
pub fn version() -> &'static str {
    header("# version ")
}

/// When the facts were taken, as `YYYY-MM-DD`.
pub fn date() -> &'static str {
    header("# date ")
}

/// A model, by the provider's name here and the vendor's name for the model.
///
/// A name with a date at its end, such as `gpt-4o-mini-2024-07-18`, is the model without it, and a model of Azure is OpenAI's, unless they are
/// listed themselves.
pub fn find(provider: &str, model: &str) -> Option<CatalogEntry> {
    let maker = (provider == "azure").then_some("openai");
    let of = |provider| {
        [Some(model), undated(model)]
            .into_iter()
            .flatten()
            .find_map(|model| line::find(MODELS, provider, model))
    };
    of(provider).or_else(|| of(maker?)).map(line::read)
}

/// Every model that is listed, as `provider/model`.
pub fn names() -> impl Iterator<Item = &'static str> {
    line::all(MODELS).filter_map(|line| line.split(' ').next())
}

/// The providers that have models here.
pub const PROVIDERS: [&str; 18] = [
    "anthropic",
    "azure",
    "bedrock",
    "cerebras",
    "cohere",
    "deepseek",
    "fireworks",
    "gemini",
    "groq",
    "jina",
    "mistral",
    "openai",
    "perplexity",
    "together",
    "vertex",
    "voyage",
    "workers-ai",
    "xai",
];

const MODELS: &str = include_str!("catalog/models.txt");

/// What stands after `name` in one of the first lines.
fn header(name: &str) -> &'static str {
    MODELS
        .lines()
        .take_while(|line| line.starts_with('#'))
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_default()
}

/// The name without `-20250929` or `-2024-07-18` at its end, where it has one.
pub fn undated(model: &str) -> Option<&str> {
    let date = |tail: &str| {
        let digits = tail.bytes().filter(u8::is_ascii_digit).count();
        digits == 8 && tail.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    [11, 9].into_iter().find_map(|length| {
        let (name, tail) = model.split_at_checked(model.len().checked_sub(length)?)?;
        date(tail.strip_prefix('-')?).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Money, ServiceTier, Usage};

    #[test]
    fn every_line_is_found_and_reads() {
        let mut last = "";
        let mut count = 0;
        for name in names() {
            assert!(last < name, "{last} comes before {name}");
            last = name;
            count += 1;
            let (provider, model) = name.split_once('/').unwrap();
            assert!(PROVIDERS.contains(&provider), "{provider}");
            let entry = find(provider, model).unwrap();
            let price = entry.price.expect(name);
            let mut usage = Usage::new(1_000_000, 1_000_000);
            (usage.images, usage.searches, usage.characters, usage.audio_ms) = (1, 1, 1_000, 60_000);
            assert!(price.of(&usage) >= Money::ZERO, "{name}");
        }
        assert!(count > 300, "{count}");
        assert_eq!(date().len(), 10);
        assert!(version().starts_with(|digit: char| digit.is_ascii_digit()));
    }

    #[test]
    fn dated_names_are_the_others() {
        assert_eq!(
            find("openai", "gpt-4o-mini-2024-07-18"),
            find("openai", "gpt-4o-mini")
        );
        assert_eq!(find("openai", "gpt-4o-mini-of-tomorrow"), None);
        assert_eq!(find("elsewhere", "gpt-4o-mini"), None);
        assert_eq!(find("", ""), None);
        assert_eq!(find("azure", "gpt-4.1-mini"), find("openai", "gpt-4.1-mini"));
        assert_eq!(undated("20250929"), None);
    }

    #[test]
    fn batches_are_cheaper_and_long_requests_dearer() {
        let price = find("openai", "gpt-5.4").unwrap().price.unwrap();
        let mut usage = Usage::new(100_000, 0);
        assert_eq!(price.of(&usage), Money::from_nano_dollars(250_000_000));
        usage.service_tier = ServiceTier::Batch;
        assert_eq!(price.of(&usage), Money::from_nano_dollars(125_000_000));
        assert_eq!(
            price.of(&Usage::new(300_000, 0)),
            Money::from_nano_dollars(1_500_000_000)
        );
    }
}
