//! `condagate check`: each finding that an operator can act on.

use std::time::Duration;

use access::{Clock as _, SystemClock};
use serde_json::Value;

use crate::site::upstream::{Then, Upstream, answer};
use crate::site::{CONDAGATE, DAY, Database, Process, Setup, files, port};

/// A setup in which nothing is wrong.
fn setup() -> Setup {
    let mut setup = Setup::with_demo_channel(Database::Sqlite);
    let port = setup.gateway.port();
    setup.text("gateway.public_url", format!("http://localhost:{port}"));
    setup.text("control.public_url", "http://localhost:8081");
    setup
}

/// The findings that aren't `ok`, as `level about: message`, and the exit status.
fn check(setup: &Setup) -> (Vec<String>, i32) {
    let (findings, status) = all(setup);
    let wrong = findings.into_iter().filter(|line| !line.starts_with("ok"));
    (wrong.collect(), status)
}

fn all(setup: &Setup) -> (Vec<String>, i32) {
    let mut process = setup.run(&["check", "--json"], &[]);
    let status = process.wait(Duration::from_secs(30)).code().unwrap();
    let said: Value = serde_json::from_str(&process.stdout())
        .unwrap_or_else(|why| panic!("{why}: {} {}", process.stdout(), process.stderr()));
    let findings = said["findings"].as_array().unwrap().iter();
    let part = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let line =
        |f: &Value| format!("{} {}: {}", part(f, "level"), part(f, "about"), part(f, "message"));
    (findings.map(line).collect(), status)
}

/// The one finding that isn't `ok`.
fn only(setup: &Setup, status: i32) -> String {
    let (mut found, ended) = check(setup);
    assert_eq!((found.len(), ended), (1, status), "{found:#?}");
    found.remove(0)
}

#[track_caller]
fn says(finding: &str, parts: &[&str]) {
    for part in parts {
        assert!(finding.contains(part), "{part:?} isn't in: {finding}");
    }
}

#[test]
fn nothing_is_wrong_where_nothing_is() {
    let setup = setup();
    let (found, status) = check(&setup);
    assert_eq!((found, status), (vec![], 0));
    // For people: a line each.
    let mut process = setup.run(&["check"], &[]);
    assert!(process.wait(Duration::from_secs(30)).success());
    assert!(process.stdout().lines().all(|line| line.starts_with("ok")), "{}", process.stdout());
}

#[test]
fn a_folder_that_is_not_there() {
    let mut setup = setup();
    let gone = setup.path("gone");
    setup.directory("main", &gone);
    says(&only(&setup, 1), &["error storage.main", "gone", "mounted"]);
}

#[test]
fn a_web_server_that_is_away() {
    let mut setup = setup();
    let away = port::free();
    setup.unset("storage.main.path");
    setup.http("main", &format!("http://{away}"));
    says(&only(&setup, 1), &["error channel demo", &away.to_string()]);
}

#[test]
fn a_web_server_that_refuses_our_credentials() {
    let upstream = Upstream::start(|_, stream| {
        answer(stream, "401 Unauthorized", &["Content-Length: 0"], b"")?;
        Ok(Then::Keep)
    });
    let mut setup = setup();
    setup.unset("storage.main.path");
    setup.http("main", &upstream.url());
    says(&only(&setup, 1), &["error channel demo", "401", "username"]);
}

#[test]
fn a_storage_that_a_channel_is_bound_to_and_nobody_configured() {
    let mut setup = setup();
    let main = setup.path("storage");
    setup.unset("storage.main.kind");
    setup.unset("storage.main.path");
    setup.directory("other", &main);
    says(&only(&setup, 1), &["error channel demo", "[storage.main]"]);
}

#[test]
fn a_channel_without_an_index() {
    let setup = setup();
    std::fs::remove_dir_all(setup.path("storage/demo/noarch")).unwrap();
    says(&only(&setup, 0), &["warn channel demo", "no noarch/repodata.json"]);
}

#[test]
fn w20_an_absolute_base_url() {
    let setup = setup();
    let index =
        r#"{"info":{"subdir":"noarch","base_url":"https://old.example/demo"},"packages":{}}"#;
    std::fs::write(setup.path("storage/demo/noarch/repodata.json"), index).unwrap();
    says(&only(&setup, 0), &["warn channel demo", "base_url", "https://old.example/demo"]);
}

