//! What is answered, apart from any dialect: vendors' dialects write it, clients' read it, and both must be the same.

use serde_json::json;

use super::ask::Call;
use super::feature::Feature;

pub(crate) const SIGNATURE: &str = "EqQBCgIYAhIM1gbcDa9GJwZA2b3h";
pub(crate) const THOUGHT: &str = "The weather is wanted.";

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) thought: Option<String>,
    pub(crate) signed: bool,
    pub(crate) text: String,
    pub(crate) refusal: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) end: End,
    /// Addresses and titles.
    pub(crate) cited: Vec<(String, String)>,
    pub(crate) usage: Usage,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stop,
    Sequence,
    Length,
    Calls,
    /// Refused by the model, or by a filter.
    Refused,
}

/// Tokens; cached ones are part of the input, reasoning is part of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl Told {
    pub(crate) fn of(feature: Feature) -> Self {
        let mut told = Self {
            thought: None,
            signed: false,
            text: String::from("It is sunny in Lisbon."),
            refusal: String::new(),
            calls: Vec::new(),
            end: End::Stop,
            cited: Vec::new(),
            usage: Usage {
                input: 20,
                cached: 0,
                output: 10,
                reasoning: 0,
            },
        };
        match feature {
            Feature::ParallelTools => {
                told.text.clear();
                told.calls = Call::both().to_vec();
                told.end = End::Calls;
            }
            Feature::ForcedTool | Feature::AnyTool | Feature::OneToolAtATime => {
                told.text.clear();
                told.calls = vec![Call::new("call_1", "get_weather", json!({"city": "Lisbon"}))];
                told.end = End::Calls;
            }
            Feature::Schema => told.text = json!({"city": "Lisbon"}).to_string(),
            Feature::Reasoning => told.thought = Some(THOUGHT.to_owned()),
            Feature::SignedThoughts => {
                told.thought = Some(THOUGHT.to_owned());
                told.signed = true;
                told.text.clear();
                told.calls = vec![Call::new("call_1", "get_weather", json!({"city": "Lisbon"}))];
                told.end = End::Calls;
            }
            Feature::Citations => {
                told.cited = vec![(
                    String::from("https://example.com/lisbon"),
                    String::from("Lisbon today"),
                )];
            }
            Feature::StoppedBySequence => told.end = End::Sequence,
            Feature::Length => told.end = End::Length,
            Feature::Refusal => told.end = End::Refused,
            Feature::CachedTokens => told.usage.cached = 15,
            Feature::ReasoningTokens => {
                told.thought = Some(THOUGHT.to_owned());
                told.usage.reasoning = 4;
            }
            _ => {}
        }
        told
    }

    /// What of the vendor's answer the client does not hear.
    pub(crate) fn missing_in(&self, heard: &Self) -> Option<String> {
        let mut heard = heard.clone();
        // A signature that is ours to add, such as the mark of where a thought comes from, is no loss.
        heard.signed &= self.signed;
        crate::differences!(self, heard: thought, signed, text, refusal, calls, end, cited, usage)
    }
}
