use std::fmt;
use std::sync::Arc;

use edge_ai_cache::{CacheRules, CachedChatModel, CachedEmbeddingModel, PurgeLog};
use edge_ai_core::{Cache, Clock};
use edge_ai_gateway::GatewayBuilder;

/// What the caches around a gateway's models are made of.
#[derive(Default)]
pub(crate) struct Caching {
    pub(crate) cache: Option<(Arc<dyn Cache>, CacheRules)>,
    pub(crate) purges: Option<Arc<PurgeLog>>,
    pub(crate) rooms: Option<More>,
    pub(crate) semantic: Option<More>,
}

/// Gives the cached model a part: made where the part is asked for, so that no other application links it.
pub(crate) type More = Box<dyn FnOnce(CachedChatModel) -> CachedChatModel>;

impl Caching {
    /// The routes and models that have rules of their own.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let rules = self.cache.iter().flat_map(|(_, rules)| rules.routes.keys());
        rules.map(String::as_str)
    }

    /// Puts the caches around the models. A route that leads elsewhere must not answer with what it led to before.
    pub(crate) fn around(self, gateway: GatewayBuilder, clock: Arc<dyn Clock>) -> GatewayBuilder {
        let Some((cache, rules)) = self.cache else {
            return gateway;
        };
        let (vectors, vector_rules) = (Arc::clone(&cache), rules.clone());
        gateway
            .layer(move |model, names| {
                let mut cached = CachedChatModel::new(model, cache, clock, rules)
                    .salt(names.fingerprint())
                    .labels(names.metadata_keys())
                    .keys_apart(names.tells_keys_apart())
                    .streams_apart(names.tells_streams_apart());
                if let Some(log) = self.purges {
                    cached = cached.purges(log);
                }
                for more in [self.rooms, self.semantic].into_iter().flatten() {
                    cached = more(cached);
                }
                Arc::new(cached)
            })
            .embedding_layer(move |model, names| {
                Arc::new(
                    CachedEmbeddingModel::new(model, vectors, vector_rules)
                        .salt(names.fingerprint())
                        .labels(names.metadata_keys())
                        .keys_apart(names.tells_keys_apart()),
                )
            })
    }
}

impl fmt::Debug for Caching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caching")
            .field("cache", &self.cache)
            .field("purges", &self.purges)
            .finish_non_exhaustive()
    }
}
