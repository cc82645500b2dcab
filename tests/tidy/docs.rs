//! Rules for the documentation.

use std::collections::BTreeSet;

use crate::tree::Tree;

/// The two commands of the README: the first look, and everything that CI runs.
const DEMO: &str = "cargo run --release -- demo";
const TESTS: &str = "tests/run";

/// A README whose commands are not the ones that are run.
pub(crate) fn readme_commands(tree: &Tree) -> Vec<String> {
    let Some(readme) = tree.get("README.md") else { return vec!["README.md: missing".into()] };
    let shown: Vec<&str> = shell_lines(readme).collect();
    let mut faults = Vec::new();
    for command in [DEMO, TESTS] {
        if !shown.contains(&command) {
            faults.push(format!("README.md: show `{command}` in a block of its own (```sh)"));
        }
    }
    let ci = tree.get(".ci/run").unwrap_or_default();
    if !ci.contains(TESTS) {
        faults.push(format!(".ci/run: run `{TESTS}`, as the README does"));
    }
    let starts_demo = |(path, text): (&str, &str)| {
        let code: String = text.split_whitespace().collect();
        let starts = code.contains("arg(\"demo\")") || code.contains("\"demo\",\"--");
        path.starts_with("tests/e2e/") && starts
    };
    if !tree.files().any(starts_demo) {
        faults.push(format!("tests/e2e: start `{DEMO}`, as the README does"));
    }
    faults
}

/// Pages under docs/ to which no chain of links leads from the README.
pub(crate) fn unreachable_pages(tree: &Tree) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec!["README.md".to_owned()];
    while let Some(page) = next.pop() {
        if let Some(text) = tree.get(&page).filter(|_| page.ends_with(".md"))
            && reached.insert(page.clone())
        {
            let targets = links(text).filter_map(|link| Some(resolve(&page, link)?.target));
            next.extend(targets);
        }
    }
    tree.ending_in(".md")
        .filter(|(page, _)| page.starts_with("docs/") && !reached.contains(*page))
        .map(|(page, _)| format!("{page}: no link leads here from README.md"))
        .collect()
}

/// Links to files and folders that are not there.
pub(crate) fn broken_links(tree: &Tree) -> Vec<String> {
    let leads_nowhere = |target: &str| {
        let folder = format!("{}/", target.trim_end_matches('/'));
        tree.get(target).is_none() && !tree.files().any(|(path, _)| path.starts_with(&folder))
    };
    all_links(tree)
        .filter(|link| leads_nowhere(&link.target))
        .map(|Link { page, target, .. }| {
            format!("{page}: a link leads to {target}, which is not there")
        })
        .collect()
}

/// Links into a page that has no such heading.
pub(crate) fn missing_headings(tree: &Tree) -> Vec<String> {
    let has = |target: &str, heading: &str| {
        tree.get(target).is_none_or(|text| headings(text).any(|found| found == heading))
    };
    all_links(tree)
        .filter_map(|link| Some((link.page, link.target, link.heading?)))
        .filter(|(_, target, heading)| !has(target, heading))
        .map(|(page, target, heading)| format!("{page}: {target} has no heading for #{heading}"))
        .collect()
}

/// Commands in the documentation that the binary does not know.
#[test]
fn every_command_in_the_documentation_exists() {
    let tree = Tree::tracked();
    for (page, text) in tree.ending_in(".md") {
        for line in shell_lines(text) {
            let Some(words) = line.strip_prefix("condagate ") else { continue };
            let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
            let command: Vec<&str> = words.split_whitespace().take_while(is_name).take(2).collect();
            let known = |args: &[&str]| {
                let binary = env!("CARGO_BIN_EXE_condagate");
                let run = std::process::Command::new(binary).args(args).arg("--help").output();
                run.expect("the binary runs").status.success()
            };
            assert!(known(&command), "{page}: `{line}`: no such command");
        }
    }
}

/// The lines of all ```sh blocks.
fn shell_lines(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines)
}

/// The targets of all links of a page, outside of code blocks.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split("](").skip(1).filter_map(|rest| rest.split(')').next()))
}

/// A link within the repository.
struct Link<'a> {
    page: &'a str,
    /// The path of what it leads to, from the repository's root.
    target: String,
    heading: Option<&'a str>,
}

fn all_links(tree: &Tree) -> impl Iterator<Item = Link<'_>> {
    tree.ending_in(".md")
        .flat_map(|(page, text)| links(text).filter_map(move |link| resolve(page, link)))
}

/// What `link` in `page` names, or nothing when it leads out of the repository.
fn resolve<'a>(page: &'a str, link: &'a str) -> Option<Link<'a>> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = match link.split_once('#') {
        Some((path, heading)) => (path, Some(heading)),
        None => (link, None),
    };
    if path.is_empty() {
        return Some(Link { page, target: page.to_owned(), heading });
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    Some(Link { page, target: parts.join("/"), heading })
}

/// The headings of a page as links name them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let prose = text.split("```").step_by(2);
    let titles = prose.flat_map(str::lines).filter(|line| line.starts_with('#'));
    titles.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    })
}
