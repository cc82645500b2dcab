//! The REST API as a client sees it (api.md): forms, statuses, and errors by RFC 9457.

use std::net::SocketAddr;

use access::TrustedProxies;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{Request, StatusCode};
use control::Settings;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{PASSWORD, World, settings};

control::on_both_databases! {
    async fn the_main_job_from_sign_in_to_a_revoked_token(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let made = admin.post("/api/v1/channels", json!({ "name": "lab/prod" })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(made.body["privacy"], "private");
        assert_eq!(made.body["storage"], "main", "the only one");
        assert_eq!(made.body["permission"], "manage");
        assert!(made.body["revision"].is_i64());
        let got = admin.get("/api/v1/channels/lab:prod").await;
        assert_eq!(got.body["name"], "lab/prod");

        let account = admin.post("/api/v1/service-accounts", json!({ "channel": "lab/prod" })).await;
        assert_eq!(account.status, StatusCode::CREATED, "{}", account.body);
        assert_eq!(account.body["name"], "service-account-channel-lab:prod");
        let tokens = "/api/v1/service-accounts/service-account-channel-lab:prod/tokens";
        let order = json!({ "name": "ci", "permission": "read", "channels": ["lab/prod"],
            "expires_in": "90d" });
        let issued = admin.post(tokens, order.clone()).await;
        assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.body);
        assert_eq!(issued.headers[CACHE_CONTROL], "no-store");
        let value = issued.body["value"].as_str().unwrap();
        assert!(value.starts_with("cg-") && value.len() == 41);
        assert_eq!(issued.body["hint"], format!("{}…", &value[..7]));
        assert_eq!(issued.body["effective"], json!([{ "channel": "lab/prod", "permission": "read" }]));
        assert_eq!(issued.body["status"], "active");
        admin.post(tokens, order).await.is_problem(409, "name-taken");

        let listed = admin.get(tokens).await;
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(listed.body["next_cursor"], Value::Null);
        assert!(!listed.body.to_string().contains(value), "shown once");
        let token = format!("/api/v1/tokens/{}", issued.body["id"]);
        let shown = admin.get(&token).await.body;
        let keys = ["id", "name", "description", "principal", "hint", "permission", "channels",
            "created_at", "created_by", "expires_at", "revoked_at", "last_used_at",
            "last_used_from", "effective", "status", "created_by_token"];
        for key in keys {
            assert!(shown.get(key).is_some(), "{key} is missing");
        }

        let revoked = admin.delete(&format!("{token}?wait=1s")).await;
        assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.body);
        assert_eq!(revoked.body["confirmed"], true);
        let again = admin.delete(&token).await;
        assert_eq!(again.body, revoked.body, "the same answer");
        assert_eq!(admin.get(&token).await.body["status"], "revoked");
        let gone = admin.delete("/api/v1/channels/lab:prod").await;
        assert_eq!(gone.status, StatusCode::OK);
        admin.get("/api/v1/channels/lab:prod").await.is_problem(404, "not-found");
    }

    async fn a_session_works_as_cookie_and_as_bearer_until_signed_out(database: TestDatabase) {
        let w = World::new(database).await;
        let client = Client::new(&w);
        let login = json!({ "username": "alice", "password": PASSWORD });
        let answer = client.post("/api/v1/sessions", login).await;
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let pair = cookie.split(';').next().unwrap();
        let me = Request::get("/api/v1/me").header(COOKIE, pair).body(Body::empty()).unwrap();
        let me = client.answer(me).await;
        assert_eq!(me.body, json!({ "name": "alice", "kind": "user", "role": "user",
            "admin": false, "channels": [], "gateway_url": null }));
        let bearer = client.with(answer.body["session_token"].as_str().unwrap());
        assert_eq!(bearer.get("/api/v1/me").await.status, StatusCode::OK);
        assert_eq!(bearer.delete("/api/v1/sessions/current").await.status, StatusCode::NO_CONTENT);
        bearer.get("/api/v1/me").await.is_problem(401, "not-signed-in");
        let wrong = json!({ "username": "alice", "password": "wrong horse" });
        client.post("/api/v1/sessions", wrong).await.is_problem(401, "wrong-password");
    }

    async fn the_audit_log_has_the_address_that_a_trusted_proxy_tells(database: TestDatabase) {
        let trusted = "10.0.0.0/8".parse().unwrap();
        let settings =
            Settings { trusted_proxies: TrustedProxies::new(vec![trusted]), ..settings() };
        let w = World::with(database, settings).await;
        let client = Client::new(&w);
        for (peer, seen) in [("10.1.1.1", "203.0.113.9"), ("192.0.2.1", "192.0.2.1")] {
            let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
            let login = json!({ "username": "alice", "password": PASSWORD }).to_string();
            let request = Request::post("/api/v1/sessions")
                .extension(ConnectInfo(peer))
                .header(CONTENT_TYPE, "application/json")
                .header("x-forwarded-for", "198.51.100.7, 203.0.113.9");
            let answer = client.answer(request.body(Body::from(login)).unwrap()).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
            let admin = Client::sign_in(&w, "root").await;
            let events = admin.get("/api/v1/audit?actor=alice&limit=1").await.body;
            assert_eq!(events["items"][0]["address"], seen, "{events}");
        }
    }

    async fn a_service_accounts_token_reaches_its_channels_only(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("mine").await;
        w.account("other").await;
        let manage = crate::world::order("m", access::Permission::Manage, &["mine"]);
        let issued = w.token(&w.admin, &account.name, manage).await.unwrap();
        let program = Client::new(&w).with(issued.secret.reveal());
        let channels = program.get("/api/v1/channels").await.body;
        assert_eq!(channels["items"].as_array().unwrap().len(), 1);
        program.get("/api/v1/channels/other").await.is_problem(404, "not-found");
        let accounts = program.get("/api/v1/service-accounts").await.body;
        assert_eq!(accounts["items"][0]["name"], account.name.as_str());
        assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
        program.post("/api/v1/channels", json!({ "name": "new" })).await
            .is_problem(403, "not-permitted");
        let tokens = format!("/api/v1/service-accounts/{}/tokens", account.name);
        let order = json!({ "name": "child", "permission": "read", "channels": ["mine"],
            "expires_in": "30d" });
        let child = program.post(&tokens, order).await;
        assert_eq!(child.status, StatusCode::CREATED, "{}", child.body);
        assert_eq!(child.body["created_by_token"], issued.token.id.0);
    }

    async fn errors_that_must_be_told_apart_are(database: TestDatabase) {
        let w = World::with(database, Settings { seats: Some(2), ..settings() }).await;
        let admin = Client::sign_in(&w, "root").await;
        let alice = Client::sign_in(&w, "alice").await;
        let channel = json!({ "name": "a" });
        Client::new(&w).get("/api/v1/me").await.is_problem(401, "not-signed-in");
        let refused = alice.post("/api/v1/channels", channel.clone()).await;
        refused.is_problem(403, "not-permitted");
        assert_eq!(refused.body["needs"], "role `admin`");
        assert_eq!(admin.post("/api/v1/channels", channel.clone()).await.status, StatusCode::CREATED);
        admin.post("/api/v1/channels", channel).await.is_problem(409, "name-taken");
        let hidden = alice.get("/api/v1/channels/a").await;
        let absent = alice.get("/api/v1/channels/b").await;
        hidden.is_problem(404, "not-found");
        assert_eq!(hidden.body.to_string().replace("`a`", "`b`"), absent.body.to_string());
        alice.get("/api/v1/channels/NOT:a:name").await.is_problem(404, "not-found");
        let full = admin.post("/api/v1/service-accounts", json!({ "channel": "a" })).await;
        full.is_problem(409, "seat-limit");
        assert_eq!((&full.body["used"], &full.body["limit"]), (&json!(2), &json!(2)));
        admin.get("/api/v1/nothing").await.is_problem(404, "not-found");
        admin.send("PUT", "/api/v1/me", None).await.is_problem(405, "method-not-allowed");
        admin.get("/api/v1/channels/%ff").await.is_problem(404, "not-found");
        admin.get("/api/v1/tokens/none").await.is_problem(404, "not-found");
    }

    async fn bodies_and_queries_are_read_strictly(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let admin = Client::sign_in(&w, "root").await;
        for (body, field) in [
            (json!({ "name": "b", "colour": "red" }), "colour"),
            (json!({ "name": 7 }), "name"),
            (json!({ "name": "Not A Name" }), "name"),
            (json!({ "name": "conda" }), "name"),
            (json!({ "name": "b", "privacy": "secret" }), "privacy"),
            (json!({ "name": "b", "privacy": 7 }), "privacy"),
            (json!({}), "name"),
            (json!("b"), "body"),
            (json!({ "name": "b", "prefix": "../up" }), "prefix"),
            (json!({ "name": "b", "storage": "none" }), "storage"),
        ] {
            let refused = admin.post("/api/v1/channels", body).await;
            refused.is_problem(422, "invalid-field");
            assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
        }
        let tokens = format!("/api/v1/service-accounts/{}/tokens", account.name);
        let order = |more: Value| {
            let mut order = json!({ "name": "t", "permission": "read", "channels": ["a"] });
            order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            order
        };
        for (more, name) in [
            (json!({ "expires_in": "366d" }), "lifespan"),
            (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "lifespan"),
            (json!({ "expires_in": "soon" }), "invalid-field"),
            (json!({}), "invalid-field"),
            (json!({ "expires_in": "1d", "networks": ["192.0.2.0"] }), "invalid-field"),
            (json!({ "expires_in": "1d", "networks": ["010.0.0.0/8"] }), "invalid-field"),
            (json!({ "expires_in": "1d", "networks": ["::ffff:10.0.0.0/104"] }), "invalid-field"),
            (json!({ "expires_in": "1d", "bytes_per_day": 1_u64 << 63 }), "invalid-field"),
            (json!({ "expires_in": "1d", "permission": 1 }), "invalid-field"),
            (json!({ "expires_in": "1d", "permission": "own" }), "invalid-field"),
        ] {
            admin.post(&tokens, order(more)).await.is_problem(422, name);
        }
        admin.get("/api/v1/channels?limit=0").await.is_problem(422, "invalid-field");
        admin.get("/api/v1/channels?offset=1").await.is_problem(422, "invalid-field");
        admin.delete("/api/v1/channels/a?wait=long").await.is_problem(422, "invalid-field");
        let login = json!({ "username": "alice", "password": PASSWORD }).to_string();
        let foreign = Request::post("/api/v1/sessions").header(CONTENT_TYPE, "application/json");
        let foreign = foreign.header("origin", "https://evil.example").body(Body::from(login));
        admin.answer(foreign.unwrap()).await.is_problem(403, "cross-origin");
        let form = Request::post("/api/v1/sessions").body(Body::from("username=x")).unwrap();
        admin.answer(form).await.is_problem(415, "malformed-request");
        let broken = Request::post("/api/v1/sessions").header(CONTENT_TYPE, "application/json");
        let cut = broken.body(Body::from("{\"username\":")).unwrap();
        admin.answer(cut).await.is_problem(400, "malformed-request");
        let large = Request::post("/api/v1/sessions").header(CONTENT_TYPE, "application/json");
        let large = large.body(Body::from(" ".repeat(70_000))).unwrap();
        admin.answer(large).await.is_problem(413, "malformed-request");
    }

    async fn lists_page_by_cursor(database: TestDatabase) {
        let w = World::new(database).await;
        for channel in ["a", "b", "c"] {
            w.account(channel).await;
        }
        let admin = Client::sign_in(&w, "root").await;
        let mut path = "/api/v1/service-accounts?manageable=true&limit=2".to_owned();
        let first = admin.get(&path).await.body;
        assert_eq!(first["items"].as_array().unwrap().len(), 2);
        assert_eq!(first["items"][0]["channel"], "a");
        assert_eq!(first["items"][0]["service_account"]["channel"], "a");
        path += &format!("&cursor={}", first["next_cursor"].as_str().unwrap());
        let last = admin.get(&path).await.body;
        assert_eq!(last["items"][0]["channel"], "c");
        assert_eq!(last["next_cursor"], Value::Null);
    }

    async fn probes_need_no_credential(database: TestDatabase) {
        let w = World::new(database).await;
        let probe = Client::new(&w);
        assert_eq!(probe.get("/healthz").await.status, StatusCode::OK);
        assert_eq!(probe.get("/readyz").await.status, StatusCode::OK);
        w.control.store().close().await;
        assert_eq!(probe.get("/healthz").await.status, StatusCode::OK);
        probe.get("/readyz").await.is_problem(503, "unavailable");
        let storages = Client::new(&w).get("/api/v1/storages").await;
        storages.is_problem(401, "not-signed-in");
    }

    async fn storages_are_listed_by_name_and_kind(database: TestDatabase) {
        let w = World::new(database).await;
        let alice = Client::sign_in(&w, "alice").await;
        let listed = alice.get("/api/v1/storages").await.body;
        assert_eq!(listed["items"], json!([{ "name": "main", "kind": "directory" }]));
    }
}
