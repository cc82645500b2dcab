//! Rules for the crates and what they depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::tree::{Tree, root};

/// Which crates of the workspace a crate may use; ARCHITECTURE.md has the picture.
const MAY_USE: &[(&str, &[&str])] = &[
    ("access", &[]),
    ("config", &["access"]),
    ("certs", &["access"]),
    ("control", &["access", "config"]),
    ("gateway", &["access", "config", "certs"]),
    ("loadtest", &["access", "certs"]),
    ("simulation", &["access", "control", "gateway"]),
    ("condagate", &["access", "config", "certs", "control", "gateway", "loadtest"]),
];

/// What must never be in a crate, in its own dependencies.
const NEVER: &[(&str, &[&str], &str)] = &[
    ("access", &["tokio", "hyper", "sqlx", "rustls"], "it is pure: no input or output"),
    ("gateway", &["sqlx", "axum"], "it gets a `GrantSource` and never sees SQL, API or pages"),
    ("control", &["hyper", "gateway"], "a change reaches the gateway by the feed alone"),
];

/// Manifests that don't take the lints of the workspace.
pub(crate) fn without_lints(tree: &Tree) -> Vec<String> {
    tree.ending_in("Cargo.toml")
        .filter(|(_, text)| !text.contains("[lints]\nworkspace = true"))
        .map(|(path, _)| format!("{path}: add `[lints]` with `workspace = true`"))
        .collect()
}

#[test]
fn crates_depend_in_the_direction_of_the_architecture() {
    let crates = crates();
    let members: BTreeSet<&String> = crates.keys().collect();
    for (name, uses) in &crates {
        let allowed = MAY_USE.iter().find(|(member, _)| member == name);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{name}: add it to MAY_USE"));
        for used in uses.iter().filter(|used| members.contains(used) && *used != name) {
            assert!(
                allowed.contains(&used.as_str()),
                "{name} uses {used}, against the architecture"
            );
        }
        for (_, never, why) in NEVER.iter().filter(|(member, _, _)| member == name) {
            let found: Vec<_> = never.iter().filter(|used| uses.contains(**used)).collect();
            assert!(found.is_empty(), "{name} uses {found:?}, but {why}");
        }
    }
}

#[test]
fn every_dependency_is_explained_and_every_explained_one_is_used() {
    let crates = crates();
    let tree = Tree::tracked();
    let page = tree.get("docs/decisions/dependencies.md").expect("the page of dependencies");
    let first_cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let explained: BTreeSet<&str> =
        first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let used: BTreeSet<&str> = crates
        .values()
        .flatten()
        .map(String::as_str)
        .filter(|name| !crates.contains_key(*name))
        .collect();
    let missing: Vec<_> = used.difference(&explained).collect();
    assert!(missing.is_empty(), "say in docs/decisions/dependencies.md why there is {missing:?}");
    let gone: Vec<_> = explained.difference(&used).collect();
    assert!(
        gone.is_empty(),
        "docs/decisions/dependencies.md explains {gone:?}, which nothing uses"
    );
}

/// The crates of the workspace, each with the names of all that it depends on.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&answer.stdout).expect("cargo metadata is JSON");
    let names = |list: &Value| -> BTreeSet<String> {
        let list = list.as_array().expect("a list of dependencies");
        list.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|one| (one["name"].as_str().expect("a name").to_owned(), names(&one["dependencies"])))
        .collect()
}
