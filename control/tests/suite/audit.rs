//! The audit log over the API (api.md, `GET /audit`), and what every request carries.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::client::Client;
use crate::world::World;

fn actions(listed: &Value) -> Vec<String> {
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

control::on_both_databases! {
    async fn an_admin_reads_who_did_what_newest_first(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let request = Request::post("/api/v1/channels")
            .header(AUTHORIZATION, format!("Bearer {}", admin.bearer.as_ref().unwrap()))
            .header(CONTENT_TYPE, "application/json")
            .header("x-request-id", "ticket-7")
            .body(Body::from(json!({ "name": "lab" }).to_string()))
            .unwrap();
        let made = admin.answer(request).await;
        assert_eq!(made.headers["x-request-id"], "ticket-7");
        let listed = admin.get("/api/v1/audit?limit=1").await;
        assert_eq!(listed.headers["x-request-id"].len(), 16, "one of ours");
        let event = &listed.body["items"][0];
        assert_eq!(event["action"], "channel.create");
        assert_eq!((&event["actor"], &event["target"]), (&json!("root"), &json!("lab")));
        assert_eq!(event["request_id"], "ticket-7");
        assert!(event["via"].as_str().unwrap().starts_with("session:"));
        assert_eq!(event["before"], Value::Null);
        assert_eq!(event["after"]["privacy"], "private");
        assert_eq!(event["revision"], made.body["revision"]);
        let alice = Client::sign_in(&w, "alice").await;
        alice.get("/api/v1/audit").await.is_problem(403, "not-permitted");
    }

    async fn events_are_filtered_and_paged(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let before = w.now();
        w.clock.advance(Duration::from_secs(60));
        for name in ["a", "b", "c"] {
            admin.post("/api/v1/channels", json!({ "name": name })).await;
        }
        let after = w.now();
        w.clock.advance(Duration::from_secs(60));
        admin.delete("/api/v1/channels/b").await;
        let of_b = admin.get("/api/v1/audit?target=b").await.body;
        assert_eq!(actions(&of_b), ["channel.delete", "channel.create"]);
        let made = admin.get("/api/v1/audit?action=channel.create&actor=root").await.body;
        assert_eq!(actions(&made).len(), 3);
        let last = admin.get(&format!("/api/v1/audit?since={after}")).await.body;
        assert_eq!(actions(&last).len(), 4, "of the moment itself too");
        let between = format!("/api/v1/audit?since={before}&until={after}");
        assert!(!actions(&admin.get(&between).await.body).contains(&"channel.create".to_owned()));
        let mut path = "/api/v1/audit?limit=2".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = admin.get(&path).await.body;
            seen.extend(page["items"].as_array().unwrap().iter().map(|e| e["id"].as_i64().unwrap()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/audit?limit=2&cursor={cursor}");
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted.dedup();
        assert_eq!(seen, sorted);
        assert_eq!(seen.len(), w.audit().await.len());
        for bad in ["since=yesterday", "cursor=x", "limit=1001", "colour=red", "actor=%00"] {
            let refused = admin.get(&format!("/api/v1/audit?{bad}")).await;
            refused.is_problem(422, "invalid-field");
        }
    }

    async fn lines_stream_the_whole_log(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let sql = "INSERT INTO audit_events (at, actor, via, action, target_kind, target_id, \
             target) VALUES ($1, 'a', 'console', 'test.event', 'test', 1, 't')";
        for at in 0..1_500 {
            sqlx::query(sql).bind(i64::from(at)).execute(&w.control.store().pool()).await.unwrap();
        }
        let bearer = format!("Bearer {}", admin.bearer.as_ref().unwrap());
        let request = Request::get("/api/v1/audit?action=test.event")
            .header(AUTHORIZATION, &bearer)
            .header(ACCEPT, "application/x-ndjson")
            .body(Body::empty())
            .unwrap();
        let response = admin.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/x-ndjson");
        let mut body = response.into_body();
        let (mut frames, mut text) = (0, Vec::new());
        while let Some(frame) = body.frame().await {
            text.extend_from_slice(&frame.unwrap().into_data().unwrap());
            frames += 1;
        }
        assert_eq!(frames, 2, "a page at a time");
        let lines: Vec<Value> = String::from_utf8(text).unwrap().lines()
            .map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1_500);
        assert_eq!(lines[1_499]["at"], "1970-01-01T00:00:00.000Z");
        let alice = Client::sign_in(&w, "alice").await;
        let request = Request::get("/api/v1/audit")
            .header(AUTHORIZATION, format!("Bearer {}", alice.bearer.as_ref().unwrap()))
            .header(ACCEPT, "application/x-ndjson").body(Body::empty()).unwrap();
        alice.answer(request).await.is_problem(403, "not-permitted");
    }

    async fn a_cookie_changes_things_only_for_our_own_pages(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let cookie = format!("condagate_session={}", admin.bearer.as_ref().unwrap());
        let ask = |method: &str, from: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri("/api/v1/channels")
                .header("cookie", &cookie).header("host", "admin.example.com")
                .header(CONTENT_TYPE, "application/json");
            for (name, value) in from {
                request = request.header(*name, *value);
            }
            let body = if method == "GET" { String::new() } else { r#"{"name":"a"}"#.into() };
            admin.answer(request.body(Body::from(body)).unwrap())
        };
        assert_eq!(ask("GET", &[]).await.status, StatusCode::OK);
        for from in [
            &[][..],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example.com")],
        ] {
            ask("POST", from).await.is_problem(403, "cross-origin");
        }
        let ours = ask("POST", &[("sec-fetch-site", "same-origin")]).await;
        assert_eq!(ours.status, StatusCode::CREATED, "{}", ours.body);
        let again = ask("POST", &[("origin", "https://admin.example.com")]).await;
        again.is_problem(409, "name-taken");
    }

    async fn too_many_attempts_say_when_to_come_back(database: TestDatabase) {
        let w = World::new(database).await;
        let client = Client::new(&w);
        let wrong = json!({ "username": "alice", "password": "wrong horse" });
        for _ in 0..10 {
            client.post("/api/v1/sessions", wrong.clone()).await.is_problem(401, "wrong-password");
        }
        let refused = client.post("/api/v1/sessions", wrong).await;
        refused.is_problem(429, "too-many-attempts");
        let secs: u64 = refused.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=301).contains(&secs), "{secs}");
        assert!(refused.body["detail"].as_str().unwrap().contains("try again in"));
    }
}
