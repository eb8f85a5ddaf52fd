//! Limits on callers and on what providers are asked: which rules hold a request, what it takes of them, and how that is told.

#[cfg(feature = "worker")]
mod binding;
mod digest;
#[cfg(feature = "leases")]
mod durable;
mod gate;
mod headers;
mod holds;
mod kv;
mod limits;
#[cfg(feature = "leases")]
#[expect(
    missing_docs,
    clippy::future_not_send,
    reason = "what the macro of a Durable Object's class adds is not documented, and an object has one thread"
)]
mod office;
mod refusal;
mod taken;
mod who;

#[cfg(feature = "worker")]
pub use binding::RateLimitBinding;
#[cfg(feature = "leases")]
pub use durable::DurableLeases;
pub(crate) use gate::{Asking, Estimate, Gate, Stage};
pub(crate) use headers::{whole_seconds, write};
pub(crate) use holds::{Actual, Holds};
pub use kv::KvLimits;
pub use limits::{Limit, Limits};
#[cfg(feature = "leases")]
pub use office::LimitOffice;
pub(crate) use taken::{Permit, permitted};
