use std::sync::Arc;

use edge_ai_core::{ChatModel, Provider};

use super::ScriptedChatModel;

/// A provider whose models are all one [`ScriptedChatModel`].
///
/// ```
/// use edge_ai_core::Provider;
/// use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider};
///
/// let provider = ScriptedProvider::new("vendor", ScriptedChatModel::new().answer("Paris"));
/// assert_eq!(provider.name(), "vendor");
/// assert!(provider.chat_model().is_some());
/// ```
#[derive(Clone, Debug)]
pub struct ScriptedProvider {
    name: String,
    model: ScriptedChatModel,
}

impl ScriptedProvider {
    /// A provider by its name.
    pub fn new(name: impl Into<String>, model: ScriptedChatModel) -> Self {
        Self {
            name: name.into(),
            model,
        }
    }
}

impl Provider for ScriptedProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::new(self.model.clone()))
    }
}
