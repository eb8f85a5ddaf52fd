//! Leases over fifty isolates: the real code, by a clock of its own.
//!
//! Each isolate has its own requests, its own way to the office, and may die; the office may restart. What is let in is held against the bound of
//! [`LeasedLimits`](edge_ai_core::LeasedLimits).

mod world;

use std::fmt::Write as _;
use std::time::Duration;

use edge_ai_core::{LeaseFallback, LeaseOptions, LimitRule, LimitWindow};

use world::{Outcome, Scene};

pub(crate) const ISOLATES: u64 = 50;

/// Every scene, as rows of a table.
pub(crate) fn table() -> String {
    let mut table = String::from(
        "| scene | asked for | let in | bound | over the amount | of the amount used | refused though there | requests that waited for the office | questions beside requests |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for scene in scenes() {
        let outcome = scene.run(1);
        let Outcome {
            asked,
            admitted,
            bound,
            refused_though_there,
            on_path,
            beside,
            amount,
            ..
        } = outcome;
        let _ = writeln!(
            table,
            "| {} | {asked} | {admitted} | {bound} | {} | {:.1} % | {:.2} % | {on_path} | {beside} |",
            scene.name,
            admitted.saturating_sub(amount),
            100.0 * admitted.min(amount) as f64 / amount.min(asked).max(1) as f64,
            100.0 * refused_though_there as f64 / asked.max(1) as f64,
        );
    }
    table
}

pub(crate) fn scenes() -> Vec<Scene> {
    let day = LimitRule::requests(20_000, LimitWindow::DAY);
    let closed = LeaseOptions::default().fallback(LeaseFallback::Closed);
    let local = LeaseOptions::default().fallback(LeaseFallback::Local { per_mille: 2 });
    let calm = Scene::new(
        "plenty: 1,000 a second for 20 seconds, twice as much allowed",
        LimitRule::requests(40_000, LimitWindow::DAY),
        closed,
    );
    vec![
        calm,
        Scene::new("scarce: twice what is allowed", day.clone(), closed).every(Duration::from_micros(25_000)),
        Scene::new("bursts of 40 together", day.clone(), closed)
            .every(Duration::from_micros(25_000))
            .bursts(40),
        Scene::new(
            "a token bucket: 20,000 a minute",
            LimitRule::requests(20_000, LimitWindow::MINUTE),
            closed,
        ),
        Scene::new(
            "tokens: 500 reserved, 1 to 500 used",
            LimitRule::tokens(3_000_000, LimitWindow::DAY),
            closed,
        )
        .tokens(500),
        Scene::new("an isolate dies each second", day.clone(), closed)
            .every(Duration::from_micros(25_000))
            .deaths(),
        Scene::new(
            "the office restarts each 10 s, down for 2 s; closed",
            day.clone(),
            closed,
        )
        .every(Duration::from_micros(25_000))
        .outages(),
        Scene::new("the same; by itself up to 0.2 %", day.clone(), local)
            .every(Duration::from_micros(25_000))
            .outages(),
        Scene::new("on credit of 0.1 % at first", day, closed.credit_per_mille(1))
            .every(Duration::from_micros(25_000)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scene_goes_over_its_bound() {
        for scene in scenes() {
            let Outcome {
                asked,
                admitted,
                bound,
                ..
            } = scene.run(2);
            assert!(asked > 10_000, "{}", scene.name);
            assert!(admitted <= bound, "{}: {admitted} over {bound}", scene.name);
        }
    }

    #[test]
    fn with_tokens_at_hand_no_request_waits() {
        let calm = scenes().remove(0);
        let outcome = calm.run(3);
        // The office was out of reach for a few first requests: a message in a hundred takes a second, and nobody waits so long.
        assert!(
            outcome.admitted * 100 >= outcome.asked * 99,
            "{} of {}",
            outcome.admitted,
            outcome.asked
        );
        // The first request of each isolate, and what came while that one waited.
        assert!(outcome.on_path <= 6 * ISOLATES, "{}", outcome.on_path);
    }

    #[test]
    fn nearly_all_of_a_scarce_amount_is_used() {
        let scarce = scenes().remove(1);
        let outcome = scarce.run(4);
        assert!(
            outcome.admitted * 100 >= outcome.amount * 98,
            "{} of {}",
            outcome.admitted,
            outcome.amount
        );
    }
}
