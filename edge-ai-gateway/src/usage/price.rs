use std::collections::BTreeMap;

use edge_ai_core::Price;
use edge_ai_providers::catalog;

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
        // Most have none of their own, and this is asked for every request.
        let own = |model: &str| {
            let prices = (!self.own.is_empty()).then_some(&self.own)?;
            prices.get(&format!("{provider}/{model}")).cloned()
        };
        let named = own(model).or_else(|| own(catalog::undated(model)?));
        named.or_else(|| {
            let listed = catalog::find(provider, model).filter(|_| self.listed);
            listed.and_then(|entry| entry.price)
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
    // Azure's prices for OpenAI's models are not what one means by their name.
    let listed = catalog::PROVIDERS
        .into_iter()
        .filter(|provider| table.listed && *provider != "azure");
    let own = table.own.keys().filter_map(|name| Some(name.split_once('/')?.0));
    let mut prices = listed
        .chain(own)
        .filter_map(|provider| table.get(provider, model));
    let price = prices.next()?;
    prices.all(|other| other == price).then_some(price)
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
    }

    #[test]
    fn own_prices_come_first_and_unknown_ones_are_unknown() {
        let table = PriceTable::default().with("openai", "gpt-4o-mini", Price::new(1, 2));
        assert_eq!(table.get("openai", "gpt-4o-mini"), Some(Price::new(1, 2)));
        assert_eq!(PriceTable::empty().get("openai", "gpt-4o"), None);
    }
}
