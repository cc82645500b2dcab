//! A gateway whose PostgreSQL role may do what a gateway does, and nothing else (sync.md, "Least
//! rights").

use std::num::NonZero;
use std::time::Duration;

use access::Limits;
use control::UsageBy;

use crate::site::{Database, Postgres, Process, Setup, patience};

const ROLE: &str = "gateway of condagate";

/// Runs `condagate migrate --gateway-role`; its exit status and what it says.
fn migrate(setup: &Setup, role: &str) -> (Option<i32>, String) {
    let mut process: Process = setup.run(&["migrate", "--gateway-role", role], &[]);
    let status = process.wait(Duration::from_secs(30));
    (status.code(), process.stdout() + &process.stderr())
}

#[test]
fn a_gateway_works_as_a_role_that_can_do_nothing_else() {
    let postgres = Postgres::start();
    let mut setup = Setup::with_demo_channel_on(&postgres);
    let (status, said) = migrate(&setup, ROLE);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("no role `gateway of condagate`; make it with CREATE ROLE"), "{said}");
    let (status, said) = migrate(&setup, "postgres");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("`postgres` is a superuser"), "{said}");

    postgres.query(&format!("CREATE ROLE \"{ROLE}\" LOGIN"));
    // What it may do beyond that is taken from it.
    postgres.query(&format!("GRANT ALL ON tokens, users TO \"{ROLE}\""));
    for _ in 0..2 {
        let (status, said) = migrate(&setup, ROLE);
        assert_eq!(status, Some(0), "{said}");
    }

    let early = setup.admin.token(&["demo"]);
    let own = postgres.url_as(&ROLE.replace(' ', "%20"));
    setup.text("database.url", own);
    setup.text("gateway.lease", "5s");
    let site = setup.start();
    let path = |value: &str| format!("/t/{value}/demo/noarch/repodata.json");
    assert_eq!(site.get(&path(&early.value)).status(), 200, "of the table it began with");
    let limits = Limits { bytes_per_day: NonZero::new(1_000_000), ..Limits::default() };
    let late = site.admin.limited_token(&["demo"], limits);
    assert_eq!(site.get(&path(&late.value)).status(), 200, "looked up");
    site.wait_for(site.admin.revoke(&early));
    assert_eq!(site.get(&path(&early.value)).error(), "token-revoked");
    // Beyond its first lease: it renews.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(site.get(&path(&late.value)).status(), 200);
    let used = patience::until("the usage to be reported", || site.admin.last_use(&late));
    assert_eq!(used.1, "127.0.0.1");
    assert!(!site.admin.usage(UsageBy::Token).is_empty());
    site.stop();
    let ended = postgres.query("SELECT count(*) FROM gateways WHERE ended_at IS NOT NULL");
    assert_eq!(ended.trim(), "1", "it said that it serves no more");

    refuses_everything_else(&postgres);
}

fn refuses_everything_else(postgres: &Postgres) {
    for sql in [
        "SELECT password_hash FROM users",
        "SELECT 1 FROM sessions",
        "SELECT 1 FROM audit_events",
        "SELECT 1 FROM repeatable_requests",
        "SELECT name FROM principals",
        "SELECT * FROM tokens",
        "INSERT INTO tokens DEFAULT VALUES",
        "UPDATE tokens SET revoked_at = NULL",
        "UPDATE tokens SET expires_at = 0",
        "INSERT INTO token_values DEFAULT VALUES",
        "DELETE FROM token_values",
        "INSERT INTO group_members DEFAULT VALUES",
        "UPDATE group_permissions SET permission = 3",
        "UPDATE channels SET privacy = 'public'",
        "UPDATE revision_counter SET revision = 0",
        "DELETE FROM changes",
        "DELETE FROM gateways",
        "DELETE FROM usage_days",
        "CREATE TABLE mine ()",
    ] {
        let refused = postgres.psql(ROLE, sql);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("permission denied"), "{sql}: {said}");
    }
    assert!(postgres.psql(ROLE, "SELECT id FROM tokens").status.success());
}

#[test]
fn sqlite_has_no_roles() {
    let (status, said) = migrate(&Setup::new(Database::Sqlite), "gateway");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("SQLite has no roles"), "{said}");
}
