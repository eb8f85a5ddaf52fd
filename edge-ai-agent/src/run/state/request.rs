use edge_ai_core::{ChatInput, ChatRequest, FunctionTool, Message, RawJson, Role, Tool};
use serde_json::value::RawValue;

use super::Run;
use crate::run::{AgentPlan, HANDOFF, RunPlan};

impl Run {
    /// What the model is asked now.
    pub(super) fn request(&self) -> ChatRequest {
        let Some(agent) = self.agent() else {
            return ChatRequest::from_input("", ChatInput::default());
        };
        let mut input = ChatInput::default();
        if !agent.instructions.is_empty() {
            input
                .messages
                .push(Message::from_text(Role::System, agent.instructions.clone()));
        }
        let said = [&self.history, &self.messages, &self.rejected];
        input.messages.extend(said.into_iter().flatten().cloned());
        input.tools = tools(agent, &self.plan);
        if !input.tools.is_empty() {
            input.parallel_tool_calls = agent.settings.parallel_tool_calls;
        }
        input.response_format = agent.output.clone();
        input.temperature = agent.settings.temperature;
        input.max_output_tokens = agent.settings.max_output_tokens;
        input.stop = agent.settings.stop.clone();
        input.reasoning = agent.settings.reasoning.clone();
        let mut request = ChatRequest::from_input(agent.model.clone(), input);
        let key = format!("{}/{}", self.id, self.step);
        request.context.idempotency_key = Some(key.as_str().into());
        request.context.request_id = Some(key.into());
        request.context.tenant.clone_from(&self.context.tenant);
        request
    }
}

fn tools(agent: &AgentPlan, plan: &RunPlan) -> Vec<Tool> {
    let own = agent.tools.iter().map(crate::ToolSpec::to_tool);
    let handoffs = agent.handoffs.iter().map(|name| {
        let target = plan.agents.iter().find(|agent| agent.name == *name);
        let about = target.map(|agent| agent.description.as_str()).unwrap_or_default();
        let description = format!("Hands the conversation over to the agent {name}. {about}");
        let parameters = RawValue::from_string(r#"{"type":"object","properties":{}}"#.to_owned());
        let mut tool = FunctionTool::named(format!("{HANDOFF}{name}"));
        tool.description = Some(description.trim_end().to_owned());
        tool.parameters = parameters.ok().map(RawJson::from);
        Tool::Function(tool)
    });
    own.chain(handoffs).collect()
}
