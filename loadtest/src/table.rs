//! All servers side by side, under each kind of load, in turns.

mod goals;
mod load;
mod text;

use std::time::Duration;

use access::SystemClock;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::Error;
use crate::lab::{Lab, Running, Software};
use crate::report::{Context, Run};
use crate::run::Runner;
pub(crate) use load::Load;

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    pub(crate) loads: Vec<Load>,
    pub(crate) rounds: u32,
    /// Of each run.
    pub(crate) time: Duration,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    context: Context,
    versions: Vec<String>,
    cores: String,
    tokens: usize,
    rounds: u32,
    #[serde(rename = "run_seconds", serialize_with = "crate::measure::as_seconds")]
    time: Duration,
    /// The order of the rows.
    subjects: Vec<&'static str>,
    loads: Vec<Load>,
    cells: Vec<Cell>,
    comparisons: Vec<Comparison>,
}

/// One server under one kind of load.
#[derive(Debug, Serialize)]
struct Cell {
    subject: &'static str,
    load: Load,
    /// Each request as soon as the one before it is answered: what a request costs.
    rounds: Vec<Run>,
    /// The same rate for all servers: how long a request takes.
    per_second: Option<f64>,
    paced: Vec<Run>,
}

/// One of ours beside a peer.
#[derive(Debug, Serialize)]
struct Comparison {
    subject: &'static str,
    peer: &'static str,
    load: Load,
    /// Processor time per request by the peer's: the middle of the rounds'.
    cpu_ratio: f64,
    least: f64,
    most: f64,
    at_most: Option<f64>,
    /// Latencies at the same rate by the peer's.
    p99_ratio: Option<f64>,
}

impl Table {
    /// Measures the servers of `lab`.
    ///
    /// # Errors
    /// A server fails, or gives a wrong answer to the first request for a file.
    pub(crate) async fn measure(lab: &Lab, extent: &Extent) -> Result<Self, Error> {
        let mut table = Self {
            context: Context::here(&SystemClock),
            versions: lab.versions.clone(),
            cores: lab.cores.described(),
            tokens: lab.tokens.known.tokens().len(),
            rounds: extent.rounds,
            time: extent.time,
            subjects: lab.running.iter().map(|running| running.subject.name).collect(),
            loads: extent.loads.clone(),
            cells: Vec::new(),
            comparisons: Vec::new(),
        };
        let paced_rounds = extent.rounds.div_ceil(2);
        let bar = table.bar(lab, u64::from(extent.rounds + paced_rounds));
        for &load in &extent.loads {
            let suited: Vec<_> = lab.running.iter().filter(|r| load.suits(r.subject)).collect();
            let first = table.cells.len();
            let mut workload = load.workload(lab)?;
            for running in &suited {
                bar.set_message(format!(
                    "{}: first {} answers",
                    running.subject.name,
                    load.title()
                ));
                let learned = workload.learn(&load.target(running)).await;
                learned.map_err(|why| running.last_words(&why))?;
                table.cells.push(Cell::new(running.subject.name, load));
            }
            let runner = Runner::new(SystemClock, workload, load.plan(extent.time)).quiet();
            let cells = &mut table.cells[first..];
            for _ in 0..extent.rounds {
                for (cell, running) in cells.iter_mut().zip(&suited) {
                    cell.rounds.push(one(&runner, load, running, &bar).await?);
                }
            }
            if !load.is_paced() {
                bar.inc(u64::from(paced_rounds) * suited.len() as u64);
                continue;
            }
            let per_second = shared_rate(cells);
            let runner = runner.at_rate(per_second);
            for _ in 0..paced_rounds {
                for (cell, running) in cells.iter_mut().zip(&suited) {
                    cell.per_second = Some(per_second);
                    cell.paced.push(one(&runner, load, running, &bar).await?);
                }
            }
        }
        bar.finish_and_clear();
        table.compare(lab);
        Ok(table)
    }

