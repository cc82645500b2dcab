//! Looking at a database without changing it, for `condagate check`: no file, table or setting is
//! made, which [`Store::connect`] and [`Store::migrate`] do.

use access::{Channel, Clock as _, SystemClock};
use sqlx::migrate::Migrate as _;
use sqlx::{AnyConnection, Connection as _, Row as _};

use super::channels::channel;
use super::dialect::Dialect;
use super::source::CHANNELS;
use super::{MigrationStatus, Store, StoreError};

/// What a database tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How far it is from this version's schema.
    pub migrations: MigrationStatus,
    /// Whether what is committed survives a crash (sync.md F5).
    pub durability: Durability,
    /// By how many milliseconds the database's clock is ahead of this machine's (sync.md T5).
    pub skew_ms: i64,
    /// Every channel by name; none unless the database is of this version.
    pub channels: Vec<Channel>,
}

/// The settings by which commits are durable, as the database has them (sync.md F5). What
/// condagate sets in each session of its own is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Durability {
    /// SQLite.
    Sqlite {
        /// `wal` once condagate has used the file.
        journal_mode: String,
    },
    /// PostgreSQL; each as `SHOW` prints it.
    Postgres {
        /// Whether the server waits for the disk at all.
        fsync: String,
        /// Whether a page torn by a crash is repaired.
        full_page_writes: String,
        /// The default of this role; condagate's sessions have `on`.
        synchronous_commit: String,
        /// `on` on a standby.
        transaction_read_only: String,
        /// Which standbys have a commit before it is answered; empty when none need to.
        synchronous_standby_names: String,
        /// How many servers receive what is written here.
        standbys: i64,
    },
}

const MIGRATED_SQLITE: &str =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1";
const MIGRATED_POSTGRES: &str = "SELECT count(*) FROM information_schema.tables \
     WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1";

const POSTGRES_NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const POSTGRES_DURABILITY: &str = "SELECT current_setting('fsync') AS fsync, \
     current_setting('full_page_writes') AS full_page_writes, \
     current_setting('synchronous_commit') AS synchronous_commit, \
     current_setting('transaction_read_only') AS transaction_read_only, \
     current_setting('synchronous_standby_names') AS synchronous_standby_names, \
     (SELECT count(*) FROM pg_stat_replication) AS standbys";

impl Store {
    /// Looks at the database that `url` names without changing it. A SQLite file must be there.
    ///
    /// # Errors
    /// [`StoreError`] when the URL names no known database, or it can't be reached or read.
    pub async fn inspect(url: &str) -> Result<Inspection, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let mut connection = AnyConnection::connect(&read_only(dialect, url)).await?;
        let durability = durability(dialect, &mut connection).await?;
        let skew_ms = skew_ms(dialect, &mut connection).await?;
        let migrations = migrations(dialect, &mut connection).await?;
        let mut channels = Vec::new();
        if migrations.pending == 0 && migrations.unknown == 0 {
            for row in sqlx::query(CHANNELS).fetch_all(&mut connection).await? {
                channels.push(channel(&row)?);
            }
        }
        channels.sort_by(|a: &Channel, b| a.name.cmp(&b.name));
        connection.close().await?;
        Ok(Inspection { migrations, durability, skew_ms, channels })
    }
}

fn read_only(dialect: Dialect, url: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("{}?mode=ro", url.split('?').next().unwrap_or(url)),
        Dialect::Postgres { .. } => url.to_owned(),
    }
}

async fn durability(
    dialect: Dialect,
    connection: &mut AnyConnection,
) -> Result<Durability, StoreError> {
    match dialect {
        Dialect::Sqlite => {
            let query = sqlx::query_scalar("PRAGMA journal_mode");
            Ok(Durability::Sqlite { journal_mode: query.fetch_one(connection).await? })
        }
        Dialect::Postgres { .. } => {
            let row = sqlx::query(POSTGRES_DURABILITY).fetch_one(connection).await?;
            Ok(Durability::Postgres {
                fsync: row.try_get("fsync")?,
                full_page_writes: row.try_get("full_page_writes")?,
                synchronous_commit: row.try_get("synchronous_commit")?,
                transaction_read_only: row.try_get("transaction_read_only")?,
                synchronous_standby_names: row.try_get("synchronous_standby_names")?,
                standbys: row.try_get("standbys")?,
            })
        }
    }
}

/// SQLite has this machine's clock.
async fn skew_ms(dialect: Dialect, connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let Dialect::Postgres { .. } = dialect else { return Ok(0) };
    let asked = SystemClock.now().as_millis();
    let told: i64 = sqlx::query_scalar(POSTGRES_NOW).fetch_one(connection).await?;
    let answered = SystemClock.now().as_millis();
    // It was told somewhere in between; the best of it is assumed.
    Ok(told - told.clamp(asked, answered.max(asked)))
}

async fn migrations(
    dialect: Dialect,
    connection: &mut AnyConnection,
) -> Result<MigrationStatus, StoreError> {
    let migrator = dialect.migrator();
    let query = match dialect {
        Dialect::Sqlite => MIGRATED_SQLITE,
        Dialect::Postgres { .. } => MIGRATED_POSTGRES,
    };
    let tables: i64 =
        sqlx::query_scalar(query).bind(&*migrator.table_name).fetch_one(&mut *connection).await?;
    let done = match tables {
        0 => Vec::new(),
        _ => connection.list_applied_migrations(&migrator.table_name).await?,
    };
    Ok(MigrationStatus::of(migrator, &done))
}
