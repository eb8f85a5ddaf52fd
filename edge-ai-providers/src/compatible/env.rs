use std::sync::Arc;

use edge_ai_core::{HttpClient, Result};
use edge_ai_worker::{EnvExt, FetchClient};

use super::{Vendor, all_from_settings};
use crate::openai::OpenAi;

impl Vendor {
    /// The vendor by a Worker's variables and secrets; `None` without the one that says that it is to be there.
    ///
    /// # Errors
    /// As [`Vendor::from_settings`].
    pub fn from_env(&self, env: &worker::Env) -> Result<Option<OpenAi>> {
        self.from_settings(Arc::<FetchClient>::default(), &|name| env.text(name))
    }
}

/// Every vendor of the [table](super::VENDORS) whose variables and secrets a Worker has, in the table's order.
///
/// # Errors
/// As [`Vendor::from_settings`].
pub fn all_from_env(env: &worker::Env) -> Result<Vec<OpenAi>> {
    let http: Arc<dyn HttpClient> = Arc::<FetchClient>::default();
    all_from_settings(&http, &|name| env.text(name))
}
