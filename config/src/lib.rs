//! The settings of condagate: typed, from a file and the environment.
//!
//! Each section is one table (`settings!`): a setting's key, type, default, bounds and meaning stand
//! in one place, and the struct, the reading, the errors, the commented default file, the effective
//! configuration and the operator's reference all come from it. The way of a configuration:
//!
//! 1. `document`: the TOML text, then the environment over it, become one tree of written values,
//!    each with its [`Origin`];
//! 2. `reader`, `field`: each section takes its settings out of the tree; what is left is unknown;
//! 3. [`Config`], or every [`Problem`] at once.
//!
//! *Architecture invariant:* a [`Config`] is complete and within its bounds; nobody checks a setting
//! again. What only the outside can tell (does the file exist, does the server answer) is
//! `condagate check`'s.
//!
//! *Architecture invariant:* a [`Secret`] is never in an error, a `Debug` or a written configuration.

mod control;
mod database;
mod document;
mod field;
mod gateway;
mod listing;
mod load;
mod nearest;
mod observe;
mod problem;
mod reader;
mod section;
mod storage;
mod value;

use std::collections::BTreeMap;

pub use control::{ChannelCreators, Control, TokenManagers};
pub use database::Database;
pub use gateway::{AccessLog, Cache, Gateway, Limits, Tls, WhenLeaseEnds};
pub use listing::{SectionListing, SettingListing};
pub use load::{FILES, Loaded, default_file, reference};
pub use observe::{Log, LogFormat, LogLevel, Metrics};
pub use problem::{ConfigError, Origin, Problem};
pub use storage::{Credentials, DirectoryStorage, HttpStorage, Storage, StorageKind};
pub use value::{
    BaseUrl, BaseUrlError, DatabaseKind, DatabaseUrl, MountPrefix, MountPrefixError, Secret, Size,
};

use section::settings;

settings! {
    /// Every setting of condagate.
    pub struct Config {
        /// Where users, channels, tokens and the audit log are kept.
        database: Database = Database::default();
        /// The data plane: what clients talk to.
        gateway: Gateway = Gateway::default();
        /// The control plane: API and web pages.
        control: Control = Control::default();
        /// The storages, by the names that channels are bound to.
        storage: BTreeMap<String, Storage> = BTreeMap::new();
        /// Health and metrics, for the machines that watch.
        metrics: Metrics = Metrics::default();
        /// What the processes say about themselves.
        log: Log = Log::default();
    }
    check check_addresses
}

/// Two listeners can't have the same address; port 0 stands for any free one.
fn check_addresses(config: &Config) -> Vec<(&'static str, String)> {
    let gateway = config.gateway.listen.iter().map(|address| ("gateway.listen", address));
    let control = config.control.listen.iter().map(|address| ("control.listen", address));
    let metrics = config.metrics.listen.iter().map(|address| ("metrics.listen", address));
    let mut taken = BTreeMap::new();
    let mut found = Vec::new();
    for (key, address) in gateway.chain(control).chain(metrics) {
        match taken.insert(*address, key) {
            Some(other) if address.port() != 0 => {
                found.push((key, format!("{address} is taken by {other} already")));
            }
            _ => {}
        }
    }
    found
}
