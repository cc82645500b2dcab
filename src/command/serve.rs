//! `condagate serve`, `condagate gateway`, `condagate control`.

use crate::cli::Global;
use crate::failure::Failure;
use crate::process::{self, Process, Roles};
use crate::{logging, settings};

/// Both in one process.
pub(super) const SERVE: Roles = Roles { control: true, gateway: true };
/// The data plane.
pub(super) const GATEWAY: Roles = Roles { control: false, gateway: true };
/// API and pages.
pub(super) const CONTROL: Roles = Roles { control: true, gateway: false };

pub(super) fn run(global: &Global, roles: Roles) -> Result<(), Failure> {
    let loaded = settings::load(global)?;
    logging::start(&loaded.config.log);
    if loaded.file.is_none() {
        tracing::warn!("no configuration file was found; defaults and the environment hold");
    }
    if roles.gateway && loaded.config.storage.is_empty() {
        tracing::warn!("no storage is configured; there is nothing to serve");
    }
    process::block_on(async {
        let signals = process::Signals::listen()?;
        let process = Process::start(&loaded.config, roles).await?;
        process.tell_ready();
        process.run(signals).await;
        Ok(())
    })
}
