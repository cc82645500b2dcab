//! The counts that are kept in the repository.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::error::Error;

const HEAD: &str = "\
# What a request costs, counted by `loadtest cost`, which fails where it has become dearer by more
# than a tenth; `loadtest cost --record` writes this file. Unoptimised, as `cargo build` builds it.
";

/// Counts of a request, by what is counted.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Recorded(BTreeMap<String, f64>);

impl Recorded {
    /// Reads the file.
    ///
    /// # Errors
    /// It can't be read, or has a line that is no count.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error::file(path, cause))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        let count = |(at, line): (usize, &str)| {
            let (name, count) = line.rsplit_once(' ').unwrap_or_default();
            let what = || "a line is NAME COUNT".to_owned();
            let wrong = || Error::Line { path: path.to_owned(), line: at + 1, what: what() };
            Ok((name.to_owned(), count.parse().map_err(|_no_number| wrong())?))
        };
        lines.map(count).collect::<Result<_, _>>().map(Self)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = HEAD.to_owned();
        for (name, count) in &self.0 {
            let _ = writeln!(text, "{name} {count:.2}");
        }
        std::fs::write(path, text).map_err(|cause| Error::file(path, cause))
    }

    pub(super) fn of(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}

impl FromIterator<(String, f64)> for Recorded {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(counts: I) -> Self {
        Self(counts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cost.txt");
        let counts = [("directory, 20 KB: system calls".to_owned(), 4.25), ("b".to_owned(), 1.0)];
        let recorded: Recorded = counts.into_iter().collect();
        recorded.write(&path).unwrap();
        assert_eq!(Recorded::read(&path).unwrap(), recorded);
        std::fs::write(&path, "# x\nno number\n").unwrap();
        let why = Recorded::read(&path).unwrap_err().to_string();
        assert!(why.contains("line 2"), "{why}");
    }
}
