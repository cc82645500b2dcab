//! A gateway without news: how long it serves what, and how it comes back (sync.md L2, L6).

use access::Privacy;

use crate::site::{Database, Line, Setup, client, files, patience};

/// A gateway on a PostgreSQL whose line can be cut, with the shortest lease.
fn setup() -> (Setup, Line) {
    let mut setup = Setup::with_demo_channel(Database::Postgres);
    files::copy(&files::demo_channel(), &setup.path("storage/open"));
    setup.admin.channel("open", Privacy::Public, "main", "open");
    let line = Line::before(&mut setup);
    setup.text("gateway.lease", "5s");
    setup.text("gateway.public_grace", "1h");
    (setup, line)
}

#[test]
fn past_the_lease_only_public_channels_are_served() {
    let (setup, line) = setup();
    let token = setup.admin.token(&["demo"]);
    let site = setup.start();
    let path = |channel: &str| format!("/t/{}/{channel}/noarch/repodata.json", token.value);
    assert_eq!(site.get(&path("demo")).status(), 200);
    assert!(site.metric("condagate_lease_remaining_seconds") > 0);
    assert_eq!(site.metric("condagate_feed_lag_seconds"), 0);

    line.cut();
    let refused = patience::until("the lease to end", || {
        Some(site.get(&path("demo"))).filter(|answer| answer.status() != 200)
    });
    assert_eq!((refused.status(), &*refused.error()), (503, "lease-ended"));
    assert!(refused.field("retry-after").is_some());
    assert!(site.metric("condagate_feed_lag_seconds") >= 3);
    let unknown = site.get("/demo/noarch/repodata.json");
    assert_eq!((unknown.status(), &*unknown.error()), (503, "lease-ended"), "without a token");
    assert_eq!(site.get("/open/noarch/repodata.json").status(), 200);
    let ready = client::get(site.metrics, "/readyz", &[]);
    assert_eq!((ready.status(), ready.text().contains("lease")), (503, true), "{ready:?}");
    let revision = site.admin.revoke(&token);

    line.mend();
    site.wait_for(revision);
    let revoked = patience::until("the lease to begin anew", || {
        Some(site.get(&path("demo"))).filter(|answer| answer.status() != 503)
    });
    assert_eq!((revoked.status(), &*revoked.error()), (401, "token-revoked"));
    site.stop();
}

#[test]
fn with_serve_known_a_token_in_memory_goes_on() {
    let (mut setup, line) = setup();
    setup.text("gateway.when_lease_ends", "serve-known");
    setup.text("gateway.serve_known_for", "1h");
    let [known, other] = [(); 2].map(|()| setup.admin.token(&["demo"]));
    let site = setup.start();
    let get = |value: &str| site.get(&format!("/t/{value}/demo/noarch/repodata.json"));
    assert_eq!(get(&known.value).status(), 200);
    let later = site.admin.token(&["demo"]);
    site.wait_for(later.revision);
    line.cut();
    patience::until("the lease to end", || {
        (get(&later.value).error() == "lease-ended").then_some(())
    });
    assert_eq!(get(&known.value).status(), 200);
    assert_eq!(get(&other.value).status(), 200, "read before the listener opened");
    assert_eq!(client::get(site.metrics, "/readyz", &[]).status(), 200);
}
