//! The control database of a test, and what an admin does in it, through the use cases.

use std::sync::Arc;
use std::time::Duration;

use access::source::Revision;
use access::{
    ChannelName, Clock, Limits, ManualClock, Permission, Privacy, SystemClock, Timestamp, TokenId,
};
use control::testing::TestDatabase;
use control::usecases::channel::{self, NewChannel};
use control::usecases::proof::{self, Proof};
use control::usecases::token::{self, Expiry, TokenOrder};
use control::usecases::usage::{self, UsageOrder};
use control::usecases::{Page, group, service_account, user};
use control::{Actor, Control, Settings, StorageName, Store, UsageBy, UsageSum};
use sqlx::AssertSqlSafe;
use tokio::runtime::Runtime;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The password of `alice`, the admin.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Which database a gateway follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// An admin with access to a database of their own.
pub(crate) struct Admin {
    runtime: Runtime,
    database: TestDatabase,
    store: Store,
    actor: Actor,
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) id: TokenId,
    pub(crate) value: String,
    pub(crate) expires: Timestamp,
    /// The change that made it.
    pub(crate) revision: Revision,
}

impl Admin {
    /// Makes the database and the admin.
    pub(crate) fn of(kind: Database) -> Self {
        let runtime = runtime();
        let database = match kind {
            Database::Sqlite => TestDatabase::sqlite(),
            Database::Postgres => runtime.block_on(TestDatabase::postgres()),
        };
        Self::in_database(runtime, database)
    }

    /// Makes the admin in an empty database that is there already.
    pub(crate) fn at(url: &str) -> Self {
        Self::in_database(runtime(), TestDatabase::at(url))
    }

    fn in_database(runtime: Runtime, database: TestDatabase) -> Self {
        let (store, actor) = runtime.block_on(async {
            let store = database.store().await;
            let control = Control::new(store.clone(), Settings::default(), Arc::new(SystemClock));
            let admin = user::create_admin(&control, "alice", PASSWORD).await;
            let actor = Actor::console_as(admin.unwrap().value.principal.id, "alice");
            (store, actor)
        });
        Self { runtime, database, store, actor }
    }

    /// `database.url` of this database.
    pub(crate) fn url(&self) -> &str {
        self.database.url()
    }

    /// Has a use case done, as the admin.
    pub(crate) fn does<T>(
        &self,
        what: impl AsyncFnOnce(&Control, &Actor) -> Result<T, control::Error>,
    ) -> T {
        let control = self.control(Arc::new(SystemClock), &["main"]);
        self.runtime.block_on(what(&control, &self.actor)).unwrap()
    }

    /// Makes a channel with its service account: its files are in `prefix` of the storage.
    pub(crate) fn channel(&self, name: &str, privacy: Privacy, storage: &str, prefix: &str) {
        let control = self.control(Arc::new(SystemClock), &[storage]);
        let new = NewChannel {
            name: channel_name(name),
            description: String::new(),
            privacy,
            storage: Some(storage.to_owned()),
            prefix: Some(prefix.to_owned()),
            include_subchannels: false,
        };
        self.runtime.block_on(async {
            channel::create(&control, &self.actor, new).await.unwrap();
            service_account::create(&control, &self.actor, &channel_name(name)).await.unwrap();
        });
    }

    /// Lets the service account of `channel` reach another channel too.
    pub(crate) fn let_in(&self, channel: &str, other: &str) {
        let control = self.control(Arc::new(SystemClock), &[]);
        let (group, member) = (format!("{}_owners", other.replace('/', ":")), account(channel));
        let added = group::add_member(&control, &self.actor, &group, &member);
        self.runtime.block_on(added).unwrap();
    }

    /// Issues a token for reading these channels, to the service account of the first.
    pub(crate) fn token(&self, channels: &[&str]) -> Issued {
        self.token_from(SystemClock.now(), 90 * DAY, channels)
    }

    /// The same, as of another time and for another lifespan.
    pub(crate) fn token_from(
        &self,
        now: Timestamp,
        lifespan: Duration,
        channels: &[&str],
    ) -> Issued {
        self.issue(now, order(lifespan, channels, Limits::default()))
    }

