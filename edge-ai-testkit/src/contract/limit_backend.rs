//! The contract of [`LimitBackend`].

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Background, Clock, Context, Inline, LimitBackend, LimitKey, LimitMeasure, LimitOutcome, LimitRule,
    LimitWindow, ManualClock, Timestamp,
};

use crate::case::{cases, ensure, require};
use crate::scope::Scope;
use crate::{Case, Check, Must, Stop, Subject};

/// A backend under test.
#[derive(Clone, Debug)]
pub struct LimitBackendSubject {
    backend: Arc<dyn LimitBackend>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    background: Arc<dyn Background>,
    passes: bool,
    tells: bool,
    settles: bool,
    rule: LimitRule,
}

impl LimitBackendSubject {
    /// A backend that counts tokens by the hour, 100 of them, tells what is left, and gives back what is settled.
    pub fn new(backend: impl LimitBackend) -> Self {
        Self {
            backend: Arc::new(backend),
            scope: Scope::default(),
            clock: Arc::new(ManualClock::jumping(Timestamp::from_millis(1))),
            background: Arc::new(Inline),
            passes: true,
            tells: true,
            settles: true,
            rule: LimitRule::tokens(100, LimitWindow::HOUR),
        }
    }

    /// Makes keys from a text of this run alone, for a backend that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// Waits by this clock; the backend must go by the same.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Does in `background` what the backend does behind a request; inline unless set.
    #[must_use]
    pub fn with_background(self, background: Arc<dyn Background>) -> Self {
        Self { background, ..self }
    }

    /// It goes by a clock that nobody can move: what needs a window to pass is skipped.
    #[must_use]
    pub fn in_real_time(self) -> Self {
        Self {
            passes: false,
            ..self
        }
    }

    /// Counts by this rule, where the backend cannot do the usual one. Cases that need another are skipped.
    #[must_use]
    pub fn with_rule(self, rule: LimitRule) -> Self {
        Self { rule, ..self }
    }

    /// It says yes or no alone, counts by ones, and gives nothing back.
    #[must_use]
    pub fn only_counts(self) -> Self {
        Self {
            tells: false,
            settles: false,
            ..self
        }
    }

    fn key(&self, name: &str, rule: LimitRule) -> LimitKey {
        LimitKey::new(Arc::new(rule), self.scope.name(name))
    }

    fn context(&self) -> Context {
        Context::default().with_background(Arc::clone(&self.background))
    }

    async fn take(&self, key: &LimitKey, amount: u64) -> Result<LimitOutcome, Stop> {
        self.backend
            .take(key, amount, &self.context())
            .await
            .must("`take` decides")
    }

    fn settle(&self, key: &LimitKey, outcome: &LimitOutcome, actual: u64) {
        self.backend.settle(key, outcome.hold, actual, &self.context());
    }

    /// Takes by ones until there is no more.
    async fn spend(&self, key: &LimitKey) -> Check {
        for _ in 0..key.rule.amount {
            let outcome = self.take(key, 1).await?;
            ensure!(
                outcome.allowed,
                "the amount of {} can be taken, but got {outcome:?}",
                key.rule.amount
            );
            self.settle(key, &outcome, 1);
        }
        Ok(())
    }
}

impl Subject for LimitBackendSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}

/// The cases.
pub fn cases() -> Vec<Case<LimitBackendSubject>> {
    cases![
        the_amount_can_be_taken_and_no_more,
        keys_do_not_touch_each_other,
        a_denied_call_takes_nothing,
        what_was_not_used_comes_back,
        what_was_more_is_owed,
        what_is_held_is_not_there_for_others,
        more_than_the_amount_never_comes,
        a_denied_call_is_told_when_to_come_back,
        after_the_window_all_is_there_again,
        permits_come_back_when_they_end,
        a_rule_with_another_amount_goes_on_counting,
        rules_it_cannot_count_are_refused_by_field,
    ]
}

async fn the_amount_can_be_taken_and_no_more(subject: LimitBackendSubject) -> Check {
    let key = subject.key("key", subject.rule.clone());
    subject.spend(&key).await?;
    ensure!(
        !subject.take(&key, 1).await?.allowed,
        "one over the amount is denied"
    );
    Ok(())
}

async fn keys_do_not_touch_each_other(subject: LimitBackendSubject) -> Check {
    let spent = subject.key("spent", subject.rule.clone());
    subject.spend(&spent).await?;
    let other = subject.key("other", subject.rule.clone());
    ensure!(
        subject.take(&other, 1).await?.allowed,
        "a spent key takes nothing from another"
    );
    let rule = subject.rule.clone().named("another");
    let same = subject.key("spent", rule);
    ensure!(
        subject.take(&same, 1).await?.allowed,
        "a spent rule takes nothing from another"
    );
    Ok(())
}

async fn a_denied_call_takes_nothing(subject: LimitBackendSubject) -> Check {
    require!(subject.tells, "the backend counts by ones");
    let key = subject.key("key", subject.rule.clone());
    let most = key.rule.amount;
    let first = subject.take(&key, most - 1).await?;
    ensure!(
        first.allowed && first.remaining.is_some(),
        "within the amount is allowed: {first:?}"
    );
    for _ in 0..5 {
        ensure!(
            !subject.take(&key, 2).await?.allowed,
            "more than is left is denied"
        );
    }
    ensure!(
        subject.take(&key, 1).await?.allowed,
        "what was left is still there"
    );
    Ok(())
}

