use edge_ai_core::{Error, Result};

use crate::openai::is_plain;

/// The name of a model where it is a part of the address; `models/` before it, as Google's own names have it, does no harm.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a name that would lead elsewhere.
pub(crate) fn model_path(model: &str) -> Result<&str> {
    let name = model.strip_prefix("models/").unwrap_or(model);
    let plain = |character: char| is_plain(character) || character == '@';
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Error::invalid(
            "model",
            format!("`{model}` is not a model's name"),
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_an_address_and_no_other() {
        assert_eq!(model_path("models/gemini-3.8-flash").unwrap(), "gemini-3.8-flash");
        assert_eq!(
            model_path("claude-sonnet-4@20250514").unwrap(),
            "claude-sonnet-4@20250514"
        );
        for model in ["", "..", "models/", "a/b", "a?b", "a#b", "a%2fb", "a:b", "a b"] {
            assert_eq!(model_path(model).unwrap_err().param(), Some("model"), "{model}");
        }
    }
}
