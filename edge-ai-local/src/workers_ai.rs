//! Workers AI, by the wire contract between the runtime's own binding module and the service.

mod batch;
mod catalog;
mod embeddings;
pub(crate) mod error;
mod html;
mod markdown;
mod native;
mod rerank;
mod run;
mod text;

pub(crate) use batch::Batches;

use serde_json::json;

use crate::call::Call;
use crate::id;
use crate::reply::Reply;
use error::Error;

/// Answers a call of the binding.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    route(call).unwrap_or_else(Reply::from)
}

/// Headers of every answer; the binding shows the first as `lastRequestId`.
pub(crate) fn headers(call: u64) -> Vec<(&'static str, String)> {
    vec![("cf-ai-req-id", id::uuid(call, "workers-ai request"))]
}

fn route(call: &Call<'_>) -> Result<Reply, Error> {
    let path = call.path.trim_end_matches('/');
    match (call.method.as_str(), path) {
        ("POST", "/run") => run::answer(call),
        ("POST", "/ai-gateway/run") => {
            let log = id::alphanumeric(call.number, "ai gateway log", 26).to_uppercase();
            Ok(run::answer(call)?
                .with_header("cf-aig-log-id", log)
                .with_header("cf-aig-cache-status", "MISS"))
        }
        // The form of the REST API, for people: the model in the path, the inputs alone in the body.
        ("POST", path) if path.starts_with("/run/") => {
            run::answer_path(call, path.trim_start_matches("/run/"))
        }
        ("GET", "/ai-api/models/search") => Ok(catalog::search(call)),
        ("POST", "/to-everything/markdown/transformer") => markdown::transform(call.json),
        ("GET", "/to-everything/markdown/supported") => Ok(markdown::supported()),
        ("GET", path) if path.starts_with("/ai-gateway/gateways/") => gateway_url(call, path),
        ("GET", "/run") => Err(Error::of(
            400,
            "real-time models over WebSocket are not stood in for",
        )),
        (method, path) => Err(Error::of(404, &format!("not stood in for: {method} {path}"))),
    }
}

/// `gateway(id).getUrl(provider)`: the stand-in's own address for that provider.
fn gateway_url(call: &Call<'_>, path: &str) -> Result<Reply, Error> {
    let provider = path.split_once("/url/").map(|(_, provider)| provider);
    let base = &call.app.base;
    let url = match provider {
        Some("openai" | "compat") => format!("{base}/openai/v1"),
        Some("anthropic") => format!("{base}/anthropic"),
        Some("workers-ai") => format!("{base}/workers-ai/run"),
        Some("" | "universal") => base.clone(),
        _ => return Err(Error::of(404, &format!("not stood in for: GET {path}"))),
    };
    Ok(Reply::json(&json!({ "success": true, "result": { "url": url } })))
}
