#![doc = include_str!("../README.md")]

mod access;
mod builder;
mod gateway;
mod limit;
mod patience;
mod route;
mod site;
mod surface;
mod usage;
#[cfg(feature = "worker")]
mod worker;

pub use access::{Access, ApiKeys};
pub use builder::GatewayBuilder;
pub use gateway::{Caller, Gateway};
pub use limit::Limit;
pub use route::{Affinity, Condition, RetryPolicy, Route, RouteTable, Router, Timeouts};
pub use site::Site;
#[cfg(feature = "worker")]
pub use usage::D1UsageLog;
pub use usage::{JsonLog, LogLine, PriceTable};
#[cfg(feature = "worker")]
pub use worker::unavailable;
