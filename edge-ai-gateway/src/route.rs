//! Which model answers: names, routes, and the way through a route's targets.

mod attempt;
mod idle;
mod retry;
mod router;
mod table;

pub use retry::{RetryPolicy, Timeouts};
pub use router::Router;
pub use table::{Route, RouteTable};
