//! Gateways over the API (api.md, `GET /gateways`).

use std::time::Duration;

use access::lease::{Instance, LeaseSource as _, LeaseTerms, Registration, Renewal};
use serde_json::json;

use crate::client::Client;
use crate::world::World;

control::on_both_databases! {
    async fn registered_gateways_are_listed_until_they_end(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        assert_eq!(admin.get("/api/v1/gateways").await.body["items"], json!([]));
        let sql = "INSERT INTO gateways (instance, name, version, started_at, applied_revision, \
             applied_stamp, renewal, renewed_at, lease_ms, serve_known_ms, ended_at) \
             VALUES ($1, 'edge', '1.0', $2, 1, 0, 1, $2, 60000, 0, $3)";
        let now = w.now().as_millis();
        for (instance, ended) in [("a", None), ("b", Some(now))] {
            sqlx::query(sql).bind(instance).bind(now).bind(ended)
                .execute(&w.control.store().pool()).await.unwrap();
        }
        let listed = admin.get("/api/v1/gateways").await.body["items"].clone();
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        let edge = &listed[0];
        assert_eq!((&edge["name"], &edge["state"]), (&json!("edge"), &json!("live")));
        assert_eq!(edge["lag"], 1, "two users were made");
        w.clock.advance(Duration::from_secs(60));
        let late = admin.get("/api/v1/gateways").await.body;
        assert_eq!(late["items"][0]["state"], "late");
        let alice = Client::sign_in(&w, "alice").await;
        alice.get("/api/v1/gateways").await.is_problem(403, "not-permitted");
    }
    async fn a_gateway_that_is_gone_is_forgotten_and_one_that_is_not_registers_anew(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let gateway = w.control.store().gateway_source(w.clock.clone());
        let (lease, day) = (Duration::from_secs(180), Duration::from_secs(24 * 3600));
        let terms = LeaseTerms { lease, serve_known: day, public_grace: Duration::ZERO };
        let instance = Instance("gone".to_owned());
        let registration = Registration {
            instance: instance.clone(), name: "gw".to_owned(), version: "1".to_owned(), terms,
        };
        gateway.register(registration.clone()).await.unwrap();
        let made = admin.post("/api/v1/groups", json!({ "name": "g" })).await.body;
        assert_eq!(made["proof"]["confirmed"], false, "{made}");
        let proof = format!("/api/v1/revisions/{}/proof", made["revision"]);

        let forget = "/api/v1/gateways/gone";
        let alice = Client::sign_in(&w, "alice").await;
        alice.delete(forget).await.is_problem(403, "not-permitted");
        admin.delete("/api/v1/gateways/another").await.is_problem(404, "not-found");
        admin.delete(forget).await.is_problem(409, "gateway-live");
        w.clock.advance(lease);
        assert_eq!(gateway.renew(instance.clone()).await.unwrap(), Renewal::Committed);
        w.clock.advance(lease);
        // The gateway's clock may be a little behind.
        admin.delete(forget).await.is_problem(409, "gateway-live");
        w.clock.advance(Duration::from_secs(30));
        assert_eq!(admin.get(&proof).await.body["confirmed"], false);
        let before = w.audit().await.len();
        assert_eq!(admin.delete(forget).await.status, 204);
        assert_eq!(w.audit().await.len() - before, 1);
        let proven = admin.get(&proof).await.body;
        assert_eq!((&proven["confirmed"], &proven["gateways"][0]["state"]),
            (&json!(true), &json!("ended")), "{proven}");
        assert_eq!(admin.get("/api/v1/gateways").await.body["items"], json!([]));
        assert_eq!(admin.delete(forget).await.status, 204, "it is forgotten already");
        assert_eq!(w.audit().await.len() - before, 1);

        assert_eq!(gateway.renew(instance).await.unwrap(), Renewal::Ended);
        let anew = Registration { instance: Instance("anew".to_owned()), ..registration };
        gateway.register(anew).await.unwrap();
        assert_eq!(admin.get("/api/v1/gateways").await.body["items"][0]["instance"], "anew");
    }
}
