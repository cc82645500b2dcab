//! What machines that watch are told: probes, metrics, the service manager.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::site::patience::until;
use crate::site::{Database, Setup, Site, client};

fn count(site: &Site, metric: &str) -> i64 {
    let text = site.metrics_text();
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

#[test]
fn the_metrics_listener_answers_for_machines() {
    let site = Setup::with_demo_channel(Database::Sqlite).start();
    let issued = site.admin.token(&["demo"]);
    // Else the news of it may come between the two requests below, and it is looked up twice.
    site.wait_for(issued.revision);
    let token = issued.value;
    let ask = |path: &str| client::get(site.metrics, path, &[]);
    assert_eq!(ask("/healthz").status(), 200);
    assert_eq!(ask("/readyz").status(), 200);
    assert_eq!(ask("/demo/noarch/repodata.json").status(), 404, "no channel is served there");

    let path = format!("/t/{token}/demo/noarch/repodata.json");
    let length = site.get(&path).body.len();
    site.get(&path);
    site.get("/demo/noarch/repodata.json");
    // A request is counted when its answer has gone, which the client may know sooner.
    until("all to be counted", || {
        let counts = [
            "condagate_requests_total{status=\"200\"}",
            "condagate_requests_total{status=\"401\"}",
            "condagate_refusals_total{error=\"token-missing\"}",
        ];
        (counts.map(|name| count(&site, name)) == [2, 1, 1]).then_some(())
    });
    assert_eq!(count(&site, "condagate_table_hits_total"), 1);
    assert_eq!(count(&site, "condagate_table_misses_total"), 1);
    assert_eq!(count(&site, "condagate_channels"), 1);
    assert_eq!(count(&site, "condagate_tokens_expiring"), 0);
    assert!(site.metrics_text().contains("\ncondagate_clock_skew_seconds "));
    assert!(count(&site, "condagate_sent_bytes_total") >= 2 * i64::try_from(length).unwrap());
    // Nothing of it is said on the gateway's own listener: these could be channels.
    assert_eq!(site.get("/metrics").status(), site.get("/nothing").status());
    site.stop();
}

/// sd_notify(3): ready once it serves, reloading and ready again, stopping.
#[test]
fn the_service_manager_is_told() {
    let setup = Setup::with_demo_channel(Database::Sqlite);
    let socket = setup.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let told = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let site = setup.start_with(&[("NOTIFY_SOCKET", socket.to_str().unwrap())]);
    assert_eq!(told(), "READY=1");
    assert_eq!(site.get("/demo/noarch/repodata.json").status(), 401);
    site.process.signal(Signal::HUP);
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(), "READY=1");
    site.process.signal(Signal::TERM);
    assert_eq!(told(), "STOPPING=1");
}

/// After a rotation, SIGHUP opens the access log anew.
#[test]
fn the_access_log_can_be_rotated() {
    let site = Setup::with_demo_channel(Database::Sqlite).start();
    let before = site.get("/demo/noarch/repodata.json").request_id();
    site.line_of(&before);
    std::fs::rename(site.path("access.log"), site.path("access.log.1")).unwrap();
    site.process.signal(Signal::HUP);
    let after = site.get("/demo/noarch/repodata.json").request_id();
    site.line_of(&after);
    assert!(!site.access_log().contains(&before));
    site.stop();
}
