//! Who performs what a run asks for.

mod driver;
mod engine;
mod feed;
mod inbox;
mod judge;
mod model;
mod model_step;
mod stateless;
mod tool_step;
mod watch;

pub use driver::Driver;
pub use model::AgentModel;
pub use stateless::{RunStream, StatelessDriver};
pub use watch::Watch;
