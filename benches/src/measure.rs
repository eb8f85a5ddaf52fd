//! Two things that do the same, timed in turns.

use std::fmt;
use std::time::{Duration, Instant};

const ROUNDS: usize = 31;
const ROUND: Duration = Duration::from_millis(20);

/// Ours and a peer's way to do something once.
pub(crate) struct Pair {
    name: &'static str,
    ours: Box<dyn FnMut()>,
    peer: Box<dyn FnMut()>,
}

impl Pair {
    pub(crate) fn new(
        name: &'static str,
        ours: impl FnMut() + 'static,
        peer: impl FnMut() + 'static,
    ) -> Self {
        Self {
            name,
            ours: Box::new(ours),
            peer: Box::new(peer),
        }
    }

    pub(crate) fn run(&mut self) -> Outcome {
        let (ours_batch, peer_batch) = (batch(&mut self.ours), batch(&mut self.peer));
        let mut rounds: Vec<(f64, f64)> = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS {
            // Who goes first changes, too.
            let (ours, peer) = if round % 2 == 0 {
                let ours = time(&mut self.ours, ours_batch);
                (ours, time(&mut self.peer, peer_batch))
            } else {
                let peer = time(&mut self.peer, peer_batch);
                (time(&mut self.ours, ours_batch), peer)
            };
            rounds.push((ours, peer));
        }
        Outcome {
            name: self.name,
            ours: median(rounds.iter().map(|(ours, _)| *ours)),
            peer: median(rounds.iter().map(|(_, peer)| *peer)),
            ratio: median(rounds.iter().map(|(ours, peer)| peer / ours)),
        }
    }
}

/// What a pair took, in nanoseconds of one operation.
pub(crate) struct Outcome {
    name: &'static str,
    ours: f64,
    peer: f64,
    ratio: f64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            ours,
            peer,
            ratio,
        } = self;
        write!(f, "{name:<44} {ours:>8.1} ns {peer:>8.1} ns {ratio:>6.2}x")
    }
}

/// How many operations fill a round.
fn batch(work: &mut dyn FnMut()) -> u32 {
    let mut batch = 1;
    while time(work, batch) * f64::from(batch) < ROUND.as_nanos() as f64 && batch < 1 << 28 {
        batch *= 2;
    }
    batch
}

fn time(work: &mut dyn FnMut(), batch: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..batch {
        work();
    }
    start.elapsed().as_nanos() as f64 / f64::from(batch)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
