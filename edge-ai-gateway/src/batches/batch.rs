use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lines::Wrong;
use crate::jobs::state::{Failure, Job, Policy, Take};
use crate::jobs::ticket::Who;

/// Where an object keeps a batch.
pub(crate) const RECORD: &str = "batch";

/// Where a batch stands, in OpenAI's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Validating,
    Failed,
    InProgress,
    Finalizing,
    Completed,
    Expired,
    Cancelling,
    Cancelled,
}

impl Status {
    pub(super) const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Failed | Self::Completed | Self::Expired | Self::Cancelled
        )
    }
}

/// A batch as a state machine: its phases and each of its lines are [`Job`]s. It does no I/O.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) id: String,
    pub(super) who: Who,
    pub(super) endpoint: String,
    pub(super) input_file_id: String,
    pub(super) metadata: Option<Map<String, Value>>,
    pub(super) policy: Policy,
    /// How many lines are worked on at once.
    pub(super) at_once: usize,
    pub(super) status: Status,
    /// When it came into each state, in milliseconds.
    pub(super) since: BTreeMap<String, u64>,
    pub(super) expires_ms: u64,
    pub(super) total: u32,
    pub(super) completed: u32,
    pub(super) failed: u32,
    pub(super) errors: Vec<Wrong>,
    pub(super) output_file_id: Option<String>,
    pub(super) error_file_id: Option<String>,
    /// Validation, then the making of the files.
    phase: Job,
    /// The first line that nobody has begun.
    next: u32,
    /// Lines that were begun and have not ended.
    open: BTreeMap<u32, Job>,
    /// What its files will be called, however often they are made.
    pub(super) file_ids: (String, String),
    expiring: bool,
    dispatched_ms: Option<u64>,
}

/// What somebody who has a message may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Validate { token: u32 },
    Line { line: u32, token: u32, turn: u32 },
    Finalize { token: u32 },
}

/// Lines that wait for another attempt hold up new ones when there are so many.
const MOST_OPEN: usize = 256;

/// When nobody came after a message, another is sent after this long.
const AGAIN_MS: u64 = 30_000;

/// What a batch is made of.
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) who: Who,
    pub(super) endpoint: String,
    pub(super) input_file_id: String,
    pub(super) metadata: Option<Map<String, Value>>,
    pub(super) policy: Policy,
    pub(super) at_once: usize,
    pub(super) window_ms: u64,
    pub(super) file_ids: (String, String),
}

impl Batch {
    pub(super) fn new(asked: Asked, now_ms: u64) -> Self {
        Self {
            id: asked.id,
            who: asked.who,
            endpoint: asked.endpoint,
            input_file_id: asked.input_file_id,
            metadata: asked.metadata,
            policy: asked.policy,
            at_once: asked.at_once,
            status: Status::Validating,
            since: BTreeMap::from([("validating".to_owned(), now_ms)]),
            expires_ms: now_ms.saturating_add(asked.window_ms),
            total: 0,
            completed: 0,
            failed: 0,
            errors: Vec::new(),
            output_file_id: None,
            error_file_id: None,
            phase: Job::new(now_ms),
            next: 0,
            open: BTreeMap::new(),
            file_ids: asked.file_ids,
            expiring: false,
            dispatched_ms: None,
        }
    }

    /// Without what only its object needs.
    pub(super) fn without_lines(&self) -> Self {
        Self {
            open: BTreeMap::new(),
            errors: Vec::new(),
            ..self.clone()
        }
    }

