use edge_ai_core::Price;
use edge_ai_gateway::PriceTable;

use super::Config;
use crate::EdgeAiBuilder;

impl EdgeAiBuilder {
    /// Configures what a document says, and leaves what it does not say. Its [providers](Config::providers) are the application's to add,
    /// since it has their keys.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for guardrails that cannot be built.
    pub fn config(mut self, config: &Config) -> edge_ai_core::Result<Self> {
        for (name, route) in &config.routes {
            self = self.route(name, route.clone());
        }
        for (name, route) in &config.optional_routes {
            self = self.optional_route(name, route.clone());
        }
        self = self.retry(config.retry.into()).timeouts(config.timeouts.into());
        if !config.prices.is_empty() {
            let table = config
                .prices
                .iter()
                .fold(PriceTable::default(), |table, (name, price)| {
                    let (provider, model) = name.split_once('/').unwrap_or_default();
                    table.with(provider, model, Price::from(price))
                });
            self = self.prices(table);
        }
        if let Some(guardrails) = &config.guardrails {
            self = self.guard(guardrails.clone().build()?);
        }
        if let Some(bytes) = config.max_body_bytes {
            self = self.max_body(bytes);
        }
        if let Some(seconds) = config.keep_alive_seconds {
            self = self.keep_alive(std::time::Duration::from_secs(seconds));
        }
        Ok(self)
    }
}
