//! Rules for source files.

use crate::tree::{Tree, is_test, without_tests};

const LINES_MAX: usize = 400;
const TEST_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

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

/// Functions that don't fit on a screen. A test may be a long table.
pub(crate) fn long_functions(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.ending_in(".rs").filter(|(path, _)| !is_test(path)) {
        let lines: Vec<&str> = without_tests(text).lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| opens_function(line)) {
            // rustfmt closes a function at the indentation at which it opened it.
            let indentation = line.len() - line.trim_start().len();
            let closes = |line: &&str| line.trim_end() == format!("{:indentation$}}}", "");
            let length = lines[at..].iter().position(closes).map_or(1, |end| end + 1);
            if length > FUNCTION_LINES_MAX {
                let number = at + 1;
                faults.push(format!(
                    "{path}:{number}: {length} lines, {FUNCTION_LINES_MAX} allowed; name its parts"
                ));
            }
        }
    }
    faults
}

fn opens_function(line: &str) -> bool {
    const BEFORE: [&str; 6] = ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe"];
    let mut words = line.split_whitespace().skip_while(|word| BEFORE.contains(word));
    // A function on one line closes where it opens.
    words.next() == Some("fn") && !line.trim_end().ends_with('}')
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
    const NAMES: [&str; 7] = [
        concat!("/wo", "rk/"),
        concat!("/tmp", "/h/"),
        concat!("/ro", "ot/"),
        concat!("static.crates", ".io"),
        concat!("index.crates", ".io"),
        concat!("pypi", ".org"),
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
