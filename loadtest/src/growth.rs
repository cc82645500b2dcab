//! How the cost of a request grows with what there is: a curve for each thing that may grow.

mod axis;
mod plot;

use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use access::SystemClock;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::error::Error;
use crate::lab::{Binaries, Lab, SUBJECTS};
use crate::report::{Context, Run};
use crate::run::Runner;
use crate::table::middle;
pub(crate) use axis::Axis;
use plot::{Line, Plot};

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    pub(crate) axes: Vec<Axis>,
    /// No further than this.
    pub(crate) most: u64,
    pub(crate) rounds: u32,
    pub(crate) time: Duration,
}

/// All curves.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    context: Context,
    versions: Vec<String>,
    rounds: u32,
    #[serde(rename = "run_seconds", serialize_with = "crate::measure::as_seconds")]
    time: Duration,
    curves: Vec<Curve>,
}

/// What a request costs each server, as one thing grows.
#[derive(Debug, Serialize)]
struct Curve {
    axis: Axis,
    subjects: Vec<&'static str>,
    points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct Point {
    /// How much there is of what grows.
    at: u64,
    /// Of each server in turns.
    runs: Vec<Vec<Run>>,
}

impl Growth {
    /// Measures all curves, each point told to `bar`.
    ///
    /// # Errors
    /// As [`Lab::start`], and when a server fails.
    pub(crate) async fn measure(
        binaries: &Binaries,
        extent: &Extent,
        bar: &ProgressBar,
    ) -> Result<Self, Error> {
        let mut growth = Self {
            context: Context::here(&SystemClock),
            versions: Vec::new(),
            rounds: extent.rounds,
            time: extent.time,
            curves: Vec::new(),
        };
        for &axis in &extent.axes {
            let subjects: Vec<_> =
                SUBJECTS.iter().filter(|s| axis.subjects().contains(&s.name)).collect();
            let mut curve = Curve {
                axis,
                subjects: subjects.iter().map(|subject| subject.name).collect(),
                points: Vec::new(),
            };
            let mut lab = None;
            for at in axis.steps().filter(|at| *at <= extent.most) {
                let what = format!("{at} {}", axis.unit());
                let show = |doing: &str| {
                    bar.set_message(format!("{what}: {doing}"));
                    bar.tick();
                };
                // Before the next one starts, for both would share the cores.
                let kept = lab.take().filter(|_| !axis.is_of_the_server());
                let ready = match kept {
                    Some(lab) => lab,
                    None => Lab::start(&subjects, binaries, axis.size(at), show).await?,
                };
                show("under load");
                curve.points.push(Point::measure(&ready, axis, at, extent).await?);
                for version in &ready.versions {
                    if !growth.versions.contains(version) {
                        growth.versions.push(version.clone());
                    }
                }
                lab = Some(ready);
            }
            growth.curves.push(curve);
        }
        Ok(growth)
    }

    /// Whether every answer was right.
    pub(crate) fn is_right(&self) -> bool {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        points.flat_map(|point| &point.runs).flatten().all(Run::is_right)
    }

    /// Tables for people, in Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = self.context.line();
        let seconds = self.time.as_secs_f64();
        let _ = writeln!(text, "{}", self.versions.join(", "));
        let _ = writeln!(text, "{} rounds of {seconds} s each, middle of all", self.rounds);
        for curve in &self.curves {
            let _ = write!(text, "\n{}\n\n{}", curve.axis.title(), curve.table());
            for (what, count) in curve.failures() {
                let _ = writeln!(text, "FAILED: {count} × {what}");
            }
        }
        text
    }

    /// Writes a picture of each curve into `folder`.
    pub(crate) fn draw(&self, folder: &Path) -> Result<(), Error> {
        std::fs::create_dir_all(folder).map_err(|cause| Error::file(folder, cause))?;
        for curve in &self.curves {
            let path = folder.join(format!("growth-{}.svg", curve.axis.name()));
            std::fs::write(&path, curve.plot().svg()).map_err(|cause| Error::file(&path, cause))?;
        }
        Ok(())
    }
}

impl Point {
    async fn measure(lab: &Lab, axis: Axis, at: u64, extent: &Extent) -> Result<Self, Error> {
        let mut workload = axis.workload(lab, at)?;
        let targets: Vec<_> = lab.running.iter().map(|r| Rc::new(r.target.root())).collect();
        for (target, running) in targets.iter().zip(&lab.running) {
            let learned = workload.learn(target).await;
            learned.map_err(|why| running.last_words(&why))?;
        }
        let runner = Runner::new(SystemClock, workload, axis.plan(at, extent.time)).quiet();
        let mut runs: Vec<Vec<Run>> = lab.running.iter().map(|_| Vec::new()).collect();
        for _ in 0..extent.rounds {
            for ((runs, target), running) in runs.iter_mut().zip(&targets).zip(&lab.running) {
                let outcome = runner.run(target, &running.pids).await;
                runs.push(Run::from(&outcome.map_err(|why| running.last_words(&why))?));
            }
        }
        Ok(Self { at, runs })
    }

    /// Processor time per request of each server, in microseconds.
    fn cpu_micros(&self) -> impl Iterator<Item = Option<f64>> {
        self.runs
            .iter()
            .map(|runs| middle(runs.iter().filter_map(|run| run.server_cpu_micros_per_request)))
    }
}

impl Curve {
    fn table(&self) -> String {
        let mut text = format!("| {} |", self.axis.unit());
        for subject in &self.subjects {
            let _ = write!(text, " {subject}, µs | p99, ms | MiB |");
        }
        let _ = write!(text, "\n|{}\n", " --- |".repeat(1 + 3 * self.subjects.len()));
        for point in &self.points {
            let _ = write!(text, "| {} |", short(point.at));
            for (runs, micros) in point.runs.iter().zip(point.cpu_micros()) {
                #[expect(clippy::cast_precision_loss, reason = "minutes in µs are below 2^52")]
                let p99 = middle(runs.iter().map(|run| run.p99_micros() as f64)).unwrap_or(0.0);
                let peak = runs.iter().filter_map(Run::peak_resident_bytes).max().unwrap_or(0);
                let micros = micros.unwrap_or(0.0);
                let _ = write!(text, " {micros:.1} | {:.2} | {} |", p99 / 1e3, peak >> 20);
            }
            text.push('\n');
        }
        text
    }

    fn failures(&self) -> impl Iterator<Item = (&String, &u64)> {
        let runs = self.points.iter().flat_map(|point| &point.runs).flatten();
        runs.flat_map(|run| &run.failures)
    }

    fn plot(&self) -> Plot {
        let line = |(number, subject): (usize, &&'static str)| Line {
            name: subject,
            points: self
                .points
                .iter()
                .filter_map(|point| Some((point.at, point.cpu_micros().nth(number)??)))
                .collect(),
        };
        Plot {
            title: self.axis.title(),
            unit: self.axis.unit(),
            is_steep: self.axis == Axis::Size,
            lines: self.subjects.iter().enumerate().map(line).collect(),
        }
    }
}

/// 1000 as `1 k`, 1,000,000 as `1 M`.
fn short(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{} k", number / 1_000),
        1_000_000..1_000_000_000 => format!("{} M", number / 1_000_000),
        _ => format!("{} G", number / 1_000_000_000),
    }
}
