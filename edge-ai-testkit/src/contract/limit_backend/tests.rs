use super::*;
use edge_ai_core::{
    IsolateLimits, LeaseAsk, LeaseGrant, LeaseLedger, LeaseOffice, LeaseOptions, LeasedLimits, LimitHold,
    Result, SeededEntropy, async_trait,
};
use futures_executor::block_on;
use std::collections::HashMap;
use std::sync::Mutex;

/// A moment that is not at a border of anything.
fn clock() -> ManualClock {
    ManualClock::jumping(Timestamp::from_millis(1_798_000_000_000))
}

#[test]
fn counting_in_the_isolate_keeps_the_contract() {
    for window in [LimitWindow::HOUR, LimitWindow::DAY] {
        let subject = || {
            let clock = clock();
            LimitBackendSubject::new(IsolateLimits::new(Arc::new(clock.clone())))
                .with_clock(clock)
                .with_rule(LimitRule::tokens(100, window))
        };
        let skipped: &[&str] = if window == LimitWindow::HOUR {
            &[]
        } else {
            &["after_the_window_all_is_there_again"]
        };
        block_on(crate::run(cases(), subject)).assert_passed_but(skipped);
    }
}

/// An office at hand.
#[derive(Debug)]
struct Office(Mutex<HashMap<String, LeaseLedger>>, ManualClock);

#[async_trait]
impl LeaseOffice for Office {
    async fn lease(&self, key: &LimitKey, ask: LeaseAsk) -> Result<LeaseGrant> {
        let mut books = self.0.lock().unwrap();
        Ok(books.entry(key.name()).or_default().ask(self.1.now(), &ask))
    }
}

#[test]
fn leases_keep_the_contract() {
    let subject = || {
        let clock = clock();
        let office = Office(Mutex::default(), clock.clone());
        let options = LeaseOptions::default();
        let leased = LeasedLimits::new(office, Arc::new(clock.clone()), &SeededEntropy::new(1), options);
        LimitBackendSubject::new(leased).with_clock(clock)
    };
    block_on(crate::run(cases(), subject)).assert_passed_but(&[]);
}

/// Forgets what it gave, and gives everybody the same.
#[derive(Debug)]
struct Careless(IsolateLimits);

#[async_trait]
impl LimitBackend for Careless {
    async fn take(&self, key: &LimitKey, amount: u64, context: &Context) -> Result<LimitOutcome> {
        let all = LimitKey::new(Arc::clone(&key.rule), "all");
        self.0.take(&all, amount, context).await
    }

    fn settle(&self, _: &LimitKey, _: LimitHold, _: u64, _: &Context) {}
}

#[test]
fn a_careless_backend_is_found_out() {
    let subject = || {
        let clock = clock();
        LimitBackendSubject::new(Careless(IsolateLimits::new(Arc::new(clock.clone())))).with_clock(clock)
    };
    let report = block_on(crate::run(cases(), subject));
    let failed: Vec<_> = report.failed().map(|(name, _)| name).collect();
    for case in [
        "keys_do_not_touch_each_other",
        "what_was_not_used_comes_back",
        "what_was_more_is_owed",
    ] {
        assert!(failed.contains(&case), "{case}: {report}");
    }
}
