use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a job is treated. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// How often it is tried at most, lost attempts included.
    pub(crate) max_attempts: u32,
    /// How long an attempt may be silent until it counts as lost.
    pub(crate) lease_ms: u64,
    /// The wait after the first failure; each next one is twice as long.
    pub(crate) backoff_ms: u64,
    /// How old it gets before it fails without an answer.
    pub(crate) max_age_ms: u64,
    /// How long it is kept after its end.
    pub(crate) keep_ms: u64,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Nobody works on it.
    Queued,
    /// Somebody holds the lease.
    Running,
    /// It has an answer.
    Completed,
    /// It will have none.
    Failed,
    /// Its owner wants none.
    Cancelled,
}

impl Status {
    /// Whether nothing will change any more.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Why an attempt, or the job, failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    /// Whether another attempt may succeed.
    #[serde(default)]
    pub(crate) retryable: bool,
    /// What the other side said to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_ms: Option<u64>,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            retryable: false,
            retry_after_ms: None,
        }
    }
}

/// The right to work on a job: whoever has its token may end the attempt, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    token: u32,
    until_ms: u64,
}

/// A job as a state machine: what happens comes in as calls with the time, and what is to be done is asked of it. It does no I/O.
///
/// A queue delivers at least once and in any order. Every delivery asks [`take`](Self::take), which gives at most one lease at a time and none
/// after the end: a message too many changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) status: Status,
    /// Attempts that were begun: each is one way through the gateway.
    pub(crate) attempts: u32,
    /// Those of them that ended without a word: what they have cost is not known.
    pub(crate) lost: u32,
    pub(crate) created_ms: u64,
    pub(crate) started_ms: Option<u64>,
    pub(crate) finished_ms: Option<u64>,
    pub(crate) failure: Option<Failure>,
    /// About how many tokens the attempt under way has written.
    pub(crate) output_tokens: u64,
    /// Queued: when it may be tried.
    not_before_ms: u64,
    /// Queued: when a message was sent for this turn.
    dispatched_ms: Option<u64>,
    lease: Option<Lease>,
}

/// What a delivered message may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Work on it.
    Run {
        /// Shown with everything that is told of the attempt.
        token: u32,
        /// The same for an attempt in the place of a lost one, another after a failure that was told.
        turn: u32,
    },
    /// Nothing: somebody works on it, or it is over, or it has to wait.
    Leave,
}

impl Job {
    /// After this long without anybody taking it, another message is sent.
    pub(crate) const REDISPATCH: Duration = Duration::from_secs(300);

    pub(crate) const fn new(now_ms: u64) -> Self {
        Self {
            status: Status::Queued,
            attempts: 0,
            lost: 0,
            created_ms: now_ms,
            started_ms: None,
            finished_ms: None,
            failure: None,
            output_tokens: 0,
            not_before_ms: now_ms,
            dispatched_ms: None,
            lease: None,
        }
    }

    /// Lets time pass: a silent attempt is lost, an old job fails.
    pub(crate) fn tick(&mut self, now_ms: u64, policy: &Policy) {
        if self.lease.as_ref().is_some_and(|lease| lease.until_ms <= now_ms) {
            self.lost = self.lost.saturating_add(1);
            let mut failure = Failure::new("attempt_lost", "the attempt ended without a word");
            failure.retryable = true;
            self.end_attempt(failure, now_ms, policy);
        }
        if self.status == Status::Queued && now_ms >= self.created_ms.saturating_add(policy.max_age_ms) {
            let seen = self.failure.take().map(|failure| failure.message);
            let message = match seen {
                Some(seen) => format!("there was no answer in time; the last failure was: {seen}"),
                None => "nobody worked on it in time".to_owned(),
            };
            self.finish(Status::Failed, now_ms);
            self.failure = Some(Failure::new("job_expired", message));
        }
    }

