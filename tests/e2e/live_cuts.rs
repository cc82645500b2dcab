//! What is being sent when its token is revoked is cut, and seen to be cut (sync.md T3).

use std::io::ErrorKind;
use std::process::Command;

use access::Privacy;

use crate::site::{Connection, Database, Issued, Setup, Site, client, patience};

/// More than every buffer between storage and client holds.
const LENGTH: usize = 64 * 1024 * 1024;
const FILE: &str = "noarch/large-1.0-0.conda";

fn setup() -> Setup {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    std::fs::create_dir_all(storage.join("demo/noarch")).unwrap();
    let file = std::fs::File::create(storage.join("demo").join(FILE)).unwrap();
    file.set_len(LENGTH as u64).unwrap();
    setup.directory("main", &storage);
    for channel in ["demo", "other"] {
        setup.admin.channel(channel, Privacy::Private, "main", "demo");
    }
    setup
}

/// A download of which only the beginning was taken so far.
fn begin(site: &Site, token: &Issued) -> (Connection<std::net::TcpStream>, client::Head) {
    let mut connection = site.connect();
    connection.send_get(&format!("/t/{}/demo/{FILE}", token.value), &[]).unwrap();
    let head = connection.head().unwrap();
    assert_eq!(head.status, 200);
    (connection, head)
}

/// How the answer to a request ended, by the access log.
fn end_of(site: &Site, head: &client::Head) -> String {
    let line = site.line_of(head.field("x-request-id").unwrap());
    line["end"].as_str().unwrap().to_owned()
}

#[test]
fn a_download_that_stalls_is_reset_when_its_token_is_revoked() {
    let setup = setup();
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let (mut connection, head) = begin(&site, &token);
    site.admin.revoke(&token);
    // Nothing is taken meanwhile: it is cut all the same.
    assert_eq!(end_of(&site, &head), "cut");
    let mut buffer = vec![0; 1 << 20];
    let mut taken = 0;
    let why = loop {
        match connection.read(&mut buffer) {
            Ok(0) => panic!("after {taken} bytes the connection ended as if all were well"),
            Ok(count) => taken += count,
            Err(why) => break why,
        }
    };
    assert_eq!(why.kind(), ErrorKind::ConnectionReset, "{why}");
    assert!(taken < LENGTH);
    site.stop();
}

#[test]
fn a_download_that_is_still_granted_goes_on() {
    let setup = setup();
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let (mut connection, head) = begin(&site, &token);
    // Its principal may do more now: what was read of the token before doesn't count any more.
    site.admin.let_in("demo", "other");
    let later = site.admin.token(&["demo"]);
    site.wait_for(later.revision);
    let answer = connection.rest(head.clone());
    assert!(answer.whole && answer.body.len() == LENGTH, "{} bytes", answer.body.len());
    assert_eq!(end_of(&site, &head), "complete");
    site.stop();
}

#[test]
fn a_stream_of_http_2_is_reset_and_its_connection_goes_on() {
    let mut setup = setup();
    let ca = setup.tls().ca;
    let [revoked, kept] = [(); 2].map(|()| setup.admin.token(&["demo"]));
    let site = setup.start();
    let url = |token: &Issued| {
        let port = site.gateway.port();
        format!("https://localhost:{port}/t/{}/demo/{FILE}", token.value)
    };
    // Two downloads over one connection, slowly.
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--http2", "--parallel", "--limit-rate", "8M", "--cacert"]).arg(&ca);
    curl.args(["-w", "%{exitcode} %{size_download} %{http_version}\\n"]);
    for token in [&revoked, &kept] {
        curl.args(["-o", "/dev/null"]).arg(url(token));
    }
    let curl = curl.stdout(std::process::Stdio::piped()).spawn().unwrap();
    patience::until("both downloads to have begun", || {
        (site.metric("condagate_downloads_in_flight") == 2).then_some(())
    });
    site.admin.revoke(&revoked);
    let output = curl.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<&str> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines[0], format!("0 {LENGTH} 2"), "the other one: {told}");
    assert!(lines[1].starts_with("92 "), "a stream that was reset: {told}");
    site.stop();
}
