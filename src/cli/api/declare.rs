//! From the tables to `clap`, and from what was typed to a command.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{
    Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, Error, FromArgMatches, Subcommand,
};

use super::COMMANDS;
use super::text::parser;
use super::verb::{Entry, Input, Kind, Place, Shows, Verb};

/// A command of the API's client as it was typed.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) verb: &'static Verb,
    /// The inputs' values, as they are sent.
    pub(crate) matches: ArgMatches,
    pub(crate) options: Options,
}

/// What every command of the API's client takes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Print the API's JSON; a list as an array
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) credential: Credential,
}

/// Where the token for the control plane comes from; never from a flag's value, which `ps` shows.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Credential {
    /// The control plane's token is in this file [default: CONDAGATE_TOKEN, else the last login]
    #[arg(long, value_name = "FILE", conflicts_with = "token_stdin")]
    pub(crate) token_file: Option<PathBuf>,
    /// It is the first line of the standard input
    #[arg(long)]
    pub(crate) token_stdin: bool,
}

const HELP: &str = "\
Asks the control plane in CONDAGATE_URL with the token in CONDAGATE_TOKEN, or the one of the
last `condagate login`.";

impl Subcommand for Asked {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(COMMANDS.iter().map(|entry| {
            match entry {
                Entry::Verb(verb) => leaf(verb),
                Entry::Noun { name, about, verbs } => Command::new(*name)
                    .about(*about)
                    .after_help(HELP)
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .subcommands(verbs.iter().map(leaf)),
            }
        }))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        COMMANDS.iter().any(|entry| entry.name() == name)
    }
}

impl FromArgMatches for Asked {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let (verb, matches) =
            find(matches).ok_or_else(|| Error::new(ErrorKind::InvalidSubcommand))?;
        Ok(Self { verb, matches: matches.clone(), options: Options::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The verb that was typed, and what it was given.
fn find(matches: &ArgMatches) -> Option<(&'static Verb, &ArgMatches)> {
    let (name, given) = matches.subcommand()?;
    match COMMANDS.iter().find(|entry| entry.name() == name)? {
        Entry::Verb(verb) => Some((verb, given)),
        Entry::Noun { verbs, .. } => {
            let (name, given) = given.subcommand()?;
            Some((verbs.iter().find(|verb| verb.name == name)?, given))
        }
    }
}

fn leaf(verb: &'static Verb) -> Command {
    let mut command = Command::new(verb.name).args(verb.takes().filter_map(argument));
    let holders = verb.inputs.iter().filter(|input| input.place == Place::Holder);
    let holders: Vec<&str> = holders.map(|input| input.name).collect();
    if !holders.is_empty() {
        command = command.group(ArgGroup::new("holder").args(holders));
    }
    if matches!(verb.shows, Shows::Rows(_) | Shows::Lines) {
        let limit = Arg::new("limit").long("limit").value_name("COUNT");
        let limit = limit.value_parser(clap::value_parser!(u64).range(1..));
        command = command.arg(limit.help("At most so many [default: all]"));
    }
    if verb.asks.is_some() {
        let yes = Arg::new("yes").long("yes").action(ArgAction::SetTrue);
        command = command.arg(yes.help("Don't ask on the terminal first"));
    }
    let examples = verb.examples.join("\n  ");
    // After the options: their type's own text would take the place of the verb's.
    Options::augment_args(command).about(verb.about).after_help(format!("Examples:\n  {examples}"))
}

/// What `clap` is told of an input; nothing of one that only `--password-stdin` reads.
fn argument(input: &'static Input) -> Option<Arg> {
    let mut arg = Arg::new(input.name).help(input.help);
    if input.kind == Kind::OwnPassword {
        return None;
    }
    if input.kind == Kind::Password {
        arg = arg.conflicts_with("token_stdin");
        return Some(arg.long(input.name).action(ArgAction::SetTrue));
    }
    if !input.positional {
        arg = arg.long(input.name);
    }
    if input.kind == Kind::Flag {
        return Some(arg.action(ArgAction::SetTrue));
    }
    arg = arg.required(input.required).value_parser(parser(input.kind));
    arg = arg.action(if input.many { ArgAction::Append } else { ArgAction::Set });
    if let Some(flag) = input.unless {
        arg = arg.required_unless_present(flag);
    }
    if let Some(default) = input.default {
        arg = arg.default_value(default);
    }
    Some(arg.value_name(input.kind.word()))
}
