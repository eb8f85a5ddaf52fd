use super::*;
use proptest::prelude::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const NEW_YEAR_MS: u64 = 1_798_761_600_000;

#[test]
fn days_and_months_begin_anew() {
    for window in [LimitWindow::DAY, LimitWindow::Month] {
        let rule = LimitRule::tokens(100, window);
        let mut account = LimitAccount::default();
        let late = account.take(&rule, at(NEW_YEAR_MS - 1_000), 90);
        let denied = account.take(&rule, at(NEW_YEAR_MS - 500), 11);
        assert!(!denied.allowed);
        assert_eq!(denied.retry_after, Duration::from_millis(500));
        let next = account.take(&rule, at(NEW_YEAR_MS), 100);
        assert!(next.allowed);
        // What began last year is settled there: it gives nothing to this one, and takes nothing.
        account.settle(&rule, at(NEW_YEAR_MS + 1), late.hold, 0);
        assert_eq!(account.available(&rule, at(NEW_YEAR_MS + 1)), 0);
        account.settle(&rule, at(NEW_YEAR_MS + 1), next.hold, 40);
        assert_eq!(account.available(&rule, at(NEW_YEAR_MS + 1)), 60);
    }
}

#[test]
fn a_clock_that_goes_back_opens_no_window_again() {
    let rule = LimitRule::tokens(100, LimitWindow::DAY);
    let mut account = LimitAccount::default();
    assert!(account.take(&rule, at(NEW_YEAR_MS), 100).allowed);
    let back = account.take(&rule, at(NEW_YEAR_MS - 5_000), 1);
    assert!(!back.allowed);
    assert_eq!(back.retry_after, Duration::from_secs(86_405));
}

#[test]
fn a_lost_permit_ends() {
    let rule = LimitRule::concurrency(1);
    let mut account = LimitAccount::default();
    let lost = account.take(&rule, at(0), 1);
    assert!(lost.allowed);
    assert!(!account.take(&rule, at(599_000), 1).allowed);
    assert!(!account.take(&rule, at(1_199_999), 1).allowed);
    let next = account.take(&rule, at(1_200_000), 1);
    assert!(next.allowed);
    // Its late end does not end another's.
    account.settle(&rule, at(1_200_001), lost.hold, 0);
    assert!(!account.take(&rule, at(1_200_001), 1).allowed);
    account.settle(&rule, at(1_200_002), next.hold, 0);
    assert!(account.take(&rule, at(1_200_002), 1).allowed);
}

#[test]
fn more_than_there_ever_is_never_comes() {
    for rule in [
        LimitRule::tokens(10, LimitWindow::MINUTE),
        LimitRule::tokens(10, LimitWindow::DAY),
    ] {
        let outcome = LimitAccount::default().take(&rule, at(1), 11);
        assert_eq!((outcome.allowed, outcome.retry_after), (false, Duration::MAX));
    }
}

#[test]
fn amounts_of_any_size_fit() {
    let rule = LimitRule::tokens(u64::MAX, "366d".parse().unwrap());
    let mut account = LimitAccount::default();
    assert!(account.take(&rule, at(1), u64::MAX).allowed);
    let rule = LimitRule::tokens(u64::MAX, LimitWindow::HOUR);
    let mut account = LimitAccount::default();
    let all = account.take(&rule, at(1), u64::MAX);
    account.settle(&rule, at(1), all.hold, u64::MAX);
    account.spend(&rule, at(1), u64::MAX);
    assert_eq!(
        account.available(&rule, Timestamp::from_nanos(u64::MAX)),
        u64::MAX
    );
}

