//! Whatever fails, and wherever: afterwards the index is what its documents are.

use futures_executor::block_on;
use futures_util::future::join3;
use proptest::prelude::*;

use super::faults::{Extent, When};
use super::world::World;
use crate::{IndexMessage, Ran};

#[derive(Clone, Debug)]
enum Act {
    Put(u8, Vec<u8>, u8),
    Delete(u8),
    Deploy(u8, u8),
    Work(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_u8, prop::collection::vec(0..5_u8, 1..6), 0..2_u8).prop_map(|(id, lines, team)| Act::Put(id, lines, team)),
        2 => (0..3_u8).prop_map(Act::Delete),
        1 => (1..3_u8, 0..2_u8).prop_map(|(lines, model)| Act::Deploy(lines, model)),
        3 => (1..4_u8).prop_map(Act::Work),
    ]
}

fn perform(world: &mut World, act: &Act) {
    match act {
        Act::Put(id, lines, team) => {
            let text: String = lines.iter().map(|line| format!("line {line}\n")).collect();
            world.put(&format!("d{id}"), &text, &format!("team {team}"));
        }
        Act::Delete(id) => world.delete(&format!("d{id}")),
        Act::Deploy(lines, model) => {
            world.deploy(usize::from(*lines), &format!("m{model}"));
            world.reindex();
        }
        Act::Work(times) => (0..*times).for_each(|_| drop(world.step())),
    }
}

/// Everything that was asked for is done, also what a pipeline that was deployed meanwhile makes of it.
fn finish(world: &mut World) {
    world.finish();
    world.reindex();
    world.finish();
    world.check();
}

fn scenario(world: &mut World) {
    world.put("d0", "one\ntwo\nthree\nfour\nfive\n", "a");
    (0..3).for_each(|_| drop(world.step()));
    world.put("d0", "five\none\nsix\n", "a");
    world.put("d1", "one\n", "a");
    (0..3).for_each(|_| drop(world.step()));
    world.put("d0", "five\none\nsix\n", "b");
    world.step();
    world.delete("d1");
    world.step();
    world.put("d1", "one\none\n", "b");
    world.deploy(2, "m");
    world.reindex();
    finish(world);
}

#[test]
fn any_one_call_may_fail_before_or_after_its_effect_and_any_crash_is_survived() {
    let mut sound = World::new();
    scenario(&mut sound);
    let calls = sound.faults.calls();
    assert!(calls > 100, "{calls}");
    for call in 0..calls {
        for when in [When::Before, When::After] {
            for extent in [Extent::Once, Extent::Crash] {
                let mut world = World::new();
                world.faults.fail_at(call, when, extent);
                scenario(&mut world);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sequence_of_changes_with_any_fault_ends_true(
        acts in prop::collection::vec(act(), 1..14),
        faults in prop::collection::vec((0..150_u64, any::<bool>(), any::<bool>()), 0..4),
    ) {
        let mut world = World::new();
        let mut faults = faults.into_iter();
        for act in &acts {
            if let Some((call, after, crash)) = faults.next() {
                let when = if after { When::After } else { When::Before };
                let extent = if crash { Extent::Crash } else { Extent::Once };
                world.faults.fail_at(world.faults.calls() + call % 20, when, extent);
            }
            perform(&mut world, act);
        }
        finish(&mut world);
    }

    #[test]
    fn consumers_and_changes_at_the_same_time_never_corrupt_a_document(
        seed in any::<u64>(),
        before in prop::collection::vec(0..5_u8, 1..6),
        after in prop::collection::vec(0..5_u8, 1..6),
    ) {
        let text = |lines: &[u8]| lines.iter().map(|line| format!("line {line}\n")).collect::<String>();
        let mut world = World::new();
        world.put("d0", "line 9\nline 1\n", "a");
        world.finish();
        world.put("d0", &text(&before), "a");
        world.faults.interleave(seed);
        let message = IndexMessage::new(world.namespace(), super::world::id("d0"));
        let (index, clock) = (world.index.clone(), world.clock.clone());
        let consumer = || async {
            // One that is told to wait asks again as if its time had come, and one that was too slow goes on.
            for _ in 0..6 {
                match index.run(&message).await {
                    Ok(Ran::Done) => break,
                    _ => clock.advance(std::time::Duration::from_secs(1)),
                }
            }
        };
        let change = async {
            let document = crate::Document::new(super::world::id("d0"), crate::MediaType::PLAIN, text(&after)).metadata("team", "b");
            index.put(&world.namespace(), document).await
        };
        let (_, _, put) = block_on(join3(consumer(), consumer(), change));
        put.unwrap();
        world.put("d0", &text(&after), "b");
        finish(&mut world);
    }
}

#[test]
fn a_call_that_was_given_up_may_still_come_to_pass_and_nobody_begins_before() {
    let mut world = World::new();
    world.put("d0", "one\n", "a");
    // The write to the vector store: nobody knows whether it took place.
    let mut call = world.faults.calls();
    loop {
        let mut probe = World::new();
        probe.put("d0", "one\n", "a");
        probe.faults.fail_at(call, When::After, Extent::Once);
        let _ = probe.step();
        if !probe.vector_ids().is_empty() && probe.keywords.0.lock().unwrap().is_empty() {
            break;
        }
        call += 1;
        assert!(call < 200);
    }
    world.faults.fail_at(call, When::After, Extent::Once);
    let message = world.queue.take().unwrap();
    let Ok(Ran::Again(wait)) = block_on(world.index.run(&message)) else {
        panic!("the failure is kept");
    };
    assert!(wait >= crate::IndexOptions::default().call);
    assert!(matches!(block_on(world.index.run(&message)), Ok(Ran::Again(_))));
    world.clock.advance(wait);
    assert_eq!(block_on(world.index.run(&message)).unwrap(), Ran::Done);
    world.check();
}
