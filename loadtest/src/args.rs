//! The command line.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::run::Plan;
use crate::target::Target;
use crate::workload::{Workload, read_files, read_tokens};

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
        load: Load,
        /// Write the report to this file, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// The same load on two servers in turns, and the ratio of what a request costs them
    Compare {
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        peer: Peer,
        #[command(flatten)]
        load: Load,
        /// How many times each server gets the whole load
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
        rounds: u32,
        /// Write the report to this file, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
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
pub(crate) struct Load {
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
    /// Check the SHA-256 of every answer, not its length alone
    #[arg(long)]
    hash: bool,
    /// Connections, each kept alive, with one request at a time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
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
        match &self.demo_json {
            Some(path) => Target::from_demo(path).map(Rc::new),
            None => target(self.url.as_deref(), self.url_file.as_deref()),
        }
    }
}

impl Peer {
    pub(crate) fn target(&self) -> Result<Rc<Target>, Error> {
        target(self.peer_url.as_deref(), self.peer_url_file.as_deref())
    }
}

fn target(url: Option<&str>, file: Option<&Path>) -> Result<Rc<Target>, Error> {
    let target = match (url, file) {
        (Some(url), _) => Target::parse(url)?,
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|cause| Error::file(path, cause))?;
            Target::parse(&text)?
        }
        (None, None) => return Err(Error::NoTarget),
    };
    if url.is_some() && target.has_token() {
        return Err(Error::TokenInArguments);
    }
    Ok(Rc::new(target))
}

impl Load {
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
        let mut workload = Workload { files, tokens, hash: self.hash, seed: self.seed };
        workload.learn(target).await?;
        Ok(workload)
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            connections: self.connections,
            requests: self.requests,
            time: Duration::from_secs(self.seconds),
        }
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
