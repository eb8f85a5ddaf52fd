use edge_ai_core::Usage;

use crate::wire::{Fields, Path};

/// What an answer of text generation is an answer to: it fills in what Workers AI leaves unsaid.
///
/// In its own shape an answer names no model, says not whether it was cut short, and gives its tool calls no ids. An id is made of
/// the request and the call's place in the answer: the same exchange gives the same ids, and no two calls of one conversation share
/// one, since every request of it differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextExchange {
    model: String,
    max_tokens: Option<u64>,
    hash: u64,
}

impl TextExchange {
    /// The answer of `model` to these inputs.
    pub fn new(model: impl Into<String>, inputs: &[u8]) -> Self {
        let fields = std::str::from_utf8(inputs)
            .ok()
            .and_then(|text| Fields::parse(text, Path::ROOT).ok());
        let max_tokens = fields.and_then(|fields| fields.peek("max_tokens"));
        // FNV-1a: not for secrets, only to be different.
        let hash = inputs.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            model: model.into(),
            max_tokens,
            hash,
        }
    }

    /// The model that was asked.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The id of the answer's call number `index`, if it comes without one.
    pub fn call_id(&self, index: u32) -> String {
        format!("call_{:016x}{index}", self.hash)
    }

    /// Whether an answer that took `usage` came to the limit of tokens.
    pub(super) fn is_cut(&self, usage: Option<Usage>) -> bool {
        self.max_tokens
            .zip(usage)
            .is_some_and(|(limit, usage)| usage.output_tokens >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_by_request_and_place() {
        let (one, other) = (
            TextExchange::new("m", b"{\"messages\":[1]}"),
            TextExchange::new("m", b"{\"messages\":[1,2]}"),
        );
        assert_ne!(one.call_id(0), other.call_id(0));
        assert_ne!(one.call_id(0), one.call_id(1));
        assert_eq!(
            one.call_id(1),
            TextExchange::new("m", b"{\"messages\":[1]}").call_id(1)
        );
    }

    #[test]
    fn an_answer_of_as_many_tokens_as_allowed_is_cut() {
        let exchange = TextExchange::new("m", br#"{"max_tokens":8}"#);
        assert!(exchange.is_cut(Some(Usage::new(1, 8))) && !exchange.is_cut(Some(Usage::new(1, 7))));
        assert!(!exchange.is_cut(None) && !TextExchange::new("m", b"").is_cut(Some(Usage::new(1, 8))));
    }
}
