//! A SQLite file that an operator replaces while gateways and the control plane have it open
//! (sync.md F4): they follow the new one, and nothing is proven in it while a gateway serves by
//! the old one.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::revocation::Api;
use crate::site::{Admin, Database, Issued, Setup, Site, patience, port};

struct Scene {
    site: Site,
    api: Api,
    control: SocketAddr,
    /// Whether it is in the backup.
    kept: Issued,
    made_since: Issued,
}

fn file(admin: &Admin) -> PathBuf {
    admin.url().trim_start_matches("sqlite://").into()
}

fn path(token: &Issued) -> String {
    format!("/t/{}/demo/noarch/repodata.json", token.value)
}

impl Scene {
    /// `condagate serve`, a backup made while it runs, and a token that is not in the backup.
    fn new() -> Self {
        let mut setup = Setup::with_demo_channel(Database::Sqlite);
        let control = port::free();
        setup.command("serve");
        setup.set("control.listen", &format!("[\"{control}\"]"));
        let kept = setup.admin.token(&["demo"]);
        let site = setup.start();
        let copy = file(&site.admin).with_file_name("copy.db");
        site.admin.sql(format!("VACUUM INTO '{}'", copy.display()));
        let made_since = site.admin.token(&["demo"]);
        site.wait_for(made_since.revision);
        let api = Api::sign_in(control);
        let scene = Self { site, api, control, kept, made_since };
        for token in [&scene.kept, &scene.made_since] {
            assert_eq!(scene.site.get(&path(token)).status(), 200);
        }
        scene
    }

    /// Puts the backup over the file.
    fn replace(&self) {
        let file = file(&self.site.admin);
        fs::rename(file.with_file_name("copy.db"), file).unwrap();
    }

    fn is_confirmed(&mut self, revision: i64, wait: &str) -> bool {
        let path = format!("/revisions/{revision}/proof?wait={wait}");
        self.api.ask("GET", &path, &Value::Null).unwrap().json()["confirmed"] == json!(true)
    }
}

#[test]
fn gateway_and_control_plane_go_on_with_a_backup_that_is_put_in_place() {
    let mut s = Scene::new();
    s.replace();
    patience::within(Duration::from_secs(10), "the gateway to serve by the new file", || {
        (s.site.get(&path(&s.made_since)).error() == "token-unknown").then_some(())
    });
    assert_eq!(s.site.get(&path(&s.kept)).status(), 200);
    assert!(s.site.process.stderr().contains("was replaced by another one"));
    // The session was begun after the backup.
    let refused = s.api.ask("GET", "/tokens", &Value::Null).unwrap();
    assert_eq!(refused.status(), 401);

    s.api = Api::sign_in(s.control);
    let revoked = s.api.ask("DELETE", &format!("/tokens/{}?wait=30s", s.kept.id.0), &Value::Null);
    let proof = revoked.unwrap().json();
    assert_eq!(proof["confirmed"], true, "{proof}");
    assert_eq!(s.site.get(&path(&s.kept)).error(), "token-revoked");
    s.site.stop();
}

/// Another process makes the change, and this gateway stands still before it can notice.
#[test]
fn a_gateway_on_the_old_file_is_waited_for_in_the_new_one() {
    let mut s = Scene::new();
    s.site.process.signal(Signal::STOP);
    s.replace();
    let revision = s.site.admin.revoke(&s.kept);
    let waiting = s.site.admin.prove(revision, Duration::from_secs(2));
    assert_eq!(waiting.confirmed_at, None, "{waiting:?}");
    s.site.process.signal(Signal::CONT);
    let proof = s.site.admin.prove(revision, Duration::from_secs(30));
    assert!(proof.confirmed_at.is_some(), "{proof:?}");
    // It may have begun anew just now, and not have its first lease yet.
    let refused = patience::until("the gateway to go on", || {
        let answer = s.site.get(&path(&s.kept));
        assert_ne!(answer.status(), 200, "after the confirmation");
        Some(answer.error()).filter(|error| error != "lease-ended")
    });
    assert_eq!(refused, "token-revoked");
    s.api = Api::sign_in(s.control);
    assert!(s.is_confirmed(revision.0, "30s"));
    s.site.stop();
}

#[test]
fn without_its_file_it_serves_what_it_knows_and_changes_nothing() {
    let mut s = Scene::new();
    let (there, aside) = (file(&s.site.admin), file(&s.site.admin).with_extension("aside"));
    fs::rename(&there, &aside).unwrap();
    let delete = format!("/tokens/{}", s.kept.id.0);
    let refused = s.api.ask("DELETE", &delete, &Value::Null).unwrap();
    assert_eq!(refused.status(), 503, "{}", refused.text());
    assert_eq!(s.site.get(&path(&s.kept)).status(), 200, "its lease lasts");
    patience::until("the loss to be told", || {
        s.site.process.stderr().contains("is gone: No such file").then_some(())
    });
    fs::rename(&aside, &there).unwrap();
    let done = s.api.ask("DELETE", &format!("{delete}?wait=30s"), &Value::Null).unwrap();
    assert_eq!(done.json()["confirmed"], true, "{}", done.text());
    assert_eq!(s.site.get(&path(&s.kept)).error(), "token-revoked");
    s.site.stop();
}
