//! Where the accounts of requests go, and who may look at them. Bindings and secrets that are not there turn off what they are for.

use std::sync::Arc;

use edge_ai::core::UsageSink;
use edge_ai::gateway::{
    AnalyticsUsageLog, Capture, D1UsageLog, Dashboard, JsonLog, MetricsPage, OtlpExporter, QueueUsageLog,
    R2Captures, R2UsageLog, UsageFallback, keep_queued_usage,
};
use edge_ai::runtime::{D1, EnvExt, WorkerClock, WorkerEntropy};
use edge_ai::{EdgeAiBuilder, Error, ErrorKind, Result, Secret};
use worker::{Env, MessageBatch};

const QUEUE: &str = "USAGE_QUEUE";
const BUCKET: &str = "USAGE_BUCKET";

/// Adds what the environment has.
pub(crate) fn observe(mut edge: EdgeAiBuilder, env: &Env) -> Result<EdgeAiBuilder> {
    let database = || D1UsageLog::from_env(env, "DB");
    let mut usage = UsageFallback::new(WorkerClock, WorkerEntropy);
    usage = match (env.has(QUEUE), by_queue(env)?) {
        (true, true) => usage
            .place(QueueUsageLog::from_env(env, QUEUE)?)
            .place(database()?),
        (true, false) => usage
            .place(database()?)
            .place(QueueUsageLog::from_env(env, QUEUE)?),
        (false, _) => usage.place(database()?),
    };
    edge = edge.usage(usage).usage(JsonLog::console());
    if env.has(BUCKET) && !by_queue(env)? {
        edge = edge.usage(R2UsageLog::from_env(env, BUCKET)?);
    }
    if env.has("ANALYTICS") {
        edge = edge.usage(AnalyticsUsageLog::from_env(env, "ANALYTICS")?);
    }
    if let Some(exporter) = OtlpExporter::from_env(env)? {
        edge = edge.usage(UsageFallback::new(WorkerClock, WorkerEntropy).place(exporter));
    }
    if let Some(ratio) = env.text("OTEL_TRACES_SAMPLER_ARG") {
        let ratio = ratio
            .trim()
            .parse()
            .ok()
            .filter(|ratio| (0.0..=1.0).contains(ratio));
        edge = edge.trace_ratio(ratio.ok_or_else(|| {
            let message = "`OTEL_TRACES_SAMPLER_ARG` must be a number from 0 to 1";
            Error::new(ErrorKind::Configuration, message)
        })?);
    }
    if let Some(providers) = env.text("TRACE_TO") {
        edge = edge.trace_to(providers.split(',').map(str::trim));
    }
    if env.has("CAPTURE_BUCKET") {
        edge = edge.capture(Capture::new(R2Captures::from_env(env, "CAPTURE_BUCKET")?));
    }
    // A token that is there and empty is a slip, and is told.
    if let Ok(token) = env.var("METRICS_TOKEN") {
        edge = edge.site(MetricsPage::new(
            D1::from_env(env, "DB")?,
            &Secret::new(token.to_string()),
        )?);
    }
    if let Ok(token) = env.var("DASHBOARD_TOKEN") {
        edge = edge.site(Dashboard::new(
            D1::from_env(env, "DB")?,
            WorkerClock,
            &Secret::new(token.to_string()),
        )?);
    }
    Ok(edge)
}

/// Whether every record goes through the queue, or only those that the database did not take.
fn by_queue(env: &Env) -> Result<bool> {
    match env.text("USAGE_BY_QUEUE").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Error::new(
            ErrorKind::Configuration,
            "`USAGE_BY_QUEUE` is `true` or `false`",
        )),
    }
}

/// Keeps what comes through the queue.
pub(crate) async fn keep(batch: MessageBatch<String>, env: &Env) -> worker::Result<()> {
    let kept = async {
        let mut sinks: Vec<Arc<dyn UsageSink>> = vec![Arc::new(D1UsageLog::from_env(env, "DB")?)];
        if env.has(BUCKET) && by_queue(env)? {
            sinks.push(Arc::new(R2UsageLog::from_env(env, BUCKET)?));
        }
        keep_queued_usage(batch, &sinks).await
    };
    kept.await
        .map_err(|error| worker::Error::RustError(error.to_string()))
}
