use super::*;
use proptest::prelude::*;

const POLICY: Policy = Policy {
    max_attempts: 4,
    lease_ms: 60_000,
    backoff_ms: 1_000,
    max_age_ms: 86_400_000,
    keep_ms: 1_000_000,
};

/// What may happen; a worker is named by its place among those that were ever given a lease.
#[derive(Clone, Debug)]
enum Happening {
    Deliver,
    Renew(usize),
    Complete(usize),
    Retryable(usize),
    Final(usize),
    Cancel,
    Wake,
    Pass(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        4 => Just(Deliver),
        2 => (0..6_usize).prop_map(Renew),
        2 => (0..6_usize).prop_map(Complete),
        2 => (0..6_usize).prop_map(Retryable),
        1 => (0..6_usize).prop_map(Final),
        1 => Just(Cancel),
        2 => Just(Wake),
        3 => prop_oneof![0..5_000_u64, 30_000..90_000_u64, Just(400_000)].prop_map(Pass),
    ]
}

fn failure(retryable: bool) -> Failure {
    Failure {
        retryable,
        ..Failure::new("unavailable", "down")
    }
}

/// A job with everybody who was ever given a lease, and what has come of it.
struct World {
    job: Job,
    now: u64,
    tokens: Vec<u32>,
    results: u32,
    told_failures: u32,
    messages: u32,
}

impl World {
    fn new() -> Self {
        Self {
            job: Job::new(0),
            now: 0,
            tokens: Vec::new(),
            results: 0,
            told_failures: 0,
            messages: 0,
        }
    }

    fn happen(&mut self, happening: &Happening) {
        let token = |at: &usize| self.tokens.get(*at).copied().unwrap_or(u32::MAX);
        let (job, now) = (&mut self.job, self.now);
        match happening {
            Happening::Deliver => {
                let was = job.clone();
                if let Take::Run { token, .. } = job.take(now, &POLICY) {
                    assert!(!was.status.is_final(), "work on a job that is over");
                    assert!(!self.tokens.contains(&token), "a lease given twice");
                    self.tokens.push(token);
                }
            }
            Happening::Renew(at) => {
                let _ = job.renew(token(at), 1, now, &POLICY);
            }
            Happening::Complete(at) => self.results += u32::from(job.complete(token(at), 1, now)),
            Happening::Retryable(at) => {
                let token = token(at);
                self.told_failures += u32::from(job.fail(token, failure(true), now, &POLICY));
            }
            Happening::Final(at) => {
                let token = token(at);
                self.told_failures += u32::from(job.fail(token, failure(false), now, &POLICY));
            }
            Happening::Cancel => {
                let was_over = job.status.is_final();
                assert_eq!(job.cancel(now), !was_over);
            }
            Happening::Wake => {
                job.tick(now, &POLICY);
                if job.is_due(now) {
                    job.dispatched(now);
                    self.messages += 1;
                }
            }
            Happening::Pass(millis) => self.now += millis,
        }
        self.check();
    }

