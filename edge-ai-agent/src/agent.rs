//! An agent, composed once.

mod as_tool;
mod builder;
mod output;

use std::fmt;
use std::sync::Arc;

use edge_ai_core::{ChatModel, Price};

use crate::run::{AgentPlan, RunGuard, RunPlan};
use crate::{RunLimits, ToolSet};

pub use as_tool::SubAgent;
pub use builder::AgentBuilder;

/// A model with instructions, tools and limits. Clones are the same agent.
///
/// ```
/// use std::sync::Arc;
/// use edge_ai_agent::{Agent, RunLimits, ToolSet};
/// use edge_ai_testkit::scripted::ScriptedChatModel;
///
/// let agent = Agent::builder("support")
///     .model(Arc::new(ScriptedChatModel::new()), "openai/gpt-6-luna")
///     .instructions("You help customers of a bookshop.")
///     .tools(ToolSet::new())
///     .limits(RunLimits::default().steps(8))
///     .build()?;
/// assert_eq!(agent.name(), "support");
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Agent(Arc<Parts>);

struct Parts {
    plan: AgentPlan,
    limits: RunLimits,
    model: Arc<dyn ChatModel>,
    tools: ToolSet,
    guards: Vec<Arc<dyn RunGuard>>,
    handoffs: Vec<Agent>,
    price: Option<Price>,
}

impl Agent {
    /// Begins an agent of a name: letters, digits, `_` and `-`, at most 48.
    pub fn builder(name: impl Into<String>) -> AgentBuilder {
        AgentBuilder::new(name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.plan.name
    }

    /// When to hand over to it.
    pub fn description(&self) -> &str {
        &self.0.plan.description
    }

    /// What it can do.
    pub fn tools(&self) -> &ToolSet {
        &self.0.tools
    }

    /// What its runs may take.
    pub fn limits(&self) -> &RunLimits {
        &self.0.limits
    }

    /// What a run that starts now goes by.
    pub fn plan(&self) -> RunPlan {
        let agents = self.reachable();
        RunPlan {
            limits: self.0.limits.clone(),
            checks_input: agents.iter().any(|agent| !agent.0.guards.is_empty()),
            checks_output: agents.iter().any(|agent| !agent.0.guards.is_empty()),
            agents: agents.iter().map(|agent| agent.0.plan.clone()).collect(),
        }
    }

    /// Itself and whomever it may hand over to, each once.
    fn reachable(&self) -> Vec<&Self> {
        let mut found: Vec<&Self> = vec![self];
        let mut next = 0;
        while let Some(agent) = found.get(next).copied() {
            for other in &agent.0.handoffs {
                if found.iter().all(|known| known.name() != other.name()) {
                    found.push(other);
                }
            }
            next += 1;
        }
        found
    }

    /// Itself or the one among those that it may hand over to, by name.
    pub fn named(&self, name: &str) -> Option<&Self> {
        self.reachable().into_iter().find(|agent| agent.name() == name)
    }

    /// Who thinks.
    pub fn model(&self) -> &Arc<dyn ChatModel> {
        &self.0.model
    }

    /// Who judges.
    pub fn guards(&self) -> &[Arc<dyn RunGuard>] {
        &self.0.guards
    }

    /// What the model costs, where that is known.
    pub fn price(&self) -> Option<&Price> {
        self.0.price.as_ref()
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("plan", &self.0.plan)
            .field("limits", &self.0.limits)
            .field("model", &self.0.model)
            .finish_non_exhaustive()
    }
}
