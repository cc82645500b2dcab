//! The types that a setting can have.

mod choice;
mod database_url;
mod duration;
mod mount_prefix;
mod plain;
mod raw;
mod secret;
mod size;
mod url;

use std::path::{Path, PathBuf};

pub(crate) use choice::choice;
pub use database_url::{DatabaseKind, DatabaseUrl};
pub use mount_prefix::{MountPrefix, MountPrefixError};
pub(crate) use raw::{Raw, quote};
pub(crate) use secret::MASK;
pub use secret::Secret;
pub use size::Size;
pub use url::{BaseUrl, BaseUrlError};

/// A type that a setting can have.
pub(crate) trait Value: Sized {
    /// Whether what is written may hold a secret and so must not be repeated in an error.
    const SENSITIVE: bool = false;

    /// What may be written, as a noun with its article: `a duration such as "30s"`.
    fn accepted() -> String;

    /// The value that `raw` stands for; a relative path in it is taken from `folder`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn parse(raw: &Raw, folder: &Path) -> Result<Self, Refusal>;

    /// The value as TOML, secrets masked. `None` if the setting is unset.
    fn render(&self) -> Option<String>;

    /// A default, its relative path taken from `folder`.
    fn in_folder(self, _folder: &Path) -> Self {
        self
    }

    /// How the value is made of the content of a file, if the setting has a `…_file` form.
    fn from_file() -> Option<FromFile<Self>> {
        None
    }

    /// The file that the value was read from, if it was set by its `…_file` form.
    fn file(&self) -> Option<&Path> {
        None
    }
}

/// Makes a value of the content of a file, the file's path, and the folder for relative paths.
pub(crate) type FromFile<T> = fn(&str, PathBuf, &Path) -> Result<T, Refusal>;

/// Why a written value is not accepted.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    /// The part that is wrong, where it is not the whole.
    pub(crate) part: Option<String>,
    /// What it is not, as a predicate: `is not a duration`.
    pub(crate) reason: String,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { part: None, reason: reason.into() }
    }
}
