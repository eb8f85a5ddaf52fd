//! `edge-ai config`: a gateway's configuration looked at before it is published, without a gateway.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use edge_ai::cache::{CacheRules, MemoryCache, MemoryKeyValue};
use edge_ai::config::{Config, json_schema};
use edge_ai::core::{ManualClock, SeededEntropy};
use edge_ai::providers::{catalog, compatible};
use edge_ai::{EdgeAi, Error, Live, Provider};
use serde_json::json;

use crate::args::Config as Command;

/// The longest document that a gateway takes, and one byte more.
const MOST: u64 = (1 << 20) + 1;

/// The vendors that have modules of their own, with what the names of their models begin with: those need no `vendor/` before them. Vendors
/// that are data are in [`compatible::VENDORS`].
const VENDORS: [(&str, &[&str]); 6] = [
    ("anthropic", &["claude-"]),
    ("bedrock", &["arn:aws"]),
    ("gemini", &["gemini-"]),
    ("openai", &[]),
    ("vertex", &[]),
    ("workers-ai", &["@cf/", "@hf/"]),
];

/// Does what the command line says.
pub(crate) fn run(command: &Command, json: bool) -> Result<(), String> {
    match command {
        Command::Schema => {
            print!("{}", json_schema());
            Ok(())
        }
        Command::Check(check) => {
            let text = document(&check.file)?;
            let checked = checked(&text, &check.provider);
            if json {
                println!("{}", verdict(&checked));
            }
            let summary =
                checked.map_err(|error| format!("{}: {}", check.file.display(), error.message()))?;
            if !json {
                println!("{}: {summary}", check.file.display());
            }
            Ok(())
        }
    }
}

/// What is in a document that a gateway would take.
///
/// It is taken as a gateway takes it: read, checked, and made into an application, one that has every vendor, so that a name that leads
/// nowhere is found here and not after it was published.
fn checked(text: &str, own: &[String]) -> Result<String, Error> {
    let clock = ManualClock::default();
    let make = |config: &Config, _: Option<&String>| {
        let mut edge = EdgeAi::builder_with(clock.clone(), SeededEntropy::new(0));
        let vendors = compatible::VENDORS.iter().map(|vendor| vendor.name);
        let own = own.iter().map(String::as_str);
        let theirs = config.providers.keys().map(String::as_str);
        let known = VENDORS.iter().map(|(name, _)| *name);
        let names: BTreeSet<&str> = known.chain(vendors).chain(own).chain(theirs).collect();
        for name in names {
            edge = edge.provider(Named(name.to_owned()));
        }
        let rules = config
            .cache
            .clone()
            .unwrap_or_else(|| CacheRules::from(Duration::ZERO));
        edge.config(config)?
            .cache(MemoryCache::new(clock.clone()), rules)
            .build()?;
        Ok(summary(config))
    };
    let made = Live::new();
    let store = MemoryKeyValue::new(clock.clone());
    let made = futures_executor::block_on(made.get(&clock, &store, "", text, make))?;
    Ok(String::clone(&made))
}

fn summary(config: &Config) -> String {
    let counted = [
        (config.routes.len() + config.optional_routes.len(), "route"),
        (config.providers.len(), "server of your own"),
        (config.limits.len(), "limit"),
        (config.prices.len(), "price"),
    ];
    let there = counted.iter().filter(|(count, _)| *count > 0);
    let there: Vec<_> = there
        .map(|(count, what)| match (count, what.split_once(' ')) {
            (1, _) => format!("1 {what}"),
            (_, Some((noun, rest))) => format!("{count} {noun}s {rest}"),
            (_, None) => format!("{count} {what}s"),
        })
        .collect();
    let kept = config.cache.as_ref().map(|_| "a cache".to_owned());
    let guarded = config.guardrails.as_ref().map(|_| "guardrails".to_owned());
    let all: Vec<_> = there.into_iter().chain(kept).chain(guarded).collect();
    if all.is_empty() {
        "good, and empty".to_owned()
    } else {
        format!("good: {}", all.join(", "))
    }
}

fn verdict(checked: &Result<String, Error>) -> serde_json::Value {
    match checked {
        Ok(_) => json!({"valid": true}),
        Err(error) => json!({"valid": false, "error": {"message": error.message(), "field": error.param()}}),
    }
}

fn document(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(MOST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if bytes.len() as u64 == MOST {
        return Err(format!("{shown}: the configuration is over 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| format!("{shown}: the configuration is not UTF-8"))
}

/// A vendor that is there by its name alone: what leads to it leads somewhere.
#[derive(Debug)]
struct Named(String);

impl Provider for Named {
    fn name(&self) -> &str {
        &self.0
    }

    fn owns(&self, model: &str) -> bool {
        let known = VENDORS.iter().find(|(name, _)| *name == self.0);
        known.is_some_and(|(name, begins)| {
            let listed = *name == "openai" && catalog::find(name, model).is_some();
            listed || begins.iter().any(|prefix| model.starts_with(prefix))
        })
    }
}
