//! The operator's page names everything that the program says about itself.

use std::collections::BTreeSet;

use crate::tree::{Tree, is_test, without_tests};

const PAGE: &str = "docs/operating.md";
const RECORD: &str = "gateway/src/record/line.rs";
const REFUSALS: &str = "gateway/src/answer.rs";
const METRICS: &str = "gateway/src/metrics.rs";
const PROBES: &str = "src/process/probes.rs";
/// Where other parts count for themselves.
const COUNTS: [&str; 3] = [
    "gateway/src/table.rs",
    "gateway/src/usage/reporter.rs",
    "gateway/src/storage/http/objects.rs",
];

/// Fields of the access log that the page lacks or has too many.
pub(crate) fn log_fields(tree: &Tree) -> Vec<String> {
    let code = without_tests(tree.get(RECORD).unwrap_or_default());
    let calls = code.split("fields.").skip(1).filter_map(|rest| rest.lines().next());
    let fields = calls.filter_map(|call| literals(call).into_iter().next()).collect();
    compare(&fields, &documented(tree, "## The access log"), RECORD)
}

/// Codes of refusals that the page lacks or has too many.
pub(crate) fn refusals(tree: &Tree) -> Vec<String> {
    let code = without_tests(tree.get(REFUSALS).unwrap_or_default());
    // The code is the first text behind the status, or in the functions that know theirs.
    let starts = ["StatusCode::", "unauthorized(", "ended(", "too_many("];
    let places = starts.iter().flat_map(|start| code.split(start).skip(1));
    let codes =
        places.filter_map(|rest| literals(rest.split([';', '{', ')']).next()?).into_iter().next());
    compare(&codes.collect(), &documented(tree, "## Refusals"), REFUSALS)
}

/// Metrics that the page lacks or has too many.
pub(crate) fn metrics(tree: &Tree) -> Vec<String> {
    let registered = tree.get(METRICS).unwrap_or_default();
    let of_counts = |path| tree.get(path)?.split("fn all(").nth(1)?.split("\n    }").next();
    let counts = COUNTS.into_iter().filter_map(of_counts);
    let texts = [without_tests(registered)].into_iter().chain(counts).flat_map(literals);
    let is_name = |text: &String| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let names = texts.filter(|text| is_name(text) && text != "condagate");
    // The probes write metrics of their own, as text.
    let own = tree.get(PROBES).unwrap_or_default().split("# TYPE condagate_").skip(1);
    let own = own.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned);
    let names = names.chain(own);
    // In the page a name has a prefix, the suffix of its type and unit, and its labels.
    let plain = |name: &String| {
        let name = name.split('{').next().unwrap_or(name).trim_start_matches("condagate_");
        let name = name.trim_end_matches("_total").trim_end_matches("_bytes");
        name.trim_end_matches("_seconds").to_owned()
    };
    let shown = documented(tree, "## Metrics").iter().map(plain).collect();
    compare(&names.collect(), &shown, METRICS)
}

/// Events that are logged and that the page lacks.
pub(crate) fn events(tree: &Tree) -> Vec<String> {
    let shown = documented(tree, "## The log");
    let mut faults = Vec::new();
    for (path, text) in tree.ending_in(".rs").filter(|(path, _)| !is_test(path)) {
        for level in ["info!(", "warn!(", "error!("] {
            for rest in without_tests(text).split(level).skip(1) {
                let event = rest.split(");\n").next().unwrap_or_default();
                let Some(message) = literals(event).pop() else { continue };
                if !shown.contains(&message) {
                    faults.push(format!(
                        "{PAGE}: say under \"The log\" what to do about `{message}` ({path})"
                    ));
                }
            }
        }
    }
    faults
}

/// The first cells of the tables below a heading, without their backquotes.
fn documented(tree: &Tree, heading: &str) -> BTreeSet<String> {
    let page = tree.get(PAGE).unwrap_or_default();
    let part = page.split(&format!("\n{heading}\n")).nth(1).unwrap_or_default();
    let part = part.split("\n## ").next().unwrap_or_default();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    rows.map(|(first, _)| first.to_owned()).collect()
}

fn compare(said: &BTreeSet<String>, shown: &BTreeSet<String>, code: &str) -> Vec<String> {
    let missing = said.difference(shown).map(|name| format!("{PAGE}: explain `{name}` of {code}"));
    let gone = shown.difference(said).map(|name| format!("{PAGE}: `{name}` is not in {code}"));
    missing.chain(gone).collect()
}

/// The string literals of a piece of code, lines that end in `\` put together.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find('"') {
        rest = &rest[start + 1..];
        let ends = |&(at, _): &(usize, &str)| at == 0 || !rest[..at].ends_with('\\');
        let Some((end, _)) = rest.match_indices('"').find(ends) else { break };
        let mut lines = rest[..end].split("\\\n");
        let first = lines.next().unwrap_or_default().to_owned();
        found.push(lines.fold(first, |text, line| text + line.trim_start()));
        rest = &rest[end + 1..];
    }
    found
}
