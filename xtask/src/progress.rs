//! What is being done, and for how long: one line a step, and a sign of life on the long ones.

use std::time::{Duration, Instant};

const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

// A step that took no time to speak of was already done: no figure for it.
const WORTH_A_FIGURE: Duration = Duration::from_millis(1500);

/// A step that is going on.
pub(crate) struct Step {
    what: String,
    started: Instant,
    said: Instant,
}

impl Step {
    /// Says what begins.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        println!("  {what} …");
        let now = Instant::now();
        Self {
            what,
            started: now,
            said: now,
        }
    }

    /// To be called often: now and then it says that the step is alive, with the last line of its output.
    pub(crate) fn alive(&mut self, last_line: Option<&str>) {
        if self.said.elapsed() < SIGN_OF_LIFE {
            return;
        }
        self.said = Instant::now();
        let doing = last_line
            .map(|line| format!(": {}", line.trim()))
            .unwrap_or_default();
        println!("    {}{doing}", seconds(self.started.elapsed()));
    }

    /// Says how long it took, if it took long.
    pub(crate) fn done(self) {
        let took = self.started.elapsed();
        if took >= WORTH_A_FIGURE {
            println!("  {}: done in {}", self.what, seconds(took));
        }
    }
}

/// `8.4 s`, `75 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_keep_a_decimal() {
        assert_eq!(seconds(Duration::from_millis(8_449)), "8.4 s");
        assert_eq!(seconds(Duration::from_millis(75_400)), "75 s");
    }
}
