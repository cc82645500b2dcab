//! A fresh database for one test.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;

use super::postgres;
use crate::Store;

/// An empty database that is gone after the test: a SQLite file with this value, a PostgreSQL
/// database with the test process.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A SQLite file in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("control.db").display());
        Self { url, _folder: Some(folder) }
    }

    /// A database in the test process's own PostgreSQL server, which is started for the first.
    pub async fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let maintenance: sqlx::postgres::PgConnectOptions =
            postgres::url("postgres").parse().expect("a URL");
        let mut connection = maintenance.connect().await.expect("the test's PostgreSQL");
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(create).await.expect("a fresh database");
        connection.close().await.expect("a clean end");
        Self { url: postgres::url(&name), _folder: None }
    }

    /// One that is there already, and stays after the test.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: None }
    }

    /// Its URL, as `database.url` in the configuration.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Connects to it and brings it to this version's schema.
    pub async fn store(&self) -> Store {
        let store = Store::connect(&self.url, 8).await.expect("a connection");
        store.migrate().await.expect("the schema");
        store
    }
}
