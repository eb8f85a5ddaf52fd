use std::collections::BTreeMap;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::route::Route;
use crate::route::asked::Asked;

/// What a request must be like for [`Route::when`].
///
/// | condition | in JSON |
/// | --- | --- |
/// | [`tenant("acme")`](Self::tenant) | `{"tenant": "acme"}` |
/// | [`metadata("plan", "pro")`](Self::metadata) | `{"metadata": {"plan": "pro"}}`; several keys must all have their values |
/// | [`prompt_over(20_000)`](Self::prompt_over) | `{"prompt_over": 20000}` |
/// | [`tools()`](Self::tools), [`vision()`](Self::vision), [`stream()`](Self::stream) | `"tools"`, `"vision"`, `"stream"` |
/// | [`all([…])`](Self::all), [`any([…])`](Self::any) | `{"all": […]}`, `{"any": […]}` |
/// | `!condition` | `{"not": …}` |
///
/// ```
/// use edge_ai_gateway::Condition;
///
/// let long_and_paid = Condition::all([Condition::prompt_over(20_000), !Condition::metadata("plan", "free")]);
/// let json = r#"{"all": [{"prompt_over": 20000}, {"not": {"metadata": {"plan": "free"}}}]}"#;
/// assert_eq!(serde_json::from_str::<Condition>(json)?, long_and_paid);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Condition(Test);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Test {
    Tenant(String),
    Metadata(BTreeMap<String, String>),
    PromptOver(u64),
    Tools,
    Vision,
    Stream,
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    /// It is this tenant's.
    pub fn tenant(tenant: impl Into<String>) -> Self {
        Self(Test::Tenant(tenant.into()))
    }

    /// Its caller's metadata has this value under this key.
    ///
    /// Over HTTP the client says so itself, in `cf-aig-metadata`: what only some clients may have depends on the
    /// [tenant](Self::tenant), whom the key tells.
    pub fn metadata(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self(Test::Metadata(BTreeMap::from([(key.into(), value.into())])))
    }

    /// Its text (messages, tools, schemas; for embeddings the inputs) is longer than this many bytes. Pictures, sound and documents are
    /// not counted. About four bytes of English make a token.
    pub const fn prompt_over(bytes: u64) -> Self {
        Self(Test::PromptOver(bytes))
    }

    /// It offers tools, or has calls of them in its conversation.
    pub const fn tools() -> Self {
        Self(Test::Tools)
    }

    /// It has pictures.
    pub const fn vision() -> Self {
        Self(Test::Vision)
    }

    /// It wants its answer piece by piece.
    pub const fn stream() -> Self {
        Self(Test::Stream)
    }

    /// All of these hold; so it is without any.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Test::All(conditions.into_iter().collect()))
    }

    /// One of these holds; not so without any.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Test::Any(conditions.into_iter().collect()))
    }

    /// The keys of metadata that it looks at.
    pub(in crate::route) fn metadata_keys(&self) -> Vec<&str> {
        match &self.0 {
            Test::Metadata(wanted) => wanted.keys().map(String::as_str).collect(),
            Test::All(conditions) | Test::Any(conditions) => {
                conditions.iter().flat_map(Self::metadata_keys).collect()
            }
            Test::Not(condition) => condition.metadata_keys(),
            Test::Tenant(_) | Test::PromptOver(_) | Test::Tools | Test::Vision | Test::Stream => Vec::new(),
        }
    }

    /// Whether it looks at how the answer is wanted.
    pub(in crate::route) fn tells_streams_apart(&self) -> bool {
        match &self.0 {
            Test::Stream => true,
            Test::All(conditions) | Test::Any(conditions) => conditions.iter().any(Self::tells_streams_apart),
            Test::Not(condition) => condition.tells_streams_apart(),
            Test::Tenant(_) | Test::Metadata(_) | Test::PromptOver(_) | Test::Tools | Test::Vision => false,
        }
    }

    pub(in crate::route) fn holds(&self, asked: &Asked<'_>) -> bool {
        match &self.0 {
            Test::Tenant(tenant) => asked.context.tenant.as_deref() == Some(tenant),
            Test::Metadata(wanted) => wanted
                .iter()
                .all(|(key, value)| asked.context.metadata.get(key) == Some(value)),
            Test::PromptOver(bytes) => asked.text_bytes() > *bytes,
            Test::Tools => asked.needs_tools(),
            Test::Vision => asked.needs_vision(),
            Test::Stream => asked.stream,
            Test::All(conditions) => conditions.iter().all(|condition| condition.holds(asked)),
            Test::Any(conditions) => conditions.iter().any(|condition| condition.holds(asked)),
            Test::Not(condition) => !condition.holds(asked),
        }
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        Self(Test::Not(Box::new(self)))
    }
}

/// Two children and which of them it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::route) struct When<N> {
    #[serde(rename = "if")]
    pub(in crate::route) condition: Condition,
    pub(in crate::route) then: N,
    #[serde(rename = "else")]
    pub(in crate::route) otherwise: N,
}

impl Route {
    /// One route for requests of a kind, another for all others. Neither is a fallback of the other.
    ///
    /// For a larger window for long prompts, a better model for paying tenants, a model with eyes for pictures.
    ///
    /// ```
    /// use edge_ai_gateway::{Condition, Route};
    ///
    /// let by_size = Route::when(Condition::prompt_over(400_000), "google/gemini-2.5-pro", "openai/gpt-5-mini");
    /// let json = r#"{"when": {"if": {"prompt_over": 400000}, "then": "google/gemini-2.5-pro", "else": "openai/gpt-5-mini"}}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, by_size);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn when(condition: Condition, then: impl Into<Self>, otherwise: impl Into<Self>) -> Self {
        Self::by(Strategy::When(Box::new(When {
            condition,
            then: then.into(),
            otherwise: otherwise.into(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatRequest, Context, FunctionTool};

    #[test]
    fn conditions_hold_of_what_is_asked() {
        let mut context = Context::default().with_tenant("acme");
        context.metadata.insert("plan".into(), "pro".into());
        let request = ChatRequest::new("m")
            .user("12345")
            .tool(FunctionTool::named("f"))
            .with_context(context);
        let asked = Asked::chat(&request, true);
        let holds = |json: &str| serde_json::from_str::<Condition>(json).unwrap().holds(&asked);
        for yes in [
            r#"{"tenant": "acme"}"#,
            r#"{"metadata": {"plan": "pro"}}"#,
            r#"{"prompt_over": 5}"#,
            r#""tools""#,
            r#""stream""#,
            r#"{"not": "vision"}"#,
            r#"{"all": []}"#,
            r#"{"any": ["vision", "stream"]}"#,
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in [
            r#"{"tenant": "acm"}"#,
            r#"{"metadata": {"plan": "pro", "team": "a"}}"#,
            r#"{"prompt_over": 6}"#,
            r#""vision""#,
            r#"{"any": []}"#,
            r#"{"all": ["stream", "vision"]}"#,
        ] {
            assert!(!holds(no), "{no}");
        }
    }
}
