//! The control database goes away and comes back: who was served is served on (sync.md T1, F6).

use crate::site::{Database, Line, Setup, client, patience};

#[test]
fn known_tokens_work_on_without_the_database_and_a_revoke_counts_when_it_is_back() {
    let mut setup = Setup::with_demo_channel(Database::Postgres);
    let line = Line::before(&mut setup);
    let [known, revoked] = [(); 2].map(|()| setup.admin.token(&["demo"]));
    let site = setup.start();
    let get = |value: &str| site.get(&format!("/t/{value}/demo/noarch/repodata.json"));
    assert_eq!(get(&known.value).status(), 200);
    assert_eq!(get(&revoked.value).status(), 200);
    let late = site.admin.token(&["demo"]);
    site.wait_for(late.revision);

    line.cut();
    let revision = site.admin.revoke(&revoked);
    patience::until("the loss to be told", || {
        site.process.stderr().contains("changes can't be read").then_some(())
    });
    assert_eq!(get(&known.value).status(), 200, "a known token");
    // Not 401: nobody knows that it is wrong.
    let asked = get(&late.value);
    assert_eq!((asked.status(), &*asked.error()), (503, "control-unreachable"));
    assert!(asked.field("retry-after").is_some());
    // Its lease lasts: a balancer that took it out would only make things worse.
    assert_eq!(client::get(site.metrics, "/readyz", &[]).status(), 200);
    assert_eq!(client::get(site.metrics, "/healthz", &[]).status(), 200);

    line.mend();
    site.wait_for(revision);
    let refused = get(&revoked.value);
    assert_eq!((refused.status(), &*refused.error()), (401, "token-revoked"));
    assert_eq!(get(&known.value).status(), 200);
    assert_eq!(get(&late.value).status(), 200);
    assert_eq!(client::get(site.metrics, "/readyz", &[]).status(), 200);
    assert!(site.process.stderr().contains("the control database answers again"));
    site.stop();
}