    /// Lets time pass. Returns the lines that have ended without an answer, with the reason.
    pub(super) fn tick(&mut self, now_ms: u64) -> Vec<(u32, Failure)> {
        let mut ended = Vec::new();
        match self.status {
            Status::InProgress => {
                for (line, job) in &mut self.open {
                    job.tick(now_ms, &self.policy);
                    if job.status.is_final() {
                        let failure = job.failure.clone();
                        ended.push((
                            *line,
                            failure.unwrap_or_else(|| Failure::new("attempt_lost", "it was lost")),
                        ));
                    }
                }
                self.open.retain(|_, job| !job.status.is_final());
                if now_ms >= self.expires_ms {
                    let failure = Failure::new(
                        "batch_expired",
                        "this request could not be executed before the completion window expired",
                    );
                    let left = std::mem::take(&mut self.open)
                        .into_keys()
                        .chain(self.next..self.total);
                    ended.extend(left.map(|line| (line, failure.clone())));
                    self.next = self.total;
                    self.expiring = true;
                }
                self.failed = self
                    .failed
                    .saturating_add(u32::try_from(ended.len()).unwrap_or(u32::MAX));
                self.finalize_if_done(now_ms);
            }
            Status::Validating | Status::Finalizing | Status::Cancelling => {
                self.phase.tick(now_ms, &self.policy);
                if let Some(failure) = self.phase.failure.take_if(|_| self.phase.status.is_final()) {
                    self.errors = vec![Wrong::new(&failure.code, failure.message)];
                    self.enter(Status::Failed, now_ms);
                }
            }
            _ => {}
        }
        ended
    }

    pub(super) fn take(&mut self, now_ms: u64) -> Option<Task> {
        self.dispatched_ms = None;
        match self.status {
            Status::Validating => self.take_phase(now_ms).map(|token| Task::Validate { token }),
            Status::Finalizing | Status::Cancelling => {
                self.take_phase(now_ms).map(|token| Task::Finalize { token })
            }
            Status::InProgress if self.running() < self.at_once => {
                let waiting =
                    self.open
                        .iter_mut()
                        .find_map(|(line, job)| match job.take(now_ms, &self.policy) {
                            Take::Run { token, turn } => Some((*line, token, turn)),
                            Take::Leave => None,
                        });
                if let Some((line, token, turn)) = waiting {
                    return Some(Task::Line { line, token, turn });
                }
                if self.next >= self.total || self.open.len() >= MOST_OPEN {
                    return None;
                }
                let (line, mut job) = (self.next, Job::new(now_ms));
                let Take::Run { token, turn } = job.take(now_ms, &self.policy) else {
                    return None;
                };
                self.next += 1;
                self.open.insert(line, job);
                Some(Task::Line { line, token, turn })
            }
            _ => None,
        }
    }

    /// A sign of life, of a line or of a phase.
    pub(super) fn renew(&mut self, line: Option<u32>, token: u32, now_ms: u64) -> bool {
        let policy = self.policy.clone();
        self.job(line)
            .is_some_and(|job| job.renew(token, 0, now_ms, &policy))
    }

    /// Whether somebody still holds what they work on.
    pub(super) fn holds(&mut self, line: Option<u32>, token: u32) -> bool {
        self.job(line).is_some_and(|job| job.holds(token))
    }

    /// The lines are known.
    pub(super) fn validated(&mut self, token: u32, outcome: Result<u32, Vec<Wrong>>, now_ms: u64) -> bool {
        if self.status != Status::Validating || !self.phase.complete(token, 0, now_ms) {
            return false;
        }
        match outcome {
            Ok(total) => {
                self.total = total;
                self.enter(Status::InProgress, now_ms);
            }
            Err(errors) => {
                self.errors = errors;
                self.enter(Status::Failed, now_ms);
            }
        }
        true
    }

    /// An attempt at a line has ended; whether the line has, and whether it counts.
    pub(super) fn ended(
        &mut self,
        line: u32,
        token: u32,
        failure: Option<Failure>,
        now_ms: u64,
    ) -> Option<bool> {
        let job = self.open.get_mut(&line)?;
        let counts = match failure {
            None => job.complete(token, 0, now_ms),
            Some(failure) => job.fail(token, failure, now_ms, &self.policy),
        };
        if !counts {
            return None;
        }
        let over = job.status.is_final();
        if over {
            match job.status {
                crate::jobs::state::Status::Completed => self.completed += 1,
                _ => self.failed += 1,
            }
            self.open.remove(&line);
            self.finalize_if_done(now_ms);
        }
        Some(over)
    }

