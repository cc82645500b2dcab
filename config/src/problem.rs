//! What can be wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::document;

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In the configuration file.
    File {
        /// The file's path.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// In a variable of the environment.
    Environment {
        /// The variable's name.
        variable: String,
    },
}

impl Origin {
    /// The folder to which a relative path written here belongs: the file's, or the working
    /// directory (empty).
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::File { path, .. } => path.parent().unwrap_or(Path::new("")),
            Self::Environment { .. } => Path::new(""),
        }
    }

    /// `key` as it would be written here.
    pub(crate) fn spell(&self, key: &str) -> String {
        match self {
            Self::File { .. } => key.to_owned(),
            Self::Environment { .. } => document::variable(key),
        }
    }

    pub(crate) fn is_environment(&self) -> bool {
        matches!(self, Self::Environment { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment: {variable}"),
        }
    }
}

/// One thing that is wrong: where, which setting, what, and what would be accepted. Never a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written.
    pub origin: Origin,
    /// The setting, `gateway.listen`; empty where the file isn't TOML.
    pub key: String,
    /// What is wrong and what would be accepted.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: can't read the configuration file: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{}: the configuration file is larger than 1 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Everything that is wrong with the settings, in the order of the file, then of the
    /// environment; one line each.
    #[error("{}", lines(.0))]
    Settings(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
