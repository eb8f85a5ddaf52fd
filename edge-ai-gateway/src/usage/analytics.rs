use async_trait::async_trait;
use edge_ai_core::{ErrorKind, Result, UsageRecord, UsageSink};
use edge_ai_worker::{EnvExt, worker_error};
use worker::{AnalyticsEngineDataPointBuilder, AnalyticsEngineDataset};

/// Writes a data point for each record to [Workers Analytics Engine](https://developers.cloudflare.com/analytics/analytics-engine/).
///
/// | column | what |
/// | --- | --- |
/// | `index1` | the tenant: what Analytics Engine samples by, so that small tenants stay visible |
/// | `blob1` … `blob5` | operation, provider, model, requested model, outcome |
/// | `blob6` … `blob9` | cache, tenant, key, request identifier |
/// | `blob10` | trace identifier |
/// | `double1`, `double2` | milliseconds to the end, and to the first content (-1 without) |
/// | `double3` … `double7` | tokens: input, output, read from and written to the vendor's cache, reasoning |
/// | `double8`, `double9` | cost and saved cost in dollars |
/// | `double10` | calls to providers |
/// | `double11` | 1 when the price or the tokens are unknown, else 0 |
///
/// Analytics Engine samples: weigh every sum by `_sample_interval`. Requests, dollars and the 95th percentile of each model over a day:
///
/// ```sql
/// SELECT blob2 AS provider, blob3 AS model, SUM(_sample_interval) AS requests, SUM(_sample_interval * double8) AS dollars,
///        quantileExactWeighted(0.95)(double1, _sample_interval) AS p95_ms
/// FROM usage WHERE timestamp > NOW() - INTERVAL '1' DAY GROUP BY provider, model ORDER BY requests DESC
/// ```
///
/// Failures by provider and hour:
///
/// ```sql
/// SELECT toStartOfInterval(timestamp, INTERVAL '1' HOUR) AS hour, blob2 AS provider, blob5 AS outcome, SUM(_sample_interval) AS failures
/// FROM usage WHERE blob5 != 'ok' AND timestamp > NOW() - INTERVAL '7' DAY GROUP BY hour, provider, outcome ORDER BY hour
/// ```
#[derive(Debug)]
pub struct AnalyticsUsageLog(AnalyticsEngineDataset);

impl AnalyticsUsageLog {
    /// Writes to `dataset`.
    pub const fn new(dataset: AnalyticsEngineDataset) -> Self {
        Self(dataset)
    }

    /// Writes to the dataset that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_analytics_engine(binding).map(Self)
    }
}

/// An index has at most 96 bytes ([limits](https://developers.cloudflare.com/analytics/analytics-engine/limits/)).
const MAX_INDEX: usize = 96;

#[async_trait]
impl UsageSink for AnalyticsUsageLog {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        let usage = record.usage.unwrap_or_default();
        let tenant = record.tenant.as_deref().unwrap_or_default();
        let trace = record.trace.as_ref().map(|trace| trace.trace_id.to_string());
        let blobs = [
            record.operation.as_str(),
            record.provider.as_deref().unwrap_or_default(),
            record.model.as_deref().unwrap_or_default(),
            &record.requested_model,
            record.outcome.as_str(),
            record.cache.map_or("", |cache| cache.as_str()),
            tenant,
            record.key.as_deref().unwrap_or_default(),
            &record.request_id,
            trace.as_deref().unwrap_or_default(),
        ];
        let doubles = [
            record.latency_ms as f64,
            record.time_to_first_token_ms.map_or(-1.0, |ms| ms as f64),
            usage.input_tokens as f64,
            usage.output_tokens as f64,
            usage.cache_read_tokens as f64,
            usage.cache_write_tokens as f64,
            usage.reasoning_tokens as f64,
            record
                .cost
                .map_or(0.0, |cost| cost.as_nano_dollars() as f64 / 1e9),
            record
                .saved
                .map_or(0.0, |saved| saved.as_nano_dollars() as f64 / 1e9),
            record.attempts.len() as f64,
            if record.cost.is_none() { 1.0 } else { 0.0 },
        ];
        AnalyticsEngineDataPointBuilder::new()
            .indexes([tenant
                .get(..tenant.floor_char_boundary(MAX_INDEX))
                .unwrap_or_default()])
            .blobs(blobs)
            .doubles(doubles)
            .write_to(&self.0)
            .map_err(|error| worker_error(ErrorKind::Unavailable, error).with_context("Analytics Engine"))
    }
}
