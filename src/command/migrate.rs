//! `condagate migrate`.

use crate::cli::Global;
use crate::failure::Failure;
use crate::terminal::print;
use crate::{process, settings};

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let config = settings::load(global)?.config;
    process::block_on(async {
        let database = process::Database::connect(&config.database).await?;
        let pending = database.status().await?.pending;
        database.migrate().await?;
        database.store().close().await;
        match pending {
            0 => print("the database is of this version already"),
            count => print(&format!("brought the database to this version: {count} migrations")),
        }
    })
}
