mod binding;

use edge_ai_core::{Result, Secret};
use wasm_bindgen::JsValue;
use worker::{AnalyticsEngineDataset, Bucket, Env, Fetcher, ObjectNamespace, RateLimiter, kv::KvStore};

use crate::ai::AiBinding;
use crate::vectorize::VectorizeIndex;
use binding::Kind;

/// Looks things up in a Worker's environment and, when one is missing, says what to add to its configuration.
///
/// The names are those of [`worker::Env`]'s own methods with `required_` before them.
///
/// # Errors
/// Every `required_` method fails with [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration), naming the
/// binding and the key of `wrangler.jsonc` that adds it.
pub trait EnvExt {
    /// Whether anything is bound under a name.
    fn has(&self, name: &str) -> bool;

    /// A variable or secret; an empty one counts as missing.
    fn text(&self, name: &str) -> Option<String>;

    /// A variable or secret that must be there.
    fn required_text(&self, name: &str) -> Result<String> {
        self.text(name).ok_or_else(|| binding::missing_text(name))
    }

    /// A secret that must be there.
    fn required_secret(&self, name: &str) -> Result<Secret> {
        self.text(name)
            .map(Secret::from)
            .ok_or_else(|| binding::missing_secret(name))
    }

    /// A KV namespace.
    fn required_kv(&self, name: &str) -> Result<KvStore>;

    /// A D1 database.
    #[cfg(feature = "d1")]
    fn required_d1(&self, name: &str) -> Result<worker::D1Database>;

    /// Workers AI.
    fn required_ai(&self, name: &str) -> Result<AiBinding>;

    /// A Vectorize index.
    fn required_vectorize(&self, name: &str) -> Result<VectorizeIndex>;

    /// An R2 bucket.
    fn required_bucket(&self, name: &str) -> Result<Bucket>;

    /// A Durable Object namespace.
    fn required_durable_object(&self, name: &str) -> Result<ObjectNamespace>;

    /// Another Worker.
    fn required_service(&self, name: &str) -> Result<Fetcher>;

    /// A queue to send to.
    #[cfg(feature = "queue")]
    fn required_queue(&self, name: &str) -> Result<worker::Queue>;

    /// An Analytics Engine dataset.
    fn required_analytics_engine(&self, name: &str) -> Result<AnalyticsEngineDataset>;

    /// The rate limiting binding.
    fn required_rate_limiter(&self, name: &str) -> Result<RateLimiter>;
}

impl EnvExt for Env {
    fn has(&self, name: &str) -> bool {
        js_sys::Reflect::get(self, &JsValue::from(name)).is_ok_and(|bound| !bound.is_undefined())
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = js_sys::Reflect::get(self, &JsValue::from(name)).ok()?;
        value.as_string().filter(|text| !text.is_empty())
    }

    fn required_kv(&self, name: &str) -> Result<KvStore> {
        Kind::KV.look_up(self, name, Self::kv)
    }

    #[cfg(feature = "d1")]
    fn required_d1(&self, name: &str) -> Result<worker::D1Database> {
        Kind::D1.look_up(self, name, Self::d1)
    }

    fn required_ai(&self, name: &str) -> Result<AiBinding> {
        Kind::AI.look_up(self, name, Self::ai).map(AiBinding::from)
    }

    fn required_vectorize(&self, name: &str) -> Result<VectorizeIndex> {
        Kind::VECTORIZE.look_up(self, name, Self::get_binding)
    }

    fn required_bucket(&self, name: &str) -> Result<Bucket> {
        Kind::R2.look_up(self, name, Self::bucket)
    }

    fn required_durable_object(&self, name: &str) -> Result<ObjectNamespace> {
        Kind::DURABLE_OBJECT.look_up(self, name, Self::durable_object)
    }

    fn required_service(&self, name: &str) -> Result<Fetcher> {
        Kind::SERVICE.look_up(self, name, Self::service)
    }

    #[cfg(feature = "queue")]
    fn required_queue(&self, name: &str) -> Result<worker::Queue> {
        Kind::QUEUE.look_up(self, name, Self::queue)
    }

    fn required_analytics_engine(&self, name: &str) -> Result<AnalyticsEngineDataset> {
        Kind::ANALYTICS_ENGINE.look_up(self, name, Self::analytics_engine)
    }

    fn required_rate_limiter(&self, name: &str) -> Result<RateLimiter> {
        Kind::RATE_LIMITER.look_up(self, name, Self::rate_limiter)
    }
}
