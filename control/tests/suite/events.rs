//! That every change, and nothing else, writes exactly one audit event, by asking for each
//! operation of the API's description.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{PASSWORD, World};

/// Operations whose events are tested where they are.
const ELSEWHERE: &[&str] = &["tokens"];

/// A change: method, path as described, names for its variables, body.
type Ask = (&'static str, &'static str, &'static [(&'static str, &'static str)], Value);

/// Every change but those of tokens, each after what it needs.
fn asks() -> Vec<Ask> {
    let bob = &[("name", "bob")][..];
    let in_group = &[("name", "g"), ("principal", "alice")][..];
    let on_channel = &[("name", "g"), ("channel", "a")][..];
    let none = Value::Null;
    vec![
        ("post", "/users", &[], json!({ "name": "bob", "password": PASSWORD })),
        ("patch", "/users/{name}", bob, json!({ "email": "bob@example.com" })),
        ("post", "/users/{name}/password", bob, json!({ "password": "battery staple" })),
        ("post", "/sessions", &[], json!({ "username": "bob", "password": "battery staple" })),
        ("delete", "/users/{name}", bob, none.clone()),
        ("post", "/channels", &[], json!({ "name": "a" })),
        ("patch", "/channels/{channel}", &[("channel", "a")], json!({ "privacy": "public" })),
        ("post", "/service-accounts", &[], json!({ "channel": "a" })),
        ("post", "/groups", &[], json!({ "name": "g" })),
        ("patch", "/groups/{name}", &[("name", "g")], json!({ "description": "G" })),
        ("put", "/groups/{name}/members/{principal}", in_group, none.clone()),
        (
            "put",
            "/groups/{name}/permissions/{channel}",
            on_channel,
            json!({ "permission": "read" }),
        ),
        ("delete", "/groups/{name}/permissions/{channel}", on_channel, none.clone()),
        ("delete", "/groups/{name}/members/{principal}", in_group, none.clone()),
        ("delete", "/groups/{name}", &[("name", "g")], none.clone()),
        (
            "delete",
            "/service-accounts/{name}",
            &[("name", "service-account-channel-a")],
            none.clone(),
        ),
        ("delete", "/channels/{channel}", &[("channel", "a")], none.clone()),
        ("delete", "/gateways/{instance}", &[("instance", "gone")], none.clone()),
        // The first session is the admin's own: the last but one change ends another's.
        ("delete", "/sessions/{id}", &[("id", "2")], none.clone()),
        ("delete", "/sessions/current", &[], none),
    ]
}

control::on_both_databases! {
    async fn every_change_writes_one_event(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        Client::sign_in(&w, "alice").await;
        let gone = "INSERT INTO gateways (instance, name, version, started_at, applied_revision, \
            applied_stamp, renewal, renewed_at, lease_ms, serve_known_ms) \
            VALUES ('gone', 'gw', '1.0', 0, 0, 0, 1, 0, 60000, 0)";
        sqlx::query(gone).execute(&w.control.store().pool()).await.unwrap();
        let mut asked = BTreeSet::new();
        for (method, described, names, body) in asks() {
            let mut path = format!("/api/v1{described}");
            for (name, value) in names {
                path = path.replace(&format!("{{{name}}}"), value);
            }
            let before = w.audit().await.len();
            let body = (!body.is_null()).then_some(body);
            let answer = admin.send(&method.to_uppercase(), &path, body).await;
            assert!(answer.status.is_success(), "{method} {path}: {}", answer.body);
            let events = w.audit().await;
            assert_eq!(events.len() - before, 1, "{method} {path}: {:?}", &events[before..]);
            asked.insert(format!("{method} /api/v1{described}"));
        }
        let api = admin.get("/api/v1/openapi.json").await.body;
        let mut described = BTreeSet::new();
        for (path, item) in api["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let tag = operation["tags"][0].as_str().unwrap();
                if method != "get" && !ELSEWHERE.contains(&tag) {
                    described.insert(format!("{method} {path}"));
                }
            }
        }
        assert_eq!(asked, described, "ask for each change that the description has");
    }

    async fn what_is_refused_or_read_writes_none(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let admin = Client::sign_in(&w, "root").await;
        let alice = Client::sign_in(&w, "alice").await;
        let before = w.audit().await;
        for path in ["me", "users", "groups", "channels/a", "service-accounts", "audit", "gateways"] {
            admin.get(&format!("/api/v1/{path}")).await;
        }
        admin.post("/api/v1/channels", json!({ "name": "a" })).await;
        admin.delete("/api/v1/groups/a_owners/members/root").await;
        admin.patch("/api/v1/users/root", json!({ "active": false })).await;
        alice.delete("/api/v1/channels/a").await;
        alice.post("/api/v1/users", json!({ "name": "bob", "password": PASSWORD })).await;
        assert_eq!(w.audit().await, before);
    }
}
