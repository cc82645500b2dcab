//! `condagate migrate`.

use crate::cli::Global;
use crate::failure::Failure;
use crate::terminal::print;
use crate::{process, settings};

pub(super) fn run(global: &Global, gateway_role: Option<&str>) -> Result<(), Failure> {
    let config = settings::load(global)?.config;
    process::block_on(async {
        let database = process::Database::connect(&config).await?;
        let pending = database.status().await?.pending;
        database.migrate().await?;
        match pending {
            0 => print("the database is of this version already")?,
            count => print(&format!("brought the database to this version: {count} migrations"))?,
        }
        if let Some(role) = gateway_role {
            database.store().grant_gateway_role(role).await?;
            print(&format!("`{role}` has the rights of a gateway, and no others"))?;
        }
        database.store().close().await;
        Ok(())
    })
}
