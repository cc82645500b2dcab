//! Requests that are sent again under an `Idempotency-Key`.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{PASSWORD, World};

pub(crate) async fn send(client: &Client, key: &str, path: &str, body: Value) -> Answer {
    let request = Request::post(format!("/api/v1{path}"))
        .header("idempotency-key", key)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", client.bearer.as_ref().unwrap()))
        .body(Body::from(body.to_string()))
        .unwrap();
    client.answer(request).await
}

control::on_both_databases! {
    async fn the_same_request_is_done_once_and_answered_twice(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        for (path, body) in [
            ("/channels", json!({ "name": "a" })),
            ("/service-accounts", json!({ "channel": "a" })),
            ("/groups", json!({ "name": "g" })),
            ("/users", json!({ "name": "bob", "password": PASSWORD })),
        ] {
            let first = send(&admin, path, path, body.clone()).await;
            assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
            let events = w.audit().await.len();
            let again = send(&admin, path, path, body.clone()).await;
            assert_eq!((again.status, &again.body), (first.status, &first.body));
            assert_eq!(again.headers["idempotency-replayed"], "true");
            assert_eq!(w.audit().await.len(), events, "{path}");
            send(&admin, "another key", path, body).await.is_problem(409, "name-taken");
        }
    }

    async fn many_at_a_time_make_one_token_and_the_others_are_told_which(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let admin = Client::sign_in(&w, "root").await;
        let tokens = "/service-accounts/service-account-channel-a/tokens";
        let order = json!({ "name": "t", "permission": "read", "channels": ["a"], "expires_in": "1d" });
        let sent = || send(&admin, "k", tokens, order.clone());
        let answers = tokio::join!(sent(), sent(), sent(), sent());
        let answers = [answers.0, answers.1, answers.2, answers.3];
        let (made, others): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == StatusCode::CREATED);
        assert_eq!(made.len(), 1);
        for other in others {
            other.is_problem(409, "token-already-issued");
            assert_eq!(other.body["id"], made[0].body["id"]);
        }
    }

    async fn a_tokens_value_is_not_kept_for_it(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let admin = Client::sign_in(&w, "root").await;
        let tokens = "/service-accounts/service-account-channel-a/tokens";
        let order = json!({ "name": "t", "permission": "read", "channels": ["a"], "expires_in": "1d" });
        let first = send(&admin, "k", tokens, order.clone()).await;
        let value = first.body["value"].as_str().unwrap();
        let again = send(&admin, "k", tokens, order).await;
        again.is_problem(409, "token-already-issued");
        assert_eq!(again.body["id"], first.body["id"]);
        assert!(again.body["detail"].as_str().unwrap().contains("token"), "{}", again.body);
        let reissue = format!("/tokens/{}/reissue", first.body["id"]);
        send(&admin, "r", &reissue, json!({})).await;
        send(&admin, "r", &reissue, json!({})).await.is_problem(409, "token-already-issued");
        let kept: Vec<Option<String>> = sqlx::query_scalar("SELECT answer FROM repeatable_requests")
            .fetch_all(&w.control.store().pool()).await.unwrap();
        assert_eq!(kept, [None, None], "{value}");
    }

    async fn a_key_is_its_senders_for_one_request_and_a_day(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let channel = |name: &str| json!({ "name": name });
        send(&admin, "k", "/channels", channel("a")).await;
        let other = send(&admin, "k", "/channels", channel("b")).await;
        other.is_problem(422, "idempotency-key-reused");
        send(&admin, "k", "/groups", channel("a")).await.is_problem(422, "idempotency-key-reused");
        // Somebody else's key is another one.
        let alice = Client::sign_in(&w, "alice").await;
        send(&alice, "k", "/channels", channel("b")).await.is_problem(403, "not-permitted");
        // What was refused was not done, and may be tried again.
        let refused = send(&admin, "later", "/service-accounts", json!({ "channel": "c" })).await;
        refused.is_problem(404, "not-found");
        w.channel(&w.admin, "c").await.unwrap();
        let done = send(&admin, "later", "/service-accounts", json!({ "channel": "c" })).await;
        assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
        w.clock.advance(Duration::from_secs(24 * 3600));
        let admin = Client::sign_in(&w, "root").await;
        send(&admin, "k", "/channels", channel("a")).await.is_problem(409, "name-taken");
        let made = send(&admin, "k", "/channels", channel("b")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let again = send(&admin, "k", "/channels", channel("b")).await;
        assert_eq!((again.status, &again.body), (made.status, &made.body), "of the key's new day");
    }

    /// Whatever was committed is recorded: what is lost with the process is the answer only.
    async fn without_its_answer_the_sender_is_told_what_was_made(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        send(&admin, "k", "/groups", json!({ "name": "g" })).await;
        sqlx::query("UPDATE repeatable_requests SET status = NULL, answer = NULL")
            .execute(&w.control.store().pool()).await.unwrap();
        let again = send(&admin, "k", "/groups", json!({ "name": "g" })).await;
        again.is_problem(409, "already-done");
        assert!(again.body["detail"].as_str().unwrap().contains("group"), "{}", again.body);
        assert!(again.body["id"].is_i64());
    }

    async fn keys_are_bounded_and_bodies_too(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        for key in ["", &"x".repeat(256)] {
            let refused = send(&admin, key, "/channels", json!({ "name": "a" })).await;
            refused.is_problem(422, "invalid-field");
        }
        let large = json!({ "name": "a", "description": "x".repeat(70_000) });
        send(&admin, "k", "/channels", large).await.is_problem(413, "malformed-request");
        let nobody = admin.with("cg-nobody-nobody-nobody");
        send(&nobody, "k", "/channels", json!({ "name": "a" })).await.is_problem(401, "not-signed-in");
    }
}
