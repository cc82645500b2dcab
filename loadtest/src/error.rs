//! Why there is no run, or no figure.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no run. An answer that is wrong is no error: it is counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path}: {cause}", path = .path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{path}, line {line}: {what}", path = .path.display())]
    Line { path: PathBuf, line: usize, what: String },
    #[error("the URL is not usable: {0}")]
    Url(&'static str),
    #[error(
        "a token on the command line is visible to every user of this machine; \
         write the URL to a file (mode 0600) and name it with --url-file"
    )]
    TokenInArguments,
    #[error("{path}: not written by `condagate demo`: {cause}", path = .path.display())]
    Demo { path: PathBuf, cause: serde_json::Error },
    #[error("name a server: --url, --url-file or --demo-json")]
    NoTarget,
    #[error("no connection to {authority}: {cause}")]
    NoServer { authority: String, cause: io::Error },
    #[error("process {pid}: {what}")]
    Process { pid: u32, what: String },
    #[error("this kernel tells no process's time in /proc/PID/task/TID/schedstat")]
    NoSchedstat,
    #[error("{path}: {cause}", path = .path.display())]
    Certificate { path: PathBuf, cause: String },
    #[error("nothing to compare: give --pid and --peer-pid, and requests that are answered")]
    NoCpuTime,
    #[error(
        "{program} can't be started: {cause}; on Debian: apt-get install nginx-light haproxy, and \
         cargo build --release for condagate", program = .program.display()
    )]
    Program { program: PathBuf, cause: io::Error },
    #[error("{name}: {why}; it said: {said}")]
    Server { name: String, why: String, said: String },
    #[error("the servers can't be set up: {0}")]
    Setup(String),
    #[error("to measure an earlier condagate, name its binary with --baseline")]
    NoBaseline,
    #[error("the first request for {path} failed: {why}")]
    FirstRequest { path: String, why: String },
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    pub(crate) fn file(path: &Path, cause: io::Error) -> Self {
        Self::File { path: path.to_owned(), cause }
    }
}
