//! `condagate config`, `condagate config default`.

use crate::cli::{ConfigCommand, Global};
use crate::failure::Failure;
use crate::settings;
use crate::terminal::print;

pub(super) fn run(global: &Global, what: Option<&ConfigCommand>) -> Result<(), Failure> {
    match what {
        Some(ConfigCommand::Default) => print(&::config::default_file()),
        None => print(&settings::load(global)?.config.effective_toml()),
    }
}
