//! The table of LiteLLM, a line of the catalog for each model that we can ask.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::checked;
use super::row::row;

/// Who its providers are here.
const PROVIDERS: [(&str, &str); 23] = [
    ("anthropic", "anthropic"),
    ("azure", "azure"),
    ("bedrock", "bedrock"),
    ("bedrock_converse", "bedrock"),
    ("cerebras", "cerebras"),
    ("cloudflare", "workers-ai"),
    ("cohere", "cohere"),
    ("cohere_chat", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks"),
    ("gemini", "gemini"),
    ("groq", "groq"),
    ("jina_ai", "jina"),
    ("mistral", "mistral"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("together_ai", "together"),
    ("vertex_ai-anthropic_models", "vertex"),
    ("vertex_ai-embedding-models", "vertex"),
    ("vertex_ai-language-models", "vertex"),
    ("voyage", "voyage"),
    ("xai", "xai"),
];

/// The lines by name, without models that are gone by `date`.
pub(super) fn rows(table: &Value, date: &str) -> Result<BTreeMap<String, String>> {
    let table = table.as_object().context("the table is no object")?;
    let mut rows = BTreeMap::new();
    for (key, model) in table {
        let Some(model) = model.as_object() else { continue };
        let text = |name: &str| model.get(name).and_then(Value::as_str);
        let Some((theirs, ours)) = PROVIDERS
            .iter()
            .find(|(theirs, _)| text("litellm_provider") == Some(theirs))
        else {
            continue;
        };
        let gone = text("deprecation_date").is_some_and(|end| end < date);
        let name = name(key, theirs);
        if gone || is_variant(name) {
            continue;
        }
        if let Some(row) = row(model) {
            rows.insert(format!("{ours}/{}", checked(name)?), row);
        }
    }
    without_what_says_nothing(&mut rows);
    Ok(rows)
}

/// Leaves out models of the past that only complete texts, dated names that are as the name without the date, and what Azure has as OpenAI has
/// it.
fn without_what_says_nothing(rows: &mut BTreeMap<String, String>) {
    let plain = |rows: &BTreeMap<String, String>, name: &str| {
        [11, 9].iter().any(|length| {
            let Some((short, tail)) = name
                .len()
                .checked_sub(*length)
                .and_then(|at| name.split_at_checked(at))
            else {
                return false;
            };
            let is_date = tail.starts_with('-') && tail.bytes().filter(u8::is_ascii_digit).count() == 8;
            is_date && rows.get(short) == rows.get(name)
        })
    };
    let dated: Vec<_> = rows.keys().filter(|name| plain(rows, name)).cloned().collect();
    rows.retain(|name, row| {
        let vendor = name.split('/').next().unwrap_or_default();
        let completes = ["bedrock", "fireworks"].contains(&vendor) && row.starts_with("chat - ");
        // What Perplexity passes on to others, its chat completions do not.
        let elsewhere = vendor == "perplexity" && name.matches('/').count() > 1;
        !completes && !elsewhere && !dated.contains(name)
    });
    let same: Vec<_> = rows
        .iter()
        .filter_map(|(name, row)| {
            let model = name.strip_prefix("azure/")?;
            (rows.get(&format!("openai/{model}")) == Some(row)).then(|| name.clone())
        })
        .collect();
    // `catalog::find` looks there.
    rows.retain(|name, _| !same.contains(name));
}

/// The vendor's own name for a model.
fn name<'a>(key: &'a str, provider: &str) -> &'a str {
    let family = provider.split(['-', '_']).next().unwrap_or(provider);
    [provider, "vertex_ai", "bedrock", "cohere", family]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix)?.strip_prefix('/'))
        .unwrap_or(key)
}

/// Prices by the size of a picture, by region, or by the size of a model that is not named: none of them is a name to ask for.
fn is_variant(name: &str) -> bool {
    let head = name.split('/').next().unwrap_or_default();
    let is_region = head.matches('-').count() == 2
        && head.ends_with(|last: char| last.is_ascii_digit())
        && head.len() < 20
        && name.contains('/');
    let is_place = [
        "eu",
        "us",
        "global",
        "global-standard",
        "hd",
        "standard",
        "low",
        "medium",
        "high",
        "fast",
        "auto",
        "apac",
    ]
    .contains(&head)
        && name.contains('/');
    let is_size =
        head.contains("-x-") || name.contains("x1024") || name.contains("x1536") || name.contains("max-");
    let is_deployment = head.starts_with("us-gov-") || head == "claude_platform";
    let by_parameters =
        name.contains("-to-") || name.starts_with("fireworks-ai-") || name.starts_with("together-ai-");
    is_region
        || is_deployment
        || is_place
        || is_size
        || by_parameters
        || name.contains("*")
        || name.contains("commitment")
}

/// A field that is a number.
pub(super) fn number(model: &Map<String, Value>, name: &str) -> Option<f64> {
    model.get(name).and_then(Value::as_f64)
}
