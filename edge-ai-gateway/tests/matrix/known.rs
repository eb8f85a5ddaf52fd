//! What is known to be dropped, and why: it stands below the table.

use std::collections::BTreeSet;

use crate::column::Column;
use crate::dialect::Client;
use crate::feature::Feature;

/// A feature, the clients whose title contains a text, the providers whose dialect or name is one of these, and the reason.
type Drop = (Feature, &'static str, &'static [&'static str], &'static str);

/// Every provider.
const ALL: &[&str] = &[];

const GOOGLE: &str = "generateContent";

const DROPS: &[Drop] = &[
    (
        Feature::OneToolAtATime,
        "",
        &[GOOGLE, "cerebras", "cohere"],
        "The vendor has no switch for it, or refuses a request that has one: its model may call several tools at once",
    ),
    (
        Feature::CacheMarks,
        "",
        &["chat completions", "responses", GOOGLE, "run"],
        "The vendor caches prompts by itself and has no marks for it: nothing is lost but the say in what is kept",
    ),
    (
        Feature::CacheKey,
        "",
        &["messages", GOOGLE, "Converse", "run", "cerebras", "groq"],
        "The vendor does not route by such a key; prompts are cached there by their marks, or by themselves",
    ),
    (
        Feature::EndUser,
        "",
        &[GOOGLE, "Converse", "run", "mistral"],
        "The vendor's API has no end users; the gateway's own records have the key and its metadata",
    ),
    (
        Feature::TopK,
        "",
        &["chat completions", "responses"],
        "The vendor has no `top_k`; it is a hint, and the answer comes without it",
    ),
    (
        Feature::Seed,
        "",
        &["responses", "messages", "Converse", "perplexity"],
        "The vendor has no seed; even where there is one, it promises nothing",
    ),
    (
        Feature::Penalties,
        "",
        &["responses", "messages", "Converse", "cerebras"],
        "The vendor has no penalties; they are hints, and the answer comes without them",
    ),
    (
        Feature::Penalties,
        "",
        &[GOOGLE],
        "Most of the vendor's models refuse penalties; they are hints, and the answer comes without them",
    ),
    (
        Feature::StoppedBySequence,
        "chat completions",
        ALL,
        "OpenAI's dialect has one word, `stop`, for an end and for a sequence",
    ),
];

/// The list, and which of it was needed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    needed: BTreeSet<usize>,
}

impl Known {
    /// Why a feature is dropped there.
    pub(crate) fn reason(
        &mut self,
        feature: Feature,
        client: &dyn Client,
        column: &Column,
    ) -> Option<&'static str> {
        let at = DROPS.iter().position(|(dropped, clients, providers, _)| {
            let provider = providers.is_empty()
                || providers.contains(&column.server.title())
                || providers.contains(&column.name);
            *dropped == feature && client.title().contains(clients) && provider
        })?;
        self.needed.insert(at);
        DROPS.get(at).map(|(.., reason)| *reason)
    }

    /// What of the list is dropped nowhere.
    pub(crate) fn stale(&self) -> Vec<&'static Drop> {
        let stale = DROPS
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.needed.contains(at));
        stale.map(|(_, drop)| drop).collect()
    }
}
