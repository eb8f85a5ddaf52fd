use std::collections::BTreeMap;

use edge_ai_core::{Money, Usage};

mod list;

/// What a model's tokens cost, in millionths of a dollar for a million of them: `150_000` is $0.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// Input.
    pub input: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// Input that is read from the vendor's prompt cache.
    pub cache_read: u64,
    /// Input that is written to the vendor's prompt cache.
    pub cache_write: u64,
}

impl Price {
    /// A price for input and output; what concerns a prompt cache costs what other input costs.
    pub const fn new(input: u64, output: u64) -> Self {
        Self {
            input,
            output,
            cache_read: input,
            cache_write: input,
        }
    }

    /// Another price for what is read from a prompt cache.
    #[must_use]
    pub const fn cache_read(self, cache_read: u64) -> Self {
        Self { cache_read, ..self }
    }

    /// Another price for what is written to a prompt cache.
    #[must_use]
    pub const fn cache_write(self, cache_write: u64) -> Self {
        Self { cache_write, ..self }
    }

    /// What `usage` costs, to the nearest nano-dollar.
    ///
    /// ```
    /// use edge_ai_core::{Money, Usage};
    /// use edge_ai_gateway::Price;
    ///
    /// let price = Price::new(3_000_000, 15_000_000).cache_read(300_000).cache_write(3_750_000);
    /// let mut usage = Usage::new(1_000, 50);
    /// usage.cache_read_tokens = 700;
    /// usage.cache_write_tokens = 200;
    /// assert_eq!(price.of(&usage), Money::from_nano_dollars(2_010_000));
    /// ```
    pub fn of(&self, usage: &Usage) -> Money {
        let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
        let fresh = usage.input_tokens.saturating_sub(cached);
        // Millionths of a dollar per million tokens are thousandths of a nano-dollar per token.
        let thousandths: u128 = [
            (fresh, self.input),
            (usage.cache_read_tokens, self.cache_read),
            (usage.cache_write_tokens, self.cache_write),
            (usage.output_tokens, self.output),
        ]
        .into_iter()
        .map(|(tokens, price)| u128::from(tokens) * u128::from(price))
        .fold(500, u128::saturating_add);
        Money::from_nano_dollars(i64::try_from(thousandths / 1_000).unwrap_or(i64::MAX))
    }
}

/// The prices of models, by `provider/model`.
///
/// A name with a date at its end, such as `gpt-4o-mini-2024-07-18`, costs what the name without it costs. A model that is not
/// in the table has no known price, which is not the same as none.
#[derive(Clone, Debug)]
pub struct PriceTable {
    own: BTreeMap<String, Price>,
    listed: bool,
}

impl Default for PriceTable {
    /// The list prices of the models that the providers list.
    fn default() -> Self {
        Self {
            own: BTreeMap::new(),
            listed: true,
        }
    }
}

impl PriceTable {
    /// No prices.
    pub const fn empty() -> Self {
        Self {
            own: BTreeMap::new(),
            listed: false,
        }
    }

    /// Sets the price of a model, before the listed one.
    #[must_use]
    pub fn with(mut self, provider: &str, model: &str, price: Price) -> Self {
        self.own.insert(format!("{provider}/{model}"), price);
        self
    }

    /// The price of a model, when it is known.
    pub fn get(&self, provider: &str, model: &str) -> Option<Price> {
        [Some(model), undated(model)]
            .into_iter()
            .flatten()
            .find_map(|model| {
                self.own.get(&format!("{provider}/{model}")).copied().or_else(|| {
                    let mut listed = list::PRICES.iter().filter(|_| self.listed);
                    listed
                        .find(|(of, name, _)| *of == provider && *name == model)
                        .map(|(_, _, price)| *price)
                })
            })
    }
}

/// The price of a model whose provider is unknown: a name that a client wrote (`provider/model`), or one that a single price is listed for.
pub(super) fn of_any(table: &PriceTable, requested: &str, model: &str) -> Option<Price> {
    if let Some(price) = requested
        .split_once('/')
        .and_then(|(provider, model)| table.get(provider, model))
    {
        return Some(price);
    }
    let listed = list::PRICES.iter().map(|(provider, _, _)| *provider);
    let own = table.own.keys().filter_map(|name| Some(name.split_once('/')?.0));
    let mut prices = listed
        .chain(own)
        .filter_map(|provider| table.get(provider, model));
    let price = prices.next()?;
    prices.all(|other| other == price).then_some(price)
}

/// The name without `-20250929` or `-2024-07-18` at its end.
fn undated(model: &str) -> Option<&str> {
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

    #[test]
    fn dated_names_cost_what_the_others_do() {
        let table = PriceTable::default();
        let price = table.get("openai", "gpt-4o-mini").unwrap();
        assert_eq!(table.get("openai", "gpt-4o-mini-2024-07-18"), Some(price));
        assert_eq!(table.get("openai", "gpt-4o-mini-audio"), None);
        assert!(table.get("anthropic", "claude-sonnet-4-5-20250929").is_some());
        assert_eq!(table.get("elsewhere", "gpt-4o-mini"), None);
        assert_eq!(undated("20250929"), None);
    }

    #[test]
    fn own_prices_come_first_and_unknown_ones_are_unknown() {
        let table = PriceTable::default().with("openai", "gpt-4o-mini", Price::new(1, 2));
        assert_eq!(table.get("openai", "gpt-4o-mini"), Some(Price::new(1, 2)));
        assert_eq!(PriceTable::empty().get("openai", "gpt-4o"), None);
    }

    #[test]
    fn cost_is_exact() {
        let price = PriceTable::default().get("openai", "gpt-4o-mini").unwrap();
        // 1,000 in at $0.15 and 500 out at $0.60 for a million.
        assert_eq!(
            price.of(&Usage::new(1_000, 500)),
            Money::from_nano_dollars(450_000)
        );
        assert_eq!(price.of(&Usage::default()), Money::ZERO);
        assert!(Price::new(u64::MAX, u64::MAX).of(&Usage::new(u64::MAX, u64::MAX)) > Money::ZERO);
    }
}
