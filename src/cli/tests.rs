use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

#[test]
fn the_declaration_is_consistent() {
    Cli::command().debug_assert();
}

/// Every command that can be run, by its words.
fn leaves(command: &Command, words: &[&str], found: &mut Vec<(String, Command)>) {
    let subcommands: Vec<_> = command.get_subcommands().collect();
    if subcommands.is_empty() || !command.is_subcommand_required_set() {
        found.push((words.join(" "), command.clone()));
    }
    for subcommand in subcommands {
        leaves(subcommand, &[words, &[subcommand.get_name()]].concat(), found);
    }
}

#[test]
fn the_help_of_every_command_has_examples_that_are_ones_of_it() {
    let mut found = Vec::new();
    leaves(&Cli::command(), &["condagate"], &mut found);
    assert!(found.len() > 45, "{}", found.len());
    for (words, command) in found {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
        let lines: Vec<&str> = examples.lines().take_while(|line| !line.is_empty()).collect();
        assert!(!lines.is_empty(), "`{words} --help` has no examples");
        let mut own = 0;
        for line in lines {
            let typed = typed(line);
            let parsed = Cli::try_parse_from(&typed);
            assert!(parsed.is_ok(), "`{words} --help`: {line}\n{}", parsed.unwrap_err());
            own += usize::from(typed.join(" ").starts_with(&words));
        }
        assert!(own > 0, "`{words} --help` has examples of other commands only");
    }
}

/// The words of the command of ours in a line for a shell.
fn typed(line: &str) -> Vec<String> {
    let ours = line.split_once("condagate ").unwrap().1;
    let ours = ours.split(['|', '<', '>']).next().unwrap();
    let ours = ours.split("   ").next().unwrap();
    let mut words = vec!["condagate".to_owned()];
    for (at, part) in ours.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[test]
fn what_contradicts_itself_is_refused() {
    for line in [
        "condagate token list --user bob --channel a",
        "condagate token create --name ci --channel a --user bob --service-account b",
        "condagate me --token-stdin --token-file f",
        "condagate user create bob --password-stdin --token-stdin",
    ] {
        assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{line}");
    }
}

#[test]
fn every_shell_completes_every_verb() {
    use clap::ValueEnum as _;

    for shell in clap_complete::Shell::value_variants() {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Cli::command(), "condagate", &mut script);
        let script = String::from_utf8(script).unwrap();
        for word in ["service-account", "add-member", "reissue", "bytes-per-day", "json"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
