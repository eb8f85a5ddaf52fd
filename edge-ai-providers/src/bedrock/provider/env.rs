use std::sync::Arc;

use edge_ai_core::Result;
use edge_ai_worker::{EnvExt, FetchClient, WorkerClock};

use super::Bedrock;

impl Bedrock {
    /// Bedrock by a Worker's variables and secrets, as [`from_settings`](Self::from_settings) reads them.
    ///
    /// # Errors
    /// As [`from_settings`](Self::from_settings).
    pub fn from_env(env: &worker::Env) -> Result<Option<Self>> {
        Self::from_settings(Arc::<FetchClient>::default(), Arc::new(WorkerClock), &|name| {
            env.text(name)
        })
    }
}
