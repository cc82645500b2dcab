//! The whole table on a small scale: the real servers, started and stopped by the program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SERVERS: [&str; 12] = [
    "directory",
    "http",
    "http-uncached",
    "nginx-static",
    "nginx-static-stock",
    "nginx-map",
    "nginx-map-16x64k",
    "nginx-auth-request",
    "haproxy-map",
    "haproxy-map-splice",
    "directory-tls",
    "nginx-static-tls",
];

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// A command that starts servers, with the condagate that the other tests have built, by its relative
/// path; where there is none it builds one, as it does for people.
fn loadtest(name: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_loadtest"));
    let mut command = Command::new(program);
    command.arg(name);
    if let Some(folder) = program.parent().filter(|folder| folder.join("condagate").exists()) {
        command.current_dir(folder).args(["--condagate", "condagate"]);
    }
    command
}

#[test]
fn every_server_answers_every_load_rightly() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let ran = loadtest("table")
        .args(["--rounds", "1", "--seconds", "0.1", "--tokens", "300"])
        .args(["--load", "small,not-modified,unknown,install,shards", "--json"])
        .arg(&report)
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    for goal in ["directory / nginx-static", "http-uncached / haproxy-map-splice"] {
        assert!(said.contains(&format!("| {goal} |")), "{said}");
    }
    assert!(said.contains(" of 0.70 "), "{said}");

    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["subjects"], serde_json::json!(SERVERS));
    let cells = report["cells"].as_array().unwrap();
    // Four loads of ten servers without TLS, four of two with it.
    assert_eq!(cells.len(), 4 * 10 + 4 * 2);
    for cell in cells {
        let run = &cell["rounds"][0];
        assert!(number(&run["requests"]) > 0.0, "{cell}");
        assert!(number(&run["server_cpu_micros_per_request"]) > 0.0, "{cell}");
        assert!(number(&run["server"]["peak_resident_bytes"]) > 1e6, "{cell}");
        assert_eq!(cell["load"] == "install", cell["paced"].as_array().unwrap().is_empty());
    }
    // What was started is ended, and what was made is gone.
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn curves_are_measured_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for (curves, most, row) in
        [("channels", "10", "| 10 |"), ("size", "10000", "| 10 k |"), ("threads", "2", "| 2 |")]
    {
        let ran = loadtest("growth")
            .args(["--of", curves, "--most", most, "--rounds", "1", "--seconds", "0.05"])
            .arg("--pictures")
            .arg(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
        assert!(said.lines().any(|line| line.starts_with(row)), "{row}\n{said}");
    }
    for curve in ["channels", "size", "threads"] {
        let picture = folder.path().join(format!("growth-{curve}.svg"));
        let picture = std::fs::read_to_string(picture).unwrap();
        assert!(picture.contains(">directory</text>"), "{picture}");
    }
}

#[test]
fn a_server_that_can_not_start_says_why() {
    let ran = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["table", "--only", "directory", "--condagate", "/nowhere/condagate"])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("/nowhere/condagate can't be started"), "{said}");
}
