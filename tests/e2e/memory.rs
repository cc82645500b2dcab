//! Streaming holds nothing whole: the gateway's memory stays small however much is fetched.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::{Clock as _, Privacy, SystemClock};

use crate::site::nginx::Nginx;
use crate::site::patience::until;
use crate::site::{Database, Issued, Setup, Site};

const CLIENTS: usize = 8;
const GIBIBYTE: u64 = 1 << 30;
const LIMIT_KILOBYTES: u64 = 64 * 1024;
/// How many connections wait at a time, and how much each may take in kilobytes, also unoptimised.
const WAITING: u64 = 100;
const WAITING_KILOBYTES: u64 = 16;
const FILE: &str = "noarch/large-1.0-0.conda";

/// A tree with one large file, which takes no room on the disk.
fn large_file(folder: &Path) {
    std::fs::create_dir_all(folder.join("demo/noarch")).unwrap();
    let file = std::fs::File::create(folder.join("demo").join(FILE)).unwrap();
    file.set_len(GIBIBYTE).unwrap();
}

#[test]
fn eight_clients_take_a_gibibyte_each_from_a_directory() {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    large_file(&storage);
    setup.directory("main", &storage);
    stays_small(setup, "a directory");
}

#[test]
fn eight_clients_take_a_gibibyte_each_from_nginx() {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    large_file(&storage);
    let nginx = Nginx::serving(&storage);
    setup.http("main", &nginx.url());
    stays_small(setup, "nginx");
}

/// curl speaks HTTP/2 where it is offered.
#[test]
fn eight_clients_take_a_gibibyte_each_over_http2() {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    large_file(&storage);
    setup.directory("main", &storage);
    setup.admin.channel("demo", Privacy::Private, "main", "demo");
    let ca = setup.tls().ca;
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let url = format!("https://localhost:{}/t/{}/demo/{FILE}", site.gateway.port(), token.value);
    let curl = || {
        let mut curl = Command::new("curl");
        curl.args(["-fsS", "-o", "/dev/null", "-w", "%{http_version} %{size_download}"]);
        curl.arg("--cacert").arg(&ca).arg(&url).stdout(Stdio::piped()).spawn().unwrap()
    };
    let clients: Vec<_> = (0..CLIENTS).map(|_| curl()).collect();
    for client in clients {
        let output = client.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("2 {GIBIBYTE}"));
    }
    is_small(&site, "a directory over HTTP/2");
    site.stop();
}

/// Connections that wait have none of the buffers of those that are served, before their first
/// request or after a while without one.
#[test]
fn a_connection_that_waits_takes_little() {
    let setup = Setup::with_demo_channel(Database::Sqlite);
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let path = format!("/t/{}/demo/noarch/repodata.json", token.value);
    let mut open = Vec::new();
    let mut more = |is_used: bool| {
        let before = site.process.kilobytes("VmRSS");
        for _ in 0..WAITING {
            let mut connection = site.connect();
            if is_used {
                assert_eq!(connection.get(&path, &[]).unwrap().status(), 200);
            }
            open.push(connection);
        }
        until("the connections to be accepted", || {
            let accepted = site.metric("condagate_connections");
            (accepted == i64::try_from(open.len()).unwrap()).then_some(())
        });
        site.process.kilobytes("VmRSS").saturating_sub(before)
    };
    // What the first ones take is the process's, not theirs.
    more(true);
    let unused = more(false);
    assert!(unused <= WAITING * WAITING_KILOBYTES, "{WAITING} connections took {unused} kB");
    // What those before have let go is used again.
    let mut batches = 0;
    until("used connections that take little", || {
        batches += 1;
        assert!(batches < 7, "they take what they took when they were served");
        std::thread::sleep(Duration::from_secs(1));
        (more(true) <= WAITING * WAITING_KILOBYTES).then_some(())
    });
    site.stop();
}

/// Connections that wait, those that take nothing, the memory that all may need, in kilobytes, and
/// how much longer others may wait for their answers meanwhile.
const IDLE: usize = 10_000;
const STALLED: usize = 1_000;
const ALL_KILOBYTES: u64 = 150 * 1000;
const SLOWER_MAX: f64 = 1.5;

