//! How a gateway stops: whoever is being served is served to the end, within `gateway.drain`.

use std::path::Path;
use std::time::Duration;

use access::Privacy;
use rustix::process::Signal;

use crate::site::{Answer, Connection, Database, Issued, Setup, Site, client, patience};

/// More than every buffer between storage and client holds.
const LENGTH: usize = 64 * 1024 * 1024;
const FILE: &str = "noarch/large-1.0-0.conda";

fn site(drain: &str) -> (Site, Issued) {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    large_file(&storage);
    setup.directory("main", &storage);
    setup.text("gateway.drain", drain);
    setup.admin.channel("demo", Privacy::Private, "main", "demo");
    let token = setup.admin.token(&["demo"]);
    (setup.start(), token)
}

fn large_file(storage: &Path) {
    std::fs::create_dir_all(storage.join("demo/noarch")).unwrap();
    std::fs::File::create(storage.join("demo").join(FILE)).unwrap().set_len(LENGTH as u64).unwrap();
}

/// A download of which only the beginning was taken so far.
struct Begun {
    connection: Connection<std::net::TcpStream>,
    head: client::Head,
}

impl Begun {
    fn on(site: &Site, token: &Issued) -> Self {
        let mut connection = site.connect();
        connection.send_get(&format!("/t/{}/demo/{FILE}", token.value), &[]).unwrap();
        let head = connection.head().unwrap();
        assert_eq!(head.status, 200);
        Self { connection, head }
    }

    fn take_the_rest(mut self) -> Answer {
        self.connection.rest(self.head)
    }
}

fn is_refused(site: &Site) -> bool {
    Connection::open(site.gateway).is_err()
}

#[test]
fn a_request_in_flight_ends_and_nothing_new_begins() {
    let (mut site, token) = site("30s");
    let download = Begun::on(&site, &token);
    let mut idle = site.connect();
    assert_eq!(idle.get("/demo/noarch/repodata.json", &[]).unwrap().status(), 401);

    site.process.signal(Signal::TERM);
    patience::until("the listener to be closed", || is_refused(&site).then_some(()));
    assert!(idle.is_closed(), "an idle connection was kept");
    let ready = client::get(site.metrics, "/readyz", &[]);
    assert_eq!((ready.status(), ready.text().contains("stopping")), (503, true), "{ready:?}");
    let metrics = client::get(site.metrics, "/metrics", &[]);
    assert!(metrics.text().contains("condagate_connections 1\n"), "{}", metrics.text());
    assert!(site.process.ended().is_none(), "it ended with a request in flight");

    let answer = download.take_the_rest();
    assert!(answer.whole && answer.body.len() == LENGTH, "{} bytes", answer.body.len());
    let status = site.process.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}: {}", site.process.stderr());
    assert!(site.access_log().contains("\"end\":\"complete\""), "its line was lost");
}

#[test]
fn a_request_that_stalls_is_cut_at_the_end_of_the_drain() {
    let (mut site, token) = site("1s");
    let download = Begun::on(&site, &token);
    site.process.signal(Signal::TERM);
    let stopped = patience::now();
    let status = site.process.wait(Duration::from_secs(20));
    let took = patience::now().since(stopped);
    assert!(status.success(), "{status}: {}", site.process.stderr());
    assert!(took >= Duration::from_millis(900), "cut after {took:?}");
    assert!(!download.take_the_rest().whole, "a short file was taken for whole");
    assert!(site.process.stderr().contains("still in flight"), "{}", site.process.stderr());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (mut site, token) = site("30s");
    let _download = Begun::on(&site, &token);
    site.process.signal(Signal::TERM);
    patience::until("the stop to begin", || is_refused(&site).then_some(()));
    site.process.signal(Signal::TERM);
    let status = site.process.wait(Duration::from_secs(5));
    assert_eq!(status.code(), Some(1));
}

#[test]
fn without_requests_it_ends_at_once() {
    for command in ["gateway", "serve"] {
        let mut setup = Setup::with_demo_channel(Database::Sqlite);
        setup.command(command);
        setup.set("control.listen", "[\"127.0.0.1:0\"]");
        let mut site = setup.start();
        let _idle = site.connect();
        site.process.signal(Signal::TERM);
        let status = site.process.wait(Duration::from_secs(5));
        assert!(status.success(), "{command}: {status}");
    }
}
