//! The control database: SQLite on one machine, PostgreSQL for more (architecture.md,
//! "Databases"). Every query is written once and runs on both; what differs is in `dialect`.

mod audit;
mod change;
mod channels;
mod dialect;
mod file;
mod gateway_role;
mod gateways;
mod groups;
mod inspect;
mod leases;
mod look;
mod membership;
mod memberships;
mod opened;
mod pattern;
#[cfg(test)]
mod plans;
mod principals;
mod pruning;
mod range;
mod reach;
mod repeats;
mod revisions;
mod rows;
mod service_accounts;
mod sessions;
mod signals;
mod source;
mod tokens;
mod usage;
mod users;
mod write;

use std::sync::{Arc, OnceLock};

use std::time::Duration;

use access::Clock;
use sqlx::migrate::{AppliedMigration, Migrate as _, MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use audit::{AuditEvent, AuditFilter};
pub(crate) use audit::{AuditPosition, Event, Target, list_audit_events};
pub(crate) use change::{Change, MORE_THAN_ENTRIES};
use dialect::Dialect;
pub use gateway_role::GatewayRoleError;
pub use inspect::{Durability, Inspection};
pub use look::Look;
pub(crate) use look::LookedAt;
pub use membership::GatewaySource;
pub(crate) use memberships::*;
pub(crate) use opened::Opened;
use opened::{Opener, Way};
pub(crate) use pattern::Pattern;
pub(crate) use pruning::{Past, last_revision_before};
pub(crate) use range::NameRange;
pub use reach::{Grantable, Reach};
pub(crate) use reach::{grantable_channels, groups_on, most_held, reached_by};
pub(crate) use repeats::{Repeated, find_repeated, keep_answer, repeatable_since};
pub(crate) use revisions::*;
use signals::Listening;
pub(crate) use signals::Signals;
pub(crate) use write::Write;
pub use {
    channels::*, gateways::*, groups::*, principals::*, service_accounts::*, sessions::*,
    tokens::*, usage::*, users::*,
};

#[cfg(feature = "testing")]
use crate::testing::Hooks;

/// Why the control database didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that condagate speaks to.
    #[error(
        "`database.url` begins with neither `sqlite:` nor `postgres:`; write \
         `sqlite://condagate.db` or `postgres://user@host/condagate`"
    )]
    UnknownScheme,
    /// The database is a read-only standby (sync.md F5).
    #[error("the control database is read-only; connect to the primary server")]
    ReadOnly,
    /// The file of a SQLite database can't be made.
    #[error("making the control database {path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// The file of a SQLite database is no longer at its path.
    #[error(
        "the file of the control database, {path}, is gone: {cause}; put it back, or stop every \
         condagate process and begin with another one"
    )]
    Gone {
        /// The path.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Another file has taken the place of a SQLite database's.
    #[error(
        "the file of the control database, {path}, was replaced by another one meanwhile; see \
         whether what was changed is in that, and change it again if it isn't"
    )]
    Replaced {
        /// The path.
        path: String,
    },
    /// The file that has taken the place of a SQLite database's is of another version.
    #[error(
        "the file of the control database, {path}, was replaced by one that another version of \
         condagate made; run `condagate migrate`, or put a backup of this version there"
    )]
    OtherVersion {
        /// The path.
        path: String,
    },
    /// The name of a PostgreSQL database leads to another server than before, or that was restarted.
    #[error(
        "the control database's name led to another server meanwhile, or that was restarted; see \
         whether what was changed is there, and change it again if it isn't"
    )]
    Moved,
    /// The database can't be reached, or refused a statement.
    #[error("the control database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or the database was made by a newer condagate.
    #[error("bringing the control database to this version: {0}")]
    Migration(#[from] MigrateError),
    /// A row holds what this version of condagate doesn't know.
    #[error(
        "the control database holds `{value}` as {what}, which this version doesn't know; was it \
         changed by hand or by a newer condagate?"
    )]
    Unreadable {
        /// What was to be read.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// A list was to begin where no list of its kind can begin.
    #[error("the cursor is none of this list")]
    NotACursor,
    /// The same request came twice at once, and the other one was faster.
    #[error("this request is being done already; send it again for its answer")]
    Repeated,
    /// The system gave no randomness.
    #[error("the system gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

impl StoreError {
    /// Whether another change holds the database, and would not let go in time: `lock_not_available`
    /// of PostgreSQL, `SQLITE_BUSY`.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("55P03" | "5"))
    }
}

/// `gateway.lease` where it isn't set.
const DEFAULT_LEASE: Duration = Duration::from_secs(180);

/// How far a database's schema is from what this version needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// How many of this version's migrations the database has.
    pub applied: usize,
    /// How many it lacks; `condagate migrate` brings them.
    pub pending: usize,
    /// How many it has that this version doesn't know: it was migrated by a newer condagate.
    pub unknown: usize,
}