    fn check(&mut self) {
        let job = &self.job;
        assert!(self.results <= 1, "two results");
        assert_eq!(self.results == 1, job.status == Status::Completed);
        assert!(job.attempts <= POLICY.max_attempts);
        assert_eq!(job.attempts as usize, self.tokens.len());
        // Every call but the one that answers was told to have failed, was lost, or is given up with the job.
        let open = u32::from(job.status == Status::Running || job.status == Status::Cancelled);
        let known = self.results + self.told_failures + job.lost;
        assert!(
            job.attempts >= known && job.attempts <= known + open,
            "{job:?}, {known} known"
        );
        assert_eq!(job.status == Status::Running, job.lease.is_some());
        assert_eq!(job.status.is_final(), job.finished_ms.is_some());
        // It survives the storage at any point.
        self.job = serde_json::from_str(&serde_json::to_string(job).unwrap()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever order, repetition, crash and cancellation: one result at most, and none is paid for twice but after a lost attempt.
    #[test]
    fn one_result_at_most(happenings in prop::collection::vec(happening(), 0..60)) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
    }

    /// From any point it comes to an end when somebody looks whenever it asks to be looked at and works whenever there is a message.
    #[test]
    fn never_lost(happenings in prop::collection::vec(happening(), 0..40), dies in prop::collection::vec(any::<bool>(), 8)) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        let mut dies = dies.into_iter();
        for _ in 0..40 {
            if world.job.status.is_final() {
                break;
            }
            world.now = world.now.max(world.job.wake_at(&POLICY));
            let sent = world.messages;
            world.happen(&Happening::Wake);
            if world.messages > sent {
                world.happen(&Happening::Deliver);
                if !dies.next().unwrap_or(false) {
                    world.happen(&Happening::Complete(world.tokens.len().saturating_sub(1)));
                }
            }
        }
        prop_assert!(world.job.status.is_final(), "{:?}", world.job);
        let over = world.job.wake_at(&POLICY);
        prop_assert!(world.job.is_past(over, &POLICY));
    }

    /// A second delivery of a message changes nothing while the first is at work, nor after the end.
    #[test]
    fn a_repeated_message_does_nothing(happenings in prop::collection::vec(happening(), 0..40)) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        let first = world.job.take(world.now, &POLICY);
        let after = world.job.clone();
        prop_assert_eq!(world.job.take(world.now, &POLICY), Take::Leave);
        prop_assert_eq!(&world.job, &after, "{:?}", first);
    }
}

fn run(job: &mut Job, now: u64) -> (u32, u32) {
    match job.take(now, &POLICY) {
        Take::Run { token, turn } => (token, turn),
        Take::Leave => panic!("{job:?}"),
    }
}

#[test]
fn a_lost_attempt_keeps_its_turn_and_a_failed_one_does_not() {
    let mut job = Job::new(0);
    assert_eq!(run(&mut job, 0), (1, 0));
    job.tick(60_000, &POLICY);
    assert_eq!((job.status, job.lost), (Status::Queued, 1));
    let (token, turn) = run(&mut job, 70_000);
    assert_eq!((token, turn), (2, 0));
    assert!(!job.complete(1, 0, 70_000), "the lost one comes too late");
    assert!(job.fail(token, failure(true), 70_001, &POLICY));
    assert_eq!(run(&mut job, 100_000), (3, 1));
}

#[test]
fn waits_double_and_follow_the_other_side() {
    let mut job = Job::new(0);
    let (token, _) = run(&mut job, 0);
    job.fail(token, failure(true), 0, &POLICY);
    assert!(!job.is_due(999) && job.is_due(1_000));
    let (token, _) = run(&mut job, 1_000);
    job.fail(token, failure(true), 1_000, &POLICY);
    assert_eq!(job.wake_at(&POLICY), 3_000);
    let (token, _) = run(&mut job, 3_000);
    let told = Failure {
        retry_after_ms: Some(20_000),
        ..failure(true)
    };
    job.fail(token, told, 3_000, &POLICY);
    assert_eq!(job.wake_at(&POLICY), 23_000);
    let (token, _) = run(&mut job, 23_000);
    job.fail(token, failure(true), 23_000, &POLICY);
    assert_eq!(job.status, Status::Failed, "attempts are over");
}

#[test]
fn an_answer_that_comes_late_but_first_counts() {
    let mut job = Job::new(0);
    let (token, _) = run(&mut job, 0);
    assert!(job.complete(token, 7, 99_000));
    assert_eq!((job.status, job.lost), (Status::Completed, 0));
}

#[test]
fn nobody_works_on_an_old_job() {
    let mut job = Job::new(0);
    assert_eq!(job.take(POLICY.max_age_ms, &POLICY), Take::Leave);
    assert_eq!(job.failure.unwrap().code, "job_expired");
}
