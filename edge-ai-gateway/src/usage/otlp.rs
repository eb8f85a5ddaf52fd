use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Body, Clock, Error, ErrorKind, HttpClient, Result, UsageRecord, UsageSink, timeout};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

mod attributes;
mod metrics;
mod traces;

/// Exports each record as spans and metrics to an OpenTelemetry collector, as
/// [OTLP over HTTP](https://opentelemetry.io/docs/specs/otlp/#otlphttp) in JSON, by the
/// [semantic conventions for generative AI](https://opentelemetry.io/docs/specs/semconv/gen-ai/).
///
/// - A request is a span of the kind server, each call to a provider a client span in it, and an answer from a cache a span of its own. Traces that are not
///   [sampled](crate::GatewayBuilder::trace_ratio) are left out.
/// - Metrics are histograms of the delta kind: durations, times to the first content, tokens. They count every request, sampled or not. Cost has no
///   convention yet and is `edge_ai.cost`, in dollars.
/// - Neither prompts nor answers are exported.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_core::{Error, ManualClock};
/// use edge_ai_gateway::OtlpExporter;
/// use edge_ai_testkit::scripted::ScriptedHttpClient;
///
/// let exporter = OtlpExporter::new(ScriptedHttpClient::new(), ManualClock::default(), "https://collector.example.com")?
///     .headers("authorization=Bearer%20secret")?
///     .service_name("gateway");
/// # Ok::<(), Error>(())
/// ```
pub struct OtlpExporter {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    endpoint: String,
    headers: HeaderMap,
    service_name: String,
    latest: bool,
}

/// How long a collector may take to confirm
/// ([default](https://opentelemetry.io/docs/specs/otel/protocol/exporter/)).
const TIME: std::time::Duration = std::time::Duration::from_secs(10);