impl MigrationStatus {
    fn of(migrator: &Migrator, done: &[AppliedMigration]) -> Self {
        let applied = done.iter().filter(|m| migrator.version_exists(m.version)).count();
        let pending = migrator.iter().count() - applied;
        Self { applied, pending, unknown: done.len() - applied }
    }
}

/// How far a database is from this version's schema.
async fn migration_status(dialect: Dialect, pool: &AnyPool) -> Result<MigrationStatus, StoreError> {
    let migrator = dialect.migrator();
    let mut connection = pool.acquire().await?;
    connection.ensure_migrations_table(&migrator.table_name).await?;
    let done = connection.list_applied_migrations(&migrator.table_name).await?;
    Ok(MigrationStatus::of(migrator, &done))
}

/// A pool of connections to the control database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    opener: Arc<Opener>,
    dialect: Dialect,
    listening: Arc<OnceLock<Listening>>,
    /// SQLite has one writer; waiting here is fair, waiting for its lock file is not.
    one_writer: Option<Arc<Semaphore>>,
    #[cfg(feature = "testing")]
    hooks: Hooks,
}

impl Store {
    /// Connects to the database that `url` names: `sqlite://FILE` (made when there is none) or
    /// `postgres://USER@HOST/NAME`.
    ///
    /// # Errors
    /// [`StoreError`] when the URL names no known database, or it can't be reached.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        Self::connect_for(url, max_connections, DEFAULT_LEASE).await
    }

    /// The same for gateways with this lease: connections to PostgreSQL are made anew after half of
    /// it, so that a server that is no longer the database is left before a gateway that has left
    /// it is waited for no more.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_for(
        url: &str,
        max_connections: u32,
        lease: Duration,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        dialect.make_file(url)?;
        let (url, connections_last) = (url.into(), lease / 2);
        let way = Way { url, dialect, max_connections, connections_last };
        let opener = Opener::open(way).await?;
        let dialect = opener.dialect();
        let one_writer = dialect.has_one_writer().then(|| Arc::new(Semaphore::new(1)));
        Ok(Self {
            opener: Arc::new(opener),
            dialect,
            listening: Arc::default(),
            one_writer,
            #[cfg(feature = "testing")]
            hooks: Hooks::default(),
        })
    }

    /// Brings the database to the schema of this version; nothing to do is fine.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when a migration fails (it is rolled back), or when the database
    /// was migrated by a newer condagate.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(self.dialect.migrator().run(&self.opened().await?.pool).await?)
    }

    /// How far the database is from this version's schema.
    ///
    /// # Errors
    /// [`StoreError`] when the database doesn't answer.
    pub async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        migration_status(self.dialect, &self.opened().await?.pool).await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError`] when it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM revision_counter").execute(&mut *self.reader().await?).await?;
        Ok(())
    }

    /// Ends every connection, once its work is done.
    pub async fn close(&self) {
        if let Some(listening) = self.listening.get() {
            listening.end().await;
        }
        self.opener.last().pool.close().await;
    }

    /// Where a gateway's feed and lease come from, on a connection of its own (sync.md F6).
    pub fn gateway_source(&self, clock: Arc<dyn Clock>) -> GatewaySource {
        GatewaySource::new(self.clone(), clock)
    }

    /// Whom the database wakes, from now on.
    pub(crate) fn signals(&self) -> Signals {
        self.listening.get_or_init(|| Listening::begin(&self.opener)).signals()
    }

    /// Whoever writes waits here first: SQLite has one writer, and this queue is fair.
    async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, StoreError> {
        match &self.one_writer {
            Some(turn) => {
                let turn = Arc::clone(turn).acquire_owned().await;
                Ok(Some(turn.map_err(|_closed| sqlx::Error::PoolClosed)?))
            }
            None => Ok(None),
        }
    }

    /// A connection for reading, outside of any change.
    pub(crate) async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, StoreError> {
        Ok(self.opener.acquire().await?.1)
    }

    /// A new connection, beside the pool.
    async fn connection(&self) -> Result<(Arc<Opened>, AnyConnection), StoreError> {
        self.opener.connect().await
    }

    /// The database as it is opened now; anew when another file has taken its place.
    pub(crate) async fn opened(&self) -> Result<Arc<Opened>, StoreError> {
        self.opener.current().await
    }

    /// This store with steps at which a test can hold its changes.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// The pool itself, for tests that look behind the use cases.
    #[cfg(feature = "testing")]
    pub fn pool(&self) -> AnyPool {
        self.opener.last().pool.clone()
    }
}

/// A connection inside or outside of a transaction, as every query takes it.
pub(crate) type Connection = AnyConnection;
