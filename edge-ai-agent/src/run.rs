//! What a run is, without any I/O.

mod arguments;
mod deltas;
mod event;
mod guard;
mod input;
mod limits;
mod message;
mod outcome;
mod pairs;
mod plan;
mod state;

pub use deltas::StepDeltas;
pub use event::RunEvent;
pub use guard::{RunGuard, Verdict};
pub use input::{Effect, RunInput, TimedInput};
pub use limits::RunLimits;
pub use message::AgentMessage;
pub use outcome::{RunError, RunLimit, RunOutcome};
pub(crate) use plan::HANDOFF;
pub use plan::{AgentPlan, ModelSettings, RunPlan};
pub use state::Run;