#[test]
fn a_key_that_others_can_read() {
    let (mut setup, made) = with_tls();
    files::set_mode(&made.key, 0o644);
    let found = only(&setup, 0);
    says(&found, &["warn", "server-key.pem"]);
    files::set_mode(&made.key, 0o600);
    // A secret of a storage is one too.
    std::fs::write(setup.path("secret"), "hush").unwrap();
    files::set_mode(&setup.path("secret"), 0o644);
    setup.http("unused", "http://127.0.0.1:1");
    setup.text("storage.unused.bearer_file", "secret");
    let (found, _) = check(&setup);
    assert!(found.iter().any(|f| f.starts_with("warn") && f.contains("secret")), "{found:#?}");
}

fn with_tls() -> (Setup, certs::DevelopmentCertificate) {
    let mut setup = setup();
    let made = setup.tls();
    let port = setup.gateway.port();
    setup.text("gateway.public_url", format!("https://localhost:{port}"));
    (setup, made)
}

#[test]
fn a_key_that_does_not_fit() {
    let (mut setup, made) = with_tls();
    let certificate = setup.path("certificate.pem");
    std::fs::copy(&made.certificate, &certificate).unwrap();
    std::fs::remove_dir_all(setup.path("tls")).unwrap();
    setup.tls();
    setup.text("gateway.tls.certificate", certificate.display());
    says(&only(&setup, 1), &["error gateway.tls", "certificate.pem", "server-key.pem"]);
}

#[test]
fn a_certificate_that_ends_soon() {
    let (setup, made) = with_tls();
    std::fs::remove_file(&made.certificate).unwrap();
    // Development certificates last 397 days.
    let made_then = access::Timestamp::from_millis(
        SystemClock.now().as_millis() - i64::try_from((380 * DAY).as_millis()).unwrap(),
    );
    let names = ["localhost", "127.0.0.1"];
    certs::development_certificate(&setup.path("tls"), &names, made_then).unwrap();
    says(&only(&setup, 0), &["warn gateway.tls", "server.pem", "in 1"]);
}

#[test]
fn a_certificate_for_other_names() {
    let (mut setup, _) = with_tls();
    let port = setup.gateway.port();
    setup.text("gateway.public_url", format!("https://conda.example.com:{port}"));
    says(&only(&setup, 1), &["error gateway.tls", "conda.example.com", "localhost"]);
}

#[test]
fn a_public_url_that_does_not_match() {
    let mut setup = setup();
    setup.text("gateway.public_url", "http://localhost:1");
    says(&only(&setup, 0), &["warn gateway.public_url", "port 1"]);
    let port = setup.gateway.port();
    setup.text("gateway.public_url", format!("http://localhost:{port}/mirror"));
    says(&only(&setup, 0), &["warn gateway.public_url", "/mirror"]);
    setup.tls();
    setup.text("gateway.public_url", format!("http://localhost:{port}"));
    says(&only(&setup, 1), &["error gateway.public_url", "https://"]);
    setup.unset("gateway.public_url");
    says(&only(&setup, 0), &["warn gateway.public_url", "unset"]);
}

#[test]
fn a_database_that_is_away_or_of_another_version() {
    let mut setup = setup();
    let away = port::free();
    setup.text("database.url", format!("postgres://condagate:very-secret@{away}/condagate"));
    let (found, status) = check(&setup);
    assert_eq!((found.len(), status), (2, 1), "{found:#?}");
    // The file holds a password now.
    says(&found[0], &["warn database.url", "chmod", "condagate.toml"]);
    says(&found[1], &["error database.url", &away.to_string()]);
    assert!(!found.concat().contains("very-secret"), "{found:#?}");

    let admin = "sqlite://empty.db";
    setup.text("database.url", admin);
    std::fs::write(setup.path("empty.db"), "").unwrap();
    let (found, status) = check(&setup);
    assert_eq!(status, 1);
    assert!(found.iter().any(|f| f.contains("condagate migrate")), "{found:#?}");
    let left: Vec<_> = std::fs::read(setup.path("empty.db")).unwrap();
    assert!(left.is_empty(), "check changed the database");
}

#[test]
fn nothing_is_looked_at_with_a_wrong_configuration() {
    let mut setup = setup();
    setup.text("gateway.nothing", "x");
    let mut process = setup.run(&["check"], &[]);
    assert_eq!(process.wait(Duration::from_secs(10)).code(), Some(2));
    assert!(process.stderr().contains("gateway.nothing"), "{}", process.stderr());
}

/// In a folder without a configuration the defaults are looked at.
#[test]
fn the_defaults_are_looked_at_where_there_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start("check", CONDAGATE, ["check"], &[], folder.path());
    process.wait(Duration::from_secs(30));
    assert!(process.stdout().contains("defaults"), "{}", process.stdout());
    assert!(!folder.path().join("condagate.db").exists(), "check made a database");
}
