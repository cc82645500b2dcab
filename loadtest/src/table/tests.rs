use std::collections::BTreeMap;

use access::{ManualClock, Timestamp};

use super::*;
use crate::report::tests::outcome;

/// A run of 1,000 requests in half a second that took the server so many microseconds each.
fn run(micros: u64) -> Run {
    Run::from(&outcome(Duration::from_micros(micros * 1000)))
}

fn cell(subject: &'static str, micros: &[u64]) -> Cell {
    let mut cell = Cell::new(subject, Load::Small);
    cell.rounds = micros.iter().map(|micros| run(*micros)).collect();
    cell.paced = vec![run(micros[0])];
    cell.per_second = Some(shared_rate(std::slice::from_ref(&cell)));
    cell
}

fn table(ours: &[u64], peer: &[u64]) -> Table {
    let (ours, peer) = (cell("directory", ours), cell("nginx-static", peer));
    Table {
        context: Context::here(&ManualClock::at(Timestamp::from_millis(0))),
        versions: vec!["a 1".to_owned(), "b 2".to_owned()],
        cores: "apart".to_owned(),
        tokens: 7,
        rounds: 3,
        time: Duration::from_millis(600),
        subjects: vec!["directory", "nginx-static"],
        loads: vec![Load::Small, Load::Medium],
        comparisons: Comparison::of(&ours, &peer).into_iter().collect(),
        cells: vec![ours, peer],
    }
}

#[test]
fn a_ratio_is_the_middle_of_the_rounds_and_held_against_its_goal() {
    let text = table(&[60, 75, 90], &[100, 100, 100]).text();
    assert!(text.contains("| directory / nginx-static | 0.75 of 0.70 **not met**; p99 1.00 |"));
    assert!(text.contains("| directory / nginx-static | 0.75 (0.60–0.90) |"), "{text}");
    let text = table(&[60, 70, 90], &[100, 100, 100]).text();
    assert!(text.contains("| directory / nginx-static | 0.70 of 0.70 met; p99 1.00 |"), "{text}");
}

#[test]
fn every_figure_of_a_server_is_told() {
    let text = table(&[60, 75, 90], &[100, 110, 120]).text();
    for line in [
        "a 1, b 2; apart; 7 tokens",
        "3 rounds of 0.6 s each, middle of all",
        "| directory | 75.0 |  |",
        "| nginx-static | 110.0 |  |",
        "| directory | 0.25 / 0.25 |  |",
        "| rate | 1000/s |  |",
        "| directory | 2000; 15 % |  |",
        "| directory | 1 |  |",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn a_wrong_answer_is_told_and_makes_the_table_wrong() {
    let mut table = table(&[60], &[100]);
    assert!(table.is_right());
    table.cells[1].rounds[0].failures = BTreeMap::from([("wrong length".to_owned(), 2)]);
    assert!(!table.is_right());
    let text = table.text();
    assert!(text.contains("FAILED: nginx-static, 20 KB: 2 × wrong length"), "{text}");
}

#[test]
fn every_goal_is_of_servers_and_loads_that_are_measured() {
    for goal in &goals::GOALS {
        let subject = |name| crate::lab::SUBJECTS.iter().find(|s| s.name == name).unwrap();
        let (ours, peer) = (subject(goal.subject), subject(goal.peer));
        assert!(peer.is_comparable_with(ours), "{} {}", goal.subject, goal.peer);
        for (load, most) in goal.at_most {
            assert!(load.suits(ours) && *most > 0.0);
        }
    }
}
