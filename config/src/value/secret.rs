//! Secrets and what may hold one.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{FromFile, Raw, Refusal, Value, quote};

/// What stands for a secret wherever one would be printed.
pub(crate) const MASK: &str = "********";

/// A password or token of a setting. It cannot be printed: `Debug` shows a mask, there is no
/// `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub(super) value: String,
    /// The file it was read from, when it was set by the setting's `…_file` form.
    pub(super) file: Option<PathBuf>,
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

impl Value for Secret {
    const SENSITIVE: bool = true;

    fn accepted() -> String {
        "a string that is not empty".to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        match raw.text() {
            Some(text) if !text.is_empty() => Ok(Self::new(text)),
            Some(_) => Err(Refusal::new("is empty")),
            None => Err(Refusal::new("is not a string")),
        }
    }

    fn render(&self) -> Option<String> {
        Some(quote(MASK))
    }

    fn from_file() -> Option<FromFile<Self>> {
        Some(|content, path, folder| {
            let secret = Self::parse(&Raw::from(content), folder)?;
            Ok(Self { file: Some(path), ..secret })
        })
    }

    fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}
