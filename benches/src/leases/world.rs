use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use edge_ai_core::{
    Background, Clock, Context, Entropy, Error, ErrorKind, LeaseAsk, LeaseFallback, LeaseGrant, LeaseLedger,
    LeaseOffice, LeaseOptions, LeasedLimits, LimitBackend, LimitKey, LimitMeasure, LimitRule, LimitWindow,
    Result, SeededEntropy, Timestamp, async_trait,
};
use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_executor::{LocalPool, LocalSpawner};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::task::LocalSpawnExt;

use super::ISOLATES;

/// Twenty seconds of traffic on fifty isolates.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) rule: LimitRule,
    options: LeaseOptions,
    every: Duration,
    burst: u64,
    tokens: Option<u64>,
    deaths: bool,
    outages: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) amount: u64,
    pub(crate) bound: u64,
    /// Units of the rule.
    pub(crate) asked: u64,
    pub(crate) admitted: u64,
    pub(crate) refused_though_there: u64,
    /// Questions that a request waited for, and those that none did.
    pub(crate) on_path: u64,
    pub(crate) beside: u64,
}

const LENGTH: Duration = Duration::from_secs(20);
const START: Timestamp = Timestamp::from_millis(1_798_000_000_000);

impl Scene {
    pub(crate) fn new(name: &'static str, rule: LimitRule, options: LeaseOptions) -> Self {
        Self {
            name,
            rule,
            options,
            every: Duration::from_millis(50),
            burst: 1,
            tokens: None,
            deaths: false,
            outages: false,
        }
    }

    /// How often a request reaches an isolate, on average.
    pub(crate) fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// How many come at a time; so much more seldom.
    pub(crate) fn bursts(self, burst: u64) -> Self {
        Self { burst, ..self }
    }

    /// What a request reserves; it uses a part of it.
    pub(crate) fn tokens(self, tokens: u64) -> Self {
        Self {
            tokens: Some(tokens),
            ..self
        }
    }

    /// Each second an isolate dies with all it holds, and another takes its place.
    pub(crate) fn deaths(self) -> Self {
        Self { deaths: true, ..self }
    }

    /// Each ten seconds the office is down for two, and comes back with what it has stored.
    pub(crate) fn outages(self) -> Self {
        Self {
            outages: true,
            ..self
        }
    }

    pub(crate) fn run(&self, seed: u64) -> Outcome {
        let mut pool = LocalPool::new();
        let clock = EventClock::default();
        let office = Office {
            ledger: Arc::default(),
            clock: clock.clone(),
            chance: Arc::new(SeededEntropy::new(seed)),
            outages: self.outages,
            asked: Arc::default(),
        };
        let world = Arc::new(World {
            scene: self.clone(),
            office,
            clock: clock.clone(),
            chance: SeededEntropy::new(seed + 1_000),
            log: Mutex::default(),
            key: LimitKey::new(Arc::new(self.rule.clone()), "all"),
        });
        let spawner = pool.spawner();
        for isolate in 0..ISOLATES {
            let task = live(Arc::clone(&world), isolate, spawner.clone());
            spawner.spawn_local(task).unwrap_or_default();
        }
        loop {
            pool.run_until_stalled();
            if !clock.advance() {
                break;
            }
        }
        world.outcome()
    }

    fn bound(&self, generations: u64) -> u64 {
        let rule = &self.rule;
        let share = |per_mille: u64| rule.amount * per_mille / 1_000;
        let amount = match rule.window {
            // What drains while it lasts comes on top.
            Some(LimitWindow::MINUTE) => rule.amount + rule.amount * LENGTH.as_secs() / 60,
            _ => rule.amount,
        };
        let alone = match self.options.fallback {
            LeaseFallback::Local { per_mille } => share(per_mille.into()),
            _ => 0,
        };
        amount + generations * (share(self.options.credit_per_mille.into()) + alone)
    }
}

#[derive(Debug)]
struct World {
    scene: Scene,
    office: Office,
    clock: EventClock,
    chance: SeededEntropy,
    log: Mutex<Log>,
    key: LimitKey,
}

#[derive(Debug, Default)]
struct Log {
    asked: u64,
    generations: u64,
    refused_though_there: u64,
    on_path: u64,
    /// Settled to what it was.
    admitted: u64,
}

/// One place in the world: an isolate after the other.
#[expect(clippy::future_not_send, reason = "the simulation has one thread")]
async fn live(world: Arc<World>, place: u64, spawner: LocalSpawner) {
    let mut isolate = Isolate::new(&world, spawner.clone());
    let mut next_death = START + Duration::from_secs(place + 1);
    loop {
        let scene = &world.scene;
        let mean = scene.every.as_nanos() as u64 * scene.burst;
        // Evenly between nothing and twice the mean.
        world
            .clock
            .sleep(Duration::from_nanos(world.chance.next_u64() % (2 * mean)))
            .await;
        let now = world.clock.now();
        if now >= START + LENGTH {
            return;
        }
        if scene.deaths && now >= next_death {
            isolate = Isolate::new(&world, spawner.clone());
            next_death = next_death + Duration::from_secs(ISOLATES);
        }
        for _ in 0..scene.burst {
            spawner
                .spawn_local(request(Arc::clone(&world), Arc::clone(&isolate)))
                .unwrap_or_default();
        }
    }
}

#[derive(Debug)]
struct Isolate {
    limits: LeasedLimits<Office>,
    background: Arc<Spawned>,
}

impl Isolate {
    fn new(world: &World, spawner: LocalSpawner) -> Arc<Self> {
        world.with(|log| log.generations += 1);
        let clock = Arc::new(world.clock.clone());
        Arc::new(Self {
            limits: LeasedLimits::new(world.office.clone(), clock, &world.chance, world.scene.options),
            background: Arc::new(Spawned::new(spawner)),
        })
    }
}

