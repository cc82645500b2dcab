//! The commands, a file for each.

mod admin;
mod api;
mod check;
mod completion;
mod config;
mod demo;
mod login;
mod logout;
mod migrate;
mod serve;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Does what the command line asks for.
pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(options) => demo::run(global, options),
        Command::Serve => serve::run(global, serve::SERVE),
        Command::Gateway => serve::run(global, serve::GATEWAY),
        Command::Control => serve::run(global, serve::CONTROL),
        Command::Check(options) => check::run(global, options),
        Command::Config { what } => config::run(global, what.as_ref()),
        Command::Migrate { gateway_role } => migrate::run(global, gateway_role.as_deref()),
        Command::Admin(admin) => admin::run(global, admin),
        Command::Login(options) => login::run(options),
        Command::Logout => logout::run(),
        Command::Api(asked) => api::run(asked),
        Command::Completion { shell } => completion::run(*shell),
    }
}
