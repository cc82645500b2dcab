//! Many tokens in the database: fifty thousand in every run, where counts alone are looked at, and
//! a million by command, with times; docs/performance.md has what that said.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::{Clock as _, Moment, SystemClock, TokenSecret};

use crate::site::{Database, Setup, Site};

/// Of the tokens so many have values that the test knows; they were used last.
const KNOWN: usize = 5_000;
/// What `gateway.limits` allows by default of look-ups, in all.
const MISSES_PER_SECOND: i64 = 2_000;
const UNKNOWN_PER_SECOND: u32 = 10_000;
/// Below this a burst shows nothing: the machine is too slow, or busy.
const BURST_AT_LEAST: f64 = 9_000.0;
const ROUND: Duration = Duration::from_secs(5);
/// A file of the channel, of 1 KB.
const FILE: &str = "demo/noarch/repodata_shards.msgpack.zst";

#[test]
fn many_tokens_on_sqlite() {
    many_tokens(Database::Sqlite);
}

#[test]
fn many_tokens_on_postgres() {
    many_tokens(Database::Postgres);
}

#[test]
#[ignore = "a million tokens: minutes"]
fn a_million_tokens_on_sqlite() {
    a_million_tokens(Database::Sqlite);
}

#[test]
#[ignore = "a million tokens: minutes"]
fn a_million_tokens_on_postgres() {
    a_million_tokens(Database::Postgres);
}

/// What is counted, of a twentieth of them: who was used of late is in the table from the start,
/// and a burst of unknown tokens is looked up as often as it may.
fn many_tokens(database: Database) {
    let mut setup = Setup::with_demo_channel(database);
    let known = fill(&setup, 50_000);
    setup.set("gateway.limits.misses_per_second", "100");
    setup.set("gateway.limits.misses_per_second_per_address", "100");
    let site = setup.start();
    let mut connection = site.connect();
    for token in &known {
        assert_eq!(connection.get(&path(token), &[]).unwrap().status(), 200);
    }
    assert_eq!(site.metric("condagate_table_misses_total"), 0);
    let begun = now();
    let mut refused = 0;
    for number in 0..2_000 {
        let token = TokenSecret::generate().unwrap();
        let status = connection.get(&path(token.reveal()), &[]).unwrap().status();
        refused += i64::from(status == 503);
        assert!(matches!(status, 401 | 503), "{status}");
        if number % 20 == 0 {
            assert_eq!(connection.get(&path(&known[0]), &[]).unwrap().status(), 200);
        }
    }
    // A second's worth at once, and what has come since, of which the last second may be in part.
    let allowed = 100 * (2 + i64::try_from(now().since(begun).as_secs()).unwrap());
    let looked_up = site.metric("condagate_table_misses_total");
    assert!(looked_up <= allowed, "{looked_up} look-ups where {allowed} are allowed");
    assert_eq!((looked_up + refused, refused > 0), (2_000, true));
    assert_eq!(site.metric("condagate_table_misses_refused_total"), refused);
    site.stop();
}

