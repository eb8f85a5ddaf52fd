//! The account of every request: what it took, what it cost, and where that is kept.

#[cfg(feature = "worker")]
mod analytics;
pub(crate) mod buckets;
mod capture;
mod civil;
#[cfg(feature = "worker")]
mod d1;
mod expected;
mod fallback;
mod log;
mod meter;
#[cfg(any(feature = "worker", test))]
mod ndjson;
mod otlp;
mod price;
#[cfg(feature = "worker")]
mod queue;
#[cfg(feature = "worker")]
mod r2;
mod sampling;

#[cfg(feature = "worker")]
pub use analytics::AnalyticsUsageLog;
pub use capture::{Capture, CaptureStore};
pub(crate) use civil::civil;
#[cfg(feature = "worker")]
pub use d1::D1UsageLog;
pub(crate) use expected::Expected;
pub use fallback::UsageFallback;
pub use log::{JsonLog, LogLine};
pub(crate) use meter::{Books, Meter, failed, metered};
pub use otlp::OtlpExporter;
pub use price::PriceTable;
#[cfg(feature = "worker")]
pub use queue::{QueueUsageLog, keep_queued_usage};
#[cfg(feature = "worker")]
pub use r2::{R2Captures, R2UsageLog};
pub(crate) use sampling::Sampling;
