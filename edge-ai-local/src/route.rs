//! Which service a request is for: by the address a proxy tells, by the host, or by the path.

use axum::http::{HeaderMap, HeaderName, Method, Uri, header};

use crate::surface::Surface;

/// Headers in which miniflare's proxy tells the original address.
const ORIGINAL_URL: &[&str] = &["mf-url", "mf-original-url"];
const ORIGINAL_HEADER: &str = "mf-header-";

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Surface {
        surface: Surface,
        path: String,
        /// Vectorize index that the address names.
        index: Option<String>,
    },
    /// `/_local/…`, without the prefix.
    Control(String),
    /// `GET /`.
    About,
    Nothing,
}

/// A request as its sender meant it, unwrapped from a proxy.
#[derive(Debug, Clone)]
pub(crate) struct Routed {
    pub(crate) target: Target,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) binding: Option<String>,
}

impl Routed {
    /// Name of the Vectorize index, from the header `x-edge-ai-index` or from the address.
    pub(crate) fn index(&self) -> Option<&str> {
        let header = self
            .headers
            .get("x-edge-ai-index")
            .and_then(|value| value.to_str().ok());
        header.or(match &self.target {
            Target::Surface { index, .. } => index.as_deref(),
            _ => None,
        })
    }
}

pub(crate) fn resolve(method: &Method, uri: &Uri, headers: HeaderMap) -> Routed {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let binding = text("mf-binding");
    let original = ORIGINAL_URL.iter().find_map(|name| text(name));
    // The proxy's WebSocket is for remote procedure calls, which neither binding needs: refused, it goes on.
    if (original.is_some() || uri.path() == "/")
        && headers
            .get(header::UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
    {
        return Routed {
            target: Target::Nothing,
            query: String::new(),
            headers,
            binding,
        };
    }
    let Some(original) = original else {
        let host = uri
            .host()
            .map(str::to_owned)
            .or_else(|| text("host"))
            .unwrap_or_default();
        let target = target(method, without_port(&host), uri.path());
        return Routed {
            target,
            query: uri.query().unwrap_or_default().to_owned(),
            headers,
            binding,
        };
    };
    let (host, path, query) = split_url(&original);
    let mut target = target(method, host, path);
    if let Target::Surface {
        index: index @ None,
        surface: Surface::Vectorize,
        ..
    } = &mut target
    {
        *index = uri
            .path()
            .strip_prefix("/vectorize/")
            .map(|name| name.trim_end_matches('/').to_owned());
    }
    Routed {
        target,
        query: query.to_owned(),
        headers: unwrapped(headers),
        binding,
    }
}

fn target(method: &Method, host: &str, path: &str) -> Target {
    let surface = |surface, path: &str| Target::Surface {
        surface,
        path: path.to_owned(),
        index: None,
    };
    match host {
        "workers-binding.ai" => return surface(Surface::WorkersAi, path),
        "vector-search" => return surface(Surface::Vectorize, path),
        "api.openai.com" => return surface(Surface::OpenAi, path),
        "api.anthropic.com" => return surface(Surface::Anthropic, path),
        host if host.starts_with("bedrock-runtime.") => return surface(Surface::Bedrock, path),
        "generativelanguage.googleapis.com" | "oauth2.googleapis.com" => {
            return surface(Surface::Gemini, path);
        }
        host if host.ends_with("aiplatform.googleapis.com") => return surface(vertex(path), path),
        _ => {}
    }
    let (first, rest) = first_segment(path);
    match first {
        "_local" => Target::Control(rest.to_owned()),
        "openai" => surface(Surface::OpenAi, rest),
        "anthropic" => surface(Surface::Anthropic, rest),
        "gemini" => surface(Surface::Gemini, rest),
        "vertex" => surface(vertex(rest), rest),
        "workers-ai" => surface(Surface::WorkersAi, rest),
        "bedrock" => surface(Surface::Bedrock, rest),
        "cohere" | "jina" | "voyage" => surface(Surface::Rerank, path),
        "run" | "ai-gateway" | "ai-api" | "to-everything" => surface(Surface::WorkersAi, path),
        "vectorize" => {
            let (index, rest) = first_segment(rest);
            let index = (!index.is_empty()).then(|| index.to_owned());
            Target::Surface {
                surface: Surface::Vectorize,
                path: rest.to_owned(),
                index,
            }
        }
        "info" | "query" | "insert" | "upsert" | "getByIds" | "deleteByIds" => {
            surface(Surface::Vectorize, path)
        }
        "" if method == Method::GET || method == Method::HEAD => Target::About,
        _ => Target::Nothing,
    }
}

/// Whose models an address of Vertex AI is for.
fn vertex(path: &str) -> Surface {
    if path.contains("/publishers/anthropic/") {
        Surface::Anthropic
    } else {
        Surface::Gemini
    }
}

/// Parts `/a/b/c` into `a` and `/b/c`.
fn first_segment(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, "/"), |at| path.split_at(at))
}

