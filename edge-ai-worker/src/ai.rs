mod error;
mod markdown;

use bytes::Bytes;
use edge_ai_core::{Body, Error, ErrorKind, Result};
use http::{Response, header};
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;
use worker::send::SendFuture;

use crate::bridge;
use crate::error::Thrown;
use crate::exchange::Exchange;
use crate::fetch::answer;
use crate::json::js_to_json;

pub use markdown::{AiMarkdown, AiMarkdownFormat};

/// The Workers AI binding, with its options.
///
/// The answer is asked for raw (`returnRawResponse`), for JSON keeps its digits then, and a failure its status.
/// Dropping a future or a stream of it closes the exchange with the service.
///
/// ```no_run
/// use edge_ai_worker::{AiOutput, EnvExt};
///
/// # async fn example(env: worker::Env) -> edge_ai_core::Result<()> {
/// let ai = env.required_ai("AI")?;
/// let inputs = r#"{"text":["hello"],"pooling":"cls"}"#;
/// match ai.run("@cf/baai/bge-small-en-v1.5", inputs, Some(r#"{"gateway":{"id":"docs"}}"#)).await? {
///     AiOutput::Json(json) => println!("{json}"),
///     AiOutput::Stream(body) => drop(body),
///     _ => {}
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AiBinding(JsValue);

/// What a model answered with.
#[derive(Debug)]
#[non_exhaustive]
pub enum AiOutput {
    /// JSON, as its text.
    Json(String),
    /// Anything else, as it arrives: server-sent events, an image, sound.
    Stream(Body),
}

impl AiBinding {
    /// Limit on an answer that is collected whole: a quarter of the memory that an isolate has.
    const MAX_JSON: usize = 32 << 20;

    /// Limit on the body of an error.
    const MAX_ERROR: usize = 256 << 10;

    /// Runs `model` on `inputs`, the JSON text of an object, with `options`, another.
    ///
    /// The options are those of the [binding](https://developers.cloudflare.com/workers-ai/configuration/bindings/):
    /// `gateway`, `queueRequest`, `tags`, `prefix`, `extraHeaders`.
    ///
    /// # Errors
    /// The service's error by its [code](https://developers.cloudflare.com/workers-ai/platform/errors/), which is kept
    /// as the error's code; [`ErrorKind::InvalidRequest`] for text that is not JSON.
    pub async fn run(&self, model: &str, inputs: &str, options: Option<&str>) -> Result<AiOutput> {
        let response = self.send(model, inputs, options).await?;
        let json = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| is_json(value.as_bytes()));
        let body = response.into_body();
        match json {
            true => text(body.bytes(Self::MAX_JSON).await?).map(AiOutput::Json),
            false => Ok(AiOutput::Stream(body)),
        }
    }

    /// The same, answered as it comes: with the identifiers that the service gives in the headers `cf-ai-req-id` and
    /// `cf-aig-log-id`, and the content type.
    ///
    /// # Errors
    /// As for [`run`](Self::run): an error status is an error.
    pub async fn send(&self, model: &str, inputs: &str, options: Option<&str>) -> Result<Response<Body>> {
        let (exchange, signal) = Exchange::open()?;
        let options = options.unwrap_or("{}");
        let output = bridge::ai_run(&self.0, model, inputs, options, &signal);
        let output = SendFuture::new(JsFuture::from(output))
            .await
            .map_err(|thrown| error::thrown(Thrown::of(&thrown)))?;
        let response = match output.dyn_into::<web_sys::Response>() {
            Ok(response) => answer(response, exchange, false)?,
            Err(output) => return cooked(output, exchange),
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = body.bytes(Self::MAX_ERROR).await.unwrap_or_default();
        Err(error::answered(head.status.as_u16(), &head.headers, &body))
    }
}

impl From<worker::Ai> for AiBinding {
    fn from(ai: worker::Ai) -> Self {
        Self(ai.into())
    }
}

/// The binding keeps the last call's options to itself: another call on it that does not ask for the raw answer, at the
/// same time, makes this one's come parsed.
fn cooked(output: JsValue, exchange: Exchange) -> Result<Response<Body>> {
    let (content_type, body) = match output.dyn_into::<ReadableStream>() {
        Ok(stream) => ("text/event-stream", crate::body::body_of(stream.into(), exchange)),
        Err(value) => {
            let json = js_to_json(&value)?;
            exchange.finish();
            ("application/json", Body::from(json))
        }
    };
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    Ok(response)
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    essence.eq_ignore_ascii_case(b"application/json")
}

fn text(bytes: Bytes) -> Result<String> {
    String::from_utf8(bytes.into()).map_err(|_| {
        Error::new(
            ErrorKind::BadUpstream,
            "Workers AI answered JSON that is not UTF-8",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_type_whatever_the_parameters() {
        assert!(is_json(b"application/json"));
        assert!(is_json(b"Application/JSON ; charset=utf-8"));
        assert!(!is_json(b"text/event-stream"));
        assert!(!is_json(b"application/jsonl"));
        assert!(!is_json(b""));
    }
}
