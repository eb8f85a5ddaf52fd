use std::time::Duration;

use edge_ai_core::{Backoff, Error, ErrorKind, RetryWishes};

/// How often and how patiently the models of a route are tried.
///
/// The targets are tried in turn without a pause: another provider is sooner there than a second try at the same one. When all have
/// failed for now, the next round starts after a pause that grows from round to round, with jitter, and never before the
/// earliest time that a provider asked for with `Retry-After`. Targets that [rest](crate::Router#health) come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often each target is tried, unless the client [asks](edge_ai_core::RetryWishes::attempts) for another number.
    pub rounds: u32,
    /// How often each target is tried at most, whatever the client asks for.
    pub max_rounds: u32,
    /// How many calls one request may cost at most, over all targets and rounds; one is always made.
    pub max_attempts: u32,
    /// The longest pause after the first round.
    pub backoff: Duration,
    /// How that grows from round to round.
    pub growth: Backoff,
    /// The longest pause of all: a provider that asks for more is not waited for.
    pub max_wait: Duration,
    /// How many calls to targets that a request has called before there may be for a hundred requests of the isolate, so that retries do not keep an
    /// outage alive; ten in a second are made in any case. With zero there are none.
    pub retry_percent: u32,
    /// How many [hedges](crate::Route::hedged) there may be for a hundred requests of the isolate that could be hedged; six in a minute are made in
    /// any case. With zero there are none.
    pub hedge_percent: u32,
}

impl Default for RetryPolicy {
    /// Two rounds, or up to five at the client's wish, and six calls, with at most half a second in between, or up to ten when a provider asks for it;
    /// one retry for five requests, and one hedge for twenty.
    fn default() -> Self {
        Self {
            rounds: 2,
            max_rounds: 5,
            max_attempts: 6,
            backoff: Duration::from_millis(500),
            growth: Backoff::Exponential,
            max_wait: Duration::from_secs(10),
            retry_percent: 20,
            hedge_percent: 5,
        }
    }
}

impl RetryPolicy {
    /// No second try at the same target.
    pub const NEVER: Self = Self {
        rounds: 1,
        max_rounds: 1,
        max_attempts: 6,
        backoff: Duration::ZERO,
        growth: Backoff::Exponential,
        max_wait: Duration::ZERO,
        retry_percent: 0,
        hedge_percent: 5,
    };

    /// The policy with what a client wishes, as far as it goes.
    pub(super) fn with_wishes(self, wishes: &RetryWishes) -> Self {
        Self {
            rounds: wishes
                .attempts
                .map_or(self.rounds, |attempts| attempts.min(self.max_rounds)),
            backoff: wishes
                .delay
                .map_or(self.backoff, |delay| delay.min(self.max_wait)),
            growth: wishes.backoff.unwrap_or(self.growth),
            ..self
        }
    }

