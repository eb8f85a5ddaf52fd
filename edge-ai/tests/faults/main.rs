//! The gateway between clients and vendors that fail in every way that vendors do.
//!
//! The real gateway with its cache, its providers and their dialects; time and the network are simulated, so that a campaign takes seconds and
//! is the same each time. A longer one: `FAULT_REQUESTS=1000000 cargo test --release -p edge-ai --test faults`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what came of it is told with `--nocapture`")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod client;
mod fault;
mod vendor;
mod world;

use fault::Mix;
use world::{Tally, World};

/// How many requests a campaign has.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is whoever runs it to say"
)]
fn requests() -> u64 {
    let told = std::env::var("FAULT_REQUESTS").ok();
    told.and_then(|number| number.parse().ok()).unwrap_or(100_000)
}

/// Each vendor fails in a third of all calls, in any way: every request ends in a right answer or a right error in its time, and nothing
/// wrong is kept or left out of the account.
#[test]
fn every_request_ends_well_or_says_why() {
    let tally = run(Mix::evenly(0.33), 7);
    assert!(tally.failed > 0 && tally.hits > 0 && tally.left > 0, "{tally:?}");
}

/// Two vendors that fail in 0.5 % of calls before anything was said: the answers that clients get are more than 99.99 %.
#[test]
fn two_vendors_at_995_make_9999() {
    let tally = run(Mix::before_the_first_byte(0.005), 11);
    let asked = tally.answered + tally.failed;
    let failed = u128::from(tally.failed);
    assert!(failed * 10_000 <= u128::from(asked), "{tally:?}");
}

fn run(mix: Mix, seed: u64) -> Tally {
    let world = World::new(mix, seed);
    let tally = world.run(requests());
    println!("{tally:#?}");
    tally
}
