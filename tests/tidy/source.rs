//! Rules for source files.

use crate::tree::{Tree, is_test};

const LINES_MAX: usize = 400;
const TEST_LINES_MAX: usize = 500;

/// Files that can't be read in one sitting.
pub(crate) fn long_files(tree: &Tree) -> Vec<String> {
    let code = [".rs", ".py"].into_iter().flat_map(|suffix| tree.ending_in(suffix));
    code.filter_map(|(path, text)| {
        let max = if is_test(path) { TEST_LINES_MAX } else { LINES_MAX };
        let lines = text.lines().count();
        (lines > max)
            .then(|| format!("{path}: {lines} lines, {max} allowed; split it by what it holds"))
    })
    .collect()
}

/// Names under which anything could be put.
pub(crate) fn empty_names(tree: &Tree) -> Vec<String> {
    const EMPTY: [&str; 7] = ["util", "utils", "common", "misc", "helper", "helpers", "stuff"];
    let is_empty = |part: &str| EMPTY.contains(&part.split('.').next().unwrap_or(part));
    tree.files()
        .filter(|(path, _)| path.split('/').any(is_empty))
        .map(|(path, _)| format!("{path}: name it for what it holds"))
        .collect()
}

/// Lints relaxed without saying why.
pub(crate) fn unexplained_lints(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.ending_in(".rs") {
        for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
            for (at, _) in text.match_indices(opening) {
                let starts_line =
                    text[..at].rsplit('\n').next().is_some_and(|l| l.trim().is_empty());
                let attribute = text[at..].split(")]").next().unwrap_or_default();
                if starts_line && !attribute.contains("reason = ") {
                    let line = text[..at].lines().count() + 1;
                    faults.push(format!("{path}:{line}: add `reason = \"…\"` to the relaxed lint"));
                }
            }
        }
    }
    faults
}

/// Places and hosts of the machine that a change was made on.
pub(crate) fn machine_names(tree: &Tree) -> Vec<String> {
    // Written in two parts, so that this file does not name them.
    const NAMES: [&str; 5] = [
        concat!("/wo", "rk/"),
        concat!("/tmp", "/h/"),
        concat!("/ro", "ot/"),
        concat!("static.crates", ".io"),
        concat!("files.python", "hosted.org"),
    ];
    let mut faults = Vec::new();
    for (path, text) in tree.files() {
        for (number, line) in (1..).zip(text.lines()) {
            for name in NAMES.iter().filter(|name| line.contains(*name)) {
                faults.push(format!("{path}:{number}: `{name}` means nothing elsewhere"));
            }
        }
    }
    faults
}
