//! The database as it was opened, and that again when another file has taken its place.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use access::source::DatabaseIdentity;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Transaction};
use tokio::sync::Mutex;

use super::dialect::Dialect;
use super::file::DatabaseFile;
use super::{StoreError, migration_status};

/// How long a request may wait for a connection, or a start for the server.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a database is opened.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) url: Arc<str>,
    pub(super) dialect: Dialect,
    pub(super) max_connections: u32,
}

/// A database that was opened: all connections of it lead to the same file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(super) pool: AnyPool,
    way: Way,
    /// None for PostgreSQL and in memory.
    file: Option<Arc<DatabaseFile>>,
}

impl Opened {
    /// Opens what is there now.
    async fn open(way: Way) -> Result<Self, StoreError> {
        let file = way.dialect.file(&way.url)?.map(|path: PathBuf| DatabaseFile::hold(&path));
        let file = file.transpose()?.map(Arc::new);
        let (dialect, of_pool) = (way.dialect, file.clone());
        let pool = AnyPoolOptions::new()
            .max_connections(way.max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                let file = of_pool.clone();
                Box::pin(async move { prepare(connection, dialect, file.as_deref()).await })
            })
            .connect(&way.url)
            .await?;
        Ok(Self { pool, way, file })
    }

    /// Whether that is still the database that the URL names.
    ///
    /// # Errors
    /// [`StoreError::Replaced`], [`StoreError::Gone`].
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), |file| file.verify())
    }

    /// A connection of its own, beside the pool.
    pub(super) async fn connect(&self) -> Result<AnyConnection, StoreError> {
        let mut connection = AnyConnection::connect(&self.way.url).await?;
        prepare(&mut connection, self.way.dialect, self.file.as_deref()).await?;
        Ok(connection)
    }

    /// Makes the identity that the database gives itself that of this copy of it (sync.md F4).
    pub(super) fn identify(&self, database: &mut DatabaseIdentity) {
        if let Some(file) = &self.file {
            database.0 = format!("{}.{}", database.0, file.identity());
        }
    }
}

/// Sets up a new connection. Nothing is read by one to another file: that one's write-ahead log may
/// not be its own yet.
async fn prepare(
    connection: &mut AnyConnection,
    dialect: Dialect,
    file: Option<&DatabaseFile>,
) -> Result<(), sqlx::Error> {
    if let Some(file) = file {
        file.verify().map_err(|why| sqlx::Error::Configuration(Box::new(why)))?;
    }
    dialect.prepare(connection).await
}

/// Opens a database, and opens it anew when another one has taken its place.
#[derive(Debug)]
pub(super) struct Opener {
    way: Way,
    opened: RwLock<Arc<Opened>>,
    reopening: Mutex<()>,
}

impl Opener {
    /// Opens it for the first time.
    pub(super) async fn open(way: Way) -> Result<Self, StoreError> {
        let opened = Opened::open(way.clone()).await?;
        let dialect = way.dialect.probe(&opened.pool).await?;
        let way = Way { dialect, ..way };
        let opened = RwLock::new(Arc::new(opened));
        Ok(Self { way, opened, reopening: Mutex::default() })
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.way.dialect
    }

    pub(super) fn url(&self) -> &str {
        &self.way.url
    }

    /// The database as it was opened last.
    pub(super) fn last(&self) -> Arc<Opened> {
        Arc::clone(&self.opened.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The database that the URL names now.
    ///
    /// # Errors
    /// [`StoreError::Gone`], [`StoreError::OtherVersion`]; what was opened before is then used no
    /// more, and the next call tries again.
    pub(super) async fn current(&self) -> Result<Arc<Opened>, StoreError> {
        let opened = self.last();
        if opened.verify().is_ok() {
            return Ok(opened);
        }
        let _one_at_a_time = self.reopening.lock().await;
        let before = self.last();
        match before.verify() {
            Err(StoreError::Replaced { path }) => self.reopen(&before, path).await,
            verified => verified.map(|()| before),
        }
    }

    async fn reopen(&self, before: &Opened, path: String) -> Result<Arc<Opened>, StoreError> {
        // Nothing reads the new file before that.
        before.file.as_ref().map_or(Ok(()), |file| file.remove_log())?;
        let opened = Opened::open(self.way.clone()).await?;
        let status = migration_status(self.way.dialect, &opened.pool).await?;
        if status.pending > 0 || status.unknown > 0 {
            opened.pool.close().await;
            return Err(StoreError::OtherVersion { path });
        }
        tracing::warn!(
            path,
            "the control database's file was replaced by another one, which is used from now on"
        );
        let opened = Arc::new(opened);
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&opened);
        // Whoever still has a connection of it finds out before that counts for anything.
        let pool = before.pool.clone();
        tokio::spawn(async move { pool.close().await });
        Ok(opened)
    }

    /// A connection of the pool.
    pub(super) async fn acquire(&self) -> Result<(Arc<Opened>, PoolConnection<Any>), StoreError> {
        loop {
            let opened = self.current().await?;
            let connection = opened.pool.acquire().await;
            if opened.verify().is_ok() {
                return Ok((opened, connection?));
            }
        }
    }

    /// A transaction that writes.
    pub(super) async fn begin(
        &self,
    ) -> Result<(Arc<Opened>, Transaction<'static, Any>), StoreError> {
        loop {
            let opened = self.current().await?;
            let transaction = opened.pool.begin_with(self.way.dialect.begin_change()).await;
            if opened.verify().is_ok() {
                return Ok((opened, transaction?));
            }
        }
    }
}