    fn bar(&self, lab: &Lab, rounds: u64) -> ProgressBar {
        let suited = |load: &Load| {
            let suited = lab.running.iter().filter(|running| load.suits(running.subject));
            suited.count() as u64
        };
        let bar = ProgressBar::new(rounds * self.loads.iter().map(suited).sum::<u64>());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} left, {msg}") {
            bar.set_style(style);
        }
        bar
    }

    /// Puts each of ours beside each peer of its kind.
    fn compare(&mut self, lab: &Lab) {
        let is_ours = |r: &&Running| r.subject.software == Software::Condagate;
        for ours in lab.running.iter().filter(is_ours) {
            let alike = |r: &&Running| r.subject.is_comparable_with(ours.subject);
            for peer in lab.running.iter().filter(alike) {
                for &load in &self.loads {
                    let cell = |subject: &str| {
                        self.cells.iter().find(|c| c.subject == subject && c.load == load)
                    };
                    let (ours, peer) = (ours.subject.name, peer.subject.name);
                    if let Some((ours, peer)) = cell(ours).zip(cell(peer)) {
                        self.comparisons.extend(Comparison::of(ours, peer));
                    }
                }
            }
        }
    }

    /// Whether every answer was right.
    pub(crate) fn is_right(&self) -> bool {
        self.cells.iter().flat_map(|c| c.rounds.iter().chain(&c.paced)).all(Run::is_right)
    }
}

/// One run; a server that can't be reached any more says why.
async fn one(
    runner: &Runner<SystemClock>,
    load: Load,
    running: &Running,
    bar: &ProgressBar,
) -> Result<Run, Error> {
    bar.set_message(format!("{}, {}", running.subject.name, load.title()));
    let outcome = runner.run(&load.target(running), &running.pids).await;
    bar.inc(1);
    Ok(Run::from(&outcome.map_err(|why| running.last_words(&why))?))
}

/// Half of what the slowest did when nothing held it back.
fn shared_rate(cells: &[Cell]) -> f64 {
    let rate = |cell: &Cell| middle(cell.rounds.iter().map(Run::per_second));
    let slowest = cells.iter().filter_map(rate).fold(f64::INFINITY, f64::min);
    if slowest.is_finite() { (slowest / 2.0).max(1.0) } else { 1.0 }
}

impl Cell {
    fn new(subject: &'static str, load: Load) -> Self {
        Self { subject, load, rounds: Vec::new(), per_second: None, paced: Vec::new() }
    }

    /// Processor time per request, in microseconds.
    fn cpu_micros(&self) -> Option<f64> {
        middle(self.rounds.iter().filter_map(|run| run.server_cpu_micros_per_request))
    }

    /// The quantile of the latency at a rate that is the same for all, in microseconds.
    fn latency_micros(&self, quantile: impl Fn(&Run) -> u64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "minutes in microseconds are below 2^52")]
        middle(self.paced.iter().map(|run| quantile(run) as f64))
    }
}

impl Comparison {
    fn of(ours: &Cell, peer: &Cell) -> Option<Self> {
        let ratio = |(ours, peer): (&Run, &Run)| {
            let ratio = ours.server_cpu_micros_per_request? / peer.server_cpu_micros_per_request?;
            ratio.is_finite().then_some(ratio)
        };
        let ratios: Vec<f64> = ours.rounds.iter().zip(&peer.rounds).filter_map(ratio).collect();
        let p99 = |cell: &Cell| cell.latency_micros(Run::p99_micros);
        Some(Self {
            subject: ours.subject,
            peer: peer.subject,
            load: ours.load,
            cpu_ratio: middle(ratios.iter().copied())?,
            least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            most: ratios.iter().copied().fold(0.0, f64::max),
            at_most: goals::at_most(ours.subject, peer.subject, ours.load),
            p99_ratio: p99(ours).zip(p99(peer)).map(|(ours, peer)| ours / peer.max(1.0)),
        })
    }
}

/// The middle one; of an even count the lower of the two.
pub(crate) fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests;
