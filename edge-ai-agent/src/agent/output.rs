use std::fmt;
use std::marker::PhantomData;

use edge_ai_core::{ChatOutput, Result, async_trait};
use serde::de::DeserializeOwned;

use crate::run::{RunGuard, Verdict};

/// Reads the last answer into a type, and asks again when it does not fit.
pub(super) struct TypedOutput<T>(PhantomData<fn() -> T>);

impl<T> TypedOutput<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> fmt::Debug for TypedOutput<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedOutput")
    }
}

#[async_trait]
impl<T: DeserializeOwned + 'static> RunGuard for TypedOutput<T> {
    async fn output(&self, output: &ChatOutput) -> Result<Verdict> {
        Ok(match serde_json::from_str::<T>(output.text().trim()) {
            Ok(_) => Verdict::Allow,
            Err(error) => Verdict::retry(format!(
                "The answer does not fit the schema: {error}. Answer again with nothing but JSON of the schema."
            )),
        })
    }
}