#[test]
#[ignore = "measures: cargo test --release --test e2e ten_thousand_wait -- --ignored --nocapture"]
fn ten_thousand_wait_and_a_thousand_take_nothing() {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    large_file(&storage);
    let small = "noarch/small-1.0-0.conda";
    std::fs::write(storage.join("demo").join(small), vec![b'a'; 20_000]).unwrap();
    setup.directory("main", &storage);
    setup.set("gateway.limits.max_connections", "20000");
    setup.admin.channel("demo", Privacy::Private, "main", "demo");
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let [small, large] = [small, FILE].map(|file| format!("/t/{}/demo/{file}", token.value));
    let p99 = || {
        let mut connection = site.connect();
        let mut times: Vec<_> = (0..5000)
            .map(|_| {
                let begun = SystemClock.moment();
                assert_eq!(connection.get(&small, &[]).unwrap().status(), 200);
                SystemClock.moment().since(begun)
            })
            .collect();
        times.sort_unstable();
        times[times.len() * 99 / 100]
    };
    p99();
    let alone = p99();
    let waiting: Vec<_> = (0..IDLE)
        .map(|number| {
            let mut connection = site.connect();
            if number % 2 == 0 {
                assert_eq!(connection.get(&small, &[]).unwrap().status(), 200);
            }
            connection
        })
        .collect();
    let stalled: Vec<_> = (0..STALLED)
        .map(|_| {
            let mut connection = site.connect();
            connection.send_get(&large, &[]).unwrap();
            assert_eq!(connection.head().unwrap().status, 200);
            connection
        })
        .collect();
    let (beside, memory) = (p99(), site.process.kilobytes("VmRSS"));
    let sockets = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let kernel = sockets.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    println!("{memory} kB resident; p99 {alone:?} alone, {beside:?} beside; pages: {kernel}");
    assert!(memory <= ALL_KILOBYTES, "{memory} kB");
    assert!(beside.as_secs_f64() <= alone.as_secs_f64() * SLOWER_MAX, "{alone:?} {beside:?}");
    drop((waiting, stalled));
    site.stop();
}

fn stays_small(setup: Setup, storage: &str) {
    setup.admin.channel("demo", Privacy::Private, "main", "demo");
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| slowly(&site, &token, &done));
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| drain(&site, &token))).collect();
        for client in clients {
            assert_eq!(client.join().unwrap(), GIBIBYTE);
        }
        done.store(true, Ordering::SeqCst);
        slow.join().unwrap();
    });
    is_small(&site, storage);
    site.stop();
}

fn is_small(site: &Site, storage: &str) {
    let most = site.process.kilobytes("VmHWM");
    println!("{CLIENTS} clients took 1 GiB each from {storage}: the gateway had {most} kB at most");
    assert!(most < LIMIT_KILOBYTES, "{most} kB");
}

/// Takes all of the file as fast as it comes; its length.
fn drain(site: &Site, token: &Issued) -> u64 {
    let mut connection = site.connect();
    connection
        .send_get(&format!("/t/{}/demo/{FILE}", token.value), &["Connection: close"])
        .unwrap();
    assert_eq!(connection.head().unwrap().status, 200);
    let mut buffer = vec![0; 256 * 1024];
    let mut length = 0;
    loop {
        match connection.read(&mut buffer).unwrap() {
            0 => return length,
            count => length += count as u64,
        }
    }
}

/// Takes a little now and then, as long as the others are busy.
fn slowly(site: &Site, token: &Issued, done: &AtomicBool) {
    let mut connection = site.connect();
    connection.send_get(&format!("/t/{}/demo/{FILE}", token.value), &[]).unwrap();
    assert_eq!(connection.head().unwrap().status, 200);
    let mut buffer = vec![0; 16 * 1024];
    while !done.load(Ordering::SeqCst) {
        assert_ne!(connection.read(&mut buffer).unwrap(), 0);
        std::thread::sleep(Duration::from_millis(20));
    }
}
