//! Users and their sessions over the API (api.md, "users").

use axum::http::StatusCode;
use control::Settings;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{PASSWORD, World, order, settings};

fn bob() -> Value {
    json!({ "name": "bob", "display_name": "Bob", "email": "bob@example.com", "role": "user",
        "password": PASSWORD })
}

fn login(password: &str) -> Value {
    json!({ "username": "bob", "password": password })
}

control::on_both_databases! {
    async fn an_admin_makes_changes_and_deletes_a_user(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let made = admin.post("/api/v1/users", bob()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(made.body["active"], true);
        assert!(made.body.get("password").is_none() && made.body.get("password_hash").is_none());
        admin.post("/api/v1/users", bob()).await.is_problem(409, "name-taken");
        let edit = json!({ "email": "b@example.com", "role": "admin" });
        let changed = admin.patch("/api/v1/users/bob", edit).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
        assert_eq!(changed.body["display_name"], "Bob", "what is left out stays");
        assert_eq!(admin.get("/api/v1/users/bob").await.body["role"], "admin");
        let names = admin.get("/api/v1/users?q=b").await.body;
        assert_eq!(names["items"].as_array().unwrap().len(), 1);
        assert_eq!(names["items"][0]["email"], "b@example.com");
        let gone = admin.delete("/api/v1/users/bob").await;
        assert_eq!(gone.status, StatusCode::OK, "{}", gone.body);
        admin.get("/api/v1/users/bob").await.is_problem(404, "not-found");
        let again = admin.post("/api/v1/users", bob()).await;
        assert_eq!(again.status, StatusCode::CREATED, "the name is free again");
    }

    async fn users_are_for_admins_and_each_sees_themselves(database: TestDatabase) {
        let w = World::new(database).await;
        let alice = Client::sign_in(&w, "alice").await;
        assert_eq!(alice.get("/api/v1/users/alice").await.body["name"], "alice");
        alice.get("/api/v1/users/root").await.is_problem(404, "not-found");
        alice.get("/api/v1/users/nobody").await.is_problem(404, "not-found");
        alice.get("/api/v1/users").await.is_problem(403, "not-permitted");
        alice.post("/api/v1/users", bob()).await.is_problem(403, "not-permitted");
        let edit = json!({ "role": "admin" });
        alice.patch("/api/v1/users/alice", edit).await.is_problem(403, "not-permitted");
        alice.delete("/api/v1/users/alice").await.is_problem(403, "not-permitted");
        let sa = w.account("a").await.name;
        let admin = Client::sign_in(&w, "root").await;
        admin.get(&format!("/api/v1/users/{sa}")).await.is_problem(404, "not-found");
    }

    async fn deactivating_ends_sessions_and_tokens_and_frees_the_seat(database: TestDatabase) {
        let w = World::with(database, Settings { seats: Some(3), ..settings() }).await;
        let admin = Client::sign_in(&w, "root").await;
        admin.post("/api/v1/users", bob()).await;
        admin.post("/api/v1/channels", json!({ "name": "a" })).await;
        w.join("a_owners", "bob").await;
        let his = Client::sign_in(&w, "bob").await;
        let bob_id = w.principal("bob").await;
        let him = control::Actor::console_as(bob_id, "bob");
        let token = w.token(&him, "bob", order("t", access::Permission::Read, &["a"])).await.unwrap();
        let one_more = json!({ "name": "carol", "password": PASSWORD });
        let full = admin.post("/api/v1/users", one_more.clone()).await;
        full.is_problem(409, "seat-limit");

        let off = admin.patch("/api/v1/users/bob", json!({ "active": false })).await;
        assert_eq!((off.status, &off.body["active"]), (StatusCode::OK, &json!(false)));
        his.get("/api/v1/me").await.is_problem(401, "not-signed-in");
        assert!(w.is_revoked(&token).await);
        admin.post("/api/v1/sessions", login(PASSWORD)).await.is_problem(401, "wrong-password");
        assert_eq!(admin.post("/api/v1/users", one_more).await.status, StatusCode::CREATED);
        let on = json!({ "active": true });
        let full = admin.patch("/api/v1/users/bob", on.clone()).await;
        full.is_problem(409, "seat-limit");
        admin.delete("/api/v1/users/carol").await;
        assert_eq!(admin.patch("/api/v1/users/bob", on).await.status, StatusCode::OK);
        Client::sign_in(&w, "bob").await;
        assert!(w.is_revoked(&token).await, "a token ended so never comes back");
    }

    async fn the_last_admin_stays_one(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let root = "/api/v1/users/root";
        for edit in [json!({ "role": "user" }), json!({ "active": false })] {
            admin.patch(root, edit).await.is_problem(409, "last-admin");
        }
        admin.delete(root).await.is_problem(409, "last-admin");
        assert_eq!(admin.get("/api/v1/me").await.body["admin"], true, "nothing half done");
        admin.patch("/api/v1/users/alice", json!({ "role": "admin" })).await;
        assert_eq!(admin.delete(root).await.status, StatusCode::OK);
    }

    async fn a_channels_last_owner_is_not_deleted(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        admin.patch("/api/v1/users/alice", json!({ "role": "admin" })).await;
        let alice = Client::sign_in(&w, "alice").await;
        alice.post("/api/v1/channels", json!({ "name": "hers" })).await;
        let refused = admin.delete("/api/v1/users/alice").await;
        refused.is_problem(409, "last-owner");
        assert!(refused.body["detail"].as_str().unwrap().contains("`hers_owners`"));
        w.join("hers_owners", "root").await;
        assert_eq!(admin.delete("/api/v1/users/alice").await.status, StatusCode::OK);
    }

    async fn a_new_password_needs_the_old_one_and_ends_other_sessions(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        admin.post("/api/v1/users", bob()).await;
        let (here, there) = (Client::sign_in(&w, "bob").await, Client::sign_in(&w, "bob").await);
        let path = "/api/v1/users/bob/password";
        let new = "battery staple";
        for body in [
            json!({ "password": new }),
            json!({ "password": new, "old_password": "wrong horse" }),
        ] {
            let refused = here.post(path, body).await;
            refused.is_problem(422, "invalid-field");
            assert_eq!(refused.body["errors"][0]["field"], "old_password");
        }
        let short = json!({ "password": "short", "old_password": PASSWORD });
        here.post(path, short).await.is_problem(422, "invalid-field");
        let right = json!({ "password": new, "old_password": PASSWORD });
        assert_eq!(here.post(path, right).await.status, StatusCode::NO_CONTENT);
        assert_eq!(here.get("/api/v1/me").await.status, StatusCode::OK, "this one stays");
        there.get("/api/v1/me").await.is_problem(401, "not-signed-in");
        admin.post("/api/v1/sessions", login(PASSWORD)).await.is_problem(401, "wrong-password");

        let set = admin.post(path, json!({ "password": PASSWORD })).await;
        assert_eq!(set.status, StatusCode::NO_CONTENT, "an admin needs no old one");
        here.get("/api/v1/me").await.is_problem(401, "not-signed-in");
        let alice = Client::sign_in(&w, "alice").await;
        alice.post(path, json!({ "password": new })).await.is_problem(404, "not-found");
    }

    async fn sessions_are_listed_and_ended_by_their_user(database: TestDatabase) {
        let w = World::new(database).await;
        let (here, there) =
            (Client::sign_in(&w, "alice").await, Client::sign_in(&w, "alice").await);
        let admin = Client::sign_in(&w, "root").await;
        let sessions = here.get("/api/v1/users/alice/sessions").await.body;
        let items = sessions["items"].as_array().unwrap();
        let current: Vec<_> = items.iter().map(|item| item["current"] == true).collect();
        assert_eq!(current, [true, false]);
        let of_root = format!("/api/v1/users/{}/sessions", "root");
        here.get(&of_root).await.is_problem(404, "not-found");
        let other = format!("/api/v1/sessions/{}", items[1]["id"]);
        assert_eq!(here.delete(&other).await.status, StatusCode::NO_CONTENT);
        there.get("/api/v1/me").await.is_problem(401, "not-signed-in");
        here.delete(&other).await.is_problem(404, "not-found");
        let roots = admin.get(&of_root).await.body;
        let roots = format!("/api/v1/sessions/{}", roots["items"][0]["id"]);
        here.delete(&roots).await.is_problem(404, "not-found");
        let mine = format!("/api/v1/sessions/{}", items[0]["id"]);
        assert_eq!(admin.delete(&mine).await.status, StatusCode::NO_CONTENT);
        here.get("/api/v1/me").await.is_problem(401, "not-signed-in");
    }

    async fn a_token_in_a_clients_url_does_not_reach_its_users_account(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let read = order("t", access::Permission::Manage, &["a"]);
        let token = w.token(&w.alice, "alice", read).await.unwrap();
        let found = Client::new(&w).with(token.secret.reveal());
        found.get("/api/v1/users/alice/sessions").await.is_problem(403, "not-permitted");
        let new = json!({ "password": "battery staple", "old_password": PASSWORD });
        found.post("/api/v1/users/alice/password", new).await.is_problem(403, "not-permitted");
    }

    async fn attempts_are_recorded_without_what_may_be_a_password(database: TestDatabase) {
        let w = World::new(database).await;
        let client = Client::new(&w);
        for username in ["alice", "my secret password"] {
            let wrong = json!({ "username": username, "password": "wrong horse" });
            client.post("/api/v1/sessions", wrong).await.is_problem(401, "wrong-password");
        }
        Client::sign_in(&w, "alice").await;
        let events = w.audit().await;
        let events: Vec<_> = events[events.len() - 3..].to_vec();
        let pair = |action: &str, target: &str| (action.to_owned(), target.to_owned());
        assert_eq!(events, [
            pair("session.refuse", "alice"),
            pair("session.refuse", "unknown"),
            pair("session.create", "alice"),
        ]);
    }
}