impl OtlpExporter {
    /// Exports to the collector at `endpoint`, under which there are `/v1/traces` and `/v1/metrics`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an address that is not `http` or `https`.
    pub fn new(http: impl HttpClient, clock: impl Clock, endpoint: &str) -> Result<Self> {
        let endpoint = endpoint.trim().trim_end_matches('/');
        let good = endpoint
            .parse::<http::Uri>()
            .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none());
        if !good {
            let message = "the OTLP endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT`) must start with https:// or http:// and have no query";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self {
            http: Arc::new(http),
            clock: Arc::new(clock),
            endpoint: endpoint.to_owned(),
            headers: HeaderMap::new(),
            service_name: "edge-ai-gateway".to_owned(),
            latest: false,
        })
    }

    /// Exports as OpenTelemetry's own variables say; `None` without `OTEL_EXPORTER_OTLP_ENDPOINT`. Read are also `OTEL_EXPORTER_OTLP_HEADERS`,
    /// `OTEL_SERVICE_NAME` and `OTEL_SEMCONV_STABILITY_OPT_IN`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a variable that does not read, by its name.
    #[cfg(feature = "worker")]
    pub fn from_env(env: &worker::Env) -> Result<Option<Self>> {
        use edge_ai_worker::{EnvExt, FetchClient, WorkerClock};

        let Some(endpoint) = env.text("OTEL_EXPORTER_OTLP_ENDPOINT") else {
            return Ok(None);
        };
        let mut exporter = Self::new(FetchClient, WorkerClock, &endpoint)?;
        if let Some(headers) = env.text("OTEL_EXPORTER_OTLP_HEADERS") {
            exporter = exporter.headers(&headers)?;
        }
        if let Some(name) = env.text("OTEL_SERVICE_NAME") {
            exporter = exporter.service_name(name);
        }
        let opted = env.text("OTEL_SEMCONV_STABILITY_OPT_IN").unwrap_or_default();
        Ok(Some(exporter.semconv_opt_in(&opted)))
    }

    /// Adds headers, such as a collector's key: `name=value` pairs with commas in between, values percent-encoded
    /// ([format](https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables)).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a pair that is no header; its value is not repeated.
    pub fn headers(mut self, headers: &str) -> Result<Self> {
        for (at, pair) in headers
            .split(',')
            .map(str::trim)
            .enumerate()
            .filter(|(_, pair)| !pair.is_empty())
        {
            let wrong = || {
                let message = format!(
                    "entry {} of `OTEL_EXPORTER_OTLP_HEADERS` is not `name=value`",
                    at + 1
                );
                Error::new(ErrorKind::Configuration, message)
            };
            let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
            let name = HeaderName::try_from(name.trim()).map_err(|_| wrong())?;
            let value = percent_decode_str(value.trim())
                .decode_utf8()
                .map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(&*value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        Ok(self)
    }

    /// Sets `service.name`; `edge-ai-gateway` unless told.
    #[must_use]
    pub fn service_name(self, name: impl Into<String>) -> Self {
        Self {
            service_name: name.into(),
            ..self
        }
    }

    /// Takes the value of `OTEL_SEMCONV_STABILITY_OPT_IN`: with `gen_ai_latest_experimental` in it, the names of the conventions' newest state are used
    /// (`gen_ai.client.inference.duration`, `gen_ai.usage.cache_write.input_tokens`), else those up to version 1.41, which most tools know
    /// (`gen_ai.client.operation.duration`, `gen_ai.client.token.usage`, `gen_ai.usage.cache_creation.input_tokens`).
    #[must_use]
    pub fn semconv_opt_in(self, opted: &str) -> Self {
        Self {
            latest: opted
                .split(',')
                .any(|name| name.trim() == "gen_ai_latest_experimental"),
            ..self
        }
    }

    fn resource(&self) -> Value {
        let mut attributes = attributes::Attributes::default();
        attributes.text("service.name", &self.service_name);
        attributes.text("cloud.provider", "cloudflare");
        attributes.text("cloud.platform", "cloudflare.workers");
        json!({ "attributes": attributes.into_value() })
    }

    async fn export(&self, signal: &str, body: Value) -> Result<()> {
        let mut request = http::Request::new(Bytes::from(body.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{}/v1/{signal}", self.endpoint)
            .parse()
            .map_err(|_| Error::new(ErrorKind::Configuration, "the OTLP endpoint gives no address"))?;
        request.headers_mut().clone_from(&self.headers);
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = timeout(&*self.clock, TIME, self.http.send(request)).await?;
        refused(answer).map_err(|error| error.with_context("OTLP"))
    }

    async fn export_all(&self, records: &[UsageRecord]) -> Result<()> {
        let spans: Vec<Value> = records
            .iter()
            .flat_map(|record| traces::spans(record, self.latest))
            .collect();
        let scope = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
        if !spans.is_empty() {
            let scope_spans = json!([{ "scope": scope, "spans": spans }]);
            let traces =
                json!({ "resourceSpans": [{ "resource": self.resource(), "scopeSpans": scope_spans }] });
            self.export("traces", traces).await?;
        }
        let metrics = metrics::metrics(records, self.latest);
        if !metrics.is_empty() {
            let scope_metrics = json!([{ "scope": scope, "metrics": metrics }]);
            let metrics = json!({ "resourceMetrics": [{ "resource": self.resource(), "scopeMetrics": scope_metrics }] });
            self.export("metrics", metrics).await?;
        }
        Ok(())
    }
}

/// Which answers may be tried again is [the protocol's](https://opentelemetry.io/docs/specs/otlp/#failures-1) to say.
fn refused(answer: http::Response<Body>) -> Result<()> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let kind = match status.as_u16() {
        429 | 502..=504 => ErrorKind::Unavailable,
        401 | 403 => ErrorKind::Configuration,
        _ => ErrorKind::BadUpstream,
    };
    let wait = answer
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(std::time::Duration::from_secs);
    let error = Error::new(kind, format!("the collector answered {status}"))
        .with_retryable(kind == ErrorKind::Unavailable);
    Err(match wait {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    })
}

impl fmt::Debug for OtlpExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpExporter")
            .field("endpoint", &self.endpoint)
            .field("service_name", &self.service_name)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl UsageSink for OtlpExporter {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        self.export_all(std::slice::from_ref(record)).await
    }

    async fn record_all(&self, records: &[UsageRecord]) -> Result<()> {
        self.export_all(records).await
    }
}

#[cfg(test)]
mod tests;
