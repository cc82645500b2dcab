//! The way of the README: from nothing to a token in a client, and back, by the command line alone.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::site::nginx::Nginx;
use crate::site::{CONDAGATE, Connection, Process, client, files, patience, port};

const PASSWORD: &str = "correct horse battery staple";

/// Runs a command in the folder, with this text on its standard input.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(CONDAGATE)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The same for a command that must succeed; its standard output.
fn done(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&done(folder, &arguments, "")).unwrap()
}

#[test]
fn a_token_is_handed_out_and_taken_back_by_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let storage = at.join("channels");
    files::copy(&files::demo_channel(), &storage.join("analytics"));
    let nginx = Nginx::serving(&storage);
    let (gateway, control) = (port::free(), port::free());
    let configuration = format!(
        "[database]\nurl = \"sqlite://condagate.db\"\n\n\
         [gateway]\nlisten = [\"{gateway}\"]\npublic_url = \"http://{gateway}\"\n\
         access_log_file = \"access.log\"\n\n\
         [control]\nlisten = [\"{control}\"]\n\n\
         [storage.old-server]\nkind = \"http\"\nurl = \"{}\"\n",
        nginx.url()
    );
    std::fs::write(at.join("condagate.toml"), configuration).unwrap();

    done(at, &["admin", "create", "alice", "--password-stdin"], PASSWORD);
    done(at, &["check"], "");
    let mut serve = Process::start("serve", CONDAGATE, ["serve"], &[], at);
    patience::until("the gateway to listen", || {
        assert!(serve.ended().is_none(), "{}", serve.stderr());
        Connection::open(gateway).ok()
    });

    let url = format!("http://{control}");
    let login = ["login", &url, "--username", "alice", "--password-stdin"];
    let wrong = run(at, &login, "another password");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    done(at, &login, PASSWORD);
    done(at, &["channel", "create", "analytics", "--storage", "old-server"], "");
    done(at, &["service-account", "create", "analytics"], "");
    let create = ["token", "create", "--channel", "analytics", "--name", "ci", "--expires", "90d"];
    let issued = json(at, &create);
    let value = issued["value"].as_str().unwrap_or_else(|| panic!("{issued}"));
    let path = format!("/t/{value}/analytics/noarch/repodata.json");
    let asked = || client::get(gateway, &path, &[]);
    patience::until("the token to work", || (asked().status() == 200).then_some(()));
    assert_eq!(
        asked().body,
        std::fs::read(storage.join("analytics/noarch/repodata.json")).unwrap()
    );

    // Its value can't be had again, from anything.
    let listed = done(at, &["token", "list", "--channel", "analytics", "--json"], "");
    assert!(listed.contains("\"ci\"") && !listed.contains(value), "{listed}");
    for file in ["condagate.db", "condagate.db-wal", "access.log", "serve.err", "serve.out"] {
        let bytes = std::fs::read(at.join(file)).unwrap_or_default();
        let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
        assert!(!found, "the token's value is in {file}");
    }
    // Printed for people it comes with lines to type.
    let text = done(at, &["token", "create", "--channel", "analytics", "--name", "people"], "");
    assert!(text.contains(&format!("http://{gateway}/t/cg-")), "{text}");

    let id = listed_id(&listed, "ci");
    done(at, &["token", "revoke", &id], "");
    let revoked = patience::now();
    patience::until("the token to be refused", || (asked().status() == 401).then_some(()));
    let took = patience::now().since(revoked);
    println!("a revoked token was refused {took:?} after the command");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(asked().error(), "token-revoked");

    serve.signal(Signal::TERM);
    assert!(serve.wait(Duration::from_secs(10)).success(), "{}", serve.stderr());
}

/// The id of the token of that name in what `token list --json` prints.
fn listed_id(listed: &str, name: &str) -> String {
    let listed: Value = serde_json::from_str(listed).unwrap();
    let items = listed["items"].as_array().or(listed.as_array()).unwrap();
    let token = items.iter().find(|token| token["name"] == name).unwrap();
    token["id"].to_string()
}
