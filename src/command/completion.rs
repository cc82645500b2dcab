//! `condagate completion SHELL`.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::terminal::print;

pub(super) fn run(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "condagate", &mut script);
    print(&String::from_utf8_lossy(&script))
}
