//! A SQLite file that is replaced or removed while it is open (sync.md F4). Whoever has it open
//! would go on with what nobody else sees.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use access::lease::{Instance, LeaseSource as _, LeaseTerms, Registration, Renewal};
use access::{GrantSource as _, Permission};
use control::testing::{Hooks, Step, TestDatabase};
use control::usecases::{proof, token};
use control::{Error, Observer, Store, StoreError};
use futures_util::FutureExt as _;
use sqlx::AssertSqlSafe;

use crate::world::{World, order};

const LEASE: Duration = Duration::from_secs(180);

/// A database, and a backup of it in the same folder.
struct Scene {
    database: TestDatabase,
    w: World,
}

impl Scene {
    async fn new() -> Self {
        let database = TestDatabase::sqlite();
        let w = World::new(&database).await;
        w.account("a").await;
        Self { database, w }
    }

    fn path(&self) -> PathBuf {
        self.database.url().trim_start_matches("sqlite://").into()
    }

    fn copy(&self) -> PathBuf {
        self.path().with_file_name("copy.db")
    }

    /// Makes the backup.
    async fn back_up(&self) {
        let sql = format!("VACUUM INTO '{}'", self.copy().display());
        sqlx::query(AssertSqlSafe(sql)).execute(&self.w.control.store().pool()).await.unwrap();
    }

    /// Puts the backup over the file.
    fn replace(&self) {
        fs::rename(self.copy(), self.path()).unwrap();
    }

    async fn issue(&self, name: &str) -> token::Issued {
        let order = order(name, Permission::Read, &["a"]);
        self.w.token(&self.w.admin, "service-account-channel-a", order).await.unwrap()
    }
}

fn registration(instance: &Instance) -> Registration {
    let terms =
        LeaseTerms { lease: LEASE, serve_known: Duration::ZERO, public_grace: Duration::ZERO };
    let (name, version) = ("gw".to_owned(), "1".to_owned());
    Registration { instance: instance.clone(), name, version, terms }
}

fn is_replaced(error: &Error) -> bool {
    matches!(error, Error::Store(StoreError::Replaced { .. }))
}

#[tokio::test]
async fn f4_everybody_goes_on_with_the_new_file_and_gateways_begin_anew() {
    let s = Scene::new().await;
    let gateway = s.w.control.store().gateway_source(s.w.clock.clone());
    let instance = Instance("one".to_owned());
    gateway.register(registration(&instance)).await.unwrap();
    let kept = s.issue("kept").await;
    s.back_up().await;
    let begun = gateway.begin(10).await.unwrap().applied;
    assert_eq!(s.w.feed().await, begun, "the same file by either way");
    s.replace();

    // Not a change was made since, and all the same it may be another life of the database.
    let read = gateway.feed(begun.clone()).await.unwrap();
    assert!(read.continuing(&begun).is_none());
    assert_ne!(s.w.feed().await.database, begun.database);
    assert_eq!(gateway.renew(instance).await.unwrap(), Renewal::Committed, "its row was copied");

    // Not in the file that is gone, but in the one that another process opens.
    token::revoke(&s.w.control, &s.w.admin, kept.token.id).await.unwrap();
    let other = Store::connect(s.database.url(), 2).await.unwrap();
    let standing = other.load(kept.secret.digest()).await.unwrap().grant.unwrap().standing;
    assert!(matches!(standing, access::Standing::Revoked(_)), "{standing:?}");
    let woken = tokio::time::timeout(Duration::from_secs(10), gateway.woken());
    woken.await.expect("a signal").unwrap();
}

#[tokio::test]
async fn the_log_of_the_old_file_does_not_get_into_the_new_one() {
    let s = Scene::new().await;
    s.back_up().await;
    // What is in the log alone; whoever reads keeps it from being written into the file.
    let mut reader = s.w.control.store().pool().acquire().await.unwrap();
    sqlx::query("BEGIN").execute(&mut *reader).await.unwrap();
    let before: i64 = count(&mut reader).await;
    for n in 0..50 {
        s.issue(&format!("t{n}")).await;
    }
    s.replace();
    s.w.feed().await;
    let other = Store::connect(s.database.url(), 1).await.unwrap();
    let mut db = other.pool().acquire().await.unwrap();
    let whole: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *db).await.unwrap();
    assert_eq!((&*whole, count(&mut db).await), ("ok", before));
    // Nor do those who have the old one still open take the new one's log with them.
    s.issue("new").await;
    sqlx::query("ROLLBACK").execute(&mut *reader).await.unwrap();
    drop(reader);
    s.issue("newer").await;
    assert_eq!(count(&mut db).await, before + 2);
    let whole: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *db).await.unwrap();
    assert_eq!(whole, "ok");
}

