use proptest::prelude::*;

use super::*;

/// A target on a clock in milliseconds.
struct Bench {
    health: Health,
    name: Arc<str>,
}

fn bench() -> Bench {
    Bench {
        health: Health::default(),
        name: "p/m".into(),
    }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

impl Bench {
    fn admit(&self, now: u64) -> Admission {
        self.admit_of(None, now)
    }

    fn admit_of(&self, tenant: Option<&str>, now: u64) -> Admission {
        self.health.admit(&self.name, tenant, at(now))
    }

    fn note(&self, finding: Finding, admission: Admission, began: u64, now: u64) {
        self.note_of(None, finding, admission, began, now);
    }

    fn note_of(&self, tenant: Option<&str>, finding: Finding, admission: Admission, began: u64, now: u64) {
        let witness = Witness {
            tenant,
            began: at(began),
            admission,
        };
        self.health.note(&self.name, finding, witness, at(now));
    }

    /// Three calls that fail at once.
    fn break_at(&self, now: u64) {
        for _ in 0..FAILURES {
            self.note(Finding::Fails, Admission::Free, now, now);
        }
    }

    fn len(&self) -> usize {
        self.health.0.lock().unwrap().len()
    }
}

#[test]
fn three_failures_in_a_row_open_it() {
    let bench = bench();
    for now in 0..2 {
        bench.note(Finding::Fails, Admission::Free, now, now);
    }
    assert_eq!(bench.admit(2), Admission::Free);
    bench.note(Finding::Works, Admission::Free, 2, 2);
    assert_eq!(bench.len(), 0, "a target that works takes no memory");
    bench.break_at(3);
    assert_eq!(bench.admit(4), Admission::Open);
}

#[test]
fn half_open_lets_one_probe_through_and_its_answer_closes_it() {
    let bench = bench();
    bench.break_at(0);
    assert_eq!(bench.admit(999), Admission::Open);
    assert_eq!(bench.admit(1_000), Admission::Probe);
    assert_eq!(bench.admit(1_000), Admission::Open, "one probe at a time");
    bench.note(Finding::Works, Admission::Probe, 1_000, 1_200);
    assert_eq!(bench.admit(1_200), Admission::Free);
    assert_eq!(bench.len(), 0);
}

#[test]
fn failed_probes_double_the_rest_up_to_a_minute() {
    let bench = bench();
    let mut now = 0;
    bench.break_at(now);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(
            bench.admit(now + seconds * 1_000 - 1),
            Admission::Open,
            "{seconds}"
        );
        now += seconds * 1_000;
        assert_eq!(bench.admit(now), Admission::Probe, "{seconds}");
        bench.note(Finding::Fails, Admission::Probe, now, now);
    }
}

#[test]
fn one_outage_is_one_piece_of_news() {
    let bench = bench();
    // A hundred calls were under way when it broke.
    for _ in 0..100 {
        bench.note(Finding::Fails, Admission::Free, 0, 500);
    }
    assert_eq!(bench.admit(1_499), Admission::Open);
    assert_eq!(
        bench.admit(1_500),
        Admission::Probe,
        "it rests for a second, not a minute"
    );
    // An answer to one from before does not end it.
    bench.note(Finding::Works, Admission::Free, 0, 1_500);
    assert_eq!(bench.admit(1_500), Admission::Open);
}

#[test]
fn a_call_for_want_of_others_can_only_help() {
    let bench = bench();
    bench.break_at(0);
    bench.note(Finding::Fails, Admission::Open, 500, 600);
    assert_eq!(bench.admit(1_000), Admission::Probe);
    bench.note(Finding::Nothing, Admission::Probe, 1_000, 1_000);
    bench.note(Finding::Works, Admission::Open, 1_100, 1_200);
    assert_eq!(bench.admit(1_200), Admission::Free);
}

#[test]
fn a_probe_that_says_nothing_makes_room_for_another() {
    let bench = bench();
    bench.break_at(0);
    assert_eq!(bench.admit(1_000), Admission::Probe);
    bench.note(Finding::Nothing, Admission::Probe, 1_000, 1_100);
    assert_eq!(bench.admit(1_100), Admission::Probe);
    // This one's request is killed: nobody ever notes it.
    assert_eq!(bench.admit(61_099), Admission::Open);
    assert_eq!(bench.admit(61_100), Admission::Probe);
}

#[test]
fn a_cool_down_is_kept_to_within_bounds() {
    let bench = bench();
    let limit = |seconds, now| {
        bench.note(
            Finding::Limits(Duration::from_secs(seconds)),
            Admission::Free,
            now,
            now,
        );
    };
    limit(2, 0);
    assert_eq!(bench.admit(1_999), Admission::CoolingDown(at(2_000)));
    limit(1, 500);
    assert_eq!(
        bench.admit(1_999),
        Admission::CoolingDown(at(2_000)),
        "the longer word stands"
    );
    bench.note(Finding::Works, Admission::Free, 0, 1_000);
    assert_eq!(
        bench.admit(1_999),
        Admission::CoolingDown(at(2_000)),
        "also after an answer"
    );
    assert_eq!(bench.admit(2_000), Admission::Free);
    limit(86_400, 3_000);
    assert_eq!(bench.admit(3_000), Admission::CoolingDown(at(303_000)));
    assert_eq!(bench.admit(303_000), Admission::Free);
    bench.note(Finding::Works, Admission::Free, 303_000, 303_000);
    assert_eq!(bench.len(), 0);
}

