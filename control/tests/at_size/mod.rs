//! A control plane with 100,000 tokens, 10,000 channels and 5,000 groups of 200 members.

use std::sync::Arc;
use std::time::Duration;

use access::{Clock as _, Day, SystemClock, Timestamp};
use control::testing::TestDatabase;
use control::usecases::user::{self, NewUser};
use control::{Actor, Control, Role, Settings, StorageName};
use sqlx::AssertSqlSafe;

/// How long the slowest but one of twenty answers may take.
pub(crate) const BOUND: Duration = Duration::from_millis(50);
/// How often each request is made.
pub(crate) const TIMES: usize = 40;
pub(crate) const PASSWORD: &str = "correct horse";

/// On top of an admin `root`, principal 1, who owns every channel, and a user `alice`, principal 2,
/// who is in 200 groups: 5,000 users, 10,000 channels with their accounts and 5,000 groups, each of
/// 200 of them and with permissions on 20 channels. An account has nine tokens, that of `channel-1`
/// ten thousand more; a fifth of the tokens is revoked, a fifth expired, a few have used up their
/// day. `$1` is a time, `$2` its day.
const FILL: &[&str] = &[
    "CREATE TABLE numbers (n BIGINT PRIMARY KEY)",
    "INSERT INTO numbers WITH RECURSIVE up (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
     SELECT n + 1 FROM up WHERE n < 200000) SELECT n FROM up",
    "INSERT INTO principals (kind, name, created_at) \
     SELECT 'user', 'user-' || n, 0 FROM numbers WHERE n <= 5000 ORDER BY n",
    "INSERT INTO users (principal_id, display_name, email, role, password_hash) \
     SELECT id, name, '', 'user', '' FROM principals WHERE id > 2",
    "INSERT INTO channels (name, description, privacy, storage, prefix, include_subchannels, \
     created_at, created_by) SELECT 'channel-' || n, 'of a team', CASE n % 10 WHEN 0 THEN 'public' \
     WHEN 1 THEN 'authenticated' ELSE 'private' END, 'main', 'channel-' || n, 0, 0, 1 \
     FROM numbers WHERE n <= 10000 ORDER BY n",
    "INSERT INTO principals (kind, name, created_at) SELECT 'service_account', \
     'service-account-channel-' || name, 0 FROM channels ORDER BY id",
    "INSERT INTO service_accounts (principal_id, channel_id) SELECT p.id, c.id FROM channels c \
     JOIN principals p ON p.name = 'service-account-channel-' || c.name AND p.deleted_at IS NULL",
    "INSERT INTO groups (name, description, owners_of, created_at) \
     SELECT name || '_owners', '', id, 0 FROM channels ORDER BY id",
    "INSERT INTO groups (name, description, created_at) \
     SELECT 'group-' || n, 'a team', 0 FROM numbers WHERE n <= 5000 ORDER BY n",
    "INSERT INTO group_permissions (group_id, channel_id, permission) \
     SELECT id, owners_of, 3 FROM groups WHERE owners_of IS NOT NULL",
    "INSERT INTO group_permissions (group_id, channel_id, permission) SELECT g.id, \
     (g.id * 131 + n * 17) % 10000 + 1, n % 3 + 1 FROM groups g JOIN numbers ON n <= 20 \
     WHERE g.owners_of IS NULL",
    "INSERT INTO group_members (group_id, principal_id, added_at) \
     SELECT id, 1, 0 FROM groups WHERE owners_of IS NOT NULL",
    "INSERT INTO group_members (group_id, principal_id, added_at) SELECT g.id, s.principal_id, 0 \
     FROM groups g JOIN service_accounts s ON s.channel_id = g.owners_of",
    "INSERT INTO group_members (group_id, principal_id, added_at) SELECT g.id, \
     (g.id * 37 + n * 73) % 15000 + 3, 0 FROM groups g JOIN numbers ON n <= 200 \
     WHERE g.owners_of IS NULL",
    "INSERT INTO group_members (group_id, principal_id, added_at) \
     SELECT id, 2, 0 FROM groups WHERE owners_of IS NULL AND id % 25 = 0",
    "INSERT INTO tokens (principal_id, name, description, permission, admin, created_at, \
     created_by, issued_at, expires_at, revoked_at, revoked_revision, bytes_per_day) \
     SELECT CASE WHEN n <= 90000 THEN n % 10000 ELSE 0 END + 5003, 'token-' || n, '', n % 3 + 1, 0, \
     $1 - 2592000000, 1, $1 - 2592000000, CASE n % 5 WHEN 1 THEN $1 - 1000 ELSE $1 + 2592000000 END, \
     CASE n % 5 WHEN 0 THEN $1 - 1000 END, CASE n % 5 WHEN 0 THEN n END, \
     CASE n % 1000 WHEN 2 THEN 1 END FROM numbers WHERE n <= 100000 ORDER BY n",
    "INSERT INTO token_channels (token_id, channel_id) \
     SELECT t.id, s.channel_id FROM tokens t JOIN service_accounts s USING (principal_id)",
    "INSERT INTO token_channels (token_id, channel_id) \
     SELECT id, id * 7 % 10000 + 1 FROM tokens WHERE id > 1000 AND id % 3 = 0 ON CONFLICT DO NOTHING",
    "INSERT INTO token_last_used (token_id, last_used_at, last_used_from) \
     SELECT id, $1, '192.0.2.1' FROM tokens WHERE id % 2 = 0",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT id, -1, '*', $2, 1, 1, 1 FROM tokens WHERE id % 2 = 0",
    "INSERT INTO revisions (revision, stamp, at) SELECT n, n, 0 FROM numbers WHERE n BETWEEN 10 AND 100000",
    "UPDATE revision_counter SET revision = 100000",
    "INSERT INTO audit_events (at, actor, via, action, target_kind, target_id, target) SELECT \
     $1 - 200000 + n, 'user-' || n % 5000, 'session', 'action-' || n % 30, 'channel', n % 10000, \
     'channel-' || n % 10000 FROM numbers ORDER BY n",
];
const DONE: &str = "DROP TABLE numbers";
const SQLITE_VALUES: &str = "randomblob(32)";
const POSTGRES_VALUES: &str = "sha256(CAST(CAST(id AS TEXT) AS BYTEA))";

