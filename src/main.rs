//! The `condagate` binary: its command line, and the wiring of the crates into processes.
//!
//! [`cli`] declares the commands, `command` has a file for each, `process` starts and stops what
//! `serve`, `gateway`, `control` and `demo` run, `remote` is the API's client.

mod cli;
mod command;
mod failure;
mod logging;
mod private_file;
mod process;
mod remote;
mod settings;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match command::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&failure);
            failure.exit_code()
        }
    }
}
