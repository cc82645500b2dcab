//! Conda-shaped load on a gateway, or on two servers side by side.
//!
//! 1. `args` is the command line;
//! 2. `target` is the channel's URL, its token kept apart;
//! 3. `workload` is what is asked for, and what each answer must be;
//! 4. `client` makes one exchange on one connection;
//! 5. `run` makes them all and tallies them;
//! 6. `measure` reads what the server's processes and this one have used;
//! 7. `report` says it, as a table and as JSON; `compare` does so for two servers in turns;
//! 8. `lab` starts condagate, nginx and haproxy as `loadtest/peers/` says, each on its core
//!    (`cores`); `table` puts them side by side, `growth` shows how their cost grows;
//! 9. `cost` counts what a request takes of condagate, where `lab` starts it under a tracer.
//!
//! The measure is the server's processor time per request: requests per second on one machine
//! are capped by the load generator, and single figures by the machine. So a figure is a ratio
//! against a peer in the same run.

mod args;
mod client;
mod compare;
mod cores;
mod cost;
mod error;
mod growth;
mod lab;
mod measure;
mod report;
mod run;
mod table;
mod target;
mod workload;

use std::io::Write;
use std::process::ExitCode;

use access::SystemClock;
use clap::Parser;
use indicatif::ProgressBar;

use args::{Args, Command, CostArgs, GrowthArgs, TableArgs};
use compare::Comparison;
use cost::{Cost, Recorded};
use error::Error;
use growth::Growth;
use lab::Lab;
use report::Report;
use run::Runner;
use table::Table;

/// Exit status of a run in which an answer was wrong or missing.
const SOME_WRONG: u8 = 1;
/// Exit status when there was no run: wrong usage, or nothing to talk to.
const NO_RUN: u8 = 2;

fn main() -> ExitCode {
    match start(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(SOME_WRONG),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "loadtest: {error}");
            ExitCode::from(NO_RUN)
        }
    }
}

/// Runs the command and says whether every answer was right.
fn start(args: &Args) -> Result<bool, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        match &args.command {
            Command::Run { server, load, json } => {
                let target = server.target()?;
                let runner = Runner::new(SystemClock, load.workload(&target).await?, load.plan());
                let report = Report::new(&SystemClock, &runner.run(&target, &server.pid).await?);
                finish(json.as_deref(), &report, &report.table())?;
                Ok(report.is_right())
            }
            Command::Compare { server, peer, load, rounds, json } => {
                let (target, peer_target) = (server.target()?, server.peer(peer)?);
                let runner = Runner::new(SystemClock, load.workload(&target).await?, load.plan());
                let mut comparison = Comparison::new(&SystemClock);
                for _ in 0..*rounds {
                    let ours = runner.run(&target, &server.pid).await?;
                    let theirs = runner.run(&peer_target, &peer.peer_pid).await?;
                    comparison.add(&ours, &theirs)?;
                }
                finish(json.as_deref(), &comparison, &comparison.table())?;
                Ok(comparison.is_right())
            }
            Command::Table(args) => {
                let table = unless_stopped(Box::pin(table(args))).await?;
                finish(args.json.as_deref(), &table, &table.text())?;
                Ok(table.is_right())
            }
            Command::Growth(args) => {
                let growth = unless_stopped(Box::pin(growth(args))).await?;
                finish(args.json.as_deref(), &growth, &growth.text())?;
                Ok(growth.is_right())
            }
            Command::Cost(args) => unless_stopped(Box::pin(cost(args))).await,
        }
    })
}

/// Measures, unless it is told to stop; then what was started is ended.
async fn unless_stopped<T>(measure: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        measured = measure => measured,
        _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
        _ = terminate.recv() => Err(Error::Interrupted),
    }
}

async fn growth(args: &GrowthArgs) -> Result<Growth, Error> {
    let bar = ProgressBar::new_spinner();
    let growth = Growth::measure(&args.binaries()?, &args.extent(), &bar).await?;
    bar.finish_and_clear();
    if let Some(folder) = &args.pictures {
        growth.draw(folder)?;
    }
    Ok(growth)
}

/// Counts, and says whether nothing has become much dearer.
async fn cost(args: &CostArgs) -> Result<bool, Error> {
    let bar = ProgressBar::new_spinner();
    let show = |what: &str| {
        bar.set_message(what.to_owned());
        bar.tick();
    };
    let cost = Cost::count(&args.binaries()?, show).await?;
    bar.finish_and_clear();
    if args.record {
        cost.record().write(&args.recorded)?;
    }
    let (table, is_right) = cost.compare(&Recorded::read(&args.recorded)?);
    std::io::stdout().write_all(table.as_bytes())?;
    Ok(is_right)
}

async fn table(args: &TableArgs) -> Result<Table, Error> {
    let binaries = args.binaries()?;
    let bar = ProgressBar::new_spinner();
    let show = |what: &str| {
        bar.set_message(what.to_owned());
        bar.tick();
    };
    let lab = Lab::start(&args.subjects(), &binaries, args.size(), show).await?;
    bar.finish_and_clear();
    Table::measure(&lab, &args.extent()).await
}

/// Prints the table and writes the JSON file, if one is wanted.
fn finish(
    json: Option<&std::path::Path>,
    report: &impl serde::Serialize,
    table: &str,
) -> Result<(), Error> {
    std::io::stdout().write_all(table.as_bytes())?;
    if let Some(path) = json {
        let mut text = serde_json::to_vec_pretty(report).map_err(std::io::Error::from)?;
        text.push(b'\n');
        std::fs::write(path, text).map_err(|cause| Error::file(path, cause))?;
    }
    Ok(())
}
