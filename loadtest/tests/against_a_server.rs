//! The program against a small server, and against one that gets things wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;

/// Serves `answer` on a port of its own until the test process ends.
fn serve(answer: fn(&str) -> Response<Full<Bytes>>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service_fn(move |request: Request<Incoming>| async move {
                    Ok::<_, Infallible>(answer(request.uri().path()))
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async { drop(connection.await) });
            }
        });
    });
    address
}

const GOOD: &str = "good-token-0123456789";
const REVOKED: &str = "revoked-token-0123456789";

/// A channel `a` with two files, closed to all tokens but one.
fn channel(path: &str) -> Response<Full<Bytes>> {
    let good = format!("/t/{GOOD}/a/noarch/");
    let (status, body) = match path.strip_prefix(&good) {
        Some("one.conda") => (StatusCode::OK, vec![1; 20_000]),
        Some("two.conda") => (StatusCode::OK, vec![2; 70_000]),
        Some(_) => (StatusCode::NOT_FOUND, Vec::new()),
        None => (StatusCode::UNAUTHORIZED, b"{}".to_vec()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}

fn loadtest(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadtest")).args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_answer_is_checked_and_counted() {
    let address = serve(channel);
    let folder = tempfile::tempdir().unwrap();
    let url = write(folder.path(), "url", &format!("http://{address}/t/{GOOD}/a\n"));
    let paths = write(folder.path(), "paths", "noarch/one.conda 20000\nnoarch/two.conda\n");
    let tokens = write(folder.path(), "tokens", &format!("{GOOD}\n{REVOKED} 401\n"));
    let report = folder.path().join("report.json").to_str().unwrap().to_owned();
    let pid = std::process::id().to_string();
    let ran = loadtest(&[
        "run",
        "--url-file",
        &url,
        "--paths",
        &paths,
        "--token-file",
        &tokens,
        "--requests",
        "2000",
        "--connections",
        "8",
        "--hash",
        "--pid",
        &pid,
        "--json",
        &report,
    ]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    let table = String::from_utf8(ran.stdout).unwrap();
    assert!(table.contains("failures       none"), "{table}");
    assert!(!table.contains(GOOD), "{table}");
    let run = &json(&report)["run"];
    assert_eq!(run["requests"], 2000);
    assert!(run["server"]["cpu_seconds"].as_f64().unwrap() > 0.0, "{run}");
    // Half of the requests have the revoked token, and the others half of each file.
    let bytes = run["bytes"].as_u64().unwrap();
    assert!((35_000_000..55_000_000).contains(&bytes), "{bytes}");
}

#[test]
fn wrong_answers_are_named_and_fail_the_run() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static ANSWERS: AtomicU32 = AtomicU32::new(0);
    let address = serve(|_| {
        let number = ANSWERS.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(Full::from(vec![u8::from(number == 30); 10]));
        match number {
            10 => *response.status_mut() = StatusCode::NOT_FOUND,
            20 => *response.body_mut() = Full::from(vec![0; 9]),
            _ => {}
        }
        response
    });
    let url = format!("http://{address}/a");
    let ran = loadtest(&["run", "--url", &url, "--path", "x", "--requests", "100", "--hash"]);
    assert_eq!(ran.status.code(), Some(1), "{}", stderr(&ran));
    let table = String::from_utf8(ran.stdout).unwrap();
    for failure in ["1 × wrong status (status 404)", "1 × wrong length", "1 × wrong content"] {
        assert!(table.contains(failure), "{failure}\n{table}");
    }
}

#[test]
fn a_missing_server_or_file_and_a_visible_token_are_errors() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = loadtest(&["run", "--url", &format!("http://{closed}/a")]);
    assert_eq!(ran.status.code(), Some(2), "{}", stderr(&ran));
    assert!(stderr(&ran).contains(&closed.to_string()), "{}", stderr(&ran));

    let address = serve(channel);
    let folder = tempfile::tempdir().unwrap();
    let url = write(folder.path(), "url", &format!("http://{address}/t/{GOOD}/a"));
    let ran = loadtest(&["run", "--url-file", &url, "--path", "noarch/no.conda"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(stderr(&ran).contains("noarch/no.conda"), "{}", stderr(&ran));

    let ran = loadtest(&["run", "--url", &format!("http://{address}/t/{GOOD}/a")]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(stderr(&ran).contains("--url-file"), "{}", stderr(&ran));
    assert!(!stderr(&ran).contains(GOOD), "{}", stderr(&ran));
}

#[test]
fn a_server_is_compared_with_a_peer() {
    let (one, other) = (serve(channel), serve(channel));
    let folder = tempfile::tempdir().unwrap();
    let url = write(folder.path(), "url", &format!("http://{one}/t/{GOOD}/a"));
    let peer = write(folder.path(), "peer", &format!("http://{other}/t/{GOOD}/a"));
    let report = folder.path().join("report.json").to_str().unwrap().to_owned();
    let pid = std::process::id().to_string();
    let ran = loadtest(&[
        "compare",
        "--url-file",
        &url,
        "--pid",
        &pid,
        "--peer-url-file",
        &peer,
        "--peer-pid",
        &pid,
        "--path",
        "noarch/one.conda",
        "--requests",
        "2000",
        "--rounds",
        "3",
        "--json",
        &report,
    ]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    let report = json(&report);
    assert_eq!(report["rounds"].as_array().unwrap().len(), 3);
    // The same server on both sides.
    let ratio = report["cpu_ratio"].as_f64().unwrap();
    assert!((0.3..3.0).contains(&ratio), "{ratio}");
}

#[test]
fn the_file_of_the_demo_is_enough() {
    let address = serve(channel);
    let folder = tempfile::tempdir().unwrap();
    let demo = format!(r#"{{"channel_url": "http://{address}/t/{GOOD}/a", "channel": "a"}}"#);
    let demo = write(folder.path(), "demo.json", &demo);
    let ran =
        loadtest(&["run", "--demo-json", &demo, "--path", "noarch/one.conda", "--requests", "50"]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("bytes          1000000 "));
}
