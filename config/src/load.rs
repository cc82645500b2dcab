//! Finding and reading the configuration.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::Config;
use crate::document::{overlay, parse};
use crate::problem::{ConfigError, Origin};
use crate::reader::{Report, read_section};
use crate::section::Section;

/// Where the configuration file is looked for without `--config`, in this order.
pub const FILES: [&str; 2] = ["condagate.toml", "/etc/condagate/condagate.toml"];

/// The most bytes of a configuration file.
const FILE_MAX: u64 = 1024 * 1024;

/// A configuration and where it comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    /// Where each setting that is not a default was written, by key: `gateway.listen`.
    pub sources: BTreeMap<String, Origin>,
}

impl Config {
    /// Reads the file at `path`, else the first of [`FILES`] that exists, else none; then what
    /// the `environment` sets over it (`CONDAGATE_GATEWAY__LISTEN`, lists with commas).
    ///
    /// A relative path in the file is taken from the file's folder, one in the environment from
    /// the working directory.
    ///
    /// # Errors
    /// The file is named but can't be read, or everything that is wrong in it and in the
    /// environment.
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigError> {
        let found = match path {
            Some(path) => Some((path.to_owned(), read(path)?)),
            None => find(&FILES)?,
        };
        match found {
            Some((file, text)) => {
                let loaded = Self::from_text(&text, &file, environment)?;
                Ok(Loaded { file: Some(file), ..loaded })
            }
            None => Self::from_text("", Path::new(FILES[0]), environment),
        }
    }

    /// The configuration in the TOML `text`, as if it stood in the file `path`, and the
    /// `environment`.
    ///
    /// # Errors
    /// Everything that is wrong in the text and in the environment.
    pub fn from_text(
        text: &str,
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigError> {
        let mut root = parse(text, path).map_err(ConfigError::Settings)?;
        let folder = root.origin.folder().to_owned();
        let mut report = Report::new(folder, Self::listing(None, "").all_keys());
        let variables: BTreeMap<String, String> = environment.collect();
        for (variable, value) in &variables {
            overlay(&mut root, variable, value);
        }
        let config = read_section::<Self>(String::new(), root, &mut report);
        match config {
            Some(config) if report.problems.is_empty() => {
                Ok(Loaded { config, file: None, sources: report.sources })
            }
            _ => {
                report.problems.sort_by(|a, b| a.origin.cmp(&b.origin));
                Err(ConfigError::Settings(report.problems))
            }
        }
    }

    /// Each setting that holds a secret, by its key as it is written (`storage.main.password_file`),
    /// with the file that holds it; none where the secret itself is written.
    pub fn secrets(&self) -> Vec<(String, Option<PathBuf>)> {
        Self::listing(Some(self), "").secrets()
    }

    /// The whole effective configuration as TOML, secrets masked.
    pub fn effective_toml(&self) -> String {
        let mut lines = Vec::new();
        for section in Self::listing(Some(self), "").sections {
            section.write_effective(&mut lines);
        }
        text(&lines)
    }
}

/// The commented default file: every setting with its meaning, what is accepted, and its default
/// or an example.
pub fn default_file() -> String {
    let mut lines: Vec<String> = HEADER.iter().map(|line| (*line).to_owned()).collect();
    Config::listing(None, "").write_default(&mut lines);
    text(&lines)
}

/// Every setting of condagate, section by section, for documentation and its tests.
pub fn reference() -> crate::SectionListing {
    Config::listing(None, "")
}

const HEADER: [&str; 11] = [
    "# The settings of condagate.",
    "#",
    "# A `#` without a space behind it begins a setting with its default, or with an example where",
    "# there is no default; remove the `#` and change the value to set it. A relative path is taken",
    "# from the folder of this file.",
    "#",
    "# The environment is written over the file, lists with commas:",
    "#",
    "#   CONDAGATE_GATEWAY__LISTEN=0.0.0.0:8080,[::]:8080",
    "#   CONDAGATE_GATEWAY__CACHE__SIZE=64MiB",
    "#   CONDAGATE_STORAGE__MAIN__PATH=/srv/conda",
];

fn text(lines: &[String]) -> String {
    let text = lines.join("\n");
    format!("{}\n", text.trim_start_matches('\n'))
}

/// The first of `files` that exists, and its text.
fn find(files: &[&str]) -> Result<Option<(PathBuf, String)>, ConfigError> {
    for file in files {
        match read(Path::new(file)) {
            Err(ConfigError::Unreadable { cause, .. }) if cause.kind() == ErrorKind::NotFound => {}
            other => return other.map(|text| Some((PathBuf::from(file), text))),
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text));
    match read {
        Ok(length) if length as u64 > FILE_MAX => {
            Err(ConfigError::TooLarge { path: path.to_owned() })
        }
        Ok(_) => Ok(text),
        Err(cause) => Err(ConfigError::Unreadable { path: path.to_owned(), cause }),
    }
}
