use std::sync::Arc;

use edge_ai_core::{Capabilities, ErrorKind, Provider};

use super::strategy::{Hedge, Occasions};

/// A model at a provider.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) provider: Arc<dyn Provider>,
    /// `provider/model`.
    name: Arc<str>,
    model_at: usize,
    /// What the provider lists the model with, or else the catalog; `None` for one that neither lists.
    pub(super) capabilities: Option<Capabilities>,
    /// The most tokens that it reads, where that is known.
    pub(super) window: Option<u64>,
    /// After which failures another one is asked; `None` for the default.
    pub(super) occasions: Option<Occasions>,
    /// The variant that was drawn where it was chosen.
    pub(super) variant: Option<Arc<str>>,
    /// When the one after it is asked as well.
    pub(super) hedge: Option<Hedge>,
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
            window: None,
            occasions: None,
            variant: None,
            hedge: None,
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

    /// Notes the variant around the one that was drawn further inside.
    pub(super) fn is_in(&mut self, variant: &Arc<str>) {
        self.variant = Some(match &self.variant {
            None => Arc::clone(variant),
            Some(inner) => format!("{variant}/{inner}").into(),
        });
    }

    /// Whether a refusal of the content is answered by asking another one.
    pub(super) fn offers_refusals(&self) -> bool {
        self.occasions
            .is_some_and(|occasions| occasions.cover(ErrorKind::ContentFiltered))
    }

    /// Whether its context window is known to be too small for so many tokens.
    pub(super) fn is_too_small_for(&self, tokens: u64) -> bool {
        self.window.is_some_and(|window| window < tokens)
    }

    /// Whether a prompt that was too long for another may not be for it.
    pub(super) fn may_hold_more_than(&self, other: &Self) -> bool {
        match (self.window, other.window) {
            (Some(own), Some(others)) => own > others,
            _ => true,
        }
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
