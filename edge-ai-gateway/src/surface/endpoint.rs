use edge_ai_core::{Error, ErrorKind, Result};
use http::Method;
use percent_encoding::percent_decode_str;

use super::method::not_taken;
use crate::pass::Way;

/// What a request asks of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `GET /healthz`
    Health,
    /// `GET /v1/models`
    Models,
    /// `GET /v1/models/{model}`
    Model(String),
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/messages`
    Messages,
    /// `POST /v1/messages/count_tokens`, `POST /v1/responses/input_tokens`
    CountTokens,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `POST /v1/rerank`, and the same at `/v2/rerank` and `/rerank`, where the clients of other services look for it.
    Rerank,
    /// What is passed on.
    Passed(Way),
}

const ALL: &str =
    "POST /v1/chat/completions, POST /v1/messages, POST /v1/embeddings, GET /v1/models, GET /healthz";

/// What this build has beside that. The rest of the code asks as well, so that what a build has not is not linked.
const RESPONSES: bool = cfg!(feature = "responses");
const RERANK: bool = cfg!(feature = "rerank");

impl Endpoint {
    /// Finds the endpoint at a path.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the endpoints there are.
    pub(crate) fn at(path: &str) -> Result<Self> {
        let path = path
            .strip_suffix('/')
            .filter(|path| !path.is_empty())
            .unwrap_or(path);
        match path {
            "/healthz" => Ok(Self::Health),
            "/v1/models" => Ok(Self::Models),
            "/v1/chat/completions" => Ok(Self::ChatCompletions),
            "/v1/responses" if RESPONSES => Ok(Self::Responses),
            "/v1/messages" => Ok(Self::Messages),
            "/v1/messages/count_tokens" => Ok(Self::CountTokens),
            "/v1/responses/input_tokens" if RESPONSES => Ok(Self::CountTokens),
            "/v1/embeddings" => Ok(Self::Embeddings),
            "/v1/rerank" | "/v2/rerank" | "/rerank" if RERANK => Ok(Self::Rerank),
            _ if RESPONSES && path.starts_with("/v1/responses/") => {
                let message = "responses are not kept here, so there is none to get, list, cancel or delete; what \
                               `POST /v1/responses` answers is all there is, also with `store`";
                Err(Error::new(ErrorKind::NotFound, message).with_code("response_not_found"))
            }
            _ => match path.strip_prefix("/v1/models/") {
                Some(model) => Ok(Self::Model(
                    percent_decode_str(model).decode_utf8_lossy().into_owned(),
                )),
                None => {
                    let shown: String = path.chars().take(128).collect();
                    let responses = if RESPONSES { ", POST /v1/responses" } else { "" };
                    let rerank = if RERANK { ", POST /v1/rerank" } else { "" };
                    let message = format!("there is nothing at `{shown}`; there is {ALL}{responses}{rerank}");
                    Err(Error::new(ErrorKind::NotFound, message).with_code("unknown_url"))
                }
            },
        }
    }

    /// The methods that it takes, as the `allow` header has them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Health | Self::Models | Self::Model(_) => "GET, HEAD",
            Self::Passed(way) => way.allow(),
            Self::ChatCompletions
            | Self::Responses
            | Self::Messages
            | Self::CountTokens
            | Self::Embeddings
            | Self::Rerank => "POST",
        }
    }

    /// Refuses a method that it does not take.
    ///
    /// # Errors
    /// Status 405 with the methods that it takes.
    pub(crate) fn check(&self, method: &Method) -> Result<()> {
        let allow = self.allow();
        if allow.split(", ").any(|allowed| allowed == method.as_str()) {
            return Ok(());
        }
        Err(not_taken(method, allow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(
            Endpoint::at("/v1/chat/completions/").unwrap(),
            Endpoint::ChatCompletions
        );
        for path in ["/v1/models/openai/gpt-5", "/v1/models/openai%2Fgpt-5"] {
            assert_eq!(
                Endpoint::at(path).unwrap(),
                Endpoint::Model("openai/gpt-5".into())
            );
        }
        for path in ["/v1/rerank", "/v2/rerank/", "/rerank"] {
            assert_eq!(Endpoint::at(path).unwrap(), Endpoint::Rerank);
        }
        for path in [
            "/",
            "",
            "/v1/chat/completionsx",
            "/v3/rerank",
            "/v1/responses/resp_1",
        ] {
            assert_eq!(Endpoint::at(path).unwrap_err().status(), 404);
        }
    }

    #[test]
    fn methods() {
        assert!(Endpoint::Health.check(&Method::HEAD).is_ok());
        assert!(Endpoint::ChatCompletions.check(&Method::POST).is_ok());
        assert_eq!(
            Endpoint::ChatCompletions
                .check(&Method::GET)
                .unwrap_err()
                .status(),
            405
        );
    }
}
