//! Prompt caching: what a request writes to the cache, and what it reads from it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::generate::tokens;

/// Prefixes remembered; then the cache starts anew.
const KEPT: usize = 10_000;
const FIVE_MINUTES_MS: u64 = 5 * 60 * 1000;
const HOUR_MS: u64 = 60 * 60 * 1000;

type Prefix = [u8; 32];

/// Prefixes that were marked with `cache_control`, until they expire.
///
/// Unlike the service it has no least length: short prompts are cached too.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    expiry_ms: Mutex<HashMap<Prefix, u64>>,
}

/// Input tokens by how they were served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cached {
    /// Neither read from the cache nor written to it.
    pub(crate) plain: usize,
    pub(crate) created: usize,
    /// Of those created, the ones kept for an hour.
    pub(crate) created_1h: usize,
    pub(crate) read: usize,
}

impl PromptCache {
    /// Reads the longest known prefix up to the last mark, and writes every marked one.
    pub(crate) fn charge(
        &self,
        key: &str,
        model: &str,
        body: &Map<String, Value>,
        input: usize,
        now_ms: u64,
    ) -> Cached {
        let segments = segments(body);
        let Some(last) = segments.iter().rposition(|segment| segment.ttl_ms.is_some()) else {
            return Cached {
                plain: input,
                ..Cached::default()
            };
        };
        let mut known = self.expiry_ms.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, expiry| *expiry > now_ms);
        if known.len() >= KEPT {
            known.clear();
        }
        let mut hash = Sha256::new();
        hash.update(key.as_bytes());
        hash.update([0]);
        hash.update(model.as_bytes());
        let (mut length, mut read, mut hour) = (0, 0, false);
        let mut marked = Vec::new();
        for segment in segments.iter().take(last + 1) {
            hash.update([0]);
            hash.update(segment.text.as_bytes());
            length += segment.tokens;
            let prefix: Prefix = hash.clone().finalize().into();
            if known.contains_key(&prefix) {
                read = length;
            }
            if let Some(ttl) = segment.ttl_ms {
                hour |= ttl == HOUR_MS;
                marked.push((prefix, ttl));
            }
        }
        known.extend(marked.into_iter().map(|(prefix, ttl)| (prefix, now_ms + ttl)));
        let (length, read) = (length.min(input), read.min(input));
        let created = length - read;
        Cached {
            plain: input - length,
            created,
            created_1h: if hour { created } else { 0 },
            read,
        }
    }
}

/// A block of the prompt in the order in which it is cached: tools, system, messages.
#[derive(Debug)]
struct Segment {
    text: String,
    tokens: usize,
    ttl_ms: Option<u64>,
}

fn segments(body: &Map<String, Value>) -> Vec<Segment> {
    let list = |value: Option<&Value>| match value {
        Some(Value::Array(items)) => items.clone(),
        Some(other) => vec![other.clone()],
        None => Vec::new(),
    };
    let mut segments: Vec<Segment> = list(body.get("tools"))
        .into_iter()
        .chain(list(body.get("system")))
        .map(|block| segment("", block))
        .collect();
    for message in list(body.get("messages")) {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        segments.extend(
            list(message.get("content"))
                .into_iter()
                .map(|block| segment(role, block)),
        );
    }
    segments
}

fn segment(role: &str, mut block: Value) -> Segment {
    let mark = block
        .as_object_mut()
        .and_then(|block| block.remove("cache_control"))
        .filter(Value::is_object);
    let ttl_ms = mark.map(|mark| {
        if mark.get("ttl").is_some_and(|ttl| ttl == "1h") {
            HOUR_MS
        } else {
            FIVE_MINUTES_MS
        }
    });
    let text = match block.get("text").or(Some(&block)) {
        Some(Value::String(text)) => text.clone(),
        _ => block.to_string(),
    };
    Segment {
        tokens: tokens::count(&text),
        text: format!("{role}\n{text}"),
        ttl_ms,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn charge(cache: &PromptCache, key: &str, body: Value, now_ms: u64) -> Cached {
        cache.charge(key, "claude", body.as_object().unwrap(), 100, now_ms)
    }

    fn body(turns: &[(&str, bool)]) -> Value {
        let blocks: Vec<Value> = turns
            .iter()
            .map(|(text, marked)| {
                let mut block = json!({ "type": "text", "text": text });
                if *marked {
                    block["cache_control"] = json!({ "type": "ephemeral" });
                }
                block
            })
            .collect();
        json!({ "system": "You are kind.", "messages": [{ "role": "user", "content": blocks }] })
    }

    #[test]
    fn first_created_then_read_then_extended() {
        let cache = PromptCache::default();
        let first = charge(
            &cache,
            "k",
            body(&[("a long document", true), ("a question", false)]),
            0,
        );
        assert_eq!((first.created, first.read), (7, 0));
        assert_eq!(first.plain + first.created, 100);
        let again = charge(
            &cache,
            "k",
            body(&[("a long document", true), ("another", false)]),
            1000,
        );
        assert_eq!((again.created, again.read), (0, 7));
        let longer = charge(
            &cache,
            "k",
            body(&[("a long document", false), ("another question", true)]),
            2000,
        );
        assert_eq!((longer.created, longer.read), (2, 7));
    }

    #[test]
    fn other_keys_unmarked_and_expired_prompts_read_nothing() {
        let cache = PromptCache::default();
        let ask = || body(&[("a long document", true)]);
        charge(&cache, "k", ask(), 0);
        assert_eq!(charge(&cache, "other", ask(), 0).read, 0);
        assert_eq!(
            charge(&cache, "k", body(&[("a long document", false)]), 0),
            Cached {
                plain: 100,
                ..Cached::default()
            }
        );
        assert_eq!(charge(&cache, "k", ask(), FIVE_MINUTES_MS).read, 0);
    }
}
