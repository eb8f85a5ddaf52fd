use serde::{Deserialize, Serialize};

use super::state::{Failure, Job, Policy};
use super::ticket::Ticket;
use super::webhook::Hook;

/// All that an object keeps of a job beside the bytes of its request and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) ticket: Ticket,
    pub(crate) model: String,
    pub(crate) policy: Policy,
    pub(crate) job: Job,
    pub(crate) answer: Option<AnswerHead>,
    pub(crate) hook: Option<Hook>,
}

/// An answer without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) request_id: String,
}

/// What somebody who has a message may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) token: u32,
    pub(crate) turn: u32,
    pub(crate) lease_ms: u64,
    pub(crate) ticket: Ticket,
}

/// A sign of life.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Renewal {
    pub(crate) token: u32,
    pub(crate) output_tokens: u64,
}

/// How an attempt has ended; the body of its answer follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub(crate) token: u32,
    pub(crate) output_tokens: u64,
    pub(crate) answer: Option<AnswerHead>,
    /// Nothing for an attempt that has succeeded.
    pub(crate) failure: Option<Failure>,
}

impl Record {
    /// A job that is over has its owner told.
    pub(crate) fn tell_the_end(&mut self, now_ms: u64) {
        if self.job.status.is_final()
            && let Some(hook) = &mut self.hook
        {
            hook.begin(now_ms);
        }
    }
}
