//! What usage costs by the catalog: a line of JSON in, `["provider", "model", {usage}]`, a line out, in nano-dollars or `null`.
//!
//! ```sh
//! echo '["openai", "gpt-5", {"input_tokens": 1000, "output_tokens": 50}]' | cargo run -p edge-ai-providers --example quote
//! ```

#![expect(clippy::print_stdout, reason = "it answers there")]

use edge_ai_core::{Money, Usage};
use edge_ai_providers::catalog;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in std::io::stdin().lines() {
        let (provider, model, usage): (String, String, Usage) = serde_json::from_str(&line?)?;
        let price = catalog::find(&provider, &model).and_then(|entry| entry.price);
        let cost = price.map(|price| price.of(&usage)).map(Money::as_nano_dollars);
        println!("{}", serde_json::to_string(&cost)?);
    }
    Ok(())
}
