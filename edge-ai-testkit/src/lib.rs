#![doc = include_str!("../README.md")]

mod case;
mod in_flight;
mod report;
mod scope;

pub mod bytes;
pub mod contract;
pub mod memory;
pub mod scripted;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use case::{Case, Check, Must, Outcome, Stop, Subject};
pub use in_flight::InFlight;
pub use report::{Report, run};