    /// The files are made; which of them there are.
    pub(super) fn finalized(&mut self, token: u32, output: bool, errors: bool, now_ms: u64) -> bool {
        if !self.phase.complete(token, 0, now_ms) {
            return false;
        }
        self.output_file_id = output.then(|| self.file_ids.0.clone());
        self.error_file_id = errors.then(|| self.file_ids.1.clone());
        let end = match self.status {
            Status::Cancelling => Status::Cancelled,
            _ if self.expiring => Status::Expired,
            _ => Status::Completed,
        };
        self.enter(end, now_ms);
        true
    }

    /// A phase has failed.
    pub(super) fn phase_failed(&mut self, token: u32, failure: Failure, now_ms: u64) -> bool {
        let counts = self.phase.fail(token, failure, now_ms, &self.policy);
        let _ = self.tick(now_ms);
        counts
    }

    /// The owner wants no more of it.
    pub(super) fn cancel(&mut self, now_ms: u64) -> bool {
        if !matches!(self.status, Status::Validating | Status::InProgress) {
            return false;
        }
        self.open.clear();
        self.phase = Job::new(now_ms);
        self.enter(Status::Cancelling, now_ms);
        true
    }

    /// Whether a message is to be sent now.
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        let work = match self.status {
            Status::InProgress => {
                self.running() == 0
                    && (self.next < self.total || self.open.values().any(|job| job.is_due(now_ms)))
            }
            _ if self.status.is_final() => false,
            _ => self.phase.is_due(now_ms),
        };
        work && self
            .dispatched_ms
            .is_none_or(|at| now_ms >= at.saturating_add(AGAIN_MS))
    }

    pub(super) const fn dispatched(&mut self, now_ms: u64) {
        self.dispatched_ms = Some(now_ms);
    }

    /// When it has to be looked at again.
    pub(super) fn wake_at(&self) -> u64 {
        let work = match self.status {
            _ if self.status.is_final() => return self.end_ms().saturating_add(self.policy.keep_ms),
            Status::InProgress => {
                // Workers that are there take what waits: until the last of them is done, only their leases matter.
                let busy = self.running() > 0;
                let running = |job: &Job| job.status == crate::jobs::state::Status::Running;
                let open = self.open.values().filter(|job| running(job) || !busy);
                let open = open.map(|job| job.wake_at(&self.policy)).min();
                let unbegun = (self.next < self.total && !busy).then_some(0);
                open.into_iter().chain(unbegun).min().unwrap_or(self.expires_ms)
            }
            _ => self.phase.wake_at(&self.policy),
        };
        let work = match self.dispatched_ms {
            Some(at) => work.max(at.saturating_add(AGAIN_MS)),
            None => work,
        };
        if self.status == Status::InProgress {
            work.min(self.expires_ms)
        } else {
            work
        }
    }

    /// Whether it may be forgotten.
    pub(super) fn is_past(&self, now_ms: u64) -> bool {
        self.status.is_final() && self.wake_at() <= now_ms
    }

    fn job(&mut self, line: Option<u32>) -> Option<&mut Job> {
        match line {
            Some(line) => self.open.get_mut(&line),
            None => Some(&mut self.phase),
        }
    }

    fn running(&self) -> usize {
        let running = |job: &&Job| job.status == crate::jobs::state::Status::Running;
        self.open.values().filter(running).count()
    }

    fn take_phase(&mut self, now_ms: u64) -> Option<u32> {
        match self.phase.take(now_ms, &self.policy) {
            Take::Run { token, .. } => Some(token),
            Take::Leave => None,
        }
    }

    fn finalize_if_done(&mut self, now_ms: u64) {
        if self.status == Status::InProgress && self.next >= self.total && self.open.is_empty() {
            self.phase = Job::new(now_ms);
            self.enter(Status::Finalizing, now_ms);
        }
    }

    fn enter(&mut self, status: Status, now_ms: u64) {
        self.status = status;
        self.dispatched_ms = None;
        let name = serde_json::to_value(status).unwrap_or_default();
        self.since
            .insert(name.as_str().unwrap_or_default().to_owned(), now_ms);
    }

    fn end_ms(&self) -> u64 {
        self.since.values().copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(total: u32) -> Batch {
        let asked = Asked {
            id: "batch".into(),
            who: Who::default(),
            endpoint: "/v1/embeddings".into(),
            input_file_id: "file".into(),
            metadata: None,
            policy: Policy {
                max_attempts: 3,
                lease_ms: 1_000,
                backoff_ms: 100,
                max_age_ms: 86_400_000,
                keep_ms: 10_000,
            },
            at_once: 3,
            window_ms: 86_400_000,
            file_ids: ("out".into(), "err".into()),
        };
        let mut batch = Batch::new(asked, 0);
        let Some(Task::Validate { token }) = batch.take(0) else {
            panic!()
        };
        assert!(batch.validated(token, Ok(total), 0));
        batch
    }

    proptest! {
        /// Each line ends once, and the batch with them, whatever workers do.
        #[test]
        fn every_line_ends_once(total in 1..20_u32, acts in prop::collection::vec((0..6_u8, 0..8_usize, 0..3_000_u64), 0..200), cancelled: bool) {
            let mut batch = batch(total);
            let (mut now, mut held, mut ends) = (0, Vec::new(), vec![0; total as usize]);
            let acts = acts.into_iter().chain(std::iter::repeat_n((5, 0, 2_000), 200));
            for (at, (act, which, pass)) in acts.enumerate() {
                match act {
                    0 | 1 => {
                        if let Some(Task::Line { line, token, .. }) = batch.take(now) {
                            held.push((line, token));
                        }
                    }
                    2 | 3 => {
                        if let Some((line, token)) = held.get(which % held.len().max(1)).copied() {
                            let failure = (act == 3).then(|| Failure { retryable: which % 2 == 0, ..Failure::new("x", "x") });
                            if batch.ended(line, token, failure, now) == Some(true) {
                                ends[line as usize] += 1;
                            }
                        }
                    }
                    4 => if cancelled && at > 100 { batch.cancel(now); },
                    _ => {
                        now = now.max(if pass == 2_000 { batch.wake_at() } else { now + pass });
                        for (line, _) in batch.tick(now) {
                            ends[line as usize] += 1;
                        }
                        if batch.is_due(now) {
                            batch.dispatched(now);
                            while let Some(Task::Line { line, token, .. }) = batch.take(now) {
                                if pass == 2_000 && batch.ended(line, token, None, now) == Some(true) {
                                    ends[line as usize] += 1;
                                } else {
                                    held.push((line, token));
                                }
                            }
                        }
                    }
                }
                prop_assert!(ends.iter().all(|ends| *ends <= 1), "{ends:?}");
                prop_assert!(batch.running() <= 3);
                prop_assert!(batch.completed + batch.failed <= total);
                batch = serde_json::from_str(&serde_json::to_string(&batch).unwrap()).unwrap();
            }
            if batch.status != Status::Cancelling && !batch.status.is_final() {
                prop_assert_eq!(batch.status, Status::Finalizing);
                prop_assert_eq!(batch.completed + batch.failed, total);
                prop_assert!(ends.iter().all(|ends| *ends == 1), "{:?}", ends);
            }
        }
    }

    #[test]
    fn a_window_that_is_over_ends_what_is_left() {
        let mut batch = batch(5);
        let Some(Task::Line { line, token, .. }) = batch.take(1) else {
            panic!()
        };
        assert_eq!(batch.ended(line, token, None, 2), Some(true));
        let left = batch.tick(86_400_000);
        assert_eq!(left.len(), 4);
        assert_eq!(
            (batch.status, batch.completed, batch.failed),
            (Status::Finalizing, 1, 4)
        );
        let Some(Task::Finalize { token }) = batch.take(86_400_001) else {
            panic!()
        };
        assert!(batch.finalized(token, true, true, 86_400_002));
        assert_eq!(batch.status, Status::Expired);
    }
}
