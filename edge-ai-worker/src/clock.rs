use std::time::Duration;

use edge_ai_core::{Clock, Timestamp, async_trait};
use js_sys::futures::JsFuture;
use worker::send::SendFuture;

use crate::bridge::Timer;

/// The Worker's clock: `Date.now()` and `setTimeout`.
///
/// It stands still between I/O and counts whole milliseconds. It works only while a request or event is handled.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkerClock;

#[async_trait]
impl Clock for WorkerClock {
    fn now(&self) -> Timestamp {
        // Milliseconds as a float are exact for longer than a `Timestamp` lasts.
        Timestamp::from_millis(js_sys::Date::now() as u64)
    }

    async fn sleep(&self, duration: Duration) {
        for milliseconds in waits(duration) {
            let timer = Sleep(Timer::new(milliseconds));
            // The promise is never rejected.
            let _ = SendFuture::new(JsFuture::from(timer.0.elapsed())).await;
        }
    }
}

/// `setTimeout` takes a signed 32-bit number and fires at once past it: longer waits go in turns. A fraction rounds up,
/// for a sleeper must not wake early.
fn waits(duration: Duration) -> impl Iterator<Item = i32> {
    let mut left = duration.as_nanos().div_ceil(1_000_000);
    let mut first = true;
    std::iter::from_fn(move || {
        if left == 0 && !std::mem::take(&mut first) {
            return None;
        }
        first = false;
        let turn = i32::try_from(left).unwrap_or(i32::MAX);
        left -= u128::from(turn.unsigned_abs());
        Some(turn)
    })
}

/// A timer that goes with its sleeper.
struct Sleep(Timer);

impl Drop for Sleep {
    fn drop(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_round_up_and_split() {
        let of = |duration| waits(duration).collect::<Vec<_>>();
        assert_eq!(of(Duration::ZERO), [0]);
        assert_eq!(of(Duration::from_micros(1_001)), [2]);
        let days_30 = of(Duration::from_secs(30 * 86_400));
        assert_eq!(days_30, [i32::MAX, 444_516_353]);
        assert_eq!(
            days_30.iter().map(|turn| i64::from(*turn)).sum::<i64>(),
            30 * 86_400_000
        );
    }
}