    /// The pause after a round: full jitter
    /// ([Brooker 2015](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)), after what the providers asked for.
    ///
    /// `asked` is the shortest wait that any of the targets asked for; `None` when it is more than anyone waits.
    pub(super) fn pause(&self, round: u32, asked: Option<Duration>, random: u64) -> Option<Duration> {
        let times = match self.growth {
            Backoff::Constant => 1,
            Backoff::Linear => round.saturating_add(1),
            _ => 2_u32.saturating_pow(round),
        };
        let longest = self.backoff.saturating_mul(times).min(self.max_wait);
        let longest_nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        let jitter = Duration::from_nanos(if longest_nanos == 0 {
            0
        } else {
            random % longest_nanos
        });
        match asked {
            // Everybody who was told the same time must not come at the same time.
            Some(asked) if asked <= self.max_wait => Some(asked.saturating_add(jitter / 4)),
            Some(_) => None,
            None => Some(jitter),
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Until a whole answer, or the first content of a stream, is there, over all calls and pauses.
    pub total: Duration,
    /// Until a whole answer is there, for one call.
    pub answer: Duration,
    /// Until the first content of a stream is there, for one call. Some models think in silence for minutes.
    pub first_token: Duration,
    /// Between two frames of a stream, pings included, while the client waits.
    pub idle: Duration,
}

impl Default for Timeouts {
    /// Ten minutes in all, as OpenAI's SDKs wait; five for one answer, two for a first token, one for any silence.
    fn default() -> Self {
        Self {
            total: Duration::from_secs(600),
            answer: Duration::from_secs(300),
            first_token: Duration::from_secs(120),
            idle: Duration::from_secs(60),
        }
    }
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request is wrong: no other target takes it.
    Stop,
    /// This target does not take it; another one may.
    Next,
    /// It may work another time.
    Again,
}

impl Verdict {
    pub(super) fn on(error: &Error) -> Self {
        match error.kind() {
            // The same call would take as long again, and is paid for again.
            ErrorKind::Timeout => Self::Next,
            _ if error.is_retryable() => Self::Again,
            kind => match Self::of(kind) {
                Self::Again => Self::Next,
                verdict => verdict,
            },
        }
    }

    /// What follows from a failure of a kind that says nothing else about itself.
    pub(super) const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Timeout => Self::Next,
            _ if kind.is_retryable() => Self::Again,
            ErrorKind::Authentication
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::ContextLength
            | ErrorKind::Unsupported
            | ErrorKind::QuotaExceeded
            | ErrorKind::Configuration => Self::Next,
            _ => Self::Stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_keep_to_what_was_asked() {
        let policy = RetryPolicy::default();
        assert!(policy.pause(0, None, u64::MAX).unwrap() < Duration::from_millis(500));
        assert!(policy.pause(9, None, u64::MAX).unwrap() < Duration::from_secs(10));
        let asked = Duration::from_secs(2);
        let pause = policy.pause(0, Some(asked), u64::MAX).unwrap();
        assert!(pause >= asked && pause < asked + Duration::from_millis(125));
        assert_eq!(policy.pause(0, Some(Duration::from_secs(11)), 0), None);
        assert_eq!(RetryPolicy::NEVER.pause(0, None, 7), Some(Duration::ZERO));
    }

    #[test]
    fn wishes_are_met_within_the_operators_bounds() {
        let wishes = |attempts, delay, backoff| {
            let mut wishes = RetryWishes::default();
            (wishes.attempts, wishes.delay, wishes.backoff) = (Some(attempts), Some(delay), Some(backoff));
            wishes
        };
        let asked = wishes(4, Duration::from_secs(2), Backoff::Linear);
        let policy = RetryPolicy::default().with_wishes(&asked);
        assert_eq!((policy.rounds, policy.max_attempts), (4, 6));
        let longest = |policy: RetryPolicy, round| {
            let pauses = (0..64).filter_map(|part| policy.pause(round, None, u64::MAX / 64 * part));
            pauses.max().unwrap()
        };
        assert!(longest(policy, 2) > Duration::from_secs(5) && longest(policy, 2) < Duration::from_secs(6));
        let constant = policy.with_wishes(&wishes(1, Duration::from_secs(2), Backoff::Constant));
        assert!(longest(constant, 7) < Duration::from_secs(2) && constant.rounds == 1);
        assert_eq!(RetryPolicy::NEVER.with_wishes(&asked).rounds, 1);
        assert_eq!(RetryPolicy::NEVER.with_wishes(&asked).backoff, Duration::ZERO);
    }

    #[test]
    fn verdicts() {
        let on = |kind| Verdict::on(&Error::new(kind, "x"));
        assert_eq!(on(ErrorKind::InvalidRequest), Verdict::Stop);
        assert_eq!(on(ErrorKind::ContentFiltered), Verdict::Stop);
        assert_eq!(on(ErrorKind::Authentication), Verdict::Next);
        assert_eq!(on(ErrorKind::RateLimited), Verdict::Again);
        assert_eq!(on(ErrorKind::Timeout), Verdict::Next);
        assert_eq!(
            Verdict::on(&Error::new(ErrorKind::Unavailable, "x").with_retryable(false)),
            Verdict::Next
        );
    }
}
