use edge_ai_core::Usage;

use crate::openai::UsageFields;

/// Reads a `usage`, whose fields are OpenAI's; some models count in floats, and all count `neurons` beside the tokens.
///
/// `None` for one without tokens, or that does not read as such: an answer is not refused for its account.
pub(super) fn read(text: &str) -> Option<Usage> {
    let usage = Usage::from(serde_json::from_str::<UsageFields>(text).ok()?);
    (usage != Usage::default()).then_some(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_and_nonsense() {
        let text = r#"{"prompt_tokens":12.0,"completion_tokens":3,"total_tokens":15,"neurons":0.29}"#;
        assert_eq!(read(text), Some(Usage::new(12, 3)));
        for none in [
            "{}",
            r#"{"neurons":0.1}"#,
            r#"{"prompt_tokens":"x"}"#,
            "7",
            "null",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