    /// The same, held to limits.
    pub(crate) fn limited_token(&self, channels: &[&str], limits: Limits) -> Issued {
        self.issue(SystemClock.now(), order(90 * DAY, channels, limits))
    }

    fn issue(&self, now: Timestamp, order: TokenOrder) -> Issued {
        let control = self.control(Arc::new(ManualClock::at(now)), &[]);
        let account = account(order.channels[0].as_str());
        let made = token::create(&control, &self.actor, &account, order);
        let made = self.runtime.block_on(made).unwrap();
        let value = made.value.secret.reveal().to_owned();
        let token = made.value.token;
        Issued { id: token.id, value, expires: token.expires_at, revision: made.revision }
    }

    /// Sums of what was downloaded, as far as reported.
    pub(crate) fn usage(&self, by: UsageBy) -> Vec<UsageSum> {
        let control = self.control(Arc::new(SystemClock), &[]);
        let (token, channel, package, from, to) = (None, None, None, None, None);
        let order = UsageOrder { token, channel, package, from, to, by };
        let page = Page::first();
        self.runtime.block_on(usage::list(&control, &self.actor, &order, &page)).unwrap().items
    }

    /// When and from where a token was used last.
    pub(crate) fn last_use(&self, token: &Issued) -> Option<(Timestamp, String)> {
        let control = self.control(Arc::new(SystemClock), &[]);
        self.runtime.block_on(token::get(&control, &self.actor, token.id)).unwrap().last_used
    }

    /// Revokes a token; the answer is the change's revision.
    pub(crate) fn revoke(&self, token: &Issued) -> Revision {
        let control = self.control(Arc::new(SystemClock), &[]);
        self.runtime.block_on(token::revoke(&control, &self.actor, token.id)).unwrap().revision
    }

    /// What is known of a change, after waiting for at most `wait` for it to be in force.
    pub(crate) fn prove(&self, revision: Revision, wait: Duration) -> Proof {
        let control = self.control(Arc::new(SystemClock), &[]);
        self.runtime.block_on(proof::prove(&control, revision, wait)).unwrap()
    }

    /// Whether the database is PostgreSQL.
    pub(crate) fn is_on_postgres(&self) -> bool {
        self.database.is_postgres()
    }

    /// Does something in the database behind the use cases' back.
    pub(crate) fn sql(&self, sql: impl Into<String>) {
        let sql = sql.into();
        let pool = self.store.pool();
        let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&pool);
        self.runtime.block_on(done).unwrap_or_else(|why| panic!("{why}: {sql}"));
    }

    /// Reads a column of text from the database.
    pub(crate) fn texts(&self, sql: impl Into<String>) -> Vec<String> {
        let sql = sql.into();
        let pool = self.store.pool();
        let read = sqlx::query_scalar(AssertSqlSafe(sql.clone())).fetch_all(&pool);
        self.runtime.block_on(read).unwrap_or_else(|why| panic!("{why}: {sql}"))
    }

    fn control(&self, clock: Arc<dyn Clock>, storages: &[&str]) -> Control {
        let storage =
            |name: &&str| StorageName { name: (*name).to_owned(), kind: "directory".to_owned() };
        let storages = storages.iter().map(storage).collect();
        Control::new(self.store.clone(), Settings { storages, ..Settings::default() }, clock)
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// A time this long ago.
pub(crate) fn ago(by: Duration) -> Timestamp {
    let now = SystemClock.now().as_millis();
    Timestamp::from_millis(now - i64::try_from(by.as_millis()).unwrap())
}

fn order(lifespan: Duration, channels: &[&str], limits: Limits) -> TokenOrder {
    TokenOrder {
        name: format!("token-{}", unique()),
        description: String::new(),
        expires: Expiry::In(lifespan),
        permission: Permission::Read,
        channels: channels.iter().map(|name| channel_name(name)).collect(),
        admin: false,
        limits,
    }
}

fn account(channel: &str) -> String {
    format!("service-account-channel-{}", channel.replace('/', ":"))
}

fn channel_name(name: &str) -> ChannelName {
    name.parse().unwrap()
}

fn unique() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}
