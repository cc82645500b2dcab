//! How fast usage is told from ten million recorded downloads, and taken in on top of them, on both
//! databases. Not a part of the usual run: it takes minutes and some gigabytes.
//!
//! ```sh
//! cargo test -p control --test usage_speed -- --ignored --nocapture --test-threads 1
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]
#![allow(clippy::print_stdout, reason = "what was measured is shown")]

use std::sync::Arc;
use std::time::Duration;

use access::usage::{LastUse, ReporterId, UsageCount, UsageKey, UsageReport};
use access::{
    ChannelId, ChannelName, Clock as _, Day, Permission, Privacy, SystemClock, TokenId,
    UsageSink as _,
};
use control::testing::TestDatabase;
use control::usecases::channel::{self, NewChannel};
use control::usecases::token::{self, Expiry, TokenOrder};
use control::usecases::usage::{self, UsageOrder};
use control::usecases::{Page, service_account, user};
use control::{Actor, Control, Settings, StorageName, UsageBy};
use sqlx::AssertSqlSafe;

/// How long a question may take.
const BOUND: Duration = Duration::from_millis(100);
/// How often each question is asked.
const TIMES: usize = 20;
/// How many counts a busy gateway puts into a report.
const COUNTS: i64 = 250;

/// Two thirds of a hundred thousand installations of 150 packages each, over a year and three at a
/// time, with a thousand tokens of which some do most of it, on a hundred channels with two thousand
/// packages: ten million downloads, summed up for each token, channel, package and day as reports
/// are.
const DOWNLOADS: &str = "INSERT INTO usage_days \
     (token_id, channel_id, package, day, downloads, bytes, addresses) \
     WITH RECURSIVE runs (run) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT run + 1 FROM runs WHERE run < 66666), \
     wanted (item) AS (SELECT 0 UNION ALL SELECT item + 1 FROM wanted WHERE item < 149), \
     by_token (token, day) AS (SELECT \
     1 + ((run / 3 * 7919) % 1000) * ((run / 3 * 104729) % 1000) / 1000, \
     $1 - run / 3 % 365 FROM runs) \
     SELECT token, 1 + token % 100, 'package-' || ((token * 7 + item * 13) % 2000), day, \
     count(*), sum(1000000 + item), 0 FROM by_token CROSS JOIN wanted GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";

/// What the sums stand for: `$token`, `$channel` or `$package`, or all of them.
const SUMS: [(&str, &str, &str); 7] = [
    ("token_id", "-1", "package"),
    ("-1", "channel_id", "package"),
    ("-1", "-1", "package"),
    ("token_id", "channel_id", "'*'"),
    ("token_id", "-1", "'*'"),
    ("-1", "channel_id", "'*'"),
    ("-1", "-1", "'*'"),
];

