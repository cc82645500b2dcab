//! The database itself: schema, identity, durability (sync.md F4, F5).

use access::GrantSource as _;
use access::source::{Applied, Revision};
use sqlx::Executor as _;

control::on_both_databases! {
    async fn migrating_twice_changes_nothing(database: TestDatabase) {
        let store = control::Store::connect(database.url(), 2).await.unwrap();
        let before = store.migration_status().await.unwrap();
        assert_eq!((before.applied, before.unknown), (0, 0));
        assert!(before.pending > 0);
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        let after = store.migration_status().await.unwrap();
        assert_eq!((after.applied, after.pending), (before.pending, 0));
        store.ping().await.unwrap();
    }

    async fn f4_each_database_has_an_identity_that_stays(database: TestDatabase) {
        let store = database.store().await;
        let first = store.begin(10).await.unwrap().applied;
        let again = database.store().await.begin(10).await.unwrap().applied;
        assert_eq!(first, again);
        assert_eq!(first.revision, Revision(0));
        let read = store.feed(first.clone()).await.unwrap();
        assert_eq!(read.continuing(&first), Some(&[][..]), "the feed goes on from the beginning");

        let other = if database.is_postgres() {
            control::testing::TestDatabase::postgres().await
        } else {
            control::testing::TestDatabase::sqlite()
        };
        let other = other.store().await.begin(10).await.unwrap().applied;
        assert_ne!(first.database, other.database);
        assert_ne!(first.stamp, other.stamp);
        if database.is_postgres() {
            let parts = first.database.0.split('.').count();
            assert_eq!(parts, 3, "{:?}: random, system identifier, timeline", first.database);
        }
    }

    async fn f4_a_revision_that_the_database_lacks_does_not_continue(database: TestDatabase) {
        let store = database.store().await;
        let now = store.begin(1).await.unwrap().applied;
        let ahead = Applied { revision: Revision(7), ..now };
        let read = store.feed(ahead.clone()).await.unwrap();
        assert_eq!(read.stamp_of_asked, None);
        assert!(read.continuing(&ahead).is_none());
    }

    async fn f5_commits_are_durable(database: TestDatabase) {
        let store = database.store().await;
        if database.is_postgres() {
            let query = "SELECT current_setting('synchronous_commit')";
            let on: String = sqlx::query_scalar(query).fetch_one(&store.pool()).await.unwrap();
            assert_eq!(on, "on");
            // Compiling a query of a young database takes longer than a lease is renewed in.
            let query = "SELECT current_setting('jit')";
            let jit: String = sqlx::query_scalar(query).fetch_one(&store.pool()).await.unwrap();
            assert_eq!(jit, "off");
        } else {
            let mode: String =
                sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.pool()).await.unwrap();
            let synchronous: i64 =
                sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.pool()).await.unwrap();
            assert_eq!((&*mode, synchronous), ("wal", 2), "WAL, and 2 is FULL");
        }
    }

    async fn audit_events_can_only_be_added(database: TestDatabase) {
        let store = database.store().await;
        let add = "INSERT INTO audit_events (at, actor, via, action, target_kind, target_id, target) \
             VALUES (0, 'a', 'console', 'user.create', 'user', 1, 'a')";
        store.pool().execute(add).await.unwrap();
        for sql in ["UPDATE audit_events SET actor = 'b'", "DELETE FROM audit_events"] {
            let refusal = store.pool().execute(sql).await.unwrap_err().to_string();
            assert!(refusal.contains("audit events are never"), "{sql}: {refusal}");
        }
    }
}

/// A role without rights over the server still sees which history it writes (sync.md F4).
#[tokio::test]
async fn f4_a_plain_postgresql_role_sees_system_identifier_and_timeline() {
    let database = control::testing::TestDatabase::postgres().await;
    let store = database.store().await;
    for sql in ["CREATE ROLE plain LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain"] {
        store.pool().execute(sql).await.unwrap();
    }
    let as_plain = database.url().replace("postgres@", "plain@");
    let plain = control::Store::connect(&as_plain, 1).await.unwrap();
    let seen = plain.begin(1).await.unwrap().applied;
    assert_eq!(seen, store.begin(1).await.unwrap().applied);
}

#[tokio::test]
async fn a_sqlite_file_is_made_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let url = format!("sqlite://{}", path.display());
    let store = control::Store::connect(&url, 2).await.unwrap();
    store.migrate().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
    let nowhere = format!("sqlite://{}/none/new.db", folder.path().display());
    let refusal = control::Store::connect(&nowhere, 2).await.unwrap_err().to_string();
    assert!(refusal.contains("/none/new.db: No such file"), "{refusal}");
}

#[tokio::test]
async fn a_database_of_another_kind_is_refused() {
    let refusal = control::Store::connect("mysql://u@h/d", 1).await.unwrap_err().to_string();
    assert!(refusal.contains("sqlite://"), "{refusal}");
}
