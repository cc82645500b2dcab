//! That what is asked often goes along an index, by the plans of both databases: on a database of
//! some size, since a planner reads a small table whole.

use sqlx::{AssertSqlSafe, Row as _};

use super::{
    AuditFilter, Connection, Store, audit, channels, groups, memberships, principals, pruning,
    reach, revisions, service_accounts, sessions, source, tokens, usage, users,
};
use crate::testing::TestDatabase;

/// Channels `c0001` to `c2000` with a group of owners each, 2,000 users, who are in ten groups
/// each, and events.
const FILL: &[&str] = &[
    "INSERT INTO principals (kind, name, created_at) SELECT 'user', 'u' || n, 0 FROM numbers",
    "INSERT INTO users (principal_id, display_name, email, role, password_hash) \
     SELECT id, name, '', 'user', '' FROM principals",
    "INSERT INTO channels (name, description, privacy, storage, prefix, include_subchannels, \
     created_at, created_by) SELECT 'c' || n, '', 'private', 's', 'c' || n, 0, 0, 1 FROM numbers",
    "INSERT INTO groups (name, description, owners_of, created_at) \
     SELECT name || '_owners', '', id, 0 FROM channels",
    "INSERT INTO group_permissions (group_id, channel_id, permission) \
     SELECT id, owners_of, 3 FROM groups",
    "INSERT INTO group_members (group_id, principal_id, added_at) SELECT g.id, \
     (g.id * 7 + n * 191) % 2000 + 1, 0 FROM groups g JOIN numbers ON n <= 10",
    "INSERT INTO principals (kind, name, created_at) SELECT 'service_account', \
     'service-account-channel-' || name, 0 FROM channels",
    "INSERT INTO service_accounts (principal_id, channel_id) SELECT p.id, c.id FROM channels c \
     JOIN principals p ON p.name = 'service-account-channel-' || c.name",
    "INSERT INTO tokens (principal_id, name, description, permission, admin, created_at, \
     created_by, issued_at, expires_at) SELECT id, 't', '', 1, 0, 0, 1, 0, 1000000 FROM principals",
    "INSERT INTO token_channels (token_id, channel_id) SELECT id, id % 2000 + 1 FROM tokens",
    "INSERT INTO token_values (digest, token_id, hint, created_at) SELECT digest, n, 'abcd', 0 \
     FROM numbers",
    "INSERT INTO sessions (digest, principal_id, created_at, expires_at) \
     SELECT digest, n, 0, 1000000 + n FROM numbers",
    "INSERT INTO audit_events (at, actor, via, action, target_kind, target_id, target) \
     SELECT n, 'u' || n, 'console', 'a' || n % 50, 'channel', n, 'c' || n FROM numbers",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT n % 50, n % 7, 'p' || n % 100, n, 1, 1, 0 FROM numbers",
    "ANALYZE",
];

const SQLITE_NUMBERS: &str = "CREATE TABLE numbers AS WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL \
     SELECT n + 1 FROM up WHERE n < 2000) SELECT n, randomblob(32) AS digest FROM up";
const POSTGRES_NUMBERS: &str = "CREATE TABLE numbers AS SELECT n, decode(md5(n::text) || \
     md5(n::text || 'x'), 'hex') AS digest FROM generate_series(1, 2000) AS up (n)";

/// A name's range, and a view of principal 7 through no token, as `NameRange` binds them.
const LIST: &[&str] = &["'c5'", "'c5~'", "100", "7", "0", "0"];
const LIST_ALL: &[&str] = &["''", "'~'", "100", "7", "0", "1"];

/// The page of names after one, nothing searched for, and a view, as `Look` binds them.
const LOOK: &[&str] = &["'%'", "'c5'", "0", "7", "0", "0", "51"];
/// With a moment.
const USED: &[&str] = &["'%'", "'c5'", "0", "7", "0", "0", "51", "5"];
/// With two days.
const OVERVIEW: &[&str] = &["'%'", "'c5'", "0", "7", "0", "0", "51", "5", "9"];

