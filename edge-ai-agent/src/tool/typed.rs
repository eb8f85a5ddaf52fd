use std::fmt;
use std::marker::PhantomData;

use edge_ai_core::{RawJson, Result, async_trait};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{AgentTool, Approval, IntoToolOutput, Repeat, ToolInvocation, ToolOutput, ToolSpec};

/// A tool that is a Rust function: the JSON schema of its arguments comes from their type, doc comments included.
pub struct TypedTool<A, F> {
    spec: ToolSpec,
    run: F,
    arguments: PhantomData<fn(A)>,
}

impl<A, F, R, O> TypedTool<A, F>
where
    A: JsonSchema + DeserializeOwned + Send + 'static,
    F: Fn(A, ToolInvocation) -> R + Send + Sync + 'static,
    R: Future<Output = Result<O>> + Send,
    O: IntoToolOutput,
{
    /// A tool that needs no consent and, until told otherwise, is never called twice.
    pub fn new(name: impl Into<String>, description: impl Into<String>, run: F) -> Self {
        Self {
            spec: ToolSpec::new(name, description, schema::<A>()),
            run,
            arguments: PhantomData,
        }
    }

    /// A person must agree before it is called.
    #[must_use]
    pub fn needs_approval(mut self) -> Self {
        self.spec.approval = Approval::Needed;
        self
    }

    /// It changes nothing, so it may be called again after a crash.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.spec.repeat = Repeat::ReadOnly;
        self
    }

    /// It may be called again after a crash: its effect happens once for each [idempotency key](ToolInvocation::idempotency_key).
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.spec.repeat = Repeat::WithKey;
        self
    }

    /// Its name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.spec.title = Some(title.into());
        self
    }
}

impl<A, F> fmt::Debug for TypedTool<A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedTool")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<A, F, R, O> AgentTool for TypedTool<A, F>
where
    A: JsonSchema + DeserializeOwned + Send + 'static,
    F: Fn(A, ToolInvocation) -> R + Send + Sync + 'static,
    R: Future<Output = Result<O>> + Send,
    O: IntoToolOutput,
{
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: ToolInvocation) -> Result<ToolOutput> {
        let arguments = call.read()?;
        (self.run)(arguments, call).await?.into_tool_output()
    }
}

/// The schema of a type, whole, without what only tells of schemas.
pub(crate) fn schema<A: JsonSchema>() -> RawJson {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<A>();
    schema.remove("title");
    // A schema is JSON; `true` is the one of anything.
    RawJson::from_serialize(&schema).unwrap_or_else(|_| RawJson::from(RawValue::TRUE.to_owned()))
}
