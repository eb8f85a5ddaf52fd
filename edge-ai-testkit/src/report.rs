use std::fmt;

use crate::{Case, Outcome, Subject};

/// Runs a suite natively: every case on a subject of its own, all of them even when some fail.
///
/// ```
/// use edge_ai_core::{KeyedTokenBuckets, ManualClock, Quota, Timestamp};
/// use edge_ai_testkit::contract::rate_limiter::{RateLimiterSubject, cases};
///
/// # futures_executor::block_on(async {
/// let quota = Quota::per_minute(6);
/// let report = edge_ai_testkit::run(cases(), || {
///     let clock = ManualClock::jumping(Timestamp::from_millis(1));
///     RateLimiterSubject::new(KeyedTokenBuckets::new(quota, clock.clone()), quota).with_clock(clock)
/// })
/// .await;
/// report.assert_passed();
/// # });
/// ```
pub async fn run<S: Subject>(cases: Vec<Case<S>>, subject: impl Fn() -> S) -> Report {
    let mut outcomes = Vec::with_capacity(cases.len());
    for case in cases {
        outcomes.push((case.name(), case.run(subject()).await));
    }
    Report { outcomes }
}

/// How the cases of a suite ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Each case's name and end, in order.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// The violated clauses, by case.
    pub fn failed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            Outcome::Failed(sentence) => Some((*name, sentence.as_str())),
            _ => None,
        })
    }

    /// The cases that the subject declares itself out of, with the reasons.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            Outcome::Skipped(reason) => Some((*name, reason.as_str())),
            _ => None,
        })
    }

    /// Fails the test, with every violated clause, unless all cases passed or were skipped. Skipped ones are printed.
    ///
    /// # Panics
    /// When a case failed.
    #[track_caller]
    #[expect(
        clippy::print_stdout,
        reason = "a skipped case must be seen in the test's output"
    )]
    pub fn assert_passed(&self) {
        assert!(self.failed().next().is_none(), "the contract is violated\n{self}");
        for (name, reason) in self.skipped() {
            println!("skipped {name}: {reason}");
        }
    }

    /// As [`assert_passed`](Self::assert_passed), and the skipped cases are these: a declaration that changes must not
    /// quietly take cases out of the run.
    ///
    /// # Panics
    /// When a case failed, or others than these were skipped.
    #[track_caller]
    pub fn assert_passed_but(&self, skipped: &[&str]) {
        self.assert_passed();
        let found: Vec<_> = self.skipped().map(|(name, _)| name).collect();
        assert_eq!(found, skipped, "other cases were skipped than expected");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.outcomes {
            match outcome {
                Outcome::Passed => writeln!(f, "  passed  {name}")?,
                Outcome::Failed(sentence) => writeln!(f, "  FAILED  {name}: {sentence}")?,
                Outcome::Skipped(reason) => writeln!(f, "  skipped {name}: {reason}")?,
            }
        }
        Ok(())
    }
}
