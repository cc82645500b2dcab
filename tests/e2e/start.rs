//! A start that can't be is told at once: one sentence, and the exit status.

use std::net::TcpListener;
use std::time::Duration;

use crate::site::{CONDAGATE, Database, Process, Setup, patience, port};

/// Longer than the database may take to answer.
const AT_ONCE: Duration = Duration::from_secs(15);

/// Runs the command, which must fail with this status and one line that says all of `parts`.
fn fails(setup: &Setup, command: &str, status: i32, parts: &[&str]) -> String {
    let mut process = setup.run(&[command], &[]);
    let ended = process.wait(AT_ONCE);
    let said = process.stderr();
    assert_eq!(ended.code(), Some(status), "{command}: {said}");
    assert_eq!(process.stdout(), "", "{command}");
    for part in parts {
        assert!(said.contains(part), "{command} doesn't say {part:?}: {said}");
    }
    said
}

/// The same, and the line is the only one.
fn fails_in_a_sentence(setup: &Setup, command: &str, status: i32, parts: &[&str]) {
    let said = fails(setup, command, status, parts);
    assert_eq!(said.lines().count(), 1, "{command}: {said}");
}

fn setup() -> Setup {
    let mut setup = Setup::with_demo_channel(Database::Sqlite);
    setup.set("control.listen", "[\"127.0.0.1:0\"]");
    setup
}

#[test]
fn an_unknown_setting_is_named_with_its_line_and_the_nearest_one() {
    let mut setup = setup();
    setup.text("gateway.contcat", "x");
    let text = setup.configuration();
    let line = text.lines().position(|line| line.starts_with("contcat")).unwrap() + 1;
    let place = format!("condagate.toml:{line}");
    fails(&setup, "serve", 2, &[&place, "gateway.contcat", "gateway.contact?"]);
}

#[test]
fn a_value_that_is_none_is_named_with_what_is_accepted() {
    let mut setup = setup();
    setup.text("gateway.drain", "soon");
    fails(&setup, "gateway", 2, &["condagate.toml:", "gateway.drain", "soon", "\"0s\" to \"1h\""]);
}

#[test]
fn an_address_that_is_taken() {
    for (key, command) in
        [("gateway.listen", "gateway"), ("control.listen", "control"), ("metrics.listen", "serve")]
    {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let mut setup = setup();
        match key {
            "metrics.listen" => setup.text(key, &address),
            _ => setup.set(key, &format!("[\"{address}\"]")),
        }
        fails_in_a_sentence(&setup, command, 1, &[&address, key, "in use"]);
    }
}

#[test]
fn a_second_gateway_on_the_same_address() {
    let mut second = setup();
    let first = setup().start();
    second.set("gateway.listen", &format!("[\"{}\"]", first.gateway));
    fails_in_a_sentence(&second, "gateway", 1, &[&first.gateway.to_string()]);
    first.stop();
}

#[test]
fn a_database_that_is_away() {
    let mut setup = setup();
    let away = port::free();
    setup.text("database.url", format!("postgres://condagate:secret@{away}/condagate"));
    for command in ["gateway", "serve", "migrate"] {
        let said = fails(&setup, command, 1, &[&away.to_string(), "database.url"]);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_database_of_another_version() {
    let mut setup = setup();
    setup.text("database.url", "sqlite://empty.db");
    std::fs::write(setup.path("empty.db"), "").unwrap();
    fails_in_a_sentence(&setup, "gateway", 1, &["condagate migrate"]);
    let mut migrate = setup.run(&["migrate"], &[]);
    assert!(migrate.wait(AT_ONCE).success(), "{}", migrate.stderr());
    setup.start().stop();
}

#[test]
fn a_key_that_does_not_fit_its_certificate() {
    let mut setup = setup();
    let first = setup.tls();
    let (certificate, key) = (setup.path("certificate.pem"), setup.path("key.pem"));
    std::fs::copy(&first.certificate, &certificate).unwrap();
    std::fs::remove_dir_all(setup.path("tls")).unwrap();
    std::fs::copy(setup.tls().key, &key).unwrap();
    setup.text("gateway.tls.certificate", certificate.display());
    setup.text("gateway.tls.key", key.display());
    fails_in_a_sentence(&setup, "gateway", 1, &["certificate.pem", "key.pem"]);
    setup.text("gateway.tls.key", "no-such-key.pem");
    fails_in_a_sentence(&setup, "gateway", 1, &["no-such-key.pem"]);
}

#[test]
fn a_file_of_a_storage_that_is_missing() {
    let mut setup = setup();
    setup.http("other", "https://conda.example/channels");
    setup.text("storage.other.ca_file", "no-such-ca.pem");
    fails_in_a_sentence(&setup, "gateway", 1, &["other", "no-such-ca.pem"]);
    setup.unset("storage.other.ca_file");
    setup.text("storage.other.bearer_file", "no-such-secret");
    fails(&setup, "gateway", 2, &["no-such-secret"]);
}

#[test]
fn an_access_log_that_cannot_be_written() {
    let mut setup = setup();
    setup.text("gateway.access_log_file", "no-such-folder/access.log");
    fails_in_a_sentence(&setup, "gateway", 1, &["no-such-folder/access.log"]);
}

#[test]
fn a_channel_that_a_mount_prefix_hides() {
    let mut setup = setup();
    setup.set("gateway.mount_prefixes", "[\"\", \"demo/x\"]");
    fails_in_a_sentence(&setup, "gateway", 1, &["`demo`", "gateway.mount_prefixes"]);
}

#[test]
fn the_default_configuration_is_what_the_code_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut print = Process::start("default", CONDAGATE, ["config", "default"], &[], folder.path());
    assert!(print.wait(AT_ONCE).success());
    let text = print.stdout();
    let path = folder.path().join("condagate.toml");
    let none = std::iter::empty();
    let written = config::Config::from_text(&text, &path, none.clone()).unwrap().config;
    let empty = config::Config::from_text("", &path, none).unwrap().config;
    assert_eq!(written.effective_toml(), empty.effective_toml());
    assert!(text.contains("[gateway.limits]") && text.contains('#'), "{text}");

    // And the binary takes it as it stands.
    std::fs::write(&path, &text).unwrap();
    let mut effective = Process::start("config", CONDAGATE, ["config"], &[], folder.path());
    assert!(effective.wait(AT_ONCE).success(), "{}", effective.stderr());
    assert!(effective.stdout().contains("drain = \"30s\""), "{}", effective.stdout());
}

/// The setting of the environment wins, and `config` shows it without its secret.
#[test]
fn the_effective_configuration_shows_no_secret() {
    let setup = setup();
    let url = "postgres://condagate:very-secret@db.example/condagate";
    let environment = [("CONDAGATE_DATABASE__URL", url), ("CONDAGATE_GATEWAY__DRAIN", "7s")];
    let mut process = setup.run(&["config"], &environment);
    patience::until("the output", || process.ended());
    let text = process.stdout();
    assert!(text.contains("drain = \"7s\"") && text.contains("db.example"), "{text}");
    assert!(!text.contains("very-secret"), "{text}");
}
