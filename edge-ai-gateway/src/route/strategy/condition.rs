use std::collections::{BTreeMap, BTreeSet};
use std::ops::Not;

use edge_ai_core::{ContentPart, Operation};
use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::{Matching, Strategy};
use crate::route::Route;
use crate::route::asked::Asked;

/// What a request must be like for [`Route::when`].
///
/// | condition | in JSON |
/// | --- | --- |
/// | [`tenant("acme")`](Self::tenant), [`key("k1")`](Self::key), [`model("smart")`](Self::model) | `{"tenant": "acme"}`, `{"key": "k1"}`, `{"model": "smart"}` |
/// | [`metadata("plan", "pro")`](Self::metadata) | `{"metadata": {"plan": "pro"}}`; of several keys all must hold |
/// | [`header("x-plan", "pro")`](Self::header) | `{"header": {"x-plan": "pro"}}`; of several headers all must hold |
/// | [`prompt_tokens_over(8_000)`](Self::prompt_tokens_over), [`prompt_over(20_000)`](Self::prompt_over) bytes | `{"prompt_tokens_over": 8000}`, `{"prompt_over": 20000}` |
/// | [`tools()`](Self::tools), [`vision()`](Self::vision), [`audio()`](Self::audio), [`documents()`](Self::documents), [`stream()`](Self::stream) | `"tools"`, `"vision"`, `"audio"`, `"documents"`, `"stream"` |
/// | [`operation(Operation::Embeddings)`](Self::operation) | `{"operation": "embeddings"}` |
/// | [`all([…])`](Self::all), [`any([…])`](Self::any) | `{"all": […]}`, `{"any": […]}` |
/// | `!condition` | `{"not": …}` |
///
/// Wherever a text is looked at, a [`Matching`] may stand for it, as `{"in": ["pro", "team"]}`.
///
/// ```
/// use edge_ai_gateway::{Condition, Matching};
///
/// let paid = Condition::metadata("plan", Matching::one_of(["pro", "team"]));
/// let long_or_asked = Condition::any([Condition::prompt_tokens_over(8_000), Condition::header("x-quality", "high")]);
/// let json = r#"{"all": [
///     {"metadata": {"plan": {"in": ["pro", "team"]}}},
///     {"any": [{"prompt_tokens_over": 8000}, {"header": {"x-quality": "high"}}]}
/// ]}"#;
/// assert_eq!(serde_json::from_str::<Condition>(json)?, Condition::all([paid, long_or_asked]));
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
    Tenant(Matching),
    Key(Matching),
    Model(Matching),
    Metadata(BTreeMap<String, Matching>),
    Header(BTreeMap<String, Matching>),
    PromptOver(u64),
    PromptTokensOver(u64),
    Tools,
    Vision,
    Audio,
    Documents,
    Stream,
    Operation(Operation),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    /// It is this tenant's.
    pub fn tenant(tenant: impl Into<Matching>) -> Self {
        Self(Test::Tenant(tenant.into()))
    }

    /// It came by the key with this [public identifier](edge_ai_core::Context::key).
    pub fn key(id: impl Into<Matching>) -> Self {
        Self(Test::Key(id.into()))
    }

    /// It asks for this name. Of use where one route serves several names.
    pub fn model(name: impl Into<Matching>) -> Self {
        Self(Test::Model(name.into()))
    }

    /// Its caller's metadata is like this under this key.
    ///
    /// Over HTTP the client says so itself, in `cf-aig-metadata`: what only some clients may have depends on the
    /// [tenant](Self::tenant) or the [key](Self::key).
    pub fn metadata(key: impl Into<String>, value: impl Into<Matching>) -> Self {
        Self(Test::Metadata(BTreeMap::from([(key.into(), value.into())])))
    }

    /// Its header of this name, in lower case, is like this. Headers that carry credentials cannot be looked at, and a value has at most 256
    /// bytes.
    pub fn header(name: impl Into<String>, value: impl Into<Matching>) -> Self {
        Self(Test::Header(BTreeMap::from([(name.into(), value.into())])))
    }

    /// Its text (messages, tools, schemas; for embeddings the inputs) is longer than this many bytes. Pictures, sound and documents are
    /// not counted. About four bytes of English make a token.
    pub const fn prompt_over(bytes: u64) -> Self {
        Self(Test::PromptOver(bytes))
    }

    /// It takes more tokens than this to be read, by [estimate](edge_ai_core::estimate_input_tokens).
    pub const fn prompt_tokens_over(tokens: u64) -> Self {
        Self(Test::PromptTokensOver(tokens))
    }

    /// It offers tools, or has calls of them in its conversation.
    pub const fn tools() -> Self {
        Self(Test::Tools)
    }

    /// It has pictures.
    pub const fn vision() -> Self {
        Self(Test::Vision)
    }

    /// It has sound.
    pub const fn audio() -> Self {
        Self(Test::Audio)
    }

    /// It has documents.
    pub const fn documents() -> Self {
        Self(Test::Documents)
    }

    /// It wants its answer piece by piece.
    pub const fn stream() -> Self {
        Self(Test::Stream)
    }

    /// It is a request of this kind.
    pub const fn operation(operation: Operation) -> Self {
        Self(Test::Operation(operation))
    }

    /// All of these hold; so it is without any.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Test::All(conditions.into_iter().collect()))
    }

    /// One of these holds; not so without any.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Test::Any(conditions.into_iter().collect()))
    }

    /// What makes it impossible, in words for the operator.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let mut sight = Sight::default();
        self.looks_at(&mut sight);
        let secret = |name: &&str| SECRET.contains(name);
        if sight.headers.iter().any(secret) {
            return Some("looks at a header that carries credentials: look at `tenant` or `key` instead");
        }
        let odd = |name: &&str| HeaderName::from_lowercase(name.as_bytes()).is_err();
        sight
            .headers
            .iter()
            .any(odd)
            .then_some("looks at a header whose name is not one, or not in lower case")
    }

    /// Tells what it looks at that the content of a request does not say.
    pub(in crate::route) fn looks_at<'a>(&'a self, sight: &mut Sight<'a>) {
        match &self.0 {
            Test::Metadata(wanted) => sight.metadata.extend(wanted.keys().map(String::as_str)),
            Test::Header(wanted) => sight.headers.extend(wanted.keys().map(String::as_str)),
            Test::Key(_) => sight.keys = true,
            Test::Stream => sight.streams = true,
            Test::All(conditions) | Test::Any(conditions) => {
                conditions.iter().for_each(|condition| condition.looks_at(sight));
            }
            Test::Not(condition) => condition.looks_at(sight),
            // Tenants and models are told apart anyway, and the rest is content.
            _ => {}
        }
    }

    pub(in crate::route) fn holds(&self, asked: &Asked<'_>) -> bool {
        let all = |wanted: &BTreeMap<String, Matching>, there: &BTreeMap<String, String>| {
            wanted
                .iter()
                .all(|(name, test)| test.holds(there.get(name).map(String::as_str)))
        };
        match &self.0 {
            Test::Tenant(test) => test.holds(asked.context.tenant.as_deref()),
            Test::Key(test) => test.holds(asked.context.key.as_deref()),
            Test::Model(test) => test.holds(Some(asked.model())),
            Test::Metadata(wanted) => all(wanted, &asked.context.metadata),
            Test::Header(wanted) => all(wanted, &asked.context.headers),
            Test::PromptOver(bytes) => asked.text_bytes() > *bytes,
            Test::PromptTokensOver(tokens) => asked.expected_tokens().0 > *tokens,
            Test::Tools => asked.needs_tools(),
            Test::Vision => asked.needs_vision(),
            Test::Audio => asked.has_part(|part| matches!(part, ContentPart::Audio(_))),
            Test::Documents => asked.has_part(|part| matches!(part, ContentPart::File(_))),
            Test::Stream => asked.stream,
            Test::Operation(operation) => asked.operation() == *operation,
            Test::All(conditions) => conditions.iter().all(|condition| condition.holds(asked)),
            Test::Any(conditions) => conditions.iter().any(|condition| condition.holds(asked)),
            Test::Not(condition) => !condition.holds(asked),
        }
    }
}

