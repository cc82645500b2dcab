//! The command line.

mod lab;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::client::Trust;
use crate::error::Error;
use crate::run::Plan;
use crate::target::Target;
use crate::workload::{Order, Population, Workload, read_files, read_tokens};

pub(crate) use lab::{CostArgs, GrowthArgs, TableArgs};

/// Puts conda-shaped load on a server and tells what a request costs it.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Load on one server
    Run {
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        load: LoadArgs,
        /// Write the report to this file, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// The same load on two servers in turns, and the ratio of what a request costs them
    Compare {
        #[command(flatten)]
        server: Box<Server>,
        #[command(flatten)]
        peer: Peer,
        #[command(flatten)]
        load: LoadArgs,
        /// How many times each server gets the whole load
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
        rounds: u32,
        /// Write the report to this file, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// Condagate beside nginx and haproxy, all started and stopped here, under each kind of load in
    /// turns: what docs/performance.md shows
    ///
    /// Needs nginx and haproxy (Debian: nginx-light, haproxy). Takes about six minutes; what it
    /// makes is in a temporary folder and goes with it.
    Table(Box<TableArgs>),
    /// How the cost of a request grows with tokens, channels, connections, the file's size and
    /// threads: tables, and a picture of each
    ///
    /// A million tokens take a quarter of an hour, all else ten minutes.
    Growth(Box<GrowthArgs>),
    /// Counts the system calls and instructions of a request, and fails where it has become dearer
    ///
    /// Needs strace and valgrind, and nginx as an origin. Takes half a minute, on a busy machine too.
    Cost(Box<CostArgs>),
}

/// The server under test.
#[derive(clap::Args)]
pub(crate) struct Server {
    /// The channel's URL, without a token
    #[arg(long, group = "target")]
    url: Option<String>,
    /// A file with the channel's URL, with or without a token
    #[arg(long, value_name = "FILE", group = "target")]
    url_file: Option<PathBuf>,
    /// The file that `condagate demo` wrote
    #[arg(long, value_name = "FILE", group = "target")]
    demo_json: Option<PathBuf>,
    /// For https://, the certificates to trust, PEM; of the peer too
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Speak HTTP/2 to it and to the peer, over https:// only
    #[arg(long)]
    http2: bool,
    /// The server's processes, whose CPU time and memory are read
    #[arg(long, value_delimiter = ',')]
    pub(crate) pid: Vec<u32>,
}

/// The server beside it.
#[derive(clap::Args)]
pub(crate) struct Peer {
    /// The peer's URL of the same channel, without a token
    #[arg(long, group = "peer")]
    peer_url: Option<String>,
    /// A file with the peer's URL of the same channel, with or without a token
    #[arg(long, value_name = "FILE", group = "peer")]
    peer_url_file: Option<PathBuf>,
    /// The peer's processes
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) peer_pid: Vec<u32>,
}

/// What is asked for, and how much of it.
#[derive(clap::Args)]
pub(crate) struct LoadArgs {
    /// A file of the channel to ask for [default: noarch/repodata.json]. Can be repeated
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// A file with lines `PATH [LENGTH [SHA256]]`
    #[arg(long = "paths", value_name = "FILE")]
    paths_file: Option<PathBuf>,
    /// A file with lines `TOKEN [STATUS]`: one is drawn for each request, which must be answered
    /// with that status (200)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Ask as who has the file already: the answer must be 304
    #[arg(long)]
    held: bool,
    /// Check the SHA-256 of every answer, not its length alone
    #[arg(long)]
    hash: bool,
    /// Connections, each kept alive, with one request at a time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Over HTTP/2, requests at a time on each connection
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    streams: u32,
    /// Requests a second, sent when they are due whether earlier ones are answered or not, and
    /// timed from then [default: each as soon as the one before it is answered]
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// Stop after so many requests
    #[arg(long, default_value_t = 10_000)]
    requests: u64,
    /// Stop after so many seconds, if the requests are not done by then
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Where the drawing of paths and tokens starts: the same seed draws the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Server {
    pub(crate) fn target(&self) -> Result<Rc<Target>, Error> {
        let target = match &self.demo_json {
            Some(path) => Target::from_demo(path, self.trust()?)?,
            None => self.named(self.url.as_deref(), self.url_file.as_deref())?,
        };
        self.spoken(target)
    }

    pub(crate) fn peer(&self, peer: &Peer) -> Result<Rc<Target>, Error> {
        self.spoken(self.named(peer.peer_url.as_deref(), peer.peer_url_file.as_deref())?)
    }

    fn trust(&self) -> Result<Option<Trust>, Error> {
        self.ca.as_deref().map(Trust::in_file).transpose()
    }

    fn spoken(&self, target: Target) -> Result<Rc<Target>, Error> {
        Ok(Rc::new(if self.http2 { target.over_http2()? } else { target }))
    }

    fn named(&self, url: Option<&str>, file: Option<&Path>) -> Result<Target, Error> {
        let target = match (url, file) {
            (Some(url), _) => Target::parse(url, self.trust()?)?,
            (None, Some(path)) => {
                let text =
                    std::fs::read_to_string(path).map_err(|cause| Error::file(path, cause))?;
                Target::parse(&text, self.trust()?)?
            }
            (None, None) => return Err(Error::NoTarget),
        };
        if url.is_some() && target.has_token() {
            return Err(Error::TokenInArguments);
        }
        Ok(target)
    }
}

impl LoadArgs {
    /// Reads the lists, and learns from `target` what is not written in them.
    pub(crate) async fn workload(&self, target: &Target) -> Result<Workload, Error> {
        let mut files = match &self.paths_file {
            Some(path) => read_files(path)?,
            None => Vec::new(),
        };
        files.extend(self.paths.iter().map(|path| path.as_str().into()));
        if files.is_empty() {
            files.push("noarch/repodata.json".into());
        }
        let tokens = match &self.token_file {
            Some(path) => read_tokens(path)?,
            None => Vec::new(),
        };
        let mut workload = Workload {
            files,
            tokens: Rc::new(Population::even(tokens)),
            order: Order::Drawn,
            held: self.held,
            hash: self.hash,
            seed: self.seed,
        };
        workload.learn(target).await?;
        Ok(workload)
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            connections: self.connections,
            streams: self.streams,
            requests: self.requests,
            time: Duration::from_secs(self.seconds),
            per_second: self.rate,
            stays_awake: false,
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(rate),
        _ => Err("from 0.001 to 1000000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