    /// Somebody has got a message and asks to work.
    pub(crate) fn take(&mut self, now_ms: u64, policy: &Policy) -> Take {
        self.tick(now_ms, policy);
        if self.status != Status::Queued || now_ms < self.not_before_ms {
            return Take::Leave;
        }
        let turn = self.attempts.saturating_sub(self.lost);
        self.attempts = self.attempts.saturating_add(1);
        let token = self.attempts;
        self.status = Status::Running;
        self.started_ms.get_or_insert(now_ms);
        self.dispatched_ms = None;
        self.output_tokens = 0;
        self.lease = Some(Lease {
            token,
            until_ms: now_ms.saturating_add(policy.lease_ms),
        });
        Take::Run { token, turn }
    }

    /// A sign of life; false when the work is not wanted any more.
    pub(crate) fn renew(&mut self, token: u32, tokens: u64, now_ms: u64, policy: &Policy) -> bool {
        self.tick(now_ms, policy);
        match &mut self.lease {
            Some(lease) if lease.token == token => {
                lease.until_ms = now_ms.saturating_add(policy.lease_ms);
                self.output_tokens = tokens;
                true
            }
            _ => false,
        }
    }

    /// The attempt has an answer; false when it is not wanted any more. A lease that is over but was given to nobody else still counts: the
    /// call has been made and paid for.
    pub(crate) fn complete(&mut self, token: u32, tokens: u64, now_ms: u64) -> bool {
        let holds = self.holds(token);
        if holds {
            self.finish(Status::Completed, now_ms);
            self.failure = None;
            self.output_tokens = tokens;
        }
        holds
    }

    /// The attempt has failed; false when nobody wants to know any more.
    pub(crate) fn fail(&mut self, token: u32, failure: Failure, now_ms: u64, policy: &Policy) -> bool {
        let holds = self.holds(token);
        if holds {
            self.end_attempt(failure, now_ms, policy);
        }
        holds
    }

    /// Whether an attempt is the one that counts.
    pub(crate) fn holds(&self, token: u32) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.token == token)
    }

    /// The owner wants no answer; false when it is over already.
    pub(crate) fn cancel(&mut self, now_ms: u64) -> bool {
        let open = !self.status.is_final();
        if open {
            self.finish(Status::Cancelled, now_ms);
        }
        open
    }

    /// Whether a message is to be sent now.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.status == Status::Queued && self.dispatch_at() <= now_ms
    }

    /// A message was sent.
    pub(crate) const fn dispatched(&mut self, now_ms: u64) {
        self.dispatched_ms = Some(now_ms);
    }

    /// When it has to be looked at again.
    pub(crate) fn wake_at(&self, policy: &Policy) -> u64 {
        match (self.status, &self.lease) {
            (Status::Queued, _) => self
                .dispatch_at()
                .min(self.created_ms.saturating_add(policy.max_age_ms)),
            (_, Some(lease)) => lease.until_ms,
            _ => self
                .finished_ms
                .unwrap_or(self.created_ms)
                .saturating_add(policy.keep_ms),
        }
    }

    /// Whether it may be forgotten.
    pub(crate) fn is_past(&self, now_ms: u64, policy: &Policy) -> bool {
        self.status.is_final() && self.wake_at(policy) <= now_ms
    }

    fn dispatch_at(&self) -> u64 {
        let again = u64::try_from(Self::REDISPATCH.as_millis()).unwrap_or(u64::MAX);
        match self.dispatched_ms {
            Some(at) => at.saturating_add(again).max(self.not_before_ms),
            None => self.not_before_ms,
        }
    }

    fn end_attempt(&mut self, failure: Failure, now_ms: u64, policy: &Policy) {
        self.lease = None;
        if !failure.retryable || self.attempts >= policy.max_attempts {
            self.finish(Status::Failed, now_ms);
        } else {
            let doubled = self.attempts.saturating_sub(1).min(16);
            let wait = policy.backoff_ms.saturating_mul(1 << doubled);
            let wait = wait.max(failure.retry_after_ms.unwrap_or_default());
            self.status = Status::Queued;
            self.dispatched_ms = None;
            self.not_before_ms = now_ms.saturating_add(wait);
        }
        self.failure = Some(failure);
    }

    fn finish(&mut self, status: Status, now_ms: u64) {
        self.status = status;
        self.lease = None;
        self.finished_ms = Some(now_ms);
    }
}

#[cfg(test)]
mod tests;
