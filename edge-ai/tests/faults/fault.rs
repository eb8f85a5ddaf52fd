use std::time::Duration;

use edge_ai::core::{Entropy, SeededEntropy};

/// What goes wrong in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Nobody takes the connection.
    Refused,
    /// The connection breaks before the head.
    Reset,
    /// Nothing ever comes.
    Hang,
    /// It comes late, perhaps too late.
    Late,
    /// 429, with a time to wait in one of three forms, or without.
    RateLimited,
    /// 500, 502, 503 or 529, as JSON or as a page.
    ServerError,
    /// The key is no longer taken.
    KeyRevoked,
    /// A page in the place of an answer, with 200.
    Page,
    /// An empty answer, with 200.
    Empty,
    /// JSON or frames that do not read.
    Malformed,
    /// An error in the place of the first frame, with 200.
    ErrorFirst,
    /// An error after some frames.
    ErrorLater,
    /// The answer ends too soon, without a word.
    Cut,
    /// The connection breaks within the answer.
    Broken,
    /// Pieces that come slowly, perhaps too slowly.
    Drip,
    /// The stream falls silent for good.
    Silence,
}

impl Fault {
    const BEFORE: [Self; 11] = [
        Self::Refused,
        Self::Reset,
        Self::Hang,
        Self::Late,
        Self::RateLimited,
        Self::ServerError,
        Self::KeyRevoked,
        Self::Page,
        Self::Empty,
        Self::Malformed,
        Self::ErrorFirst,
    ];

    const WITHIN: [Self; 5] = [
        Self::ErrorLater,
        Self::Cut,
        Self::Broken,
        Self::Drip,
        Self::Silence,
    ];
}

/// How often what goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    faults: Vec<Fault>,
    rate: f64,
}

impl Mix {
    /// Every fault alike, in this share of calls.
    pub(crate) fn evenly(rate: f64) -> Self {
        let faults = Fault::BEFORE.into_iter().chain(Fault::WITHIN).collect();
        Self { faults, rate }
    }

    /// Those that another call can make good, in this share of calls. What breaks off after its first byte is the client's to see.
    pub(crate) fn before_the_first_byte(rate: f64) -> Self {
        let faults = Fault::BEFORE.to_vec();
        Self { faults, rate }
    }

    pub(crate) fn draw(&self, dice: &Dice) -> Option<Fault> {
        dice.chance(self.rate).then(|| *dice.pick(&self.faults))
    }
}

/// Chance, the same for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(SeededEntropy);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// One of `0..below`.
    pub(crate) fn below(&self, below: u64) -> u64 {
        self.0.next_u64() % below
    }

    pub(crate) fn chance(&self, share: f64) -> bool {
        (self.0.next_u64() as f64) < share * u64::MAX as f64
    }

    pub(crate) fn pick<'a, T>(&self, choices: &'a [T]) -> &'a T {
        let at = self.below(u64::try_from(choices.len()).unwrap());
        &choices[usize::try_from(at).unwrap()]
    }

    pub(crate) fn millis(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}
