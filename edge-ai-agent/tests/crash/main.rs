//! A turn is killed at every point where it writes or calls somebody, before and after, and taken up from the database alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod script;
mod world;

use std::collections::BTreeSet;

use edge_ai_agent::{Repeat, RunEvent, RunOutcome};
use edge_ai_core::{ContentPart, FinishReason};
use proptest::prelude::*;

use script::{Call, Script};
use world::{Outcome, World};

/// Ten calls in four steps, several at once, one of which a person must agree to.
fn ten_tools(repeat: Repeat) -> Script {
    let key = || Call::new(Repeat::WithKey);
    Script(vec![
        vec![Call::new(Repeat::ReadOnly), key(), Call::new(Repeat::ReadOnly)],
        vec![key(), Call::new(repeat)],
        vec![key(), Call::new(repeat).asking(), key()],
        vec![key(), key()],
    ])
}

#[test]
fn killed_anywhere_a_turn_ends_as_if_it_had_not_been() {
    let points = every_point(&ten_tools(Repeat::WithKey));
    assert!(points > 80, "only {points} points");
}

#[test]
fn what_must_not_happen_twice_is_told_as_interrupted() {
    every_point(&ten_tools(Repeat::Once));
}

/// Kills a turn at each of its points, and says how many there are.
fn every_point(script: &Script) -> u64 {
    let whole = World::new(script).play(&[]);
    check_whole(script, &whole);
    for at in 1..=whole.points {
        let killed = World::new(script).play(&[at]);
        assert_eq!(killed.kills, 1, "nothing was killed at {at}");
        check(script, &whole, &killed, &[at]);
    }
    whole.points
}

fn check_whole(script: &Script, whole: &Outcome) {
    assert_eq!(whole.kills, 0);
    let reason = FinishReason::Stop;
    assert_eq!(whole.outcome, Some(RunOutcome::Finished { reason }));
    assert_eq!(whole.executions.len(), script.calls().count());
    assert!(whole.executions.values().all(|times| *times == 1));
    assert_eq!(whole.asked.len(), script.0.len() + 1);
    assert!(
        !whole
            .events
            .iter()
            .any(|event| matches!(event, RunEvent::StepRestarted { .. }))
    );
}

fn check(script: &Script, whole: &Outcome, killed: &Outcome, at: &[u64]) {
    assert_eq!(killed.outcome, whole.outcome, "killed at {at:?}");
    assert_eq!(
        killed.repeated_answers, 0,
        "killed at {at:?}: an answer that was kept was bought again"
    );
    assert_eq!(
        killed.repeated_calls, 0,
        "killed at {at:?}: a call that was settled was made again"
    );
    let lost: BTreeSet<_> = interrupted(killed);
    for (id, call) in script.calls() {
        let executed = killed.executions.get(&id).copied().unwrap_or_default();
        let most = if call.repeat == Repeat::Once {
            1
        } else {
            1 + killed.kills
        };
        assert!(
            executed <= most,
            "killed at {at:?}: {id} was executed {executed} times"
        );
        let effects = killed.effects.get(&id).copied().unwrap_or_default();
        let sound = effects == 1 || (effects == 0 && lost.contains(&id));
        assert!(sound, "killed at {at:?}: {id} took effect {effects} times");
        assert!(
            call.repeat == Repeat::Once || !lost.contains(&id),
            "killed at {at:?}: {id} is lost"
        );
    }
    assert!(lost.len() <= usize::try_from(killed.kills).unwrap() * 6);
    if lost.is_empty() {
        assert_eq!(killed.transcript, whole.transcript, "killed at {at:?}");
        assert_eq!(
            settled(&killed.events),
            settled(&whole.events),
            "killed at {at:?}"
        );
    }
    assert_eq!(
        killed.late, killed.events,
        "killed at {at:?}: who came late heard something else"
    );
}

/// The calls whose results say that nobody knows.
fn interrupted(outcome: &Outcome) -> BTreeSet<String> {
    let parts = outcome.transcript.iter().flat_map(|message| &message.content);
    let lost = parts.filter_map(|part| match part {
        ContentPart::ToolResult(result) if result.text().contains("interrupted") => {
            Some(result.call_id.clone())
        }
        _ => None,
    });
    lost.collect()
}

/// What watchers are left with: texts whole, without those of steps that began again, and what calls came to, in an order that does not depend on which
/// of several calls was quicker.
fn settled(events: &[RunEvent]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut text = String::new();
    let mut calls = BTreeSet::new();
    for event in events {
        match event {
            RunEvent::StepRestarted { .. } => text.clear(),
            RunEvent::Text { delta, .. } => text.push_str(delta),
            RunEvent::StepEnded { .. } => texts.push(std::mem::take(&mut text)),
            RunEvent::ToolCalled { .. } | RunEvent::ToolDone { .. } | RunEvent::ApprovalGiven { .. } => {
                assert!(
                    calls.insert(serde_json::to_string(event).unwrap()),
                    "told twice: {event:?}"
                );
            }
            _ => {}
        }
    }
    texts.extend(calls);
    texts
}

fn call() -> impl Strategy<Value = Call> {
    let repeat = prop_oneof![Just(Repeat::Once), Just(Repeat::WithKey), Just(Repeat::ReadOnly)];
    (repeat, any::<bool>(), any::<bool>()).prop_map(|(repeat, asks, fails)| {
        let call = Call {
            fails,
            ..Call::new(repeat)
        };
        if asks { call.asking() } else { call }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_turn_bears_being_killed_again_and_again(
        steps in prop::collection::vec(prop::collection::vec(call(), 1..9), 0..5),
        kills in prop::collection::vec(1_u64..60, 0..6),
    ) {
        let script = Script(steps);
        let whole = World::new(&script).play(&[]);
        check_whole(&script, &whole);
        check(&script, &whole, &World::new(&script).play(&kills), &kills);
    }
}