async fn request(world: Arc<World>, isolate: Arc<Isolate>) {
    let reserve = world.scene.tokens.unwrap_or(1);
    let context = Context::default().with_background(Arc::clone(&isolate.background) as Arc<dyn Background>);
    let before = world.clock.now();
    let outcome = isolate.limits.take(&world.key, reserve, &context).await;
    let waited = world.clock.now() > before;
    let there = world.office.left(&world.scene.rule) >= reserve;
    let admitted = outcome.as_ref().is_ok_and(|outcome| outcome.allowed);
    world.with(|log| {
        log.asked += reserve;
        log.on_path += u64::from(waited);
        log.refused_though_there += if !admitted && there { reserve } else { 0 };
    });
    let Ok(outcome) = outcome else { return };
    if !outcome.allowed {
        return;
    }
    let actual = world
        .scene
        .tokens
        .map_or(1, |most| 1 + world.chance.next_u64() % most);
    if world.scene.rule.measure != LimitMeasure::Requests {
        world
            .clock
            .sleep(Duration::from_millis(200 + world.chance.next_u64() % 2_000))
            .await;
    }
    isolate.limits.settle(&world.key, outcome.hold, actual, &context);
    world.with(|log| log.admitted += actual);
}

impl World {
    fn with<T>(&self, f: impl FnOnce(&mut Log) -> T) -> T {
        f(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn outcome(&self) -> Outcome {
        self.with(|log| {
            let asked_of_office = self.office.asked.load(Ordering::Relaxed);
            Outcome {
                amount: self.scene.rule.amount,
                bound: self.scene.bound(log.generations),
                asked: log.asked,
                admitted: log.admitted,
                refused_though_there: log.refused_though_there,
                on_path: log.on_path,
                beside: asked_of_office.saturating_sub(log.on_path),
            }
        })
    }
}

/// The office behind a network.
#[derive(Clone, Debug)]
struct Office {
    ledger: Arc<Mutex<LeaseLedger>>,
    clock: EventClock,
    chance: Arc<SeededEntropy>,
    outages: bool,
    asked: Arc<AtomicU64>,
}

impl Office {
    async fn way(&self) {
        // 5 to 80 ms each way, and now and then a second.
        let chance = self.chance.next_u64();
        let millis = if chance.is_multiple_of(100) {
            1_000
        } else {
            5 + chance / 100 % 75
        };
        self.clock.sleep(Duration::from_millis(millis)).await;
    }

    /// What is neither spent nor leased out.
    fn left(&self, rule: &LimitRule) -> u64 {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ledger.left(rule, self.clock.now())
    }
}

#[async_trait]
impl LeaseOffice for Office {
    async fn lease(&self, _: &LimitKey, ask: LeaseAsk) -> Result<LeaseGrant> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.way().await;
        let now = self.clock.now();
        if self.outages && now.since(START).as_secs() % 10 >= 8 {
            return Err(Error::new(ErrorKind::Unavailable, "restarting"));
        }
        let grant = {
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            // What is stored is what comes back after a restart.
            let stored = serde_json::to_string(&*ledger).unwrap_or_default();
            *ledger = serde_json::from_str(&stored).unwrap_or_default();
            ledger.ask(now, &ask)
        };
        self.way().await;
        Ok(grant)
    }
}

/// Runs what a request leaves behind.
#[derive(Debug)]
struct Spawned(UnboundedSender<BoxFuture<'static, ()>>);

impl Spawned {
    fn new(spawner: LocalSpawner) -> Self {
        let (sender, mut work) = unbounded::<BoxFuture<'static, ()>>();
        let inner = spawner.clone();
        let run = async move {
            while let Some(work) = work.next().await {
                inner.spawn_local(work).unwrap_or_default();
            }
        };
        spawner.spawn_local(run).unwrap_or_default();
        Self(sender)
    }
}

impl Background for Spawned {
    fn run(&self, work: BoxFuture<'static, ()>) {
        self.0.unbounded_send(work).unwrap_or_default();
    }
}

/// Time that goes on when there is nothing else to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventClock(Arc<Mutex<Events>>);

#[derive(Debug, Default)]
struct Events {
    passed: u64,
    next: u64,
    sleepers: BTreeMap<(u64, u64), Option<Waker>>,
}

impl EventClock {
    fn with<T>(&self, f: impl FnOnce(&mut Events) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes to the first sleeper's time; no, when nobody sleeps.
    fn advance(&self) -> bool {
        let first = self.with(|events| {
            let ((until, _), waker) = events.sleepers.pop_first()?;
            events.passed = events.passed.max(until);
            Some(waker)
        });
        match first {
            None => return false,
            Some(Some(waker)) => waker.wake(),
            Some(None) => {}
        }
        true
    }
}

#[async_trait]
impl Clock for EventClock {
    fn now(&self) -> Timestamp {
        self.with(|events| START + Duration::from_nanos(events.passed))
    }

    async fn sleep(&self, duration: Duration) {
        let id = self.with(|events| {
            let until = events.passed + duration.as_nanos() as u64;
            events.next += 1;
            let id = (until, events.next);
            events.sleepers.insert(id, None);
            id
        });
        let _asleep = Asleep(self.clone(), id);
        poll_fn(|context| {
            self.with(|events| match events.sleepers.get_mut(&id) {
                None => Poll::Ready(()),
                Some(waker) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
            })
        })
        .await;
    }
}

/// A sleep that is given up holds nobody up.
struct Asleep(EventClock, (u64, u64));

impl Drop for Asleep {
    fn drop(&mut self) {
        self.0.with(|events| events.sleepers.remove(&self.1));
    }
}
