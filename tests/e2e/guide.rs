//! docs/guide.md, as it stands: its commands in a shell, beside its answers, with a real client.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;

use crate::site::{CONDAGATE, Database, Process, Setup, conda, files, patience, port};

const GUIDE: &str = include_str!("../../docs/guide.md");

#[test]
fn works_as_it_stands_with_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, control) = (port::free(), port::free());
    let shell = Shell::new(folder.path(), gateway, control);
    let (demo, rest) = shell.blocks();
    assert_eq!(demo, "condagate demo\n");
    let [listen, control_listen] = [gateway, control].map(|address| address.to_string());
    let options = ["demo", "--listen", &listen, "--control-listen", &control_listen];
    let mut process = Process::start("demo", CONDAGATE, options, &[], folder.path());
    patience::until("the demo to be ready", || {
        assert!(process.ended().is_none(), "{}", process.stderr());
        process.stdout().ends_with("ready\n").then_some(())
    });
    shell.follow(&rest);
    process.signal(Signal::INT);
    assert!(process.wait(Duration::from_secs(10)).success(), "{}", process.stderr());
}

#[test]
fn works_on_postgres() {
    let mut setup = Setup::new(Database::Postgres);
    let control = port::free();
    let storage = setup.path("storage");
    files::copy(&files::demo_channel(), &storage.join("demo"));
    setup.directory("demo", &storage);
    setup.set("control.listen", &format!("[\"{control}\"]"));
    setup.command("serve");
    let site = setup.start();
    // Where the demo would have written its admin's password.
    fs::create_dir(site.path("condagate-demo")).unwrap();
    let login = r#"{"admin": {"password": "correct horse battery"}}"#;
    fs::write(site.path("condagate-demo/demo.json"), login).unwrap();
    let mut shell = Shell::new(site.folder.path(), site.gateway, control);
    shell.instead.push(("--username admin".into(), "--username alice".into()));
    shell.instead.push(("admin ".into(), "alice ".into()));
    let (_demo, rest) = shell.blocks();
    shell.follow(&rest);
    site.stop();
}

/// Commands, and words that they must print, a line each.
struct Block {
    commands: String,
    prints: Option<String>,
}

/// A shell with the guide's programs in it.
struct Shell<'a> {
    folder: &'a Path,
    /// What of the guide is not so here.
    instead: Vec<(String, String)>,
}

impl<'a> Shell<'a> {
    fn new(folder: &'a Path, gateway: SocketAddr, control: SocketAddr) -> Self {
        let bin = folder.join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(CONDAGATE, bin.join("condagate")).unwrap();
        conda::put_into(folder);
        let instead = vec![
            ("127.0.0.1:8080".into(), gateway.to_string()),
            ("127.0.0.1:8081".into(), control.to_string()),
            ("--overlap 1m".into(), "--overlap 10s".into()),
        ];
        Self { folder, instead }
    }

    /// The guide's first command, and all that follows it.
    fn blocks(&self) -> (String, Vec<Block>) {
        let mut guide = GUIDE.to_owned();
        for (theirs, ours) in &self.instead {
            assert!(guide.contains(theirs), "{theirs}");
            guide = guide.replace(theirs, ours);
        }
        let mut blocks: Vec<Block> = Vec::new();
        for fenced in guide.split("```").skip(1).step_by(2) {
            let (kind, text) = fenced.split_once('\n').unwrap();
            match kind {
                "sh" => blocks.push(Block { commands: text.to_owned(), prints: None }),
                "text" => blocks.last_mut().unwrap().prints = Some(text.to_owned()),
                other => panic!("a block of {other:?}"),
            }
        }
        let first = blocks.remove(0);
        (first.commands, blocks)
    }

    /// Runs the blocks, one after the other.
    fn follow(&self, blocks: &[Block]) {
        assert!(blocks.len() > 12, "{}", blocks.len());
        for Block { commands, prints } in blocks {
            let Some(prints) = prints else {
                self.must(commands);
                continue;
            };
            // What only asks is asked until it is so: gateways follow a moment later, report every
            // ten seconds, and the end of an overlap is waited for.
            let asks = |line: &str| {
                ["$ask ", "ask=", "condagate usage "].iter().any(|w| line.starts_with(w))
            };
            let asks = commands.lines().all(asks);
            let mut printed = self.must(commands);
            if asks {
                patience::until(&format!("{prints:?} of\n{commands}"), || {
                    printed = self.must(commands);
                    missing(prints, &printed).is_none().then_some(())
                });
            }
            let missing = missing(prints, &printed);
            assert!(missing.is_none(), "{commands}printed\n{printed}\nwithout {missing:?}");
        }
    }

    /// Runs commands that must succeed, in a shell that knows the variables of the ones before.
    fn must(&self, commands: &str) -> String {
        let Output { status, stdout, stderr } = self.run(commands);
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{commands}\n{status}\n{stdout}\n{stderr}");
        stdout.into_owned()
    }

    fn run(&self, commands: &str) -> Output {
        let script =
            format!("set -aeuo pipefail\n. ./variables\n{commands}\nexport -p >variables\n");
        let variables = self.folder.join("variables");
        if !variables.exists() {
            fs::write(&variables, "").unwrap();
        }
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(self.folder)
            .env_clear()
            .env("HOME", self.folder)
            .env("PATH", format!("{}:{path}", self.folder.join("bin").display()))
            .output()
            .unwrap()
    }
}

/// The first line whose words aren't in a line of `printed`, in the order of words and lines.
fn missing<'a>(prints: &'a str, printed: &str) -> Option<&'a str> {
    let has = |line: &str, words: &str| {
        let mut found = line.split_whitespace();
        words.split_whitespace().all(|word| found.any(|other| other == word))
    };
    let mut lines = printed.lines();
    prints.lines().find(|words| !lines.any(|line| has(line, words)))
}
