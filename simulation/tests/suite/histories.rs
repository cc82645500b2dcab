//! Random histories, many of them: with every rule kept, none breaks a promise; with any one taken
//! out, one does.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::counts::Counts;
use crate::promises::Broken;
use crate::rules::Rule;
use crate::world::World;

/// Within how many histories a rule that is taken out must be noticed.
const FOUND_WITHIN: u64 = 5_000;

fn play(seed: u64, rule: Option<Rule>) -> (Result<(), Broken>, Counts) {
    let mut world = World::new(seed, rule);
    (world.play(), world.counts)
}

fn trace(seed: u64, rule: Option<Rule>) -> (Result<(), Broken>, String) {
    let mut world = World::new(seed, rule);
    world.trace = Some(Vec::new());
    let result = world.play();
    (result, world.trace.unwrap_or_default().join("\n"))
}

/// Plays histories on every processor until one is broken: the first that is, by its seed.
fn search(seeds: Range<u64>, rule: Option<Rule>) -> (Option<(u64, Broken)>, Counts) {
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let found = Mutex::new((None::<(u64, Broken)>, Counts::default()));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let (result, counts) = play(seed, rule);
            let mut found = found.lock().unwrap();
            found.1 += counts;
            if let Err(broken) = result {
                stop.store(true, Ordering::Relaxed);
                if found.0.as_ref().is_none_or(|(first, _)| seed < *first) {
                    found.0 = Some((seed, broken));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    found.into_inner().unwrap()
}

fn none_is_broken(seeds: Range<u64>) {
    let (broken, counts) = search(seeds.clone(), None);
    if let Some((seed, Broken(why))) = broken {
        let (_, trace) = trace(seed, None);
        panic!(
            "{trace}\nseed {seed}: {why}\nplay it again: SEED={seed} cargo test -p simulation replay -- --ignored --nocapture"
        );
    }
    println!("{counts:?}");
    counts.require_at_least(seeds.end - seeds.start);
}

#[test]
fn ten_thousand_histories() {
    none_is_broken(0..10_000);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p simulation hundred -- --ignored"]
fn a_hundred_thousand_histories() {
    let first = number("SEED").unwrap_or(10_000);
    none_is_broken(first..first + number("HISTORIES").unwrap_or(100_000));
}

#[test]
#[ignore = "tells one history: SEED=1 [RULE=T4Last] cargo test -p simulation replay -- --ignored --nocapture"]
fn replay() {
    let seed = number("SEED").expect("set SEED");
    let (result, trace) = trace(seed, rule());
    println!("{trace}\nseed {seed}: {result:?}");
}

#[test]
fn a_seed_gives_the_same_history_again() {
    for seed in 0..20 {
        assert_eq!(trace(seed, None), trace(seed, None), "seed {seed}");
    }
}

#[test]
fn each_rule_taken_out_is_noticed() {
    let rules = rule().map_or(Rule::FOUND_BY_CHANCE.to_vec(), |rule| vec![rule]);
    let found = rules.iter().map(|rule| (*rule, search(0..FOUND_WITHIN, Some(*rule)).0));
    let mut missed = vec![];
    for (rule, found) in found {
        match found {
            Some((seed, Broken(why))) => println!("{rule:?}: seed {seed}: {why}"),
            None => missed.push(rule),
        }
    }
    assert!(missed.is_empty(), "nothing is noticed without {missed:?}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn rule() -> Option<Rule> {
    let name = std::env::var("RULE").ok()?;
    Rule::FOUND_BY_CHANCE.into_iter().find(|rule| format!("{rule:?}") == name)
}
