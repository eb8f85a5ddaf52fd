use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{ChatInput, ChatModel, Context, ResponseFormat, Result};
use serde::{Deserialize, Serialize};

use crate::matcher::Matcher;
use crate::scan::{Encoding, find_all};

/// Looks at the texts of a request or of an answer and says what it finds.
///
/// What is done about a finding is not the guard's to say but the [`Rule`](crate::Rule)'s that it is put under. A guard that can tell by a
/// [matcher](Self::matcher) works on streams while they arrive; any other needs the whole answer.
///
/// ```
/// use edge_ai_core::{Result, async_trait};
/// use edge_ai_guard::{Finding, Guard, View};
///
/// /// Nobody shouts.
/// #[derive(Debug)]
/// struct Quiet;
///
/// #[async_trait]
/// impl Guard for Quiet {
///     fn name(&self) -> &str {
///         "quiet"
///     }
///
///     async fn check(&self, view: &View<'_>) -> Result<Vec<Finding>> {
///         let loud = |text: &str| text.len() > 20 && text == text.to_uppercase();
///         let loud = view.passages.iter().enumerate().filter(|(_, passage)| loud(&passage.text));
///         Ok(loud.map(|(index, passage)| Finding::whole(index, passage, "shouting")).collect())
///     }
/// }
/// ```
#[async_trait]
pub trait Guard: fmt::Debug + Send + Sync + 'static {
    /// The name in errors, records and headers, such as `pii`.
    fn name(&self) -> &str;

    /// Whether it has something to say of this phase.
    fn looks_at(&self, _phase: Phase) -> bool {
        true
    }

    /// Whether it has something to say of the answer to this request. One that needs whole answers does not hold the stream of another.
    fn concerns(&self, _input: &ChatInput) -> bool {
        true
    }

    /// What finds it in a text that is still arriving, if that can be told so. [`check`](Self::check) is not called then.
    fn matcher(&self) -> Option<Arc<dyn Matcher>> {
        None
    }

    /// Looks at everything at once.
    ///
    /// # Errors
    /// When it cannot tell, such as when the model that it asks is down. The rule says what happens then.
    async fn check(&self, view: &View<'_>) -> Result<Vec<Finding>> {
        let Some(matcher) = self.matcher() else {
            return Ok(Vec::new());
        };
        let matchers: Arc<[Arc<dyn Matcher>]> = Arc::new([matcher]);
        let mut findings = Vec::new();
        for (index, passage) in view.passages.iter().enumerate() {
            let hits = find_all(&passage.text, passage.encoding, &matchers);
            findings.extend(
                hits.into_iter()
                    .map(|hit| Finding::new(index, hit.span, hit.category)),
            );
        }
        Ok(findings)
    }
}

/// Before the model or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// What goes to the model.
    Request,
    /// What it answers.
    Answer,
}

impl Phase {
    /// The word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// The application: its instructions, and its descriptions of tools.
    System,
    /// The user.
    User,
    /// The model: earlier turns in a request, the text of an answer.
    Assistant,
    /// What the model thought, as far as it can be read.
    Reasoning,
    /// The arguments of a tool's call, as JSON.
    ToolCall,
    /// What a tool gave back.
    ToolResult,
    /// Anything else with text in it, as JSON: documents, search results, fields that only a vendor knows.
    Document,
}

/// One text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Passage<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Where it comes from.
    pub source: Source,
    /// How it is written.
    pub encoding: Encoding,
    /// Its place for people, such as `messages[2].content[0]`.
    pub place: String,
}

impl<'a> Passage<'a> {
    /// A plain text.
    pub fn new(text: impl Into<Cow<'a, str>>, source: Source, place: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            source,
            encoding: Encoding::Plain,
            place: place.into(),
        }
    }

    /// A text written as JSON.
    pub fn json(text: impl Into<Cow<'a, str>>, source: Source, place: impl Into<String>) -> Self {
        Self {
            encoding: Encoding::Json,
            ..Self::new(text, source, place)
        }
    }
}

/// What a guard looks at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct View<'a> {
    /// Before the model or after it.
    pub phase: Phase,
    /// The texts, in order.
    pub passages: Vec<Passage<'a>>,
    /// In an answer: the texts that it answers.
    pub question: Vec<Passage<'a>>,
    /// The form that the request wants its answer in.
    pub format: Option<&'a ResponseFormat>,
    /// The answer waits for the results of tools: it is not the last word.
    pub calls_tools: bool,
    /// The model that is guarded, for a guard that asks one.
    pub model: Option<&'a dyn ChatModel>,
    /// The request's context.
    pub context: &'a Context,
}

impl<'a> View<'a> {
    /// A view of texts.
    pub const fn new(phase: Phase, passages: Vec<Passage<'a>>, context: &'a Context) -> Self {
        Self {
            phase,
            passages,
            question: Vec::new(),
            format: None,
            calls_tools: false,
            model: None,
            context,
        }
    }
}

/// What a guard found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// In which of the view's passages.
    pub passage: usize,
    /// Where in it, in bytes.
    pub span: Range<usize>,
    /// What it is, such as `email`.
    pub category: Cow<'static, str>,
    /// More about it, without the text that was found: it is told to the client and to the model.
    pub detail: Option<String>,
}

impl Finding {
    /// Something in a part of a passage.
    pub fn new(passage: usize, span: Range<usize>, category: impl Into<Cow<'static, str>>) -> Self {
        Self {
            passage,
            span,
            category: category.into(),
            detail: None,
        }
    }

    /// A passage as a whole.
    pub fn whole(index: usize, passage: &Passage<'_>, category: impl Into<Cow<'static, str>>) -> Self {
        Self::new(index, 0..passage.text.len(), category)
    }

    /// Adds more about it.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}
