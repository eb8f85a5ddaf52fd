//! What a run is, without any I/O.

mod event;
mod guard;
mod limits;
mod message;
mod outcome;
mod plan;

pub use event::RunEvent;
pub use guard::{RunGuard, Verdict};
pub use limits::RunLimits;
pub use message::AgentMessage;
pub use outcome::{RunError, RunLimit, RunOutcome};
pub(crate) use plan::HANDOFF;
pub use plan::{AgentPlan, ModelSettings, RunPlan};