/// Headers that carry credentials: what routes look at goes into the names of kept answers.
const SECRET: [&str; 8] = [
    "authorization",
    "api-key",
    "cf-access-client-secret",
    "cf-access-jwt-assertion",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-goog-api-key",
];

/// What routes look at beside the content of a request.
#[derive(Clone, Debug, Default)]
pub(in crate::route) struct Sight<'a> {
    pub(in crate::route) metadata: BTreeSet<&'a str>,
    pub(in crate::route) headers: BTreeSet<&'a str>,
    pub(in crate::route) keys: bool,
    pub(in crate::route) streams: bool,
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
    /// let by_size = Route::when(Condition::prompt_tokens_over(100_000), "google/gemini-2.5-pro", "openai/gpt-5-mini");
    /// let json = r#"{"when": {"if": {"prompt_tokens_over": 100000}, "then": "google/gemini-2.5-pro", "else": "openai/gpt-5-mini"}}"#;
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
        context.headers.insert("x-region".into(), "eu-1".into());
        context.key = Some("k1".into());
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
            r#"{"prompt_tokens_over": 1}"#,
            r#"{"tenant": {"prefix": "ac"}}"#,
            r#"{"key": {"in": ["k1"]}}"#,
            r#"{"model": "m"}"#,
            r#"{"operation": "chat"}"#,
            r#"{"header": {"x-region": {"prefix": "eu-"}, "x-other": {"exists": false}}}"#,
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
            r#""audio""#,
            r#""documents""#,
            r#"{"operation": "embeddings"}"#,
            r#"{"header": {"x-region": "eu"}}"#,
            r#"{"prompt_tokens_over": 1000}"#,
            r#"{"any": []}"#,
            r#"{"all": ["stream", "vision"]}"#,
        ] {
            assert!(!holds(no), "{no}");
        }
    }
}
