//! Which model answers: names, routes, and the way through a route's targets.

mod asked;
mod attempt;
mod budget;
mod health;
mod idle;
mod pace;
mod plan;
mod retry;
mod router;
mod strategy;
mod table;
mod target;
mod tree;

pub use pace::{KeyValuePaces, PaceSnapshot, PaceStore};
pub use retry::{RetryPolicy, Timeouts};
pub use router::Router;
pub(crate) use router::{Connected, Dialed, PassedOn, Passing};
pub use strategy::{Affinity, Condition, FallbackOn, HedgeAfter, Matching};
pub use table::RouteTable;
pub use tree::Route;