#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Take(u64),
    /// Settles the oldest hold to a share of it, in percent.
    Settle(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (-200_i64..2_000).prop_map(Step::Pass),
        (0_u64..40).prop_map(Step::Take),
        (0_u64..=100).prop_map(Step::Settle),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// Between any two moments, no more than the amount and what drains; with the estimates as upper bounds.
    #[test]
    fn never_more_than_the_bound(steps in steps(), sliding in any::<bool>()) {
        let window = if sliding { LimitWindow::MINUTE } else { LimitWindow::DAY };
        let rule = LimitRule::tokens(100, window);
        let mut account = LimitAccount::default();
        // A border of the calendar lies in the run.
        let (mut now, mut latest) = (NEW_YEAR_MS - 20_000, 0);
        let mut holds: Vec<(LimitHold, u64)> = Vec::new();
        let mut spent: Vec<(u64, u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Pass(millis) => now = now.saturating_add_signed(millis),
                Step::Take(amount) => {
                    latest = now.max(latest);
                    let outcome = account.take(&rule, at(now), amount);
                    if outcome.allowed {
                        holds.push((outcome.hold, latest));
                    } else {
                        prop_assert!(!outcome.retry_after.is_zero());
                    }
                }
                Step::Settle(percent) if !holds.is_empty() => {
                    latest = now.max(latest);
                    let (hold, began) = holds.remove(0);
                    let actual = hold.amount * percent / 100;
                    account.settle(&rule, at(now), hold, actual);
                    spent.push((if sliding { latest } else { began }, actual));
                }
                Step::Settle(_) => {}
            }
            let held: u64 = holds.iter().map(|(hold, _)| hold.amount).sum();
            if sliding {
                for (from, _) in &spent {
                    let inside: u64 = spent.iter().filter(|(time, _)| time >= from).map(|(_, amount)| amount).sum();
                    let drained = (latest - from) as f64 * 100.0 / 60_000.0;
                    prop_assert!((inside + held) as f64 <= 100.0 + drained + 1e-6, "{inside} + {held} since {from}");
                }
            } else {
                let today = |time: &u64| *time >= NEW_YEAR_MS;
                for day in [false, true] {
                    let settled: u64 = spent.iter().filter(|(time, _)| today(time) == day).map(|(_, amount)| amount).sum();
                    let held: u64 = holds.iter().filter(|(_, time)| today(time) == day).map(|(hold, _)| hold.amount).sum();
                    prop_assert!(settled + held <= 100);
                }
            }
        }
    }

    /// What is settled to nothing leaves no trace.
    #[test]
    fn refunds_are_exact(amounts in prop::collection::vec(1_u64..30, 1..10), used in 0_u64..50, window in prop::sample::select(vec![
        LimitWindow::SECOND, LimitWindow::MINUTE, LimitWindow::DAY, LimitWindow::Month,
    ])) {
        let rule = LimitRule::tokens(400, window);
        let mut account = LimitAccount::default();
        account.spend(&rule, at(NEW_YEAR_MS), used);
        let before = account;
        let holds: Vec<_> = amounts.iter().map(|amount| account.take(&rule, at(NEW_YEAR_MS), *amount).hold).collect();
        prop_assert_eq!(account.available(&rule, at(NEW_YEAR_MS)), 400 - used - amounts.iter().sum::<u64>());
        for hold in holds {
            account.settle(&rule, at(NEW_YEAR_MS), hold, 0);
        }
        prop_assert_eq!(account, before);
    }

    /// The wait that was told is enough.
    #[test]
    fn who_comes_back_in_time_is_let_in(used in 1_u64..=100, amount in 1_u64..=100) {
        let rule = LimitRule::tokens(100, LimitWindow::MINUTE);
        let mut account = LimitAccount::default();
        account.spend(&rule, at(NEW_YEAR_MS), used);
        let first = account.take(&rule, at(NEW_YEAR_MS), amount);
        if !first.allowed {
            let then = at(NEW_YEAR_MS) + first.retry_after;
            prop_assert!(account.take(&rule, then, amount).allowed);
        }
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing_back(amounts in prop::collection::vec(1_u64..30, 1..50)) {
        let rule = LimitRule::tokens(100, LimitWindow::SECOND);
        let mut account = LimitAccount::default();
        let mut taken = 0;
        for amount in amounts {
            let outcome = account.take(&rule, at(5), amount);
            account.settle(&rule, at(5), outcome.hold, outcome.hold.amount);
            taken += outcome.hold.amount;
        }
        prop_assert!(taken <= 100);
    }
}
