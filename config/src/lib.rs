//! The settings of condagate: typed, from a file and the environment.

mod control;
mod database;
mod gateway;
mod observe;
mod section;
mod storage;
mod value;

use std::collections::BTreeMap;

pub use control::{ChannelCreators, Control, TokenManagers};
pub use database::Database;
pub use gateway::{AccessLog, Cache, Gateway, Limits, Tls, WhenLeaseEnds};
pub use observe::{Log, LogFormat, LogLevel, Metrics};
pub use storage::{Credentials, DirectoryStorage, HttpStorage, Storage};
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
}
