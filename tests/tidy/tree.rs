//! The tracked files and their texts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Files by their path from the repository's root. What is no text, such as a picture, has none.
pub(crate) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// The files that git tracks, as they are in the working copy.
    pub(crate) fn tracked() -> Self {
        let root = root();
        let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
        let listed = listed.expect("git is needed to list the tracked files");
        assert!(listed.status.success(), "`git ls-files` failed: not in a clone?");
        let names = String::from_utf8(listed.stdout).expect("tracked names are UTF-8");
        let read = |name: &str| {
            let bytes = std::fs::read(root.join(name)).ok()?;
            Some((name.to_owned(), String::from_utf8(bytes).unwrap_or_default()))
        };
        Self(names.split_terminator('\0').filter_map(read).collect())
    }

    /// A tree made up to show a rule its fault.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    /// The text of one file.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Path and text of every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Path and text of the files whose names end in `suffix`.
    pub(crate) fn ending_in(&self, suffix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.ends_with(suffix))
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the whole file is test code.
pub(crate) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests" || part == "testing")
}

/// The part of a source file before its test module, which stands last.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]\nmod ").map_or(text, |(code, _)| code)
}
