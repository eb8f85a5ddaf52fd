use edge_ai_core::{Error, ErrorKind, Result};
use worker::Env;

use crate::bridge;
use crate::error::js_error;

/// A kind of binding: what a person calls one, and the key of `wrangler.jsonc` that adds it.
#[derive(Debug)]
pub(super) struct Kind {
    name: &'static str,
    key: &'static str,
}

impl Kind {
    pub(super) const KV: Self = Self {
        name: "KV namespace",
        key: "kv_namespaces",
    };
    #[cfg(feature = "d1")]
    pub(super) const D1: Self = Self {
        name: "D1 database",
        key: "d1_databases",
    };
    pub(super) const AI: Self = Self {
        name: "Workers AI",
        key: "ai",
    };
    pub(super) const VECTORIZE: Self = Self {
        name: "Vectorize index",
        key: "vectorize",
    };
    pub(super) const R2: Self = Self {
        name: "R2 bucket",
        key: "r2_buckets",
    };
    pub(super) const DURABLE_OBJECT: Self = Self {
        name: "Durable Object namespace",
        key: "durable_objects.bindings",
    };
    pub(super) const SERVICE: Self = Self {
        name: "service",
        key: "services",
    };
    #[cfg(feature = "queue")]
    pub(super) const QUEUE: Self = Self {
        name: "queue producer",
        key: "queues.producers",
    };
    pub(super) const ANALYTICS_ENGINE: Self = Self {
        name: "Analytics Engine dataset",
        key: "analytics_engine_datasets",
    };
    pub(super) const RATE_LIMITER: Self = Self {
        name: "rate limiter",
        key: "ratelimits",
    };

    pub(super) fn look_up<T>(
        &self,
        env: &Env,
        name: &str,
        get: impl FnOnce(&Env, &str) -> worker::Result<T>,
    ) -> Result<T> {
        // The `worker` crate's own lookups throw or misread where a variable stands in the place of a binding.
        let found =
            bridge::binding_type(env, name).map_err(|thrown| js_error(ErrorKind::Configuration, &thrown))?;
        match found.as_str() {
            "" => Err(self.missing(name)),
            "string" | "number" | "boolean" | "bigint" | "symbol" => Err(self.mistaken(name, &found)),
            _ => get(env, name).map_err(|_| self.mistaken(name, &found)),
        }
    }

    fn missing(&self, name: &str) -> Error {
        let Self { name: what, key } = self;
        configuration(format!(
            "no {what} is bound as `{name}`: add it to `{key}` in wrangler.jsonc"
        ))
    }

    fn mistaken(&self, name: &str, found: &str) -> Error {
        let Self { name: what, key } = self;
        configuration(format!(
            "the binding `{name}` is no {what} but of the type {found}: it belongs in `{key}` in wrangler.jsonc"
        ))
    }
}

pub(super) fn missing_text(name: &str) -> Error {
    configuration(format!(
        "no variable or secret is named `{name}`: add it to `vars` in wrangler.jsonc, or run `wrangler secret put {name}`"
    ))
}

pub(super) fn missing_secret(name: &str) -> Error {
    configuration(format!(
        "no secret is named `{name}`: run `wrangler secret put {name}`, or add it to .dev.vars for local use"
    ))
}

fn configuration(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_its_remedy() {
        let error = Kind::KV.missing("CACHE");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(
            error.message(),
            "no KV namespace is bound as `CACHE`: add it to `kv_namespaces` in wrangler.jsonc"
        );
        assert!(missing_text("URL").message().contains("`vars` in wrangler.jsonc"));
        assert!(
            missing_secret("KEY")
                .message()
                .contains("wrangler secret put KEY")
        );
    }

    #[test]
    fn what_is_mistaken_says_what_it_is() {
        let message = Kind::AI.mistaken("AI", "string").message().to_owned();
        assert_eq!(
            message,
            "the binding `AI` is no Workers AI but of the type string: it belongs in `ai` in wrangler.jsonc"
        );
    }
}