#[tokio::test]
#[ignore = "takes minutes"]
async fn sqlite() {
    measure("SQLite", &TestDatabase::sqlite()).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn postgres() {
    measure("PostgreSQL", &TestDatabase::postgres().await).await;
}

async fn measure(name: &str, database: &TestDatabase) {
    let store = database.store().await;
    let today = SystemClock.now().day();
    let storages = vec![StorageName { name: "main".into(), kind: "directory".into() }];
    let settings = Settings { storages, ..Settings::default() };
    let control = Control::new(store, settings, Arc::new(SystemClock));
    let admin = user::create_admin(&control, "root", "correct horse").await.unwrap().value;
    let admin = Actor::console_as(admin.principal.id, admin.principal.name);
    for number in 1..=100 {
        channel::create(&control, &admin, new_channel(&format!("channel-{number}"))).await.unwrap();
    }
    a_token(&control, &admin).await;
    fill(&control, today, database.is_postgres()).await;

    let (mut slowest, mut questions) = (Duration::ZERO, 0);
    for (what, order) in orders(today) {
        for limit in [Page::DEFAULT_LIMIT, Page::MAX_LIMIT] {
            let page = Page { limit, ..Page::first() };
            let mut took = Vec::with_capacity(TIMES);
            let mut rows = 0;
            for _ in 0..TIMES {
                let begun = SystemClock.moment();
                let found = usage::list(&control, &admin, &order, &page).await.unwrap();
                took.push(SystemClock.moment().since(begun));
                rows = found.items.len();
            }
            took.sort();
            // The first one may find nothing in memory; the second slowest of twenty is the 95th
            // percentile.
            let p95 = took[TIMES - 2];
            println!("{name}: {what}, {rows} rows of {limit}: {:.1} ms", millis(p95));
            slowest = slowest.max(p95);
            questions += 1;
        }
    }
    println!("{name}: {questions} questions, p95 of the slowest {:.1} ms", millis(slowest));
    report(name, &control, today).await;
    assert!(slowest <= BOUND, "{name}: {slowest:?}");
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn new_channel(channel: &str) -> NewChannel {
    NewChannel {
        name: channel.parse().unwrap(),
        description: String::new(),
        privacy: Privacy::Private,
        storage: None,
        prefix: None,
        include_subchannels: false,
    }
}

/// Token 1, on the channel that the downloads are spread to.
async fn a_token(control: &Control, admin: &Actor) {
    let channel: ChannelName = "channel-2".parse().unwrap();
    let account = service_account::create(control, admin, &channel).await.unwrap().value;
    let order = TokenOrder {
        name: "busy".into(),
        description: String::new(),
        expires: Expiry::In(Duration::from_secs(24 * 60 * 60)),
        permission: Permission::Read,
        channels: vec![channel],
        admin: false,
        limits: Default::default(),
    };
    let issued = token::create(control, admin, &account.name, order).await.unwrap().value;
    assert_eq!(issued.token.id, TokenId(1));
}

/// Writes the downloads and their sums, with the indexes made at the end: it is quicker so.
async fn fill(control: &Control, today: Day, is_postgres: bool) {
    let mut db = control.store().pool().acquire().await.unwrap();
    let catalog = if is_postgres {
        sqlx::query("SET work_mem = '512MB'").execute(&mut *db).await.unwrap();
        "SELECT CAST(indexname AS TEXT), indexdef FROM pg_indexes WHERE tablename = 'usage_days' \
         AND indexname NOT LIKE '%pkey'"
    } else {
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND name LIKE 'usage_days_%'"
    };
    let indexes: Vec<(String, String)> = sqlx::query_as(catalog).fetch_all(&mut *db).await.unwrap();
    assert_eq!(indexes.len(), 4);
    for (name, _) in &indexes {
        sqlx::query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(&mut *db).await.unwrap();
    }
    sqlx::query(DOWNLOADS).bind(today.number()).execute(&mut *db).await.unwrap();
    for (token, channel, package) in SUMS {
        let addresses = if package == "'*'" { "count(DISTINCT package) % 20" } else { "0" };
        let sql = format!(
            "INSERT INTO usage_days \
             (token_id, channel_id, package, day, downloads, bytes, addresses) \
             SELECT {token}, {channel}, {package}, day, sum(downloads), sum(bytes), {addresses} \
             FROM usage_days WHERE token_id >= 0 AND channel_id >= 0 AND package <> '*' \
             GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *db).await.unwrap();
    }
    for (_, index) in indexes {
        sqlx::query(AssertSqlSafe(index)).execute(&mut *db).await.unwrap();
    }
    if is_postgres {
        // What autovacuum does of itself elsewhere.
        sqlx::query("VACUUM ANALYZE usage_days").execute(&mut *db).await.unwrap();
    }
    let sql = "SELECT CAST(sum(downloads) AS BIGINT) FROM usage_days \
         WHERE token_id = -1 AND channel_id = -1 AND package = '*'";
    let downloads: i64 = sqlx::query_scalar(sql).fetch_one(&mut *db).await.unwrap();
    assert!(downloads >= 10_000_000, "{downloads}");
    let sql = "SELECT count(*) FROM usage_days";
    let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut *db).await.unwrap();
    println!("{downloads} downloads in {rows} rows");
}

/// Every way to sum up, of everything and of what has most, over a month and over a year.
fn orders(today: Day) -> Vec<(String, UsageOrder)> {
    let of = [
        ("of everything", None, None, None),
        ("of a token", Some(1), None, None),
        ("of a channel", None, Some("channel-2"), None),
        ("of a package", None, None, Some("package-20")),
        ("of a token on a channel", Some(1), Some("channel-2"), None),
        ("of a package on a channel", None, Some("channel-2"), Some("package-20")),
    ];
    let by = [
        ("by day", UsageBy::Day),
        ("by token", UsageBy::Token),
        ("by channel", UsageBy::Channel),
        ("by package", UsageBy::Package),
    ];
    let mut orders = Vec::new();
    for (of, token, channel, package) in of {
        for (by_name, by) in by {
            for days in [30, 365] {
                let order = UsageOrder {
                    token: token.map(TokenId),
                    channel: channel.map(|name: &str| name.parse::<ChannelName>().unwrap()),
                    package: package.map(str::to_owned),
                    from: Some(today.minus(days - 1)),
                    to: Some(today),
                    by,
                };
                orders.push((format!("{of} {by_name} over {days} days"), order));
            }
        }
    }
    orders
}

/// Takes in full reports, as a busy gateway sends them.
async fn report(name: &str, control: &Control, today: Day) {
    let reporter = ReporterId::generate().unwrap();
    let mut took = Vec::new();
    for number in 1..=20 {
        let key = |n: i64| {
            let (token, channel) = (Some(TokenId(1 + n % 50)), ChannelId(1 + n % 100));
            UsageKey { day: today, token, channel }
        };
        let counts = (0..COUNTS).map(|n| UsageCount {
            key: key(n),
            package: format!("package-{}", n * 13 % 2_000).into(),
            downloads: 1,
            bytes: 1_000_000,
        });
        let from = "192.0.2.1".parse().unwrap();
        let last_uses = (0..50).map(|n| LastUse { token: TokenId(n), at: SystemClock.now(), from });
        let report = UsageReport {
            reporter: reporter.clone(),
            number,
            made_at: SystemClock.now(),
            addresses: (0..200).map(|n| (key(n), from)).collect(),
            last_uses: last_uses.collect(),
            counts: counts.collect(),
        };
        let begun = SystemClock.moment();
        control.store().report(Arc::new(report)).await.unwrap();
        took.push(SystemClock.moment().since(begun));
    }
    took.sort();
    println!("{name}: a report of {COUNTS} counts: {:.1} ms", millis(took[took.len() / 2]));
}
