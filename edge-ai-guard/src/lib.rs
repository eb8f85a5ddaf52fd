#![doc = include_str!("../README.md")]

mod config;
mod deny;
mod fold;
mod guard;
mod injection;
mod length;
mod matcher;
mod model;
mod moderation;
mod pii;
mod placeholder;
mod rules;
mod scan;
mod schema;
mod secrets;

pub use config::GuardConfig;
pub use deny::DenyList;
pub use guard::{Finding, Guard, Passage, Phase, Source, View};
pub use injection::Injection;
pub use length::Length;
pub use matcher::{Found, Matcher, Sight, Step, Tail};
pub use model::GuardedChatModel;
pub use moderation::Moderation;
pub use pii::{Pii, PiiKind, Region};
pub use placeholder::Placeholders;
pub use rules::{Guardrails, OnFailure, Rule, StreamMode};
pub use scan::{Encoding, Hit, Scanner, find};
pub use schema::{AnswerSchema, Schema};
pub use secrets::Secrets;
