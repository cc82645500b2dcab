//! The connection to the control database, with failures that name it.

use std::time::Duration;

use access::{Channel, GrantSource as _};
use config::DatabaseKind;
use control::{Inspection, MigrationStatus, Store, StoreError};

use crate::failure::Failure;

/// How long the database may take to accept the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The control database.
pub(crate) struct Database {
    store: Store,
    url: String,
    /// How far it was before this process changed anything, where that could be read without the
    /// rights to change it.
    found: Option<MigrationStatus>,
}

impl Database {
    /// Connects; a SQLite file is made when there is none.
    ///
    /// # Errors
    /// [`Failure::Database`].
    pub(crate) async fn connect(config: &config::Config) -> Result<Self, Failure> {
        let url = config.database.url.masked();
        match tokio::time::timeout(CONNECT_TIMEOUT, connect(config)).await {
            Ok(Ok((store, found))) => Ok(Self { store, url, found }),
            Ok(Err(source)) => Err(Failure::Database { url, source }),
            Err(_elapsed) => Err(Failure::DatabaseTimeout { url, after: CONNECT_TIMEOUT }),
        }
    }

    /// Looks at the database without changing it; a SQLite file must be there.
    ///
    /// # Errors
    /// [`Failure::Database`], [`Failure::DatabaseTimeout`].
    pub(crate) async fn inspect(settings: &config::Database) -> Result<Inspection, Failure> {
        let inspecting = Store::inspect(settings.url.reveal());
        match tokio::time::timeout(CONNECT_TIMEOUT, inspecting).await {
            Ok(inspection) => inspection
                .map_err(|source| Failure::Database { url: settings.url.masked(), source }),
            Err(_elapsed) => {
                let url = settings.url.masked();
                Err(Failure::DatabaseTimeout { url, after: CONNECT_TIMEOUT })
            }
        }
    }

    /// The store itself.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// How far it was from this version when it was connected to.
    pub(crate) async fn status(&self) -> Result<MigrationStatus, Failure> {
        match self.found {
            Some(found) => Ok(found),
            None => self.store.migration_status().await.map_err(|source| self.failure(source)),
        }
    }

    /// Brings it to this version.
    ///
    /// # Errors
    /// [`Failure::NewerDatabase`], [`Failure::Database`].
    pub(crate) async fn migrate(&self) -> Result<(), Failure> {
        if self.status().await?.unknown > 0 {
            return Err(Failure::NewerDatabase);
        }
        self.store.migrate().await.map_err(|source| self.failure(source))
    }

    /// Refuses a database of another version.
    ///
    /// # Errors
    /// [`Failure::NewerDatabase`], [`Failure::NotMigrated`], [`Failure::Database`].
    pub(crate) async fn require_this_version(&self) -> Result<(), Failure> {
        match self.status().await? {
            MigrationStatus { unknown: 1.., .. } => Err(Failure::NewerDatabase),
            MigrationStatus { pending: 1.., .. } => Err(Failure::NotMigrated),
            _ => Ok(()),
        }
    }

    /// Every channel.
    pub(crate) async fn channels(&self) -> Result<Vec<Channel>, Failure> {
        Ok(self.store.begin(0).await?.channels)
    }

    fn failure(&self, source: StoreError) -> Failure {
        Failure::Database { url: self.url.clone(), source }
    }
}

/// PostgreSQL is looked at first, over one connection: the pool would try a refused one again and
/// again, this one tells why at once.
async fn connect(config: &config::Config) -> Result<(Store, Option<MigrationStatus>), StoreError> {
    let settings = &config.database;
    let url = settings.url.reveal();
    let found = match settings.url.kind() {
        DatabaseKind::PostgreSql => Some(Store::inspect(url).await?.migrations),
        DatabaseKind::Sqlite => None,
    };
    let lease = config.gateway.lease;
    Ok((Store::connect_for(url, settings.max_connections, lease).await?, found))
}
