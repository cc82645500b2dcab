//! The database's URL.

use super::Secret;

/// Which database engine a [`DatabaseUrl`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// The embedded default, for one machine.
    Sqlite,
    /// For more than one gateway machine.
    PostgreSql,
}

/// Where the database is: `sqlite://FILE` or `postgres://USER@HOST/DATABASE`. A secret, since it
/// may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseUrl {
    kind: DatabaseKind,
    url: Secret,
}

impl DatabaseUrl {
    /// The database engine.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The URL with its password, for the one place that connects.
    pub fn reveal(&self) -> &str {
        self.url.reveal()
    }

    /// The SQLite database in `file`.
    pub fn sqlite(file: &str) -> Self {
        Self { kind: DatabaseKind::Sqlite, url: Secret::new(format!("sqlite://{file}")) }
    }
}