async fn what_was_not_used_comes_back(subject: LimitBackendSubject) -> Check {
    require!(subject.settles, "the backend gives nothing back");
    let key = subject.key("key", subject.rule.clone());
    let most = key.rule.amount;
    let first = subject.take(&key, most).await?;
    subject.settle(&key, &first, 1);
    let second = subject.take(&key, most - 1).await?;
    ensure!(
        second.allowed,
        "all but the one that was used is there again: {second:?}"
    );
    subject.settle(&key, &second, 0);
    ensure!(
        subject.take(&key, most - 1).await?.allowed,
        "what was settled to nothing is there again"
    );
    Ok(())
}

async fn what_was_more_is_owed(subject: LimitBackendSubject) -> Check {
    require!(subject.settles, "the backend gives nothing back");
    let key = subject.key("key", subject.rule.clone());
    let most = key.rule.amount;
    let first = subject.take(&key, 1).await?;
    subject.settle(&key, &first, most);
    ensure!(
        !subject.take(&key, 1).await?.allowed,
        "an estimate that was too low is settled in full"
    );
    Ok(())
}

async fn what_is_held_is_not_there_for_others(subject: LimitBackendSubject) -> Check {
    require!(subject.settles, "the backend gives nothing back");
    let key = subject.key("key", subject.rule.clone());
    ensure!(
        subject.take(&key, key.rule.amount).await?.allowed,
        "the amount is allowed"
    );
    ensure!(
        !subject.take(&key, 1).await?.allowed,
        "what is held counts before it is settled"
    );
    Ok(())
}

async fn more_than_the_amount_never_comes(subject: LimitBackendSubject) -> Check {
    require!(subject.tells, "the backend counts by ones");
    let key = subject.key("key", subject.rule.clone());
    let outcome = subject.take(&key, key.rule.amount + 1).await?;
    ensure!(
        !outcome.allowed && outcome.retry_after == Duration::MAX,
        "what will never be allowed is told so by `Duration::MAX`: {outcome:?}"
    );
    Ok(())
}

async fn a_denied_call_is_told_when_to_come_back(subject: LimitBackendSubject) -> Check {
    let key = subject.key("key", subject.rule.clone());
    subject.spend(&key).await?;
    let wait = subject.take(&key, 1).await?.retry_after;
    let longest = key.rule.window.map_or(Duration::MAX, LimitWindow::length);
    ensure!(
        !wait.is_zero() && wait <= longest,
        "a denied call waits over zero, at most a window, not {wait:?}"
    );
    Ok(())
}

async fn after_the_window_all_is_there_again(subject: LimitBackendSubject) -> Check {
    require!(subject.settles, "the clock of the backend is not ours");
    require!(subject.passes, "nobody waits so long");
    let key = subject.key("key", subject.rule.clone());
    subject.spend(&key).await?;
    let denied = subject.take(&key, 1).await?;
    ensure!(!denied.allowed, "a spent key is denied");
    require!(
        denied.reset_after < Duration::from_secs(7_200),
        "nobody waits so long"
    );
    let start = subject.clock.now();
    subject.clock.sleep(Duration::from_secs(3_601)).await;
    require!(
        subject.clock.now().since(start) >= Duration::from_secs(3_601),
        "the clock does not jump"
    );
    ensure!(
        subject.take(&key, key.rule.amount).await?.allowed,
        "after the window the amount is there again"
    );
    Ok(())
}

async fn permits_come_back_when_they_end(subject: LimitBackendSubject) -> Check {
    let rule = LimitRule::concurrency(2);
    require!(
        subject.backend.check_rule(&rule).is_ok(),
        "the backend does not count concurrency"
    );
    let key = subject.key("key", rule);
    let (first, second) = (subject.take(&key, 1).await?, subject.take(&key, 1).await?);
    ensure!(first.allowed && second.allowed, "two at a time are allowed");
    ensure!(!subject.take(&key, 1).await?.allowed, "a third is not");
    subject.settle(&key, &first, 0);
    ensure!(
        subject.take(&key, 1).await?.allowed,
        "when one ends, another may begin"
    );
    Ok(())
}

async fn a_rule_with_another_amount_goes_on_counting(subject: LimitBackendSubject) -> Check {
    require!(subject.tells, "the backend counts by an amount of its own");
    let key = subject.key("key", subject.rule.clone());
    subject.spend(&key).await?;
    let mut more = subject.rule.clone();
    more.amount += 5;
    let more = subject.key("key", more);
    ensure!(
        subject.take(&more, 5).await?.allowed,
        "what the amount grew by may be taken"
    );
    ensure!(
        !subject.take(&more, 1).await?.allowed,
        "what was counted before stays counted"
    );
    Ok(())
}

async fn rules_it_cannot_count_are_refused_by_field(subject: LimitBackendSubject) -> Check {
    subject
        .backend
        .check_rule(&subject.rule)
        .must("the rule under test can be counted")?;
    for measure in LimitMeasure::ALL {
        let window = (measure != LimitMeasure::Concurrency).then_some(LimitWindow::SECOND);
        if let Err(error) = subject.backend.check_rule(&LimitRule::new(measure, 1, window)) {
            ensure!(error.param().is_some(), "a refused rule names its field: {error}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
