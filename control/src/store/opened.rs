//! The database as it was opened, and that again when another file or another server has taken its
//! place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
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
    /// How old a connection of the pool may be. A server that is no longer the database says
    /// nothing of it: only a new connection tells where the name leads.
    pub(super) connections_last: Duration,
}

/// A database that was opened: all connections of it lead to the same file or server.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(super) pool: AnyPool,
    way: Way,
    home: Arc<Home>,
}

/// Where a database is.
#[derive(Debug)]
enum Home {
    File(DatabaseFile),
    Server(Server),
    Memory,
}

/// The run of a PostgreSQL server that the first connection led to.
#[derive(Debug, Default)]
struct Server {
    first: OnceLock<String>,
    /// Whether a later one led to another.
    left: AtomicBool,
}

impl Server {
    /// Takes note of where a new connection leads.
    fn met(&self, server: String) {
        if *self.first.get_or_init(|| server.clone()) != server {
            self.left.store(true, Ordering::SeqCst);
        }
    }
}

impl Home {
    fn of(way: &Way) -> Result<Self, StoreError> {
        Ok(match (way.dialect, way.dialect.file(&way.url)?) {
            (Dialect::Postgres { .. }, _) => Self::Server(Server::default()),
            (Dialect::Sqlite, Some(path)) => Self::File(DatabaseFile::hold(&path)?),
            (Dialect::Sqlite, None) => Self::Memory,
        })
    }

    fn verify(&self) -> Result<(), StoreError> {
        match self {
            Self::File(file) => file.verify(),
            Self::Server(server) if server.left.load(Ordering::SeqCst) => Err(StoreError::Moved),
            Self::Server(_) | Self::Memory => Ok(()),
        }
    }
}

impl Opened {
    /// Opens what is there now.
    async fn open(way: Way) -> Result<Self, StoreError> {
        let home = Arc::new(Home::of(&way)?);
        let (dialect, of_pool, last) = (way.dialect, Arc::clone(&home), way.connections_last);
        let pool = AnyPoolOptions::new()
            .max_connections(way.max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                let home = Arc::clone(&of_pool);
                Box::pin(async move { prepare(connection, dialect, &home).await })
            })
            .before_acquire(move |_, connection| {
                Box::pin(async move { Ok(dialect == Dialect::Sqlite || connection.age < last) })
            })
            .connect(&way.url)
            .await?;
        Ok(Self { pool, way, home })
    }

    /// Whether that is still the database that the URL names.
    ///
    /// # Errors
    /// [`StoreError::Replaced`], [`StoreError::Gone`], [`StoreError::Moved`].
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        self.home.verify()
    }

    /// A connection of its own, beside the pool.
    pub(super) async fn connect(&self) -> Result<AnyConnection, StoreError> {
        let mut connection = AnyConnection::connect(&self.way.url).await?;
        prepare(&mut connection, self.way.dialect, &self.home).await?;
        Ok(connection)
    }

    /// Makes sure that the name leads there still, by going there once more.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`StoreError::Database`] when nobody answers.
    pub(crate) async fn verify_anew(&self) -> Result<(), StoreError> {
        if let Home::Server(_) = &*self.home {
            self.connect().await?.close().await?;
        }
        self.verify()
    }

    /// Makes the identity that the database gives itself that of this copy of it (sync.md F4).
    pub(super) fn identify(&self, database: &mut DatabaseIdentity) {
        if let Home::File(file) = &*self.home {
            database.0 = format!("{}.{}", database.0, file.identity());
        }
    }
}

/// Sets up a new connection. Nothing is read by one to another file: that one's write-ahead log may
/// not be its own yet.
async fn prepare(
    connection: &mut AnyConnection,
    dialect: Dialect,
    home: &Home,
) -> Result<(), sqlx::Error> {
    if let Home::File(file) = home {
        file.verify().map_err(|why| sqlx::Error::Configuration(Box::new(why)))?;
    }
    let server = dialect.prepare(connection).await?;
    if let (Home::Server(home), Some(server)) = (home, server) {
        home.met(server);
    }
    Ok(())
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

    pub(super) fn connections_last(&self) -> Duration {
        self.way.connections_last
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
            Err(StoreError::Replaced { path }) => self.follow_file(&before, path).await,
            Err(StoreError::Moved) => {
                let opened = Opened::open(self.way.clone()).await?;
                tracing::warn!(
                    "the control database's name leads to another server, or to one that was \
                     restarted; every connection is made anew"
                );
                Ok(self.go_on_with(opened, &before))
            }
            verified => verified.map(|()| before),
        }
    }

    async fn follow_file(&self, before: &Opened, path: String) -> Result<Arc<Opened>, StoreError> {
        // Nothing reads the new file before that.
        if let Home::File(file) = &*before.home {
            file.remove_log()?;
        }
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
        Ok(self.go_on_with(opened, before))
    }

    fn go_on_with(&self, opened: Opened, before: &Opened) -> Arc<Opened> {
        let opened = Arc::new(opened);
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&opened);
        // Whoever still has a connection of it finds out before that counts for anything.
        let pool = before.pool.clone();
        tokio::spawn(async move { pool.close().await });
        opened
    }

    /// A new connection, beside the pool.
    pub(super) async fn connect(&self) -> Result<(Arc<Opened>, AnyConnection), StoreError> {
        loop {
            let opened = self.current().await?;
            let connection = opened.connect().await;
            if opened.verify().is_ok() {
                return Ok((opened, connection?));
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_to_another_server_tells_of_a_move() {
        let home = Home::Server(Server::default());
        let Home::Server(server) = &home else { unreachable!() };
        for run in ["one", "one"] {
            server.met(run.to_owned());
            home.verify().unwrap();
        }
        server.met("two".to_owned());
        server.met("one".to_owned());
        assert!(matches!(home.verify(), Err(StoreError::Moved)), "connections lead to both");
    }
}
