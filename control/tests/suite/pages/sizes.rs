//! No page grows with what the organisation has: each is below 100 KB, whatever there is, with all that
//! a browser asks for when it comes for the first time. How fast they are with a hundred thousand tokens is measured by `page_speed`.

use control::testing::TestDatabase;
use sqlx::AssertSqlSafe;

use super::browser::Browser;
use crate::world::World;

/// How many bytes a page may have, with its style, scripts and icons.
const SIZE: usize = 100_000;

/// On top of `root`, 1, `alice`, 2, the channel `a`, 1, and its account, 3: three hundred users, channels
/// and groups, of which each has more than fits on a page of everything else, with the longest
/// descriptions, and the account tokens for a hundred channels. `$1` is a time, `$2` its day, `$3` the
/// longest text.
const FILL: &[&str] = &[
    "CREATE TABLE numbers (n BIGINT PRIMARY KEY)",
    "INSERT INTO numbers WITH RECURSIVE up (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
     SELECT n + 1 FROM up WHERE n < 300) SELECT n FROM up",
    "INSERT INTO principals (kind, name, created_at) \
     SELECT 'user', 'user-with-a-name-of-some-length-' || n, 0 FROM numbers ORDER BY n",
    "INSERT INTO users (principal_id, display_name, email, role, password_hash) \
     SELECT id, 'Somebody With Names', name || '@example.com', 'user', '' FROM principals WHERE id > 3",
    "INSERT INTO channels (name, description, privacy, storage, prefix, include_subchannels, \
     created_at, created_by) SELECT 'a-team-with-a-name/and-a-channel-of-some-length-' || n, $3, 'private', \
     'main', 'x', 0, 0, 1 FROM numbers ORDER BY n",
    "INSERT INTO groups (name, description, created_at) \
     SELECT 'group-with-a-name-of-some-length-' || n, $3, 0 FROM numbers ORDER BY n",
    "INSERT INTO group_permissions (group_id, channel_id, permission) \
     SELECT g.id, 1, 3 FROM groups g WHERE g.owners_of IS NULL",
    "INSERT INTO group_permissions (group_id, channel_id, permission) \
     SELECT g.id, c.id, 3 FROM groups g JOIN channels c ON c.id > 1 WHERE g.id = 2",
    "INSERT INTO group_members (group_id, principal_id, added_at) \
     SELECT g.id, p.id, 0 FROM groups g JOIN principals p ON p.id > 2 OR g.id = 2 WHERE g.owners_of IS NULL",
    "INSERT INTO tokens (principal_id, name, description, permission, admin, created_at, \
     created_by, issued_at, expires_at, networks) SELECT 3, 'a-token-with-a-name-of-some-length-' || n, $3, 3, 0, \
     $1, 1, $1, $1 + 2592000, NULL FROM numbers ORDER BY n",
    "INSERT INTO tokens (principal_id, name, description, permission, admin, created_at, \
     created_by, issued_at, expires_at) SELECT 1, name, description, 3, 0, created_at, 1, issued_at, expires_at \
     FROM tokens WHERE id <= 100 ORDER BY id",
    "INSERT INTO token_channels (token_id, channel_id) \
     SELECT t.id, c.id FROM tokens t JOIN channels c ON c.id BETWEEN 2 AND 101",
    "INSERT INTO token_last_used (token_id, last_used_at, last_used_from) \
     SELECT id, $1, '2001:db8:1234:5678:9abc:def0:1234:5678' FROM tokens",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT -1, 1, '*', $2 - n + 1, 1000 + n, 1000000000 + n, 7 FROM numbers WHERE n <= 90",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT -1, 1, 'a-package-with-a-name-of-some-length-' || n, $2, n, 1000 * n, 0 FROM numbers",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT id, 1, '*', $2, id, 1000 * id, 1 FROM tokens",
    "INSERT INTO audit_events (at, actor, via, action, target_kind, target_id, target, before, after) SELECT \
     $1, 'user-with-a-name-of-some-length-' || n, 'session', 'token.edit', 'token', n, \
     'a-token-with-a-name-of-some-length-' || n, NULL, NULL FROM numbers ORDER BY n",
    "INSERT INTO gateways (instance, name, version, started_at, applied_revision, applied_stamp, renewal, \
     renewed_at, lease_ms, serve_known_ms) SELECT 'instance-' || n, 'gateway-with-a-name-of-some-length-' || n, \
     '1.0.0', $1, 0, 0, 1, 0, 1000, 0 FROM numbers",
];
const SQLITE_VALUES: &str = "randomblob(32)";
const POSTGRES_VALUES: &str = "sha256(CAST(CAST(id AS TEXT) AS BYTEA))";

/// The pages of `root`, who is in a group that manages every channel.
const PAGES: &[&str] = &[
    "/channels",
    "/channels/new",
    "/channels/a",
    "/channels/a/service-accounts",
    "/channels/a/members",
    "/channels/a/usage?days=90",
    "/channels/a/settings/delete",
    "/service-accounts/service-account-channel-a",
    "/service-accounts/service-account-channel-a/channels",
    "/service-accounts/service-account-channel-a/tokens/new",
    "/service-accounts/service-account-channel-a/delete",
    "/tokens/1/edit",
    "/tokens/1/delete",
    "/me/tokens",
    "/me/tokens/new",
    "/org/service-accounts",
    "/org/service-accounts/a-team-with-a-name:and-a-channel-of-some-length-1/new",
    "/org/users",
    "/org/users/alice/edit",
    "/org/users/alice/delete",
    "/org/groups",
    "/org/groups/group-with-a-name-of-some-length-1",
    "/org/groups/group-with-a-name-of-some-length-1/delete",
    "/org/gateways",
    "/org/gateways/instance-1/forget",
    "/org/audit",
    "/org/leaked",
];

async fn filled(database: &TestDatabase) -> World {
    let w = World::new(database).await;
    w.account("a").await;
    let digest = if database.is_postgres() { POSTGRES_VALUES } else { SQLITE_VALUES };
    let values = format!(
        "INSERT INTO token_values (digest, token_id, hint, created_at) \
         SELECT {digest}, id, 'abcd', 0 FROM tokens"
    );
    let longest = format!("'{}'", "long ".repeat(200).trim_end());
    for sql in FILL.iter().copied().chain([values.as_str()]) {
        let sql = sql
            .replace("$1", &w.now().as_millis().to_string())
            .replace("$2", &w.now().day().number().to_string())
            .replace("$3", &longest);
        let done = sqlx::query(AssertSqlSafe(sql.clone())).execute(&w.control.store().pool()).await;
        done.unwrap_or_else(|why| panic!("{why}: {sql}"));
    }
    w
}

control::on_both_databases! {
    async fn no_page_grows_with_what_there_is(database: TestDatabase) {
        let w = filled(database).await;
        let mut browser = Browser::signed_in(&w, "root").await;
        let mut large = Vec::new();
        for path in PAGES {
            let page = browser.get(path).await;
            page.shows(200, &["</html>"]);
            let mut size = page.text.len();
            for asset in page.assets() {
                size += browser.weigh(asset).await;
            }
            if size > SIZE {
                large.push((path, size));
            }
        }
        assert!(large.is_empty(), "{large:?}");
    }
}
