use std::fmt;

use edge_ai_core::Error;
use futures_util::future::BoxFuture;

/// One sentence of a contract, as something to run.
///
/// A case is a value, so the same suite runs as one native test ([`run`](crate::run)) and behind one HTTP route a case inside workerd.
pub struct Case<S> {
    name: &'static str,
    check: fn(S) -> BoxFuture<'static, Check>,
}

impl<S: Subject> Case<S> {
    /// A case by its name, which is the name of the function that checks it.
    pub const fn new(name: &'static str, check: fn(S) -> BoxFuture<'static, Check>) -> Self {
        Self { name, check }
    }

    /// The name: what must hold, in snake case.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Holds the subject to it.
    pub async fn run(&self, mut subject: S) -> Outcome {
        subject.enter(self.name);
        match (self.check)(subject).await {
            Ok(()) => Outcome::Passed,
            Err(Stop::Failed(sentence)) => Outcome::Failed(sentence),
            Err(Stop::Skipped(reason)) => Outcome::Skipped(reason),
        }
    }
}

impl<S> fmt::Debug for Case<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// What a suite is run on: an implementation, and what the suite must know about it.
pub trait Subject: Send + 'static {
    /// Tells which case comes, so that what cases write to a shared store does not meet.
    fn enter(&mut self, case: &'static str);
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The contract holds.
    Passed,
    /// It does not: a sentence that names the violated clause.
    Failed(String),
    /// The implementation declares that it cannot do what the case needs: which, and why.
    Skipped(String),
}

/// What a check returns. It never panics: a panic ends a wasm instance, and with it all other cases.
pub type Check = Result<(), Stop>;

/// Why a check stopped early.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// A clause is violated.
    Failed(String),
    /// The subject declares that the clause does not concern it.
    Skipped(String),
}

impl Stop {
    /// A violated clause.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// A clause that does not concern the subject.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}

/// Turns an error that must not happen into a violated clause.
pub trait Must<T> {
    /// Says which clause an error violates.
    ///
    /// # Errors
    /// [`Stop::Failed`] with the sentence and the error.
    fn must(self, sentence: &str) -> Result<T, Stop>;
}

impl<T> Must<T> for edge_ai_core::Result<T> {
    fn must(self, sentence: &str) -> Result<T, Stop> {
        self.map_err(|error| Stop::failed(format!("{sentence}, but it failed: {}", describe(&error))))
    }
}

impl<T> Must<T> for Option<T> {
    fn must(self, sentence: &str) -> Result<T, Stop> {
        self.ok_or_else(|| Stop::failed(sentence))
    }
}

/// An error as a failure shows it: kind and message.
pub(crate) fn describe(error: &Error) -> String {
    format!("{} ({})", error, error.kind())
}

/// Stops with the sentence unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err($crate::Stop::Failed(format!($($sentence)+)));
        }
    };
}

/// Stops, skipped, unless the subject declares what the case needs.
macro_rules! require {
    ($declared:expr, $($reason:tt)+) => {
        if !$declared {
            return Err($crate::Stop::Skipped(format!($($reason)+)));
        }
    };
}

/// The list of cases: each name is its function's, so that the two never differ.
macro_rules! cases {
    ($($case:path),+ $(,)?) => {
        vec![$($crate::Case::new($crate::case::last_segment(stringify!($case)), |subject| Box::pin($case(subject)))),+]
    };
}

/// The last part of `module::name`.
pub(crate) fn last_segment(path: &'static str) -> &'static str {
    path.rsplit(':').next().unwrap_or(path).trim_start()
}

pub(crate) use {cases, ensure, require};
