//! Groups over the API (api.md, "groups"; product.md, "group", S11).

use access::Permission;
use axum::http::StatusCode;
use control::usecases::group;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{World, name, order};

fn read() -> Value {
    json!({ "permission": "read" })
}

control::on_both_databases! {
    async fn an_admin_makes_fills_and_deletes_a_group(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("lab/prod").await;
        let admin = Client::sign_in(&w, "root").await;
        let alice = Client::sign_in(&w, "alice").await;
        let new = json!({ "name": "analysts", "description": "Data people" });
        let made = admin.post("/api/v1/groups", new.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        admin.post("/api/v1/groups", new).await.is_problem(409, "name-taken");
        let added = admin.send("PUT", "/api/v1/groups/analysts/members/alice", None).await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.body);
        let permit = "/api/v1/groups/analysts/permissions/lab:prod";
        assert_eq!(admin.put(permit, read()).await.status, StatusCode::OK);
        let channels = alice.get("/api/v1/me").await.body["channels"].clone();
        assert_eq!(channels, json!([{ "name": "lab/prod", "permission": "read" }]));
        let shown = alice.get("/api/v1/groups/analysts").await.body;
        assert_eq!(shown["members"], json!([{ "name": "alice", "kind": "user" }]));
        assert_eq!(shown["member_count"], 1);
        let permissions = json!([{ "channel": "lab/prod", "permission": "read" }]);
        assert_eq!(shown["permissions"], permissions);

        let renamed = admin.patch("/api/v1/groups/analysts", json!({ "name": "readers" })).await;
        assert_eq!(renamed.body["description"], "Data people", "what is left out stays");
        let listed = admin.get("/api/v1/groups?q=r").await.body;
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(admin.delete("/api/v1/groups/readers").await.status, StatusCode::OK);
        assert_eq!(alice.get("/api/v1/me").await.body["channels"], json!([]));
    }

    async fn owners_come_and_go_with_their_channel(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let admin = Client::sign_in(&w, "root").await;
        let reserved = admin.post("/api/v1/groups", json!({ "name": "b_owners" })).await;
        reserved.is_problem(422, "invalid-field");
        admin.delete("/api/v1/groups/a_owners").await.is_problem(409, "owners-group");
        let rename = admin.patch("/api/v1/groups/a_owners", json!({ "name": "x" })).await;
        rename.is_problem(409, "owners-group");
        let own = "/api/v1/groups/a_owners/permissions/a";
        admin.put(own, read()).await.is_problem(409, "owners-group");
        admin.delete(own).await.is_problem(409, "owners-group");
        let last = admin.delete("/api/v1/groups/a_owners/members/root").await;
        last.is_problem(409, "last-owner");
        let account = "/api/v1/groups/a_owners/members/service-account-channel-a";
        assert_eq!(admin.delete(account).await.status, StatusCode::OK);
        admin.delete("/api/v1/channels/a").await;
        admin.get("/api/v1/groups/a_owners").await.is_problem(404, "not-found");
    }

    async fn groups_are_seen_by_members_and_by_those_who_manage(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.channel(&w.admin, "b").await.unwrap();
        w.user("bob").await;
        let admin = Client::sign_in(&w, "root").await;
        for group in ["of-a", "of-both", "of-none"] {
            admin.post("/api/v1/groups", json!({ "name": group })).await;
        }
        for permit in ["of-a/permissions/a", "of-both/permissions/a", "of-both/permissions/b"] {
            admin.put(&format!("/api/v1/groups/{permit}"), read()).await;
        }
        w.join("a_owners", "alice").await;
        let alice = Client::sign_in(&w, "alice").await;
        let listed = alice.get("/api/v1/groups").await.body;
        let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|g| &g["name"]).collect();
        assert_eq!(names, ["a_owners", "of-a", "of-both"]);
        let both = alice.get("/api/v1/groups/of-both").await.body;
        assert_eq!(both["permissions"], json!([{ "channel": "a", "permission": "read" }]));
        alice.get("/api/v1/groups/of-none").await.is_problem(404, "not-found");
        alice.get("/api/v1/groups/nothing").await.is_problem(404, "not-found");

        let bob = |group: &str| format!("/api/v1/groups/{group}/members/bob");
        let joined = alice.send("PUT", &bob("of-a"), None).await;
        assert_eq!(joined.status, StatusCode::OK, "she manages all that it gives");
        let refused = alice.send("PUT", &bob("of-both"), None).await;
        refused.is_problem(403, "not-permitted");
        assert!(refused.body["needs"].as_str().unwrap().contains("every channel of `of-both`"));
        alice.send("PUT", &bob("of-none"), None).await.is_problem(404, "not-found");
        alice.post("/api/v1/groups", json!({ "name": "x" })).await.is_problem(403, "not-permitted");
        alice.delete("/api/v1/groups/of-a").await.is_problem(403, "not-permitted");
        let hidden = alice.put("/api/v1/groups/of-a/permissions/b", read()).await;
        hidden.is_problem(404, "not-found");
        admin.put("/api/v1/groups/of-a/permissions/b", read()).await;
        alice.delete(&bob("of-a")).await.is_problem(403, "not-permitted");
    }

    async fn s11_an_owner_lets_another_channels_account_in(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("one").await;
        w.channel(&w.admin, "two").await.unwrap();
        w.join("two_owners", "alice").await;
        let alice = Client::sign_in(&w, "alice").await;
        let both = || order("both", Permission::Read, &["one", "two"]);
        w.token(&w.admin, &account.name, both()).await.unwrap_err();
        let path = format!("/api/v1/groups/two_owners/members/{}", account.name);
        assert_eq!(alice.send("PUT", &path, None).await.status, StatusCode::OK);
        let token = w.token(&w.admin, &account.name, both()).await.unwrap();
        assert_eq!(w.grant(&token).await.channels().len(), 2);
        assert_eq!(alice.delete(&path).await.status, StatusCode::OK);
        assert_eq!(w.grant(&token).await.channels().len(), 1, "at the same moment");

        let admin = Client::sign_in(&w, "root").await;
        admin.post("/api/v1/groups", json!({ "name": "readers" })).await;
        admin.put("/api/v1/groups/readers/permissions/two", json!({ "permission": "write" })).await;
        let path = format!("/api/v1/groups/readers/members/{}", account.name);
        assert_eq!(alice.send("PUT", &path, None).await.status, StatusCode::OK);
        assert_eq!(w.grant(&token).await.channels().len(), 2, "any group with a permission will do");
        admin.delete("/api/v1/groups/readers/permissions/two").await;
        assert_eq!(w.grant(&token).await.channels().len(), 1);
    }

    async fn the_log_tells_nothing_that_did_not_happen(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let (before, bob) = (w.feed().await.revision, w.user("bob").await);
        w.join("a_owners", "alice").await;
        group::remove_member(&w.control, &w.admin, "a_owners", &bob.name).await.unwrap();
        group::create(&w.control, &w.admin, "g", "").await.unwrap();
        group::set_permission(&w.control, &w.admin, "g", &name("a"), None).await.unwrap();
        assert_eq!(w.feed().await.revision.0, before.0 + 2, "bob and the group");
        let sql = "SELECT before, after FROM audit_events WHERE action IN ('group.add_member', \
             'group.remove_member', 'group.set_permission') ORDER BY id";
        let states: Vec<(Option<String>, Option<String>)> =
            sqlx::query_as(sql).fetch_all(&w.control.store().pool()).await.unwrap();
        let alice = Some(r#"{"member":"alice"}"#.to_owned());
        assert_eq!(states, [(None, alice)]);
    }
}
