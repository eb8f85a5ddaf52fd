use std::fmt;

use edge_ai_core::{Error, ErrorKind, FinishReason};
use serde::{Deserialize, Serialize};

/// How a run ended, or why it stands still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunOutcome {
    /// The model has said everything.
    Finished {
        /// Why it stopped.
        reason: FinishReason,
    },
    /// People must answer first. It waits without limit, and nothing else can begin meanwhile.
    Waiting {
        /// The ids of the open questions.
        approvals: Vec<String>,
    },
    /// A limit was reached; calls that were open are told to the model as not made.
    Stopped {
        /// Which one.
        limit: RunLimit,
    },
    /// Somebody stopped it.
    Canceled,
    /// A guard stopped it.
    Blocked {
        /// What it said.
        reason: String,
    },
    /// The model failed, or the run cannot go on.
    Failed {
        /// How.
        error: RunError,
    },
}

impl RunOutcome {
    /// Whether nothing can happen any more.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Waiting { .. })
    }
}

/// What a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunLimit {
    /// [`steps`](super::RunLimits::steps)
    Steps,
    /// [`tool_calls`](super::RunLimits::tool_calls)
    ToolCalls,
    /// [`tokens`](super::RunLimits::tokens)
    Tokens,
    /// [`cost`](super::RunLimits::cost)
    Cost,
    /// [`time`](super::RunLimits::time)
    Time,
    /// [`output_retries`](super::RunLimits::output_retries)
    OutputRetries,
}

impl RunLimit {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::ToolCalls => "tool_calls",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Time => "time",
            Self::OutputRetries => "output_retries",
        }
    }
}

impl fmt::Display for RunLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunError {
    /// Its kind.
    pub kind: ErrorKind,
    /// What happened, for a person.
    pub message: String,
    /// A machine-readable code, the vendor's own where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<&Error> for RunError {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: error.message().to_owned(),
            code: error.code().map(str::to_owned),
        }
    }
}

impl RunError {
    /// As an error of the vocabulary.
    pub fn into_error(self) -> Error {
        let error = Error::new(self.kind, self.message);
        match self.code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}