/// A page of principal 7's tokens at a moment of a day, of any status, by a beginning.
const TOKENS: &[&str] = &["5", "0", "7", "0", "''", "'t'", "100"];
/// A page of principal 7's active tokens with something in their name, after a place.
const BROWSED: &[&str] = &["5", "0", "7", "'%t%'", "'active'", "3", "1", "51"];
const FOUND: &[&str] = &[
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
    "18", "19", "20",
];
const BROWSED_BY_NAME: &[&str] = &["5", "0", "7", "'%t%'", "'active'", "'a'", "1", "51"];
/// The ten most of a channel on some days, among ten thousand.
const TOP: &[&str] = &["1", "5", "9", "10000", "10"];
/// Principal 7's, at a moment of a day, through no token.
const EXPIRING: &[&str] = &["5", "0", "100", "7", "0", "0", "0", "0", "9", "1"];
/// A column's value without a literal of its own in both dialects: no token has it.
const DIGEST: &str = "(SELECT digest FROM token_values WHERE token_id = 0)";

/// What is asked, with literals for its parameters.
fn queries() -> Vec<(&'static str, String, &'static [&'static str])> {
    let said = |text: &str| Some(text.to_owned());
    let filter = |actor, action, target| {
        let filter = AuditFilter { actor, action, target, ..AuditFilter::default() };
        audit::filtered(&filter)
    };
    let text = str::to_owned;
    vec![
        ("channels", text(channels::LIST_SEEN), LIST),
        ("channels, all", text(channels::LIST_SEEN), LIST_ALL),
        ("channels with their downloads", text(channels::SEEN_BY_NAME), OVERVIEW),
        ("one channel", text(channels::FIND), &["'c5'", "7", "0"]),
        ("channels held", text(channels::LIST_HELD), LIST),
        ("channels managed", text(channels::LIST_MANAGED), LIST),
        ("channels managed, used", text(channels::MANAGED_BY_NAME), USED),
        ("a channel's id", text(channels::ID_BY_NAME), &["'c5'"]),
        ("service accounts", text(service_accounts::LIST), LIST),
        ("service accounts, all", text(service_accounts::LIST), LIST_ALL),
        ("an account", text(service_accounts::BY_NAME), &["'service-account-channel-c5'"]),
        ("a channel's account", text(service_accounts::BY_CHANNEL), &["7"]),
        ("the use of an account", text(service_accounts::TOKEN_USE), &["7", "5"]),
        ("a principal", text(principals::BY_ID), &["7"]),
        ("a principal's name", text(principals::BY_NAME), &["'u7'"]),
        ("users", text(users::LIST), &["'u5'", "'u5~'", "100"]),
        ("users looked through", text(users::LOOK_BY_NAME), &["'%'", "'u5'", "0", "51"]),
        ("a sign-in", text(users::SIGN_IN), &["'u7'"]),
        ("an admin", text(users::AN_ADMIN), &[]),
        ("a user's sessions", text(sessions::LIST), &["7", "5", "0", "100"]),
        ("sessions that ended", text(pruning::SESSIONS), &["5", "1000"]),
        ("requests that were", text(pruning::REPEATABLE), &["5", "1000"]),
        ("old changes", text(pruning::CHANGES), &["5", "1000"]),
        ("a proof", text(revisions::FIND), &["5"]),
        ("a user's other sessions", text(sessions::DELETE_OTHERS), &["7", "5"]),
        ("usage by day", text(usage::BY_DAY), &["-1", "-1", "'*'", "5", "9", "100"]),
        ("usage by token", text(usage::BY_TOKEN), &["-1", "'*'", "0", "5", "9", "100"]),
        ("usage by channel", text(usage::BY_CHANNEL), &["-1", "'*'", "0", "5", "9", "100"]),
        ("usage by package", text(usage::BY_PACKAGE), &["-1", "-1", "''", "5", "9", "100"]),
        ("the packages with most", text(usage::TOP_PACKAGES), TOP),
        ("the tokens with most", text(usage::TOP_TOKENS), TOP),
        ("tokens used of late", text(source::RECENTLY_USED), &["5", "100"]),
        ("events", filter(None, None, None), &["100", "200", "9", "100"]),
        ("events of an actor", filter(said(""), None, None), &["0", "900", "9", "100", "'u7'"]),
        ("events of an action", filter(None, said(""), None), &["0", "900", "9", "100", "'a7'"]),
        ("events on a target", filter(None, None, said("")), &["0", "900", "9", "100", "'c7'"]),
    ]
}

/// The same of groups, and of what they give to whom.
fn of_groups() -> Vec<(&'static str, String, &'static [&'static str])> {
    let text = str::to_owned;
    vec![
        ("groups", text(groups::LIST_SEEN), LIST),
        ("groups, all", text(groups::LIST_SEEN), LIST_ALL),
        ("groups looked through", text(groups::LOOK_BY_NAME), LOOK),
        ("one group", text(groups::FIND), &["'c5_owners'"]),
        ("one group, seen", text(groups::FIND_SEEN), &["'c5_owners'", "7", "0", "0"]),
        ("members", text(groups::MEMBER_PRINCIPALS), &["7", "1000", "'u'", "''"]),
        ("how many members", text(groups::MEMBER_COUNT), &["7"]),
        ("members touched", text(groups::MEMBERS), &["7", "1001"]),
        ("users in a group", text(groups::USERS_IN), &["7"]),
        ("what a user owns alone", text(groups::OWNED_ALONE), &["7"]),
        (
            "a group's permissions",
            text(groups::PERMISSIONS),
            &["7", "1000", "7", "0", "0", "''", "'c'"],
        ),
        ("a channel's groups", text(reach::GROUPS_ON), &["7", "9", "''", "11", "'%'"]),
        ("what an account reaches", text(reach::REACHED_BY), &["7", "''", "''", "''", "11"]),
        (
            "what can be granted",
            text(reach::GRANTABLE),
            &["'%'", "''", "2007", "7", "21", "7", "2007"],
        ),
        ("who is in fewer groups", text(reach::IN_FEWER_GROUPS), &["2007", "7"]),
        ("the most that is held", text(reach::MOST_HELD), &["7"]),
        (
            "whether all of a group's is managed",
            text(memberships::MANAGES_ALL_OF),
            &["7", "7", "0"],
        ),
        ("what is managed of it", text(memberships::MANAGED_OF), &["7", "7", "0", "'c'", "'d'"]),
        ("what is held", text(memberships::HELD), &["7", "7"]),
    ]
}

/// The same of tokens.
fn of_tokens() -> Vec<(&'static str, String, &'static [&'static str])> {
    let text = str::to_owned;
    vec![
        ("tokens", text(tokens::LIST), TOKENS),
        ("how many tokens", text(tokens::COUNTS), BROWSED),
        ("tokens by name", text(tokens::BY_NAME.0), BROWSED_BY_NAME),
        ("tokens by name, down", text(tokens::BY_NAME.1), BROWSED_BY_NAME),
        ("tokens by permission", text(tokens::BY_PERMISSION.0), BROWSED),
        ("tokens by creation", text(tokens::BY_CREATED.0), BROWSED),
        ("tokens by end", text(tokens::BY_EXPIRES.1), BROWSED),
        ("what is held of those found", text(tokens::HOLDINGS_OF_FOUND), FOUND),
        ("tokens by use", text(tokens::BY_USED.0), BROWSED),
        ("tokens that end", text(tokens::EXPIRING), EXPIRING),
        ("what is held of those", text(tokens::HOLDINGS_OF_EXPIRING), EXPIRING),
        ("how many end", text(tokens::COUNT_EXPIRING), &["5", "9"]),
        ("a token", text(tokens::BY_ID), &["5", "0", "7"]),
        ("what is held of a token's channels", text(tokens::HOLDINGS_BY_ID), &["7"]),
        ("what is held of those tokens' channels", text(tokens::HOLDINGS_OF_LIST), TOKENS),
        ("a token's name", text(tokens::NAME_IN_USE), &["7", "'t'"]),
        ("a token presented", text(tokens::PRESENTED), &[DIGEST, "5"]),
        ("a value of a token", text(tokens::FIND), &[DIGEST]),
        ("revoking what one issued", text(tokens::REVOKE_WITH_ISSUED), &["7", "5", "5"]),
        ("revoking what one holds", text(tokens::REVOKE_ALL_OF), &["7", "5", "5"]),
        ("revoking with a channel", text(tokens::REVOKE_ONLY_ON), &["7", "5", "5"]),
        ("values revoked", text(tokens::REVOKED_BY), &["5", "1001"]),
        ("tokens revoked", text(tokens::IDS_REVOKED_BY), &["5"]),
        ("when they were revoked", text(tokens::LAST_REVOKED), &["7"]),
    ]
}

async fn filled(database: &TestDatabase) -> Store {
    let store = database.store().await;
    let numbers = if database.is_postgres() { POSTGRES_NUMBERS } else { SQLITE_NUMBERS };
    for sql in std::iter::once(&numbers).chain(FILL) {
        sqlx::query(*sql).execute(&store.pool()).await.expect(sql);
    }
    store
}

/// A query with literals for its parameters, the last first: `$1` begins `$10`.
fn bound(sql: &str, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(sql.to_owned(), |sql, (at, value)| sql.replace(&format!("${}", at + 1), value))
}

/// The lines of a query's plan.
async fn plan(db: &mut Connection, sql: &str, is_postgres: bool) -> Vec<String> {
    let explain = if is_postgres { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
    let column = if is_postgres { 0 } else { 3 };
    let rows = sqlx::query(AssertSqlSafe(format!("{explain} {sql}"))).fetch_all(db).await;
    rows.expect(sql).iter().map(|row| row.get::<String, _>(column)).collect()
}

/// Whether a line of a plan seeks one membership, by group and principal.
fn seeks_a_membership(line: &str) -> bool {
    let whose = ["SEARCH joined USING", "Index Cond"].iter().any(|begin| line.contains(begin));
    whose && line.contains("group_id") && line.contains("principal_id")
}

/// Whether a line of a plan reads a table from one end to the other.
fn reads_whole_table(line: &str) -> bool {
    // What a query makes itself, SQLite scans too; and an index in whose order it reads until it has
    // enough.
    const READ: [&str; 20] = [
        "SCAN CONSTANT ROW",
        "SCAN keys",
        "SCAN sums",
        "SCAN recent",
        "SCAN most",
        "SCAN reached",
        "SCAN named",
        "SCAN listed",
        "SCAN i",
        "SCAN issued",
        "SCAN used",
        "SCAN either",
        "SCAN live",
        "SCAN pairs",
        "SCAN managed",
        "SCAN seen",
        "SCAN page",
        "SCAN summed",
        "SCAN u USING COVERING INDEX token_last_used_at",
        "SCAN l USING INDEX tokens_issued",
    ];
    let made = READ.contains(&line) || line.starts_with("SCAN (subquery");
    line.contains("Seq Scan on") || (line.starts_with("SCAN") && !made)
}

crate::on_both_databases! {
    async fn what_is_asked_often_goes_along_an_index(database: TestDatabase) {
        let mut db = filled(database).await.reader().await.unwrap();
        if database.is_postgres() {
            // A table of this size is read whole where that is cheaper; with this only where
            // nothing else is possible.
            sqlx::query("SET enable_seqscan = off").execute(&mut *db).await.unwrap();
        }
        for (name, sql, values) in queries().into_iter().chain(of_groups()).chain(of_tokens()) {
            let sql = bound(&sql, values);
            let plan = plan(&mut db, &sql, database.is_postgres()).await;
            let whole = plan.iter().any(|line| reads_whole_table(line));
            assert!(!whole, "{name}:\n{}\n{sql}", plan.join("\n"));
            // What is held on a channel is found from the channel's side, whoever asks.
            let from_channel = !sql.contains(" joined ") || plan.iter().any(|line| seeks_a_membership(line));
            assert!(from_channel, "{name}:\n{}\n{sql}", plan.join("\n"));
        }
        // From the latest day on, and not all of a channel to choose from.
        for (sql, index) in [
            (usage::TOP_PACKAGES, "usage_days_of_packages"),
            (usage::TOP_TOKENS, "usage_days_of_tokens"),
        ] {
            let sql = bound(sql, TOP);
            let plan = plan(&mut db, &sql, database.is_postgres()).await;
            assert!(plan.iter().any(|line| line.contains(index)), "{}", plan.join("\n"));
        }
        let whole = "SELECT 1 FROM channels WHERE description = 'x'";
        let plan = plan(&mut db, whole, database.is_postgres()).await;
        assert!(plan.iter().any(|line| reads_whole_table(line)), "{plan:?}");
    }
}
