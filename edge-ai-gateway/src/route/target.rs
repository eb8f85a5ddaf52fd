use std::sync::Arc;

use edge_ai_core::{Capabilities, Provider};

/// A model at a provider.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) provider: Arc<dyn Provider>,
    /// `provider/model`.
    name: Arc<str>,
    model_at: usize,
    /// What the provider lists the model with; `None` for one that it does not list.
    pub(super) capabilities: Option<Capabilities>,
}

impl Target {
    /// A model, listed or not.
    pub(super) fn new(provider: &Arc<dyn Provider>, model: &str) -> Self {
        let prefix = provider.name();
        Self {
            provider: Arc::clone(provider),
            name: format!("{prefix}/{model}").into(),
            model_at: prefix.len() + 1,
            capabilities: None,
        }
    }

    /// The one name of the model, however it was asked for.
    pub(super) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The provider's name for it.
    pub(super) fn model(&self) -> &str {
        self.name.get(self.model_at..).unwrap_or_default()
    }

    /// Whether it is not known to lack something that is needed.
    pub(super) fn may_have(&self, needs: Capabilities) -> bool {
        let Some(has) = self.capabilities else { return true };
        [
            (needs.chat, has.chat),
            (needs.tools, has.tools),
            (needs.vision, has.vision),
            (needs.json_schema, has.json_schema),
            (needs.reasoning, has.reasoning),
            (needs.embeddings, has.embeddings),
            (needs.rerank, has.rerank),
        ]
        .into_iter()
        .all(|(needed, there)| there || !needed)
    }
}
