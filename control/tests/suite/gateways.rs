//! Gateways over the API (api.md, `GET /gateways`).

use std::time::Duration;

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
                .execute(w.control.store().pool()).await.unwrap();
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
}
