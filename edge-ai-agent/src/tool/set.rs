use std::sync::Arc;

use edge_ai_core::{Error, Result, Tool};

use super::{AgentTool, ToolSpec};

/// An agent's tools, in the order in which the model is told of them: a stable order keeps a vendor's prompt cache warm.
#[derive(Clone, Debug, Default)]
pub struct ToolSet(Vec<Arc<dyn AgentTool>>);

impl ToolSet {
    /// No tools.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a name that is taken, or that vendors refuse.
    pub fn add(&mut self, tool: impl AgentTool) -> Result<()> {
        let name = &tool.spec().name;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            let message = format!("a tool's name has 1 to 64 letters, digits, `_` and `-`, not {name:?}");
            return Err(Error::invalid("name", message));
        }
        if self.get(name).is_some() {
            return Err(Error::invalid("name", format!("two tools are named {name:?}")));
        }
        self.0.push(Arc::new(tool));
        Ok(())
    }

    /// With one more tool.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn with(mut self, tool: impl AgentTool) -> Result<Self> {
        self.add(tool)?;
        Ok(self)
    }

    /// The tool of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AgentTool>> {
        self.0.iter().find(|tool| tool.spec().name == name)
    }

    /// What the tools say of themselves.
    pub fn specs(&self) -> impl Iterator<Item = &ToolSpec> {
        self.0.iter().map(|tool| tool.spec())
    }

    /// As a chat request carries them.
    pub fn to_tools(&self) -> Vec<Tool> {
        self.specs().map(ToolSpec::to_tool).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{ToolInvocation, TypedTool};

    fn tool(name: &str) -> impl AgentTool + use<> {
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        struct Where {
            /// A city.
            city: String,
        }
        TypedTool::new(
            name,
            "Tells the weather.",
            |at: Where, _: ToolInvocation| async move { Ok(format!("rain in {}", at.city)) },
        )
    }

    #[test]
    fn names_are_unique_and_fit_every_vendor() {
        let tools = ToolSet::new().with(tool("weather")).unwrap();
        assert!(tools.get("weather").is_some() && tools.get("news").is_none());
        for name in ["weather", "", "a b", "é", &"x".repeat(65)] {
            assert_eq!(
                tools.clone().with(tool(name)).unwrap_err().param(),
                Some("name"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_schema_is_an_object_with_its_docs_and_nothing_about_itself() {
        let tools = ToolSet::new().with(tool("weather")).unwrap();
        let spec = tools.specs().next().unwrap();
        let expected = json!({
            "type": "object", "properties": {"city": {"description": "A city.", "type": "string"}}, "required": ["city"]
        });
        assert_eq!(spec.parameters.to::<Value>().unwrap(), expected);
    }

    #[test]
    fn arguments_that_do_not_fit_are_told_to_the_model() {
        let call = |arguments: &str| {
            futures_executor::block_on(tool("weather").call(ToolInvocation::new("1", arguments)))
        };
        assert_eq!(call(r#"{"city": "Paris"}"#).unwrap().text(), "rain in Paris");
        let error = call("{}").unwrap_err();
        assert!(error.message().contains("missing field `city`"), "{error}");
    }
}
