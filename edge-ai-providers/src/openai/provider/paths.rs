use std::borrow::Cow;

use edge_ai_core::{Error, Result};

/// Where the services are under the base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    /// As at OpenAI: the model's name is in the body alone.
    OpenAi,
    /// As at Azure until its v1 API: every model has an address of its own, and the API has versions by date.
    Deployments { api_version: String },
}

impl Paths {
    /// The path of a service of a model.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a model's name that would lead elsewhere.
    pub(super) fn of(&self, service: &'static str, model: &str) -> Result<Cow<'static, str>> {
        match self {
            Self::OpenAi => Ok(Cow::Borrowed(service)),
            Self::Deployments { api_version } => {
                if model.is_empty() || model.starts_with('.') || !model.chars().all(is_plain) {
                    return Err(Error::invalid(
                        "model",
                        format!("`{model}` is not a deployment's name"),
                    ));
                }
                let path = format!("/deployments/{model}{service}?api-version={api_version}");
                Ok(Cow::Owned(path))
            }
        }
    }
}

/// Whether a character stands for itself in any part of an address.
pub(crate) const fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_an_address_and_no_other() {
        let paths = Paths::Deployments {
            api_version: "2024-10-21".into(),
        };
        assert_eq!(
            paths.of("/chat/completions", "gpt-4.1_eu").unwrap(),
            "/deployments/gpt-4.1_eu/chat/completions?api-version=2024-10-21"
        );
        for model in ["", "..", "a/b", "a?b", "a#b", "a%2fb", "a b"] {
            let error = paths.of("/chat/completions", model).unwrap_err();
            assert_eq!(error.param(), Some("model"), "{model}");
        }
        assert_eq!(Paths::OpenAi.of("/embeddings", "a/b").unwrap(), "/embeddings");
    }
}
