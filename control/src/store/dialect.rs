//! The little in which SQLite and PostgreSQL differ.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::str::FromStr as _;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AnyPool, Executor as _, Row as _};

use super::StoreError;
use super::usage::{self, OfRows};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Which database, and what it lets us see of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// SQLite in WAL mode.
    Sqlite,
    /// PostgreSQL; `shows_history` when we may ask for its system identifier and timeline, which
    /// some managed services forbid.
    Postgres { shows_history: bool },
}

/// F5: what was committed survives a crash. WAL, so that readers and the writer don't wait for
/// each other; the busy timeout is for other processes on the same file.
const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// F5 and F1: durable commits, and no change holds the counter while its process is stopped. No
/// query here is long enough to be worth compiling, but in a young database, whose tables have
/// never been analysed, PostgreSQL expects thousands of rows and spends a second on it.
const POSTGRES_SESSION: &str = "SET synchronous_commit = on; SET jit = off; \
     SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '10s';";

/// Whether it is a standby, and which run of which server it is: a copy of a server starts at another
/// time. Every role may ask.
const POSTGRES_SERVER: &str = "SELECT current_setting('transaction_read_only') AS read_only, \
     CAST(extract(epoch FROM pg_postmaster_start_time()) AS text) AS server";

/// The timeline is that of the WAL being written: the last checkpoint's lags behind a promotion.
const POSTGRES_HISTORY: &str = "SELECT system_identifier::text || '.' \
     || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()";

/// The state of the feed in one row: whose it is, how far it is, and what it has for `$1`.
macro_rules! feed_head {
    (identity: $identity:literal, now: $now:literal) => {
        concat!(
            "SELECT d.identity",
            $identity,
            " AS identity, c.revision, (SELECT stamp FROM revisions WHERE revision = c.revision) \
             AS stamp, (SELECT stamp FROM revisions WHERE revision = $1) AS stamp_of_asked, ",
            $now,
            " AS now FROM revision_counter c, database_identity d"
        )
    };
}

const SQLITE_HEAD: &str = feed_head!(
    identity: "",
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
);
const POSTGRES_HEAD: &str = feed_head!(
    identity: "",
    now: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
);
/// The random identity too: the databases of one server share its system identifier.
const POSTGRES_HEAD_WITH_HISTORY: &str = feed_head!(
    identity: " || '.' || (SELECT system_identifier::text FROM pg_control_system()) \
        || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8)",
    now: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
);

impl Dialect {
    pub(super) fn of(url: &str) -> Result<Self, StoreError> {
        match url.split(':').next() {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres { shows_history: false }),
            _ => Err(StoreError::UnknownScheme),
        }
    }

    /// The file of a SQLite database; none for one in memory.
    pub(super) fn file(self, url: &str) -> Result<Option<PathBuf>, StoreError> {
        let Self::Sqlite = self else { return Ok(None) };
        let options = SqliteConnectOptions::from_str(url)?;
        let path = options.get_filename();
        // What sqlx makes of `sqlite::memory:`.
        let in_memory = path.to_string_lossy().starts_with("file:");
        Ok((!in_memory).then(|| path.to_owned()))
    }

    /// Makes a SQLite file where there is none, for our own user alone: it holds password hashes.
    /// SQLite gives the files beside it the same mode.
    pub(super) fn make_file(self, url: &str) -> Result<(), StoreError> {
        let Some(path) = self.file(url)? else { return Ok(()) };
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                Err(StoreError::File { path: path.display().to_string(), cause })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Sets up a new connection. The answer tells, for PostgreSQL, which server it leads to.
    pub(super) async fn prepare(
        self,
        connection: &mut AnyConnection,
    ) -> Result<Option<String>, sqlx::Error> {
        let session = match self {
            Self::Sqlite => SQLITE_SESSION,
            Self::Postgres { .. } => POSTGRES_SESSION,
        };
        connection.execute(sqlx::raw_sql(session)).await?;
        let Self::Postgres { .. } = self else { return Ok(None) };
        let row = sqlx::query(POSTGRES_SERVER).fetch_one(connection).await?;
        if row.try_get::<&str, _>("read_only")? == "on" {
            return Err(sqlx::Error::Configuration(Box::new(StoreError::ReadOnly)));
        }
        row.try_get("server").map(Some)
    }

    /// Finds out what the database lets us see of itself.
    pub(super) async fn probe(self, pool: &AnyPool) -> Result<Self, StoreError> {
        let Self::Postgres { .. } = self else { return Ok(self) };
        match sqlx::query_scalar::<_, String>(POSTGRES_HISTORY).fetch_one(pool).await {
            Ok(_) => Ok(Self::Postgres { shows_history: true }),
            Err(sqlx::Error::Database(refusal)) => {
                tracing::warn!(
                    error = %refusal,
                    "PostgreSQL doesn't show its system identifier and timeline: a failover that \
                     lost commits is seen by the revisions' stamps alone"
                );
                Ok(self)
            }
            Err(other) => Err(other.into()),
        }
    }

    pub(super) fn has_one_writer(self) -> bool {
        self == Self::Sqlite
    }

    pub(super) fn migrator(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE_MIGRATIONS,
            Self::Postgres { .. } => &POSTGRES_MIGRATIONS,
        }
    }

    /// How a change begins: at once as the writer on SQLite; on PostgreSQL the counter's row lock
    /// does that, and READ COMMITTED lets each statement after it see all that was committed
    /// before (sync.md F1).
    pub(super) fn begin_change(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres { .. } => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        }
    }

    /// How several statements read one snapshot (sync.md F3).
    pub(super) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres { .. } => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// How usage is written.
    pub(super) fn of_rows(self) -> OfRows {
        match self {
            Self::Sqlite => usage::SQLITE,
            Self::Postgres { .. } => usage::POSTGRES,
        }
    }

    pub(super) fn feed_head(self) -> &'static str {
        match self {
            Self::Sqlite => SQLITE_HEAD,
            Self::Postgres { shows_history: false } => POSTGRES_HEAD,
            Self::Postgres { shows_history: true } => POSTGRES_HEAD_WITH_HISTORY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_names_the_database() {
        assert_eq!(Dialect::of("sqlite://condagate.db").unwrap(), Dialect::Sqlite);
        for url in ["postgres://u@h/d", "postgresql://u@h/d"] {
            assert_eq!(Dialect::of(url).unwrap(), Dialect::Postgres { shows_history: false });
        }
        assert!(matches!(Dialect::of("mysql://u@h/d"), Err(StoreError::UnknownScheme)));
    }
}
