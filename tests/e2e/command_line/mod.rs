//! What scripts rely on: where the credential comes from, exit statuses, what is printed, and that
//! nobody is asked where nobody sits.

mod audit;
mod channels;
mod check_revocation;
mod people;
mod tokens;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::site::{CONDAGATE, Database, PASSWORD, Setup, Site, port};

/// A control plane with an admin `alice`, and a home for who uses it.
pub(crate) struct Here {
    pub(crate) site: Site,
    pub(crate) control: SocketAddr,
}

impl Here {
    pub(crate) fn new(database: Database) -> Self {
        Self::running("serve", database)
    }

    /// The same with `serve`, or `control` without a gateway.
    pub(crate) fn running(command: &'static str, database: Database) -> Self {
        let mut setup = Setup::with_demo_channel(database);
        let control = port::free();
        setup.set("control.listen", &format!("[\"{control}\"]"));
        setup.command(command);
        Self { site: setup.start(), control }
    }

    fn home(&self) -> &Path {
        self.site.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.control)
    }

    pub(crate) fn sign_in(&self) {
        assert!(self.signs_in("alice", PASSWORD));
    }

    /// Whether this user may sign in; then commands are theirs.
    pub(crate) fn signs_in(&self, name: &str, password: &str) -> bool {
        let url = self.url();
        let line = ["login", &url, "--username", name, "--password-stdin"];
        self.run(&line, &[], password).status.success()
    }

    /// The session that `condagate login` has kept.
    pub(crate) fn session(&self) -> String {
        let kept = std::fs::read(self.home().join(".config/condagate/login.json")).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        kept["session"].as_str().unwrap().to_owned()
    }

    /// Runs a command with these variables and this standard input.
    pub(crate) fn run(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: &str,
    ) -> Output {
        let mut child = Command::new(CONDAGATE)
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .envs(environment.iter().copied())
            .current_dir(self.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must succeed; what it printed.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> String {
        self.ends(0, &line.split_whitespace().collect::<Vec<_>>())
    }

    /// The same with JSON for programs.
    #[track_caller]
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{line} --json"))).unwrap()
    }

    /// Runs a command that must end with this status; what it printed on either stream.
    #[track_caller]
    fn ends(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments, &[], "");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }
}

#[test]
fn the_exit_status_tells_done_from_failed_from_wrong_usage() {
    let here = Here::new(Database::Sqlite);
    assert!(here.ends(2, &["me"]).contains("condagate login URL"));
    assert!(here.ends(2, &["channel", "show"]).contains("<CHANNEL>"));
    assert!(here.ends(2, &["channel", "show", "No Channel"]).contains("No Channel"));
    here.sign_in();
    assert!(here.ends(0, &["channel", "show", "demo"]).contains("private"));
    assert!(here.ends(1, &["channel", "show", "nothing"]).contains("no channel `nothing`"));
    assert!(here.ends(2, &["channel", "edit", "demo"]).contains("what to change"));
    here.ends(0, &["logout"]);
    assert!(here.ends(2, &["me"]).contains("condagate login URL"));
    here.site.stop();
}

#[test]
fn json_is_an_array_for_lists_and_an_object_for_things() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    assert_eq!(here.json("me")["name"], "alice");
    assert_eq!(here.json("channel list")[0]["name"], "demo");
    assert_eq!(here.json("channel list --limit 1").as_array().unwrap().len(), 1);
    assert_eq!(here.json("token list --channel demo"), Value::Array(vec![]));
    let table = here.ends(0, &["channel", "list"]);
    assert!(table.starts_with("NAME  PRIVACY  STORAGE"), "{table}");
    here.site.stop();
}

#[test]
fn a_credential_comes_from_the_environment_a_file_or_the_standard_input() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let session = here.session();
    let file = here.home().join("session");
    std::fs::write(&file, format!("{session}\n")).unwrap();
    std::fs::remove_file(here.home().join(".config/condagate/login.json")).unwrap();
    let url = here.url();
    let url = ("CONDAGATE_URL", url.as_str());
    let from_file = ["me", "--token-file", file.to_str().unwrap()];
    for (arguments, environment, input) in [
        (&["me"][..], vec![url, ("CONDAGATE_TOKEN", &session)], ""),
        (&from_file, vec![url], ""),
        (&["me", "--token-stdin"], vec![url], &session),
        // What is said closer to the command counts.
        (&from_file, vec![url, ("CONDAGATE_TOKEN", "not-one-of-ours-at-all")], ""),
    ] {
        let output = here.run(arguments, &environment, input);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    for (arguments, environment, status) in [
        (&["me"][..], vec![url], 2),
        (&["me"], vec![url, ("CONDAGATE_TOKEN", "not-one-of-ours-at-all")], 1),
        (&["me", "--token-stdin"], vec![url], 2),
    ] {
        let output = here.run(arguments, &environment, "");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("not-one-of-ours"), "{said}");
    }
    here.site.stop();
}

#[test]
fn what_takes_something_away_asks_on_a_terminal_alone() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    let on_a_terminal = |arguments: &str, answer: &str| {
        let command = format!("{CONDAGATE} {arguments}");
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("HOME", here.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(input);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, said) = on_a_terminal("channel delete demo", "n\n");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("Delete channel demo") && said.contains("nothing was changed"), "{said}");
    here.ends(0, &["channel", "show", "demo"]);
    let (status, said) = on_a_terminal("channel delete demo", "y\n");
    assert_eq!(status, Some(0), "{said}");
    here.ends(0, &["channel", "create", "demo"]);
    let (status, said) = on_a_terminal("channel delete demo --yes", "");
    assert!(status == Some(0) && !said.contains('?'), "{said}");
    here.ends(0, &["channel", "create", "demo"]);
    here.ends(0, &["channel", "delete", "demo"]);
    here.site.stop();
}
