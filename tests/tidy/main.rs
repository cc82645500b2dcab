//! The rules of the repository that no compiler checks, as tests.
//!
//! A rule is a function from the tracked files to what is wrong with them, a line each: where,
//! what, and what to do. Every rule is also shown a small tree with its fault in it, so that a
//! rule that finds nothing any more is noticed.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod crates;
mod docs;
mod operating;
mod secrets;
mod settings;
mod source;
mod tree;

use tree::Tree;

/// A rule: what is wrong with the tree, a line each.
type Rule = fn(&Tree) -> Vec<String>;

fn check(rule: Rule) {
    let faults = rule(&Tree::tracked());
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Defines a test per rule, and one that shows every rule its fault.
macro_rules! rules {
    ($( $test:ident: $rule:path, finds [$( ($path:literal, $text:expr) ),+]; )+) => {
        $(
            #[test]
            fn $test() {
                check($rule);
            }
        )+

        #[test]
        fn every_rule_finds_its_fault() {
            $(
                let tree = Tree::of(&[$( ($path, &$text) ),+]);
                assert!(!$rule(&tree).is_empty(), "{} finds nothing", stringify!($rule));
            )+
        }
    };
}

rules! {
    files_are_short: source::long_files,
        finds [("gateway/src/a.rs", "\n".repeat(401))];
    functions_are_short: source::long_functions,
        finds [("gateway/src/a.rs", format!("fn f() {{\n{}}}\n", "    f();\n".repeat(69)))];
    names_say_what_is_inside: source::empty_names,
        finds [("gateway/src/utils.rs", "")];
    relaxed_lints_have_a_reason: source::unexplained_lints,
        finds [("gateway/src/a.rs", "#[allow(dead_code)]\nfn f() {}")];
    nothing_names_this_machine: source::machine_names,
        finds [("docs/a.md", concat!("see /ro", "ot/notes"))];
    secrets_are_revealed_only_where_listed: secrets::reveals,
        finds [("gateway/src/a.rs", "fn f(t: &TokenSecret) { log(t.reveal()) }")];
    secrets_cannot_be_printed: secrets::printable_holders,
        finds [("gateway/src/a.rs", "#[derive(Serialize)]\nstruct Login {\n    value: TokenSecret,\n}")];
    the_readme_shows_what_ci_runs: docs::readme_commands,
        finds [("README.md", "```sh\nmake\n```")];
    every_page_can_be_reached: docs::unreachable_pages,
        finds [("README.md", "no link"), ("docs/a.md", "")];
    every_link_leads_somewhere: docs::broken_links,
        finds [("README.md", "[a](docs/a.md)")];
    every_link_into_a_page_finds_its_heading: docs::missing_headings,
        finds [("README.md", "[a](#b)\n\n# a")];
    every_crate_takes_the_workspace_lints: crates::without_lints,
        finds [("x/Cargo.toml", "[package]")];
    every_field_of_the_access_log_is_documented: operating::log_fields,
        finds [("gateway/src/record/line.rs", "fields.text(\"secret\", None);")];
    every_refusal_is_documented: operating::refusals,
        finds [("gateway/src/answer.rs", "text(StatusCode::GONE, \"too-late\")")];
    every_metric_is_documented: operating::metrics,
        finds [("gateway/src/metrics.rs", "registry.register(\"noise\", \"Noise\", noise)")];
    every_logged_event_is_documented: operating::events,
        finds [("gateway/src/a.rs", "tracing::warn!(%why, \"it \\\n    broke\");\n")];
    every_setting_is_documented: settings::undocumented,
        finds [("docs/configuration.md", "| `gateway.nothing` | |")];
}