async fn count(db: &mut sqlx::AnyConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tokens").fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn a_change_that_was_made_in_the_old_file_is_not_said_to_be_made() {
    let s = Scene::new().await;
    let issued = s.issue("t").await;
    s.back_up().await;
    let (hooks, pause) = Hooks::pausing_at(Step::Decided);
    let held = s.w.held_by(hooks);
    let (admin, id) = (s.w.admin.clone(), issued.token.id);
    let revoking = tokio::spawn(async move { token::revoke(&held, &admin, id).await });
    pause.reached().await;
    s.replace();
    pause.go_on();
    let refusal = revoking.await.unwrap().unwrap_err();
    assert!(is_replaced(&refusal), "{refusal}");
    assert!(!s.w.is_revoked(&issued).await);
}

#[tokio::test]
async fn a_proof_that_is_waited_for_is_not_given_for_another_files_change() {
    let s = Scene::new().await;
    let gateway = s.w.control.store().gateway_source(s.w.clock.clone());
    s.back_up().await;
    gateway.register(registration(&Instance("one".to_owned()))).await.unwrap();
    let issued = s.issue("t").await;
    let revision = token::revoke(&s.w.control, &s.w.admin, issued.token.id).await.unwrap().revision;
    let mut proving = Box::pin(proof::prove(&s.w.control, revision, Duration::from_secs(60)));
    assert!(proving.as_mut().now_or_never().is_none(), "it has begun");
    // The gateway isn't in the backup: in that, changes are proven at once.
    s.replace();
    for n in s.w.feed().await.revision.0..revision.0 {
        s.w.channel(&s.w.admin, &format!("c{n}")).await.unwrap();
    }
    let proved = tokio::time::timeout(Duration::from_secs(10), proving).await;
    let refusal = proved.expect("an answer").unwrap_err();
    assert!(is_replaced(&refusal), "{refusal}");
}

#[tokio::test]
async fn l5_what_an_observer_saw_in_the_old_file_does_not_count_in_the_new_one() {
    let s = Scene::new().await;
    let gateway = s.w.control.store().gateway_source(s.w.clock.clone());
    gateway.register(registration(&Instance("one".to_owned()))).await.unwrap();
    s.back_up().await;
    let mut observer = Observer::new(s.w.control.store().clone(), s.w.clock.clone());
    observer.look().await.unwrap();
    s.w.clock.advance(LEASE / 2);
    s.replace();
    s.w.channel(&s.w.admin, "b").await.unwrap();
    let revision = s.w.feed().await.revision;
    observer.look().await.unwrap();
    s.w.clock.advance(LEASE / 2);
    observer.look().await.unwrap();
    let waited = |proof: proof::Proof| proof.confirmed_at.is_none();
    let ask = || proof::prove(&s.w.control, revision, Duration::ZERO);
    assert!(waited(ask().await.unwrap()), "it may have renewed in the old file since");
    s.w.clock.advance(LEASE / 2);
    observer.look().await.unwrap();
    assert!(!waited(ask().await.unwrap()));
}

#[tokio::test]
async fn a_file_that_is_gone_is_missed_until_it_is_back() {
    let s = Scene::new().await;
    let gateway = s.w.control.store().gateway_source(s.w.clock.clone());
    let instance = Instance("one".to_owned());
    gateway.register(registration(&instance)).await.unwrap();
    let begun = gateway.begin(10).await.unwrap().applied;
    fs::rename(s.path(), s.copy()).unwrap();
    for refusal in [
        gateway.feed(begun.clone()).await.unwrap_err(),
        gateway.renew(instance.clone()).await.unwrap_err(),
    ] {
        assert!(refusal.to_string().contains("control.db, is gone: No such file"), "{refusal}");
    }
    let refusal = s.w.channel(&s.w.admin, "b").await.unwrap_err();
    assert!(matches!(refusal, Error::Store(StoreError::Gone { .. })), "{refusal}");
    assert!(!s.path().exists(), "none is made in its place");

    s.replace();
    assert_eq!(gateway.renew(instance).await.unwrap(), Renewal::Committed);
    let read = gateway.feed(begun.clone()).await.unwrap();
    assert_eq!(read.continuing(&begun), Some(&[][..]), "the same file");
    s.w.channel(&s.w.admin, "b").await.unwrap();
}

#[tokio::test]
async fn a_file_of_another_version_is_refused_until_it_is_migrated() {
    let s = Scene::new().await;
    drop(Store::connect(&format!("sqlite://{}", s.copy().display()), 1).await.unwrap());
    s.replace();
    let refusal = s.w.channel(&s.w.admin, "b").await.unwrap_err();
    assert!(matches!(refusal, Error::Store(StoreError::OtherVersion { .. })), "{refusal}");
    let other = s.database.store().await;
    assert_eq!(other.migration_status().await.unwrap().pending, 0);
    let found = s.w.control.store().begin(0).await.unwrap();
    assert_eq!(found.applied.revision.0, 0);
}
