use edge_ai_core::{ReasoningConfig, ResponseFormat};
use serde::{Deserialize, Serialize};

use super::RunLimits;
use crate::ToolSpec;

/// What a run goes by: taken from the [agent](crate::Agent) when it starts and kept with it, so that another configuration does not change a run that is under
/// way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunPlan {
    /// The agent that begins, then those that it may hand over to.
    pub agents: Vec<AgentPlan>,
    /// What it may take.
    pub limits: RunLimits,
    /// Whether somebody judges what goes in.
    pub checks_input: bool,
    /// Whether somebody judges what comes out.
    pub checks_output: bool,
}

/// One agent of a [plan](RunPlan).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentPlan {
    /// Its name.
    pub name: String,
    /// When to hand over to it, read by the model.
    pub description: String,
    /// Its model's name.
    pub model: String,
    /// What the model is told first; may be empty.
    pub instructions: String,
    /// What it can do.
    pub tools: Vec<ToolSpec>,
    /// To whom it may hand over.
    pub handoffs: Vec<String>,
    /// The tools after which the run is at its end.
    pub stop_after: Vec<String>,
    /// The form of its last answer.
    pub output: Option<ResponseFormat>,
    /// How its model works.
    pub settings: ModelSettings,
}

/// How a model works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ModelSettings {
    /// The sampling temperature, from 0.
    pub temperature: Option<f64>,
    /// The most tokens of an answer, reasoning included.
    pub max_output_tokens: Option<u32>,
    /// Whether and how much it thinks first.
    pub reasoning: Option<ReasoningConfig>,
    /// Texts at which an answer stops.
    pub stop: Vec<String>,
    /// Whether it may call several tools at once; `None` leaves it to the vendor.
    pub parallel_tool_calls: Option<bool>,
}

impl RunPlan {
    /// What the agents of `now` can no longer do that this plan counts on, for a person: a run is not taken up by code that would do something else.
    ///
    /// Instructions, models, limits and descriptions are the plan's own, and new tools change nothing.
    pub fn outdated_by(&self, now: &Self) -> Option<String> {
        for planned in &self.agents {
            let Some(agent) = now.agents.iter().find(|agent| agent.name == planned.name) else {
                return Some(format!("there is no agent {:?} any more", planned.name));
            };
            for tool in &planned.tools {
                let name = &tool.name;
                let Some(found) = agent.tools.iter().find(|found| found.name == *name) else {
                    return Some(format!("{:?} has no tool {name:?} any more", planned.name));
                };
                if (&found.parameters, found.repeat) != (&tool.parameters, tool.repeat) {
                    return Some(format!("the tool {name:?} has changed"));
                }
            }
            if agent.output != planned.output {
                return Some(format!("the form of {:?}'s answers has changed", planned.name));
            }
        }
        let unjudged = (self.checks_input && !now.checks_input) || (self.checks_output && !now.checks_output);
        unjudged.then(|| "its guards are gone".to_owned())
    }
}

impl AgentPlan {
    /// The tool of a name.
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Whom a call hands over to.
    pub fn handoff(&self, tool: &str) -> Option<&str> {
        let target = tool.strip_prefix(HANDOFF)?;
        self.handoffs
            .iter()
            .map(String::as_str)
            .find(|name| *name == target)
    }
}

/// How the tool that hands over to an agent is named, before the agent's name.
pub(crate) const HANDOFF: &str = "transfer_to_";
