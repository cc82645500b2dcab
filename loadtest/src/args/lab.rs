//! The commands that start everything themselves: `table` and `growth`.

use std::path::{PathBuf, absolute};
use std::time::Duration;

use crate::error::Error;
use crate::growth::{self, Axis};
use crate::lab::{Binaries, SUBJECTS, Size, Software, Subject};
use crate::table::{Extent, Load};

/// The condagates that are measured.
#[derive(clap::Args)]
pub(crate) struct Ours {
    /// The condagate binary, built with --release [default: beside this one; started by cargo, it
    /// is built first]
    #[arg(long, value_name = "FILE")]
    condagate: Option<PathBuf>,
    /// An earlier condagate binary, to measure beside it
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// What is measured side by side.
#[derive(clap::Args)]
pub(crate) struct TableArgs {
    #[command(flatten)]
    ours: Ours,
    /// Only these servers [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = subject_names())]
    only: Vec<String>,
    /// Only these loads [default: all]
    #[arg(long, value_delimiter = ',')]
    load: Vec<Load>,
    /// How many times each server gets each load
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each time
    #[arg(long, default_value_t = 0.6, value_parser = seconds)]
    seconds: f64,
    /// How many tokens there are
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tokens: u32,
    /// Write every figure to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What is measured as it grows.
#[derive(clap::Args)]
pub(crate) struct GrowthArgs {
    #[command(flatten)]
    ours: Ours,
    /// Only these curves [default: all]
    #[arg(long, value_delimiter = ',')]
    of: Vec<Axis>,
    /// No step further than this: a million tokens take most of the time
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    most: u64,
    /// How many times each server gets the load, at each step
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each time
    #[arg(long, default_value_t = 0.6, value_parser = seconds)]
    seconds: f64,
    /// Write a picture of each curve into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pictures: Option<PathBuf>,
    /// Write every figure to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What is counted, and beside what.
#[derive(clap::Args)]
pub(crate) struct CostArgs {
    #[command(flatten)]
    ours: Ours,
    /// The counts that are not to be exceeded by more than a tenth
    #[arg(long, value_name = "FILE", default_value = "loadtest/cost.txt")]
    pub(crate) recorded: PathBuf,
    /// Write that file anew
    #[arg(long)]
    pub(crate) record: bool,
}

impl CostArgs {
    pub(crate) fn binaries(&self) -> Result<Binaries, Error> {
        self.ours.binaries()
    }
}

impl GrowthArgs {
    pub(crate) fn binaries(&self) -> Result<Binaries, Error> {
        self.ours.binaries()
    }

    pub(crate) fn extent(&self) -> growth::Extent {
        growth::Extent {
            axes: if self.of.is_empty() { Axis::ALL.to_vec() } else { self.of.clone() },
            most: self.most,
            rounds: self.rounds,
            time: Duration::from_secs_f64(self.seconds),
        }
    }
}

impl Ours {
    fn binaries(&self) -> Result<Binaries, Error> {
        // Each server runs in a folder of its own, from which a relative path would lead elsewhere.
        let condagate = match &self.condagate {
            Some(path) => absolute(path)?,
            None => beside_this()?,
        };
        let baseline = self.baseline.as_deref().map(absolute).transpose()?;
        Ok(Binaries { condagate, baseline, tracer: None })
    }
}

impl TableArgs {
    pub(crate) fn binaries(&self) -> Result<Binaries, Error> {
        self.ours.binaries()
    }

    pub(crate) fn subjects(&self) -> Vec<&'static Subject> {
        let has_binary = |subject: &&Subject| {
            subject.software != Software::Baseline || self.ours.baseline.is_some()
        };
        let is_wanted = |subject: &&Subject| {
            self.only.is_empty() || self.only.iter().any(|n| n == subject.name)
        };
        SUBJECTS.iter().filter(has_binary).filter(is_wanted).collect()
    }

    pub(crate) fn size(&self) -> Size {
        let tokens = usize::try_from(self.tokens).unwrap_or(usize::MAX);
        Size { tokens, channels: 1, threads: 1 }
    }

    pub(crate) fn extent(&self) -> Extent {
        Extent {
            loads: if self.load.is_empty() { Load::ALL.to_vec() } else { self.load.clone() },
            rounds: self.rounds,
            time: Duration::from_secs_f64(self.seconds),
        }
    }
}

fn subject_names() -> clap::builder::PossibleValuesParser {
    SUBJECTS.iter().map(|subject| subject.name).collect::<Vec<_>>().into()
}

/// The condagate in this program's folder; built first when cargo started this program.
fn beside_this() -> Result<PathBuf, Error> {
    let this = std::env::current_exe()?;
    let condagate = this.with_file_name("condagate");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = std::process::Command::new(cargo);
        build.args(["build", "-p", "condagate", "--bin", "condagate"]);
        if this.parent().is_some_and(|folder| folder.ends_with("release")) {
            build.arg("--release");
        }
        if !build.status()?.success() {
            return Err(Error::Setup("condagate does not build".to_owned()));
        }
    }
    Ok(condagate)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("from 0.01 to 600".to_owned()),
    }
}