fn split_url(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, rest) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (
        without_port(host),
        if path.is_empty() { "/" } else { path },
        query,
    )
}

fn without_port(host: &str) -> &str {
    host.split_once(':').map_or(host, |(host, _)| host)
}

/// The original headers, together with those of the proxy's own request that speak to this program.
fn unwrapped(headers: HeaderMap) -> HeaderMap {
    let mut original = HeaderMap::new();
    for (name, value) in &headers {
        let name = match name.as_str().strip_prefix(ORIGINAL_HEADER) {
            Some(name) => HeaderName::from_bytes(name.as_bytes()).ok(),
            None if name.as_str().starts_with("x-edge-ai-") || name == header::CONTENT_TYPE => {
                Some(name.clone())
            }
            None => None,
        };
        // A header told by the proxy stands above the proxy's own.
        if let Some(name) = name
            && (!original.contains_key(&name) || headers.contains_key(format!("{ORIGINAL_HEADER}{name}")))
        {
            let own = headers.get(format!("{ORIGINAL_HEADER}{name}")).unwrap_or(value);
            original.insert(name, own.clone());
        }
    }
    original
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(uri: &str, headers: &[(&'static str, &str)]) -> Routed {
        let map = headers
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap()))
            .collect();
        resolve(&Method::POST, &uri.parse().unwrap(), map)
    }

    fn surface(routed: &Routed) -> (Surface, &str, Option<&str>) {
        match &routed.target {
            Target::Surface { surface, path, .. } => (*surface, path, routed.index()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bindings_are_known_by_their_hosts() {
        let ai = route("/run?version=3", &[("host", "workers-binding.ai")]);
        assert_eq!(
            (surface(&ai), ai.query.as_str()),
            ((Surface::WorkersAi, "/run", None), "version=3")
        );
        let index = route(
            "/upsert",
            &[("host", "vector-search"), ("x-edge-ai-index", "docs")],
        );
        assert_eq!(surface(&index), (Surface::Vectorize, "/upsert", Some("docs")));
    }

    #[test]
    fn miniflare_requests_are_unwrapped() {
        let routed = route(
            "/",
            &[
                ("host", "127.0.0.1:9900"),
                (
                    "mf-url",
                    "https://workers-binding.ai/run?version=3&userInputs=%7B%7D",
                ),
                ("mf-binding", "AI"),
                ("content-type", "text/plain"),
                ("mf-header-content-type", "application/json"),
                ("mf-header-cf-consn-model-id", "@cf/x"),
            ],
        );
        assert_eq!(surface(&routed), (Surface::WorkersAi, "/run", None));
        assert_eq!(routed.query, "version=3&userInputs=%7B%7D");
        assert_eq!(routed.headers["content-type"], "application/json");
        assert_eq!(routed.headers["cf-consn-model-id"], "@cf/x");
        assert_eq!(
            (routed.binding.as_deref(), routed.headers.contains_key("host")),
            (Some("AI"), false)
        );
        let index = route(
            "/vectorize/docs",
            &[("mf-url", "http://vector-search/query"), ("mf-binding", "V")],
        );
        assert_eq!(surface(&index), (Surface::Vectorize, "/query", Some("docs")));
    }

    #[test]
    fn paths_work_on_the_loopback() {
        let local = [("host", "127.0.0.1:9900")];
        assert_eq!(
            surface(&route("/openai/v1/models", &local)),
            (Surface::OpenAi, "/v1/models", None)
        );
        assert_eq!(
            surface(&route("/vectorize/docs/info", &local)),
            (Surface::Vectorize, "/info", Some("docs"))
        );
        let on_vertex = |publisher: &str| {
            let path = format!("/vertex/v1/projects/p/locations/l/publishers/{publisher}/models/m:x");
            surface(&route(&path, &local)).0
        };
        assert_eq!(
            (on_vertex("google"), on_vertex("anthropic")),
            (Surface::Gemini, Surface::Anthropic)
        );
        assert_eq!(surface(&route("/workers-ai/run", &local)).1, "/run");
        assert_eq!(
            route("/_local/faults", &local).target,
            Target::Control("/faults".into())
        );
        assert_eq!(
            resolve(&Method::GET, &"/".parse().unwrap(), HeaderMap::new()).target,
            Target::About
        );
        assert_eq!(route("/", &[("upgrade", "websocket")]).target, Target::Nothing);
        assert_eq!(route("/elsewhere", &local).target, Target::Nothing);
    }
}
