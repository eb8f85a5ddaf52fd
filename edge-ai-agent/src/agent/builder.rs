use std::sync::Arc;

use edge_ai_core::{ChatModel, Error, ErrorKind, Price, ReasoningConfig, ResponseFormat, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::output::TypedOutput;
use super::{Agent, Parts};
use crate::run::{AgentPlan, HANDOFF, ModelSettings, RunGuard};
use crate::tool::schema;
use crate::{RunLimits, ToolSet};

/// Composes an [`Agent`].
#[derive(Debug)]
pub struct AgentBuilder {
    plan: AgentPlan,
    limits: RunLimits,
    model: Option<Arc<dyn ChatModel>>,
    tools: ToolSet,
    guards: Vec<Arc<dyn RunGuard>>,
    handoffs: Vec<Agent>,
    price: Option<Price>,
}

impl AgentBuilder {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            plan: AgentPlan {
                name: name.into(),
                description: String::new(),
                model: String::new(),
                instructions: String::new(),
                tools: Vec::new(),
                handoffs: Vec::new(),
                stop_after: Vec::new(),
                output: None,
                settings: ModelSettings::default(),
            },
            limits: RunLimits::default(),
            model: None,
            tools: ToolSet::new(),
            guards: Vec::new(),
            handoffs: Vec::new(),
            price: None,
        }
    }

    /// Who thinks: whatever answers a chat, and the name under which it is asked.
    #[must_use]
    pub fn model(mut self, model: Arc<dyn ChatModel>, name: impl Into<String>) -> Self {
        self.model = Some(model);
        self.plan.model = name.into();
        self
    }

    /// What the model is told before anything else.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.plan.instructions = instructions.into();
        self
    }

    /// What the agent is for, read by the models of agents that may hand over to it or call it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.plan.description = description.into();
        self
    }

    /// What it can do.
    #[must_use]
    pub fn tools(mut self, tools: ToolSet) -> Self {
        self.tools = tools;
        self
    }

    /// What its runs may take.
    #[must_use]
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds one who judges what goes in and what comes out. Where several judge, the first that does not allow decides.
    #[must_use]
    pub fn guard(mut self, guard: impl RunGuard) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// Lets it hand the conversation over to another agent, which then goes on in the same run, with its own instructions, model and tools.
    #[must_use]
    pub fn handoff(mut self, agent: Agent) -> Self {
        self.plan.handoffs.push(agent.name().to_owned());
        self.handoffs.push(agent);
        self
    }

    /// Ends the run once this tool has given its result, without asking the model about it.
    #[must_use]
    pub fn stop_after(mut self, tool: impl Into<String>) -> Self {
        self.plan.stop_after.push(tool.into());
        self
    }

    /// The last answer is JSON of this type: the model gets its schema, and is asked again when the answer does not read.
    #[must_use]
    pub fn output<T: JsonSchema + DeserializeOwned + 'static>(mut self) -> Self {
        self.plan.output = Some(ResponseFormat::JsonSchema {
            name: "answer".to_owned(),
            description: None,
            schema: schema::<T>(),
            strict: None,
        });
        self.guards.push(Arc::new(TypedOutput::<T>::new()));
        self
    }

    /// What the model costs; needed for a [limit on cost](RunLimits::cost).
    #[must_use]
    pub fn price(mut self, price: Price) -> Self {
        self.price = Some(price);
        self
    }

    /// The sampling temperature, from 0.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.plan.settings.temperature = Some(temperature);
        self
    }

    /// The most tokens of one answer, reasoning included.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u32) -> Self {
        self.plan.settings.max_output_tokens = Some(tokens);
        self
    }

    /// Whether and how much the model thinks first.
    #[must_use]
    pub fn reasoning(mut self, reasoning: ReasoningConfig) -> Self {
        self.plan.settings.reasoning = Some(reasoning);
        self
    }

    /// Whether the model may call several tools at once; the vendor's default unless told.
    #[must_use]
    pub fn parallel_tool_calls(mut self, parallel: bool) -> Self {
        self.plan.settings.parallel_tool_calls = Some(parallel);
        self
    }

    /// The agent.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming the method that is missing or at odds with another.
    pub fn build(mut self) -> Result<Agent> {
        let name = &self.plan.name;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > 48 || !name.bytes().all(fits) {
            let message = format!("an agent's name has 1 to 48 letters, digits, `_` and `-`, not {name:?}");
            return Err(wrong("name", message));
        }
        let Some(model) = self.model else {
            return Err(wrong(
                "model",
                format!("the agent {name:?} has no model: call `model`"),
            ));
        };
        if self.limits.steps == 0 || self.limits.parallel_tools == 0 {
            return Err(wrong("limits", "`steps` and `parallel_tools` are at least 1"));
        }
        let unpriced = |agent: &Agent| agent.0.price.is_none();
        if self.limits.cost.is_some() && (self.price.is_none() || self.handoffs.iter().any(unpriced)) {
            let message = "a limit on cost needs the price of every model: call `price`";
            return Err(wrong("limits.cost", message));
        }
        for tool in &self.plan.stop_after {
            if self.tools.get(tool).is_none() {
                return Err(wrong(
                    "stop_after",
                    format!("the agent {name:?} has no tool {tool:?}"),
                ));
            }
        }
        for (at, handoff) in self.plan.handoffs.iter().enumerate() {
            let taken = self.tools.get(&format!("{HANDOFF}{handoff}")).is_some();
            if taken || handoff == name || self.plan.handoffs.iter().take(at).any(|other| other == handoff) {
                return Err(wrong("handoff", format!("the name {handoff:?} is taken")));
            }
        }
        self.plan.tools = self.tools.specs().cloned().collect();
        Ok(Agent(Arc::new(Parts {
            plan: self.plan,
            limits: self.limits,
            model,
            tools: self.tools,
            guards: self.guards,
            handoffs: self.handoffs,
            price: self.price,
        })))
    }
}

fn wrong(param: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message).with_param(param)
}

#[cfg(test)]
mod tests {
    use edge_ai_core::Money;
    use edge_ai_testkit::scripted::ScriptedChatModel;

    use super::*;

    fn agent(name: &str) -> AgentBuilder {
        Agent::builder(name).model(Arc::new(ScriptedChatModel::new()), "m")
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let cost = RunLimits::default().cost(Money::from_nano_dollars(1));
        let helper = agent("helper").build().unwrap();
        for (builder, param) in [
            (agent(""), "name"),
            (Agent::builder("a"), "model"),
            (agent("a").limits(RunLimits::default().steps(0)), "limits"),
            (agent("a").limits(cost.clone()), "limits.cost"),
            (agent("a").stop_after("send"), "stop_after"),
            (agent("helper").handoff(helper.clone()), "handoff"),
            (agent("a").handoff(helper.clone()).handoff(helper), "handoff"),
        ] {
            assert_eq!(builder.build().unwrap_err().param(), Some(param));
        }
        assert!(agent("a").limits(cost).price(Price::new(1, 1)).build().is_ok());
    }

    #[test]
    fn a_plan_has_everybody_once() {
        let third = agent("third").build().unwrap();
        let second = agent("second").handoff(third.clone()).build().unwrap();
        let first = agent("first").handoff(second).handoff(third).build().unwrap();
        let plan = first.plan();
        let names: Vec<_> = plan.agents.iter().map(|agent| agent.name.as_str()).collect();
        assert_eq!(names, ["first", "second", "third"]);
        assert_eq!(plan.outdated_by(&plan), None);
    }
}
