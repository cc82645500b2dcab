//! Real clients: the suite in tests/clients against each storage and each database, plain and over
//! TLS with HTTP/2, with a mount prefix on both sides of the token.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use access::Privacy;
use serde_json::json;

use crate::site::nginx::Nginx;
use crate::site::{DAY, Database, Setup, Site, ago, clients_venv, files, port};

#[test]
fn a_directory_and_sqlite() {
    run(Files::Directory, Database::Sqlite, Protocol::Http);
}

#[test]
fn a_directory_and_postgres_over_https() {
    run(Files::Directory, Database::Postgres, Protocol::Https);
}

#[test]
fn nginx_and_sqlite_over_https() {
    run(Files::Nginx, Database::Sqlite, Protocol::Https);
}

#[test]
fn nginx_and_postgres() {
    run(Files::Nginx, Database::Postgres, Protocol::Http);
}

#[derive(Clone, Copy, PartialEq)]
enum Files {
    Directory,
    Nginx,
}

#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    Http,
    Https,
}

fn run(storage: Files, database: Database, protocol: Protocol) {
    let mut setup = Setup::new(database);
    let trees = setup.path("storage");
    files::copy(&files::demo_channel(), &trees.join("demo"));
    files::copy(&files::demo_channel(), &trees.join("archonly"));
    std::fs::remove_dir_all(trees.join("archonly/noarch")).unwrap();
    let nginx = (storage == Files::Nginx).then(|| Nginx::serving(&trees));
    match &nginx {
        Some(nginx) => setup.http("main", &nginx.url()),
        None => setup.directory("main", &trees),
    }
    setup.http("broken", &format!("http://{}", port::free()));
    for (name, privacy, storage, prefix) in [
        ("demo", Privacy::Private, "main", "demo"),
        ("hidden", Privacy::Private, "main", "demo"),
        ("open", Privacy::Public, "main", "demo"),
        ("members", Privacy::Authenticated, "main", "demo"),
        ("archonly", Privacy::Private, "main", "archonly"),
        ("broken", Privacy::Private, "broken", "demo"),
        ("strangers", Privacy::Private, "main", "demo"),
    ] {
        setup.admin.channel(name, privacy, storage, prefix);
    }
    let ca = (protocol == Protocol::Https).then(|| setup.tls().ca);
    let site = setup.start();
    let case = case(&site, ca.as_deref());
    pytest(&site, &case);
    if let Some(nginx) = nginx {
        let token = case["token"].as_str().unwrap();
        assert!(!nginx.logged().contains(token), "a token is in the storage's log");
    }
    site.stop();
}

/// Everything that the suite can be told; what each field is stands in tests/clients/case.py.
fn case(site: &Site, ca: Option<&Path>) -> serde_json::Value {
    let admin = &site.admin;
    let token = {
        // A service account reaches other channels only as a member of a group of theirs.
        for channel in ["archonly", "broken"] {
            admin.let_in("demo", channel);
        }
        admin.token(&["demo", "archonly", "broken"])
    };
    let expired = admin.token_from(ago(30 * DAY), 29 * DAY, &["demo"]);
    let expiring = admin.token_from(ago(DAY), 6 * DAY, &["demo"]);
    let revoked = admin.token(&["demo"]);
    admin.revoke(&revoked);
    let stranger = admin.token(&["strangers"]);
    site.wait_for(stranger.revision);
    let scheme = if ca.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://localhost:{}", site.gateway.port());
    json!({
        "complete": true,
        "gateway_url": url,
        "channel": "demo",
        "channel_url": format!("{url}/t/{}/demo", token.value),
        "token": token.value,
        "mount_prefix": "api/repo",
        "ca_file": ca,
        "expect_http2": ca.is_some(),
        "log_file": site.path("access.log"),
        "contact": "platform@example.com",
        "expired_token": expired.value,
        "expired_on": expired.expires.date(),
        "expiring_token": expiring.value,
        "expires_on": expiring.expires.date(),
        "revoked_token": revoked.value,
        "stranger_token": stranger.value,
        "ungranted_channel": "hidden",
        "public_channel": "open",
        "authenticated_channel": "members",
        "channel_without_noarch": "archonly",
        "unreachable_channel": "broken",
    })
}

/// Runs the suite; its report is this test's when it fails.
fn pytest(site: &Site, case: &serde_json::Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = clients_venv().join("bin/pytest");
    let file = site.path("case.json");
    std::fs::write(&file, case.to_string()).unwrap();
    let report = Command::new("timeout")
        .args(["--kill-after", "5", &LIMIT.as_secs().to_string()])
        .arg(program)
        .args(["tests/clients", "-q", "-p", "no:cacheprovider"])
        .env("CONDAGATE_CLIENT_CASE", &file)
        .current_dir(root)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&report.stdout);
    assert!(report.status.success(), "{text}\nthe gateway said:\n{}", site.process.stderr());
    println!("{}", text.lines().last().unwrap_or_default());
}

const LIMIT: Duration = Duration::from_secs(400);
