//! Schedules that chance seldom makes, step by step: each keeps its promise, and without its rule
//! breaks it.

use crate::facts::{Deed, TEAM};
use crate::process::Request;
use crate::promises::Broken;
use crate::rules::Rule;
use crate::world::World;

type Schedule = fn(&mut World) -> Result<(), Broken>;

fn needs(rule: Rule, schedule: Schedule) {
    let played = |rule| {
        let mut world = World::undisturbed(rule);
        world.settle(1_000).and_then(|()| schedule(&mut world))
    };
    assert_eq!(played(None), Ok(()));
    assert!(played(Some(rule)).is_err(), "nothing is noticed without {rule:?}");
}

fn request(world: &mut World, token: usize, channel: usize, size: u32) -> Result<(), Broken> {
    let looks = world.rule != Some(Rule::T3EachChunk);
    world.accept(0, Request { number: 0, token, channel, size, looks });
    world.settle(500)
}

/// The cache evicts the token of a download, which is revoked then.
#[test]
fn t3_a_flip_reaches_what_was_evicted() {
    needs(Rule::T3FlipsReachEvicted, |world| {
        request(world, 0, 0, 3)?;
        world.evict(0, 0);
        world.begin(Deed::Revoke(0), 0);
        world.settle(1_000)?;
        world.take_all();
        world.settle(500)
    });
}

/// A gateway that is told to stop still sends, and the database can't reach it.
#[test]
fn l5_a_gateway_that_drains_is_waited_for() {
    needs(Rule::L5EndIsLast, |world| {
        request(world, 0, 0, 8)?;
        world.end_in_order(0);
        world.cut_off(0, 2_000);
        world.begin(Deed::Revoke(0), 0);
        world.settle(600)?;
        world.take_all();
        world.settle(500)
    });
}

/// A gateway stands still between reading what is new and saying so. Meanwhile an older copy is
/// restored, in which the number of what it says belongs to another change.
#[test]
fn f4_an_acknowledgement_of_another_history_counts_for_nothing() {
    needs(Rule::F4StampedAcknowledgement, |world| {
        world.back_up();
        world.pace.execute = 0;
        world.begin(Deed::Other, 0);
        world.settle(100)?;
        world.stop(0);
        world.pace.execute = 100;
        world.settle(100)?;
        world.restore();
        world.go_on(0);
        world.settle(100)?;
        world.cut_off(0, 2_000);
        world.begin(Deed::Revoke(0), 0);
        world.settle(1_000)?;
        request(world, 0, 0, 1)
    });
}

/// The observer stands still between seeing that a gateway is silent and ending it. Meanwhile that
/// one goes on.
#[test]
fn l5_a_gateway_that_renewed_meanwhile_is_not_ended() {
    needs(Rule::L5Conditional, |world| {
        world.control.ending_takes = 1_000;
        world.stop(0);
        while !world.control.is_ending() {
            world.settle(100)?;
        }
        world.go_on(0);
        world.settle(300)?;
        world.cut_off(0, 2_500);
        world.settle(700)?;
        world.begin(Deed::Revoke(0), 0);
        world.settle(200)?;
        request(world, 0, 0, 1)
    });
}

/// Somebody joins a team between the reading of its members and the commit that takes its channel
/// away.
#[test]
fn f1_nobody_joins_while_the_team_loses_its_channel() {
    needs(Rule::F1CounterFirst, |world| {
        world.pace.write = 0;
        world.begin(Deed::TeamReads(false), 0);
        while !world.control.has_read(0) {
            world.write_on(0);
        }
        world.begin(Deed::Join(1), 0);
        (0..3).for_each(|_| world.write_on_last());
        world.settle(500)?;
        request(world, 1, TEAM, 0)?;
        world.pace.write = 100;
        world.settle(1_000)?;
        request(world, 1, TEAM, 0)
    });
}