#[test]
fn a_clock_that_goes_back_does_not_lock_it() {
    let bench = bench();
    bench.break_at(10_000_000);
    bench.note(
        Finding::Limits(Duration::from_secs(300)),
        Admission::Free,
        10_000_000,
        10_000_000,
    );
    assert_eq!(bench.admit(5), Admission::Probe);
    bench.note(Finding::Works, Admission::Probe, 5, 6);
    assert_eq!(bench.admit(6), Admission::Free);
}

#[test]
fn what_the_request_caused_says_nothing() {
    let of = |kind| Finding::of(&Error::new(kind, "x"));
    for kind in [
        ErrorKind::InvalidRequest,
        ErrorKind::ContextLength,
        ErrorKind::ContentFiltered,
        ErrorKind::TooLarge,
        ErrorKind::NotFound,
        ErrorKind::PermissionDenied,
        ErrorKind::Unsupported,
        ErrorKind::Cancelled,
    ] {
        assert_eq!(of(kind), Finding::Nothing, "{kind}");
    }
    assert_eq!(of(ErrorKind::RateLimited), Finding::MayFail);
    assert_eq!(of(ErrorKind::Interrupted), Finding::MayFail);
    assert_eq!(of(ErrorKind::Unavailable), Finding::Fails);
    let broken = Error::new(ErrorKind::Unavailable, "x").with_status(500);
    assert_eq!(Finding::of(&broken), Finding::MayFail);
    let wait = Duration::from_secs(3);
    let limited = Error::new(ErrorKind::RateLimited, "x").with_retry_after(wait);
    assert_eq!(Finding::of(&limited), Finding::Limits(wait));
    let down = Error::new(ErrorKind::Unavailable, "x").with_retry_after(wait);
    assert_eq!(Finding::of(&down), Finding::FailsAndLimits(wait));
}

#[test]
fn what_one_tenant_alone_meets_rests_for_it_alone() {
    let bench = bench();
    let fails = |tenant, now| bench.note_of(Some(tenant), Finding::MayFail, Admission::Free, now, now);
    (0..5).for_each(|now| fails("flood", now));
    assert_eq!(bench.admit_of(Some("flood"), 5), Admission::Open);
    assert_eq!(bench.admit_of(Some("other"), 5), Admission::Free);
    assert_eq!(bench.admit_of(None, 5), Admission::Free);
    // A second witness makes it everybody's.
    fails("other", 6);
    assert_eq!(bench.admit_of(Some("third"), 7), Admission::Open);
    bench.note_of(Some("third"), Finding::Works, Admission::Open, 1_500, 1_600);
    assert_eq!(bench.admit_of(Some("flood"), 1_600), Admission::Free);
}

#[test]
fn what_is_the_vendors_alone_needs_one_witness() {
    let bench = bench();
    for now in 0..3 {
        bench.note_of(Some("one"), Finding::Fails, Admission::Free, now, now);
    }
    assert_eq!(bench.admit_of(Some("other"), 5), Admission::Open);
}

#[test]
fn a_flood_of_names_does_not_wake_who_rests() {
    let bench = bench();
    bench.break_at(0);
    for number in 0..5 * CAPACITY {
        let name: Arc<str> = format!("p/{number}").into();
        let witness = Witness {
            tenant: None,
            began: at(1),
            admission: Admission::Free,
        };
        bench.health.note(&name, Finding::Fails, witness, at(1));
        assert!(bench.len() <= CAPACITY);
    }
    assert_eq!(bench.admit(2), Admission::Open);
}

proptest! {
    /// Whatever happens in whatever order: a target is free or probed again within the longest rest of all, and works once it answers.
    #[test]
    fn no_history_closes_a_target_for_good(
        history in prop::collection::vec((0_u64..90_000, 0_u64..5_000, 0_u8..5, 0_u64..1_000), 0..60),
    ) {
        let bench = bench();
        let mut now = 0;
        for (pause, took, what, wait) in history {
            now += pause;
            let admission = bench.admit(now);
            let wait = Duration::from_secs(wait);
            let finding = match what {
                0 => Finding::Works,
                1 => Finding::Fails,
                2 => Finding::Limits(wait),
                3 => Finding::FailsAndLimits(wait),
                _ => Finding::Nothing,
            };
            bench.note(finding, admission, now, now + took);
            now += took;
        }
        now += 300_000;
        let admission = bench.admit(now);
        prop_assert!(matches!(admission, Admission::Free | Admission::Probe), "{:?}", admission);
        bench.note(Finding::Works, admission, now, now);
        prop_assert_eq!(bench.admit(now), Admission::Free);
        prop_assert_eq!(bench.len(), 0);
    }
}
