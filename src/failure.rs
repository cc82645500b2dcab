//! Why a command failed: one sentence for the operator, and the exit status.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use access::ChannelName;

use crate::remote::RemoteError;

/// Why a command didn't do what it was asked. The texts say what, where and what to do, and never
/// hold a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration can't be used: every line of what is wrong with it.
    #[error(transparent)]
    Configuration(#[from] config::ConfigError),
    /// The command line can't be used.
    #[error("{0}")]
    Usage(String),
    /// The control database can't be reached or refused.
    #[error("{source} (database.url = {url})")]
    Database {
        /// The URL, its password masked.
        url: String,
        /// What happened.
        source: control::StoreError,
    },
    /// The control database doesn't answer at all.
    #[error(
        "the control database did not answer within {} s (database.url = {url}); does it run, \
         and does nothing between here and there keep connections away?", after.as_secs()
    )]
    DatabaseTimeout {
        /// The URL, its password masked.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The database lacks tables of this version.
    #[error("the control database is not of this version yet; run `condagate migrate`")]
    NotMigrated,
    /// The database has tables of a newer version.
    #[error(
        "the control database was made by a newer condagate; install that version, or restore the \
         backup from before it"
    )]
    NewerDatabase,
    /// A role didn't get the rights of a gateway.
    #[error(transparent)]
    GatewayRole(#[from] control::GatewayRoleError),
    /// A use case refused.
    #[error(transparent)]
    UseCase(#[from] control::Error),
    /// The control plane's database didn't answer.
    #[error(transparent)]
    Source(#[from] access::source::SourceError),
    /// A storage's settings can't be used.
    #[error(transparent)]
    Storage(#[from] gateway::StorageSettingsError),
    /// The gateway can't start.
    #[error(transparent)]
    Gateway(#[from] gateway::StartError),
    /// A certificate or key can't be used.
    #[error(transparent)]
    Certificate(#[from] certs::CertError),
    /// Channels that clients couldn't tell from a mount prefix.
    #[error(
        "{} begins with a mount prefix (gateway.mount_prefixes), so that clients can't reach it; \
         delete the channel or take the prefix out", list(.0)
    )]
    Collision(Vec<ChannelName>),
    /// An address can't be listened on.
    #[error("can't listen on {address} ({key}): {cause}")]
    Listen {
        /// The setting.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// A file can't be read or written.
    #[error("{}: can't {doing}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb.
        doing: &'static str,
        /// Why it failed.
        cause: io::Error,
    },
    /// The demo's folder can't be used as it is.
    #[error("{}: {reason}", dir.display())]
    Demo {
        /// The folder.
        dir: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The control plane didn't do it.
    #[error("{url}: {source}")]
    Remote {
        /// The control plane.
        url: String,
        /// Why not.
        source: RemoteError,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The system gave no threads, timers or signals.
    #[error("can't start: {0}")]
    System(io::Error),
    /// The standard streams are gone.
    #[error("can't write the output: {0}")]
    Output(#[from] io::Error),
    /// A question on the terminal was answered with no.
    #[error("nothing was changed")]
    Declined,
    /// A change that takes access away, with `--require-proof`.
    #[error("it is committed, but not proven on every gateway in time")]
    NotProven,
    /// Lines of an import were refused, and told.
    #[error("{refused} of {lines} lines were refused")]
    Import {
        /// How many.
        refused: usize,
        /// Of how many.
        lines: usize,
    },
    /// `check` found errors, and told them.
    #[error("")]
    Findings,
}

impl Failure {
    /// A failed access to the file `path`; `doing` is the verb.
    pub(crate) fn file(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, doing, cause }
    }

    /// 2 for wrong usage or configuration, 1 for everything else (product.md, "Command line").
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(_) | Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

fn list(names: &[ChannelName]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("channel `{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_tells_usage_from_failure() {
        let usage = Failure::Usage("no".into());
        assert_eq!(usage.exit_code(), ExitCode::from(2));
        assert_eq!(Failure::NotMigrated.exit_code(), ExitCode::FAILURE);
    }
}
