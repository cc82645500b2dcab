//! PostgreSQL fails over and nobody fences the old primary: the name leads to another server, and
//! connections to the one before live on (sync.md F4, L2).

use std::fs;

use serde_json::Value;

use crate::revocation::Api;
use crate::site::{CONDAGATE, Connection, Line, Postgres, Process, Setup, patience, port};

#[test]
fn gateway_and_control_plane_follow_the_name_though_the_old_primary_lives_on() {
    let mut old = Postgres::start();
    let mut setup = Setup::with_demo_channel_on(&old);
    let line = Line::before(&mut setup);
    // Followed within half of it; on a busy machine a shorter one may end meanwhile.
    setup.text("gateway.lease", "15s");
    let [kept, revoked] = [(); 2].map(|()| setup.admin.token(&["demo"]));
    let (control, folder) = (port::free(), setup.path("control"));
    setup.set("control.listen", &format!("[\"{control}\"]"));
    fs::create_dir(&folder).unwrap();
    let metrics = format!("\"{}\"", setup.metrics);
    setup.unset("metrics.listen");
    fs::write(folder.join("condagate.toml"), setup.configuration()).unwrap();
    setup.set("metrics.listen", &metrics);
    let _control = Process::start("control", CONDAGATE, ["control"], &[], &folder);
    patience::until("the control plane to listen", || Connection::open(control).ok());
    let mut api = Api::sign_in(control);
    let site = setup.start();

    let new = old.copy();
    let lost = site.admin.token(&["demo"]);
    site.wait_for(lost.revision);
    let get = |value: &str| site.get(&format!("/t/{value}/demo/noarch/repodata.json"));
    for token in [&kept, &revoked, &lost] {
        assert_eq!(get(&token.value).status(), 200);
    }

    line.lead_to(&new);
    let delete = format!("/tokens/{}?wait=30s", revoked.id.0);
    let is_revoked =
        format!("SELECT revoked_at IS NOT NULL FROM tokens WHERE id = {}", revoked.id.0);
    let proof = patience::until("the control plane to use the new primary", || {
        let there = new.query(&is_revoked).trim() == "t";
        let answer = api.ask("DELETE", &delete, &Value::Null).ok()?;
        (there && matches!(answer.status(), 200 | 202)).then(|| answer.json())
    });
    assert_eq!(proof["confirmed"], true, "{proof}");
    assert_ne!(get(&revoked.value).status(), 200, "after the confirmation");
    // Not because the gateway was silent there for a lease: it serves by the new one. It ends what
    // it was under the old one first, and may be between the two.
    let again = format!("/revisions/{}/proof", proof["revision"]);
    patience::until("the gateway to say that it has applied it", || {
        let proof = api.ask("GET", &again, &Value::Null).ok()?.json();
        let gateways = proof["gateways"].as_array()?;
        gateways.iter().any(|gateway| gateway["state"] == "applied").then_some(())
    });
    patience::until("its first lease there", || {
        (get(&kept.value).error() != "lease-ended").then_some(())
    });
    assert_eq!(get(&revoked.value).error(), "token-revoked");
    assert_eq!(get(&lost.value).error(), "token-unknown", "made on the old one alone");
    assert_eq!(get(&kept.value).status(), 200);
    assert_eq!(old.query("SELECT 1").trim(), "1", "the old one lives on");
    site.stop();
}
