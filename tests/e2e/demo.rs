//! `condagate demo`: one command, nothing else installed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::{Answer, CONDAGATE, Connection, Process, conda, patience};

/// How long a start may take (a demo that makes one wait is not tried twice).
const READY: Duration = Duration::from_secs(2);
const ANY_PORTS: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0"];

/// A demo in a folder that was empty at first.
struct Demo {
    process: Process,
    took: Duration,
}

impl Demo {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let started = patience::now();
        let arguments = ANY_PORTS.iter().chain(more);
        let mut process = Process::start("demo", CONDAGATE, arguments, &[], folder);
        patience::until("the demo to be ready", || {
            if let Some(status) = process.ended() {
                panic!("the demo ended with {status}: {}", process.stderr());
            }
            process.stdout().ends_with("ready\n").then_some(())
        });
        Self { process, took: patience::now().since(started) }
    }

    /// Ends it as Ctrl-C does, and sees that it ends well.
    fn end(mut self) -> String {
        self.process.signal(Signal::INT);
        let status = self.process.wait(Duration::from_secs(10));
        assert!(status.success(), "{status}: {}", self.process.stderr());
        assert_eq!(self.process.stderr(), "", "nothing is wrong");
        self.process.stdout()
    }

    /// The printed line that holds `part`.
    fn line(&self, part: &str) -> String {
        let text = self.process.stdout();
        let line = text.lines().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("no {part:?} in {text}")).trim().to_owned()
    }
}

fn empty() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn json_file(folder: &Path) -> PathBuf {
    folder.join("condagate-demo/demo.json")
}

fn json(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(json_file(folder)).unwrap()).unwrap()
}

fn shell(command: &str, folder: &Path) -> Output {
    Command::new("sh").args(["-c", command]).current_dir(folder).output().unwrap()
}

/// Asks a demo without TLS.
fn get(demo: &Value, path: &str) -> Answer {
    let address = demo["gateway_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    Connection::open(address.parse().unwrap()).unwrap().get(path, &[]).unwrap()
}

fn repodata(demo: &Value, token: &Value) -> Answer {
    get(demo, &format!("/t/{}/demo/noarch/repodata.json", token.as_str().unwrap()))
}

#[test]
fn is_ready_within_two_seconds_of_its_first_start() {
    // The best of three: other tests run at the same time.
    let took = (0..3).map(|_| {
        let folder = empty();
        let demo = Demo::start(folder.path(), &[]);
        let took = demo.took;
        demo.end();
        took
    });
    let best = took.min().unwrap();
    println!("the demo's first start took {best:?}");
    assert!(best < READY, "{best:?}");
}

#[test]
fn writes_what_scripts_need_for_its_owner_alone() {
    let folder = empty();
    let demo = Demo::start(folder.path(), &[]);
    let file = json_file(folder.path());
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);

    let json = json(folder.path());
    let mut fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "admin",
        "channel",
        "channel_url",
        "control_url",
        "gateway_url",
        "packages",
        "service_account",
        "token",
    ];
    assert_eq!(fields, expected);
    assert_eq!(json["channel"], "demo");
    assert_eq!(json["service_account"], "service-account-channel-demo");
    let login: Vec<_> = json["admin"].as_object().unwrap().keys().collect();
    assert_eq!(login, ["password", "username"]);
    assert!(json["packages"].as_array().unwrap().len() >= 4, "{json}");
    let (url, token) = (json["gateway_url"].as_str().unwrap(), json["token"].as_str().unwrap());
    assert_eq!(json["channel_url"], format!("{url}/t/{token}/demo"));
    assert_eq!(repodata(&json, &json["token"]).status(), 200);
    assert_eq!(get(&json, "/demo/noarch/repodata.json").status(), 401);
    demo.end();
}

#[test]
fn prints_commands_that_work_as_they_stand() {
    let folder = empty();
    let demo = Demo::start(folder.path(), &[]);
    let json = json(folder.path());
    assert!(demo.line("channel URL").ends_with(json["channel_url"].as_str().unwrap()));
    assert!(demo.line("admin").contains(json["admin"]["password"].as_str().unwrap()));
    let text = demo.process.stdout();
    let curls: Vec<&str> = text.lines().filter(|l| l.trim().starts_with("curl ")).collect();
    assert_eq!(curls.len(), 2, "{text}");
    for curl in curls {
        let output = shell(curl, folder.path());
        assert!(output.status.success(), "{curl}: {output:?}");
        let index: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(index["info"]["subdir"], "noarch");
    }
    conda_installs(&demo.line("conda create"), folder.path());
    demo.end();
}

