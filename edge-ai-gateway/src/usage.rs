//! The account of every request: what it took, what it cost, and where that is kept.

#[cfg(feature = "worker")]
mod d1;
mod log;
mod meter;
mod price;
mod sampling;

#[cfg(feature = "worker")]
pub use d1::D1UsageLog;
pub use log::{JsonLog, LogLine};
pub(crate) use meter::{Books, Meter, failed, metered};
pub use price::PriceTable;
pub(crate) use sampling::Sampling;
