//! Secrets and what may hold one.

use std::fmt;
use std::path::PathBuf;

/// What stands for a secret wherever one would be printed.
pub(crate) const MASK: &str = "********";

/// A password or token of a setting. It cannot be printed: `Debug` shows a mask, there is no
/// `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: String,
    /// The file it was read from, when it was set by the setting's `…_file` form.
    file: Option<PathBuf>,
}

impl Secret {
    /// The secret `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), file: None }
    }

    /// The value itself, for the one place that sends it on.
    pub fn reveal(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}
