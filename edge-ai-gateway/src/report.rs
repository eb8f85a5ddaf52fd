//! What the records say: metrics for Prometheus and the dashboard, read from where the records are kept.

mod column;
mod dashboard;
mod latency;
mod metrics;
mod prometheus;
mod respond;
mod token;

pub use dashboard::Dashboard;
pub use metrics::MetricsPage;
