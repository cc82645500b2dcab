//! The API's description is true: schemathesis makes requests from it, right ones and wrong ones,
//! and compares the answers with it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command_line::Here;
use crate::site::{Database, clients_venv};

/// Longer than the cases of tests/api/schemathesis.toml take on a busy machine.
const LIMIT: Duration = Duration::from_secs(400);

/// What tests/api/schemathesis.toml knows by name, beside channel `demo` and its account.
const THERE: [&str; 9] = [
    "channel create other",
    "service-account create other",
    "user create bob --password-stdin",
    "user create carol --password-stdin",
    "group create team",
    "group add-member team bob",
    "group permit team other write",
    "token create --channel demo --name ci",
    "token create --user alice --channel demo --name own",
];

#[test]
fn is_true_on_sqlite() {
    is_true(Database::Sqlite);
}

#[test]
fn is_true_on_postgres() {
    is_true(Database::Postgres);
}

fn is_true(database: Database) {
    let here = Here::new(database);
    here.sign_in();
    for line in THERE {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let made = here.run(&arguments, &[], "bob's own password");
        assert!(made.status.success(), "{line}: {made:?}");
    }
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let report = Command::new("timeout")
        .args(["--kill-after", "5", &LIMIT.as_secs().to_string()])
        .arg(clients_venv().join("bin/schemathesis"))
        .arg("--config-file")
        .arg(api.join("schemathesis.toml"))
        .args(["run", "--no-color", &format!("{}/api/v1/openapi.json", here.url())])
        .env("CONDAGATE_SESSION", here.session())
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &api)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(here.site.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&report.stdout);
    assert!(report.status.success(), "{text}\nthe server said:\n{}", here.site.process.stderr());
    let cases = text.lines().rev().find(|line| line.contains(" generated")).unwrap_or_default();
    println!("{}", cases.trim());
    here.site.stop();
}
