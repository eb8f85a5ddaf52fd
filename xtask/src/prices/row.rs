//! One model of the table as a line of the catalog.

use serde_json::{Map, Value};

use super::litellm::number;

/// What stands after the name; `None` for a model that is of no kind here or has no price.
pub(super) fn row(model: &Map<String, Value>) -> Option<String> {
    let kind = match model.get("mode").and_then(Value::as_str)? {
        "chat" | "responses" | "completion" => "chat",
        "embedding" => "embedding",
        "rerank" => "rerank",
        "image_generation" => "image",
        "audio_speech" => "speech",
        "audio_transcription" => "transcription",
        "realtime" => "realtime",
        _ => return None,
    };
    let mut words = vec![kind.to_owned(), letters(model)];
    let mut field = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            words.push(format!("{name}={value}"));
        }
    };
    let count = |name: &str| {
        number(model, name)
            .map(|count| count as u64)
            .filter(|count| *count > 0)
    };
    field("max_in", count("max_input_tokens"));
    if kind == "chat" {
        field("max_out", count("max_output_tokens"));
    }
    let standard = tokens(model, "", "");
    let mut priced = false;
    for (name, value) in &standard {
        field(name, Some(*value));
        priced |= *value > 0;
    }
    let threshold = threshold(model);
    let mut tier = |prefix: &str, above: &str, suffix: &str| {
        let own = tokens(model, above, suffix);
        if own.iter().any(|(name, _)| *name == "in") {
            // A kind of tokens without a price of its own in a tier costs what it costs otherwise.
            for (name, value) in &standard {
                let own = own
                    .iter()
                    .find(|(other, _)| other == name)
                    .map_or(*value, |(_, own)| *own);
                field(&format!("{prefix}{name}"), Some(own));
            }
        }
    };
    tier("batch.", "", "_batches");
    tier("flex.", "", "_flex");
    tier("priority.", "", "_priority");
    if let Some(thousands) = threshold {
        let above = format!("_above_{thousands}k_tokens");
        tier("long.", &above, "");
        tier("long.batch.", &above, "_batches");
        tier("long.flex.", &above, "_flex");
        tier("long.priority.", &above, "_priority");
        field("long", Some(thousands * 1_000));
    }
    for (name, key) in [
        ("image", "output_cost_per_image"),
        ("second", "input_cost_per_second"),
        ("char", "input_cost_per_character"),
        ("search", "input_cost_per_query"),
    ] {
        // Where tokens are paid for, the price by the piece is another way to say the same.
        if let Some(price) = pico_dollars(model, key).filter(|_| !priced) {
            field(name, Some(price));
        }
    }
    let free = words.iter().skip(2).all(|word| word.starts_with("max_"));
    (!free).then(|| words.join(" "))
}

fn letters(model: &Map<String, Value>) -> String {
    let can = |name: &str| model.get(name).and_then(Value::as_bool).unwrap_or_default();
    let letters: String = [
        ('t', can("supports_function_calling")),
        ('p', can("supports_parallel_function_calling")),
        ('v', can("supports_vision")),
        (
            'j',
            can("supports_response_schema") || can("supports_native_structured_output"),
        ),
        ('r', can("supports_reasoning")),
        ('c', can("supports_prompt_caching")),
    ]
    .into_iter()
    .filter_map(|(letter, can)| can.then_some(letter))
    .collect();
    if letters.is_empty() {
        "-".to_owned()
    } else {
        letters
    }
}

/// The prices of tokens in a tier, those that are told.
fn tokens(model: &Map<String, Value>, above: &str, tier: &str) -> Vec<(&'static str, u64)> {
    [
        ("in", "input_cost_per_token"),
        ("out", "output_cost_per_token"),
        ("think", "output_cost_per_reasoning_token"),
        ("read", "cache_read_input_token_cost"),
        ("write", "cache_creation_input_token_cost"),
        ("write_1h", "cache_creation_input_token_cost_above_1hr"),
        ("audio_in", "input_cost_per_audio_token"),
        ("audio_out", "output_cost_per_audio_token"),
        ("image_in", "input_cost_per_image_token"),
        ("image_out", "output_cost_per_image_token"),
    ]
    .into_iter()
    .filter_map(|(name, key)| Some((name, pico_dollars(model, &format!("{key}{above}{tier}"))?)))
    .collect()
}

/// From how many thousand tokens of input a request is a long one.
fn threshold(model: &Map<String, Value>) -> Option<u64> {
    model.keys().find_map(|key| {
        let (thousands, _) = key
            .strip_prefix("input_cost_per_token_above_")?
            .split_once("k_tokens")?;
        thousands.parse().ok()
    })
}

/// A price in dollars as a whole number of their millionths of millionths.
fn pico_dollars(model: &Map<String, Value>, name: &str) -> Option<u64> {
    let dollars = number(model, name)?;
    Some((dollars * 1e12).round() as u64)
}