fn a_million_tokens(database: Database) {
    let mut setup = Setup::with_demo_channel(database);
    let known: Vec<String> = fill(&setup, 1_000_000);
    // As they are by default; the test is one address.
    setup.set("gateway.limits.misses_per_second", &MISSES_PER_SECOND.to_string());
    setup.set("gateway.limits.misses_per_second_per_address", &MISSES_PER_SECOND.to_string());
    setup.set("gateway.threads", "1");
    let begun = now();
    let site = setup.start();
    assert_eq!(site.get(&path(&known[0])).status(), 200);
    let start = now().since(begun);
    println!("{database:?}: from the start to the first answer: {start:?}");

    let mut connection = site.connect();
    for token in &known {
        assert_eq!(connection.get(&path(token), &[]).unwrap().status(), 200);
    }
    let misses = site.metric("condagate_table_misses_total");
    println!("{database:?}: look-ups for {} requests of recent tokens: {misses}", known.len());

    let mut ratios = Vec::new();
    for _ in 0..3 {
        let alone = known_at_p99(&site, &known);
        let beside_known = with_burst(&site, &known, || path(&known[0]));
        let beside_unknown =
            with_burst(&site, &known, || path(TokenSecret::generate().unwrap().reveal()));
        println!(
            "{database:?}: p99 alone {alone:?}, beside known {beside_known:?}, unknown \
             {beside_unknown:?}"
        );
        ratios.push(beside_unknown.as_secs_f64() / beside_known.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let looked_up = site.metric("condagate_table_misses_total");
    let refused = site.metric("condagate_table_misses_refused_total");
    let resident = site.process.kilobytes("VmHWM:") / 1024;
    println!(
        "{database:?}: ratio of p99 {:.2}; looked up {looked_up}, refused {refused}; {resident} MiB \
         resident",
        ratios[1]
    );
    assert_eq!(misses, 0, "the recently used are in the table from the start");
    // A burst of a second's look-ups, and those of the round and of its end.
    let allowed = MISSES_PER_SECOND * 3 * i64::try_from(ROUND.as_secs() + 2).unwrap();
    assert!(looked_up <= allowed, "{looked_up} look-ups where {allowed} are allowed");
    assert!(refused > 0, "the burst was none");
    assert!(start < Duration::from_secs(3), "{start:?}");
    assert!(ratios[1] < 1.5, "{ratios:?}");
    // The table's setting is 64 MiB.
    assert!(resident < 128, "{resident} MiB");
    site.stop();
}

/// How long a known token's request takes, at the 99th percentile, beside many others.
fn with_burst(site: &Site, known: &[String], other: impl Fn() -> String + Sync) -> Duration {
    let done = AtomicBool::new(false);
    let begun = now();
    let (at_p99, sent) = std::thread::scope(|scope| {
        let burst = || burst(site, &done, UNKNOWN_PER_SECOND / 2, &other);
        let bursts = [scope.spawn(burst), scope.spawn(burst)];
        let at_p99 = known_at_p99(site, known);
        done.store(true, Ordering::Relaxed);
        (at_p99, bursts.map(|burst| burst.join().unwrap()).iter().sum::<u32>())
    });
    let per_second = f64::from(sent) / now().since(begun).as_secs_f64();
    assert!(per_second >= BURST_AT_LEAST, "{per_second:.0} requests a second are no such burst");
    at_p99
}

fn known_at_p99(site: &Site, known: &[String]) -> Duration {
    let mut times = Vec::new();
    let mut connection = site.connect();
    let end = now().plus(ROUND);
    for token in known.iter().cycle() {
        let begun = now();
        if begun > end {
            break;
        }
        assert_eq!(connection.get(&path(token), &[]).unwrap().status(), 200);
        times.push(now().since(begun));
        // An open gap, so that most of the time is the burst's.
        std::thread::sleep(Duration::from_millis(2));
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Sends so many requests a second, a hundredth of them at a time on one connection; how many that
/// were.
fn burst(site: &Site, done: &AtomicBool, per_second: u32, path: impl Fn() -> String) -> u32 {
    let mut connection = site.connect();
    let mut sent = 0;
    let mut next = now();
    while !done.load(Ordering::Relaxed) {
        for _ in 0..per_second / 100 {
            connection.send_get(&path(), &[]).unwrap();
        }
        for _ in 0..per_second / 100 {
            let head = connection.head().unwrap();
            assert!(matches!(head.status, 200 | 401 | 503), "{head:?}");
            connection.rest(head);
            sent += 1;
        }
        next = next.plus(Duration::from_millis(10));
        std::thread::sleep(next.since(now()));
    }
    sent
}

/// So many tokens of twenty thousand service accounts, who may all read `demo`; answers the values
/// of those that were used last.
fn fill(setup: &Setup, count: u32) -> Vec<String> {
    let postgres = setup.admin.is_on_postgres();
    let numbers = |most: u32| match postgres {
        true => format!("generate_series(1, {most}) AS numbers (n)"),
        false => format!(
            "(WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {most}) \
             SELECT n FROM up) AS numbers"
        ),
    };
    let digest = if postgres {
        "decode(md5(t.id::text) || md5(t.id::text || 'x'), 'hex')"
    } else {
        "randomblob(32)"
    };
    let sql = |text: String| setup.admin.sql(text);
    sql(format!(
        "INSERT INTO principals (kind, name, created_at) SELECT 'service_account', 'p' || n, 0 \
         FROM {}",
        numbers(20_000)
    ));
    sql("INSERT INTO groups (name, description, created_at) VALUES ('all', '', 0); \
         INSERT INTO group_permissions (group_id, channel_id, permission) \
         SELECT g.id, c.id, 1 FROM groups g JOIN channels c ON c.name = 'demo' WHERE g.name = 'all'; \
         INSERT INTO group_members (group_id, principal_id, added_at) SELECT g.id, p.id, 0 \
         FROM groups g CROSS JOIN principals p WHERE g.name = 'all' AND p.name LIKE 'p%'"
        .to_owned());
    sql(format!(
        "INSERT INTO tokens (principal_id, name, description, permission, admin, created_at, \
         created_by, issued_at, expires_at) SELECT (SELECT min(id) FROM principals \
         WHERE name LIKE 'p%') + n % 20000, 't' || n, '', 1, 0, 0, 1, n, 4102444800000 FROM {}",
        numbers(count)
    ));
    sql("INSERT INTO token_channels (token_id, channel_id) SELECT t.id, c.id FROM tokens t \
         JOIN channels c ON c.name = 'demo'"
        .to_owned());
    let known: Vec<TokenSecret> = (0..KNOWN).map(|_| TokenSecret::generate().unwrap()).collect();
    for (batch, tokens) in (0..).zip(known.chunks(500)) {
        let mut rows = String::new();
        for (number, token) in (1 + batch * 500..).zip(tokens) {
            let mut hex = String::new();
            for byte in token.digest().as_bytes() {
                let _ = write!(hex, "{byte:02x}");
            }
            let blob = if postgres { format!("'\\x{hex}'") } else { format!("x'{hex}'") };
            let _ = write!(
                rows,
                "{}({blob}, {number}, 'abcd', 0)",
                if rows.is_empty() { "" } else { ", " }
            );
        }
        sql(format!("INSERT INTO token_values (digest, token_id, hint, created_at) VALUES {rows}"));
    }
    sql(format!(
        "INSERT INTO token_values (digest, token_id, hint, created_at) \
         SELECT {digest}, t.id, 'abcd', 0 FROM tokens t WHERE t.id > {KNOWN}; \
         INSERT INTO token_last_used (token_id, last_used_at, last_used_from) \
         SELECT t.id, CASE WHEN t.id <= {KNOWN} THEN 4000000 ELSE 3000000 END + t.id, '192.0.2.1' \
         FROM tokens t WHERE t.id % 2 = 0 OR t.id <= {KNOWN}; ANALYZE"
    ));
    if !postgres {
        // As a database is that was not filled just now.
        sql("PRAGMA wal_checkpoint(TRUNCATE)".to_owned());
    }
    known.iter().map(|token| token.reveal().to_owned()).collect()
}

fn path(token: &str) -> String {
    format!("/t/{token}/{FILE}")
}

fn now() -> Moment {
    SystemClock.moment()
}