/// The control plane on this database, with an admin `root` and a user `alice`; `more` is added in the
/// same way.
pub(crate) async fn control(database: &TestDatabase, more: &[&str]) -> Control {
    let storages = vec![StorageName { name: "main".into(), kind: "directory".into() }];
    let settings = Settings { storages, ..Settings::default() };
    let control = Control::new(database.store().await, settings, Arc::new(SystemClock));
    let root = user::create_admin(&control, "root", PASSWORD).await.unwrap().value.principal;
    let root = Actor::console_as(root.id, root.name);
    let alice = NewUser {
        name: "alice".into(),
        display_name: String::new(),
        email: String::new(),
        role: Role::User,
        password: PASSWORD.into(),
    };
    user::create(&control, &root, alice).await.unwrap();
    fill(&control, SystemClock.now(), (database.is_postgres(), more)).await;
    control
}

/// The middle and the 95th of a hundred.
pub(crate) fn percentiles(mut took: Vec<Duration>) -> (Duration, Duration) {
    took.sort();
    (took[TIMES / 2], took[TIMES * 95 / 100 - 1])
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn fill(control: &Control, now: Timestamp, (is_postgres, more): (bool, &[&str])) {
    let mut db = control.store().pool().acquire().await.unwrap();
    if !is_postgres {
        // Room for the largest index while it is filled in no order.
        sqlx::query("PRAGMA cache_size = -400000").execute(&mut *db).await.unwrap();
    }
    let today: Day = now.day();
    let digest = if is_postgres { POSTGRES_VALUES } else { SQLITE_VALUES };
    let values = format!(
        "INSERT INTO token_values (digest, token_id, hint, created_at) \
         SELECT {digest}, id, 'abcd', 0 FROM tokens"
    );
    // What autovacuum does of itself elsewhere.
    let end = if is_postgres { "VACUUM ANALYZE" } else { "ANALYZE" };
    for sql in FILL.iter().chain(more).copied().chain([values.as_str(), DONE, end]) {
        let sql = sql
            .replace("$1", &now.as_millis().to_string())
            .replace("$2", &today.number().to_string());
        let done = sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut *db).await;
        done.unwrap_or_else(|why| panic!("{why}: {sql}"));
    }
    let sizes = "SELECT (SELECT count(*) FROM tokens) || ' tokens, ' || (SELECT count(*) \
         FROM channels) || ' channels, ' || (SELECT count(*) FROM group_members) || ' members'";
    println!("{}", sqlx::query_scalar::<_, String>(sizes).fetch_one(&mut *db).await.unwrap());
}