/// Runs the printed line with the tests' conda, which is started by another name.
fn conda_installs(line: &str, folder: &Path) {
    let home = folder.join("home");
    conda::put_into(&home);
    let at = home.display();
    let (create, _run) = line.split_once(" && ").unwrap();
    let script = format!("HOME={at} PATH={at}/bin:$PATH; export HOME PATH; {create}");
    let output = shell(&script, folder);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{create}: {said}");
    let program = home.join("environments/demo/bin/demo-hello");
    let hello = Command::new(&program).output().unwrap();
    assert!(hello.status.success() && !hello.stdout.is_empty(), "{hello:?}");
}

#[test]
fn a_second_start_uses_what_is_there_and_tells_no_token() {
    let folder = empty();
    let first = Demo::start(folder.path(), &[]);
    let before = json(folder.path());
    let told = first.end();
    let token = before["token"].as_str().unwrap();
    assert!(told.contains(token));

    let second = Demo::start(folder.path(), &[]);
    let after = json(folder.path());
    for field in ["admin", "channel", "service_account", "token", "packages"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert_eq!(repodata(&after, &after["token"]).status(), 200);
    let told = second.end();
    assert!(!told.contains(token) && !told.contains("cg-"), "{told}");
    let password = before["admin"]["password"].as_str().unwrap();
    assert!(!told.contains(password), "{told}");
}

#[test]
fn another_token_can_be_made_and_the_first_goes_on() {
    let folder = empty();
    Demo::start(folder.path(), &[]).end();
    let first = json(folder.path())["token"].clone();

    let demo = Demo::start(folder.path(), &["--new-token"]);
    let json_now = json(folder.path());
    let second = json_now["token"].clone();
    assert_ne!(first, second);
    assert!(demo.line("channel URL").contains(second.as_str().unwrap()));
    for token in [&first, &second] {
        assert_eq!(repodata(&json_now, token).status(), 200);
    }

    // And beside a demo that runs.
    let mut beside = Command::new(CONDAGATE);
    let output = beside.args(["demo", "--new-token"]).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let third = json(folder.path())["token"].clone();
    assert!(String::from_utf8_lossy(&output.stdout).contains(third.as_str().unwrap()));
    for token in [&first, &second, &third] {
        assert_eq!(repodata(&json_now, token).status(), 200);
    }
    demo.end();
}

#[test]
fn a_second_demo_in_the_same_folder_is_refused() {
    let folder = empty();
    let demo = Demo::start(folder.path(), &[]);
    let output = Command::new(CONDAGATE).args(ANY_PORTS).current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another `condagate demo`") && said.lines().count() == 1, "{said}");
    demo.end();
}

#[test]
fn serves_https_with_a_certificate_of_its_own() {
    let folder = empty();
    let demo = Demo::start(folder.path(), &["--tls"]);
    let json = json(folder.path());
    assert!(json["gateway_url"].as_str().unwrap().starts_with("https://"), "{json}");
    let key = std::fs::metadata(folder.path().join("condagate-demo/server-key.pem")).unwrap();
    assert_eq!(key.mode() & 0o777, 0o600);
    // The clients are told to trust it by the line above the commands.
    let (trust, curl) = (demo.line("export "), demo.line("curl "));
    let trusted = shell(&format!("{trust}\n{curl} -w '%{{http_version}}' "), folder.path());
    assert!(trusted.status.success(), "{trust}\n{curl}: {trusted:?}");
    assert!(String::from_utf8_lossy(&trusted.stdout).ends_with('2'), "not over HTTP/2");
    let untrusted = shell(&curl, folder.path());
    assert!(!untrusted.status.success(), "trusted by a machine that doesn't know it");
    demo.end();
}

/// Whenever a first start is killed, the next one works.
#[test]
fn a_first_start_can_be_killed_at_any_moment() {
    // From the start of the process to well after it is ready, and where the work is most often.
    for delay_ms in (0..30).map(|n| n * 10).chain((0..10).map(|n| 300 + n * 60)) {
        let folder = empty();
        let mut killed = Process::start("killed", CONDAGATE, ANY_PORTS, &[], folder.path());
        std::thread::sleep(Duration::from_millis(delay_ms));
        killed.signal(Signal::KILL);
        killed.wait(Duration::from_secs(10));
        // A ready demo has told its token; the next start can't.
        let told = killed.stdout().contains("ready");

        let demo = Demo::start(folder.path(), &[]);
        let json = json(folder.path());
        assert_eq!(repodata(&json, &json["token"]).status(), 200, "killed after {delay_ms} ms");
        for package in ["linux-64/repodata.json", "noarch/demo-blob-0.1.0-0.conda"] {
            let path = format!("/t/{}/demo/{package}", json["token"].as_str().unwrap());
            assert_eq!(get(&json, &path).status(), 200, "{package}, killed after {delay_ms} ms");
        }
        let text = demo.end();
        assert!(!told || !text.contains("cg-"), "killed after {delay_ms} ms: {text}");
    }
}
