use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, poll_fn, select};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, calendar};

/// A point in time: nanoseconds since 1970-01-01 UTC. Good until the year 2554.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From nanoseconds since 1970.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From milliseconds since 1970, the unit of a Worker's clock.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since 1970.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// The date and time in UTC to the second, as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) writes it.
    ///
    /// ```
    /// use edge_ai_core::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_millis(1_709_210_096_789).to_rfc3339(), "2024-02-29T12:34:56Z");
    /// ```
    pub fn to_rfc3339(self) -> String {
        let seconds = self.as_secs();
        let (year, month, day) = calendar::date(seconds / calendar::SECONDS_OF_DAY);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The time since `earlier`, or zero when the clock went backwards in between.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at the end of time.
    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at 1970.
    fn sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// The time, and waiting for it.
///
/// A Worker's clock [stands still between I/O](https://developers.cloudflare.com/workers/reference/security-model/#step-1-disallow-timers-and-multi-threading),
/// so two readings without an await in between are equal; a clock may also go backwards. Callers bear both.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Returns after `duration`. Dropping the future gives up the wait.
    async fn sleep(&self, duration: Duration);
}

#[async_trait]
impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    async fn sleep(&self, duration: Duration) {
        (**self).sleep(duration).await;
    }
}

/// Waits for `work`, at most for `limit`.
///
/// # Errors
/// [`ErrorKind::Timeout`] after `limit`; `work` is dropped then. The work's own errors pass through.
pub async fn timeout<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match select(pin!(work), clock.sleep(limit)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(Error::new(
            ErrorKind::Timeout,
            format!("no answer within {} ms", limit.as_millis()),
        )),
    }
}

/// A clock that a test moves by hand; sleepers wake when it passes their time.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_core::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_millis(1_000));
/// clock.advance(Duration::from_millis(500));
/// assert_eq!(clock.now().as_millis(), 1_500);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<Mutex<Manual>>);

#[derive(Debug, Default)]
struct Manual {
    now: Timestamp,
    jumping: bool,
    next_id: u64,
    sleepers: Vec<Sleeper>,
    /// Who would wake first, and how often it was polled since nothing else has changed.
    patience: (u64, u32),
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    until: Timestamp,
    waker: Option<Waker>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Manual {
            now,
            ..Manual::default()
        })))
    }

    /// A clock that, when all that is left is to wait, jumps to the time of the first sleeper: nothing waits for real.
    pub fn jumping(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Manual {
            now,
            jumping: true,
            ..Manual::default()
        })))
    }

    /// Moves ahead and wakes whoever slept until then.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now() + duration);
    }

    /// Moves to any time, also backwards.
    pub fn set(&self, now: Timestamp) {
        let wakers: Vec<_> = self.with(|manual| {
            manual.now = now;
            manual
                .sleepers
                .iter_mut()
                .filter_map(|sleeper| sleeper.waker.take())
                .collect()
        });
        wakers.into_iter().for_each(Waker::wake);
    }

    fn with<T>(&self, f: impl FnOnce(&mut Manual) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.with(|manual| manual.now)
    }

    async fn sleep(&self, duration: Duration) {
        let id = self.with(|manual| {
            let id = manual.next_id;
            manual.next_id += 1;
            manual.sleepers.push(Sleeper {
                id,
                until: manual.now + duration,
                waker: None,
            });
            id
        });
        let _asleep = Asleep {
            clock: self.clone(),
            id,
        };
        poll_fn(|context| self.with(|manual| manual.poll(id, context.waker()))).await;
    }
}

impl Manual {
    /// Turns in which everything else that is ready, or begins to sleep, goes first, before time jumps.
    const PATIENCE: u32 = 4;

    fn poll(&mut self, id: u64, waker: &Waker) -> Poll<()> {
        let first = self
            .sleepers
            .iter()
            .map(|sleeper| (sleeper.until, sleeper.id))
            .min();
        let Some(sleeper) = self.sleepers.iter_mut().find(|sleeper| sleeper.id == id) else {
            return Poll::Ready(());
        };
        if self.jumping && first == Some((sleeper.until, id)) {
            let turns = if self.patience.0 == id {
                self.patience.1 + 1
            } else {
                0
            };
            self.patience = (id, turns);
            if turns >= Self::PATIENCE {
                self.now = self.now.max(sleeper.until);
            }
        }
        if self.now >= sleeper.until {
            return Poll::Ready(());
        }
        if self.jumping {
            waker.wake_by_ref();
        } else {
            sleeper.waker = Some(waker.clone());
        }
        Poll::Pending
    }
}

/// A sleeper that is dropped no longer holds up the others.
struct Asleep {
    clock: ManualClock,
    id: u64,
}

impl Drop for Asleep {
    fn drop(&mut self) {
        self.clock
            .with(|manual| manual.sleepers.retain(|sleeper| sleeper.id != self.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use futures_util::FutureExt;

    #[test]
    fn a_sleeper_wakes_at_its_time_and_not_before() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(2));
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        assert!((&mut sleep).now_or_never().is_some());
    }

    #[test]
    fn timeout_is_an_error_with_its_limit() {
        let clock = ManualClock::jumping(Timestamp::default());
        let never = std::future::pending::<Result<()>>();
        let error = block_on(timeout(&clock, Duration::from_millis(30), never)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.message(), "no answer within 30 ms");
        assert_eq!(
            block_on(timeout(&clock, Duration::from_millis(30), async { Ok(7) })).unwrap(),
            7
        );
    }

    #[test]
    fn a_jumping_clock_wakes_the_shorter_sleep_first() {
        let clock = ManualClock::jumping(Timestamp::default());
        let work = async {
            clock.sleep(Duration::from_millis(100)).await;
            Ok(())
        };
        assert!(block_on(timeout(&clock, Duration::from_millis(30), work)).is_err());
        assert_eq!(clock.now().as_millis(), 30);
    }

    #[test]
    fn time_saturates() {
        assert_eq!(
            (Timestamp::from_nanos(u64::MAX) + Duration::MAX).as_nanos(),
            u64::MAX
        );
        assert_eq!(
            Timestamp::from_millis(1).since(Timestamp::from_millis(9)),
            Duration::ZERO
        );
    }
}
