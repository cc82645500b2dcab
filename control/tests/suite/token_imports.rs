//! Taking over tokens of another system (`POST /tokens/import`), and one event for each change.

use std::sync::atomic::{AtomicBool, Ordering};

use access::GrantSource as _;
use access::source::Touched;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use control::usecases::token::MAX_ATOMIC;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::client::Client;
use crate::membership::{catch_up, gateway, register};
use crate::world::World;

const ACCOUNT: &str = "service-account-channel-a";

/// A line for a token of this name; its value is made of the name.
fn line(name: &str) -> Value {
    json!({ "value": value(name), "service_account": ACCOUNT, "name": name, "permission": "read",
        "channels": ["a"], "expires_in": "90d" })
}

fn value(name: &str) -> String {
    format!("old-{name}-0123456789abcdef")
}

fn with(name: &str, more: Value) -> Value {
    let mut line = line(name);
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The status and the lines of the report.
async fn send(client: &Client, query: &str, body: String) -> (StatusCode, Vec<Value>) {
    let request = Request::post(format!("/api/v1/tokens/import{query}"))
        .header("content-type", "application/x-ndjson")
        .header("authorization", format!("Bearer {}", client.bearer.as_ref().unwrap()))
        .body(Body::from(body))
        .unwrap();
    let response = client.router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains("0123456789abcdef"), "a value in the answer: {text}");
    (status, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

async fn import(client: &Client, query: &str, all: &[Value]) -> Vec<Value> {
    let (status, report) = send(client, query, lines(all)).await;
    assert_eq!(status, StatusCode::OK, "{report:?}");
    assert_eq!(report.len(), all.len());
    report
}

fn statuses(report: &[Value]) -> Vec<&str> {
    report.iter().map(|line| line["status"].as_str().unwrap()).collect()
}

async fn scene(w: &World) -> Client {
    w.account("a").await;
    Client::sign_in(w, "root").await
}

/// What the gateway would be told of a value.
async fn is_known(w: &World, value: &str) -> bool {
    let digest = access::TokenSecret::parse(value).unwrap().digest();
    w.control.store().load(digest).await.unwrap().grant.is_some()
}

async fn count(w: &World, table: &'static str) -> i64 {
    let sql = match table {
        "tokens" => "SELECT count(*) FROM tokens",
        _ => "SELECT count(*) FROM revisions",
    };
    sqlx::query_scalar(sql).fetch_one(&w.control.store().pool()).await.unwrap()
}

control::on_both_databases! {
    async fn values_go_on_to_work_and_are_found_there_the_second_time(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let since = w.control.store().begin(0).await.unwrap().applied;
        let all = [line("one"), line("two")];
        let report = import(&admin, "", &all).await;
        assert_eq!(statuses(&report), ["created", "created"]);
        assert_eq!((&report[0]["line"], &report[1]["line"]), (&json!(1), &json!(2)));
        assert!(is_known(&w, &value("one")).await);
        let read = w.control.store().feed(since).await.unwrap();
        assert_eq!(read.changes.len(), 1, "one change");
        assert_eq!(report[1]["revision"], read.counter.0);
        assert!(matches!(read.changes[0].touched[..], [Touched::Token { .. }, Touched::Token { .. }]));
        let token = admin.get(&format!("/api/v1/tokens/{}", report[0]["id"])).await.body;
        assert_eq!((&token["name"], &token["principal"]), (&json!("one"), &json!(ACCOUNT)));
        assert_eq!(token["effective"], json!([{ "channel": "a", "permission": "read" }]));
        let again = import(&admin, "", &all).await;
        assert_eq!(statuses(&again), ["exists", "exists"]);
        assert_eq!(again[0]["id"], report[0]["id"]);
        assert_eq!(again[0]["revision"], Value::Null, "no change made it just now");
        let imports = w.audit().await.into_iter().filter(|(action, _)| action == "token.import");
        assert_eq!(imports.count(), 2, "one event for each token made");
    }

    async fn a_line_is_refused_alone(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        w.channel(&w.admin, "b").await.unwrap();
        let ours = access::TokenSecret::generate().unwrap();
        let ours = ours.reveal();
        let wrong = format!("{}{}", &ours[..40], if ours.ends_with('x') { 'y' } else { 'x' });
        let cases = [
            (line("first"), None),
            (with("a", json!({ "value": "too-short" })), Some("`value`")),
            (with("b", json!({ "value": wrong })), Some("checksum")),
            (with("c", json!({ "value": ours })), None),
            (with("d", json!({ "service_account": "service-account-channel-x" })), Some("no service account")),
            (with("e", json!({ "user": "alice" })), Some("either `service_account` or `user`")),
            (with("f", json!({ "channels": ["b"] })), Some("not hold `read` on `b`")),
            (with("g", json!({ "channels": [] })), Some("1 to 100 channels")),
            (with("h", json!({ "expires_in": "366d" })), Some("365 days")),
            (with("i", json!({ "expires_in": null })), Some("either `expires_at`")),
            (with("j", json!({ "colour": "red" })), Some("no place")),
            (with("first", json!({ "value": value("other") })), Some("`first` already")),
            (with("k", json!({ "value": value("first"), "user": "root", "service_account": null })),
                Some("another token")),
            (json!({ "value": value("l") }), Some("missing field")),
            (line("last"), None),
        ];
        let all: Vec<_> = cases.iter().map(|(line, _)| line.clone()).collect();
        let report = import(&admin, "", &all).await;
        for ((_, refused), line) in cases.iter().zip(&report) {
            match refused {
                None => assert_eq!(line["status"], "created", "{line}"),
                Some(words) => {
                    assert_eq!(line["status"], "refused", "{line}");
                    assert!(line["detail"].as_str().unwrap().contains(words), "{words}: {line}");
                    assert!(line.get("id").is_none());
                }
            }
        }
        assert_eq!(count(&w, "tokens").await, 3);
        let (_, broken) = send(&admin, "", format!("{}\n{{\"value\n\n{}\n", line("x"), line("y"))).await;
        assert_eq!(statuses(&broken), ["created", "refused", "created"]);
        assert_eq!(broken[2]["line"], 4, "empty lines count");

        let id = report[0]["id"].as_i64().unwrap();
        admin.delete(&format!("/api/v1/tokens/{id}")).await;
        let revoked = import(&admin, "", &[line("first")]).await;
        assert_eq!(revoked[0]["status"], "refused", "revoked is for good: {}", revoked[0]);
    }

    async fn all_or_nothing_is_just_that(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let (tokens, revisions) = (count(&w, "tokens").await, count(&w, "revisions").await);
        let bad = with("b", json!({ "channels": ["none"] }));
        for refused in [bad, json!({})] {
            let report = import(&admin, "?atomic=true", &[line("a"), refused, line("c")]).await;
            assert_eq!(statuses(&report), ["refused"; 3]);
            assert!(report[0]["detail"].as_str().unwrap().contains("nothing was imported"));
            assert_eq!((count(&w, "tokens").await, count(&w, "revisions").await), (tokens, revisions));
        }
        let all: Vec<_> = (0..1_100).map(|n| line(&format!("t{n}"))).collect();
        let since = w.control.store().begin(0).await.unwrap().applied;
        let report = import(&admin, "?atomic=true", &all).await;
        assert!(statuses(&report).iter().all(|status| *status == "created"));
        let read = w.control.store().feed(since).await.unwrap();
        // Named one by one, so that no gateway drops its table and cuts what it sends.
        let sizes: Vec<_> = read.changes.iter().map(|change| change.touched.len()).collect();
        assert_eq!(sizes, [1_000, 100], "F1");
        let too_many = " {}\n".repeat(MAX_ATOMIC + 1);
        let (status, _) = send(&admin, "?atomic=true", too_many).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn f1_many_tokens_take_several_changes(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let since = w.control.store().begin(0).await.unwrap().applied;
        let all: Vec<_> = (0..1_100).map(|n| line(&format!("t{n}"))).collect();
        assert!(lines(&all).len() > 64 * 1024, "more than another request's body");
        let report = import(&admin, "", &all).await;
        assert!(statuses(&report).iter().all(|status| *status == "created"));
        let read = w.control.store().feed(since).await.unwrap();
        let sizes: Vec<_> = read.changes.iter().map(|change| change.touched.len()).collect();
        assert_eq!(sizes, [100; 11]);
    }

    async fn whose_tokens_may_be_imported(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        w.join("a_owners", "alice").await;
        let alice = Client::sign_in(&w, "alice").await;
        let of = |name: &str, user: &str| with(name, json!({ "user": user, "service_account": null }));
        let report = import(&alice, "", &[line("s"), of("own", "alice"), of("other", "root")]).await;
        assert_eq!(statuses(&report), ["created", "created", "refused"]);
        // An admin moves everybody's: whoever moves a system knows its values.
        let report = import(&admin, "", &[of("moved", "alice")]).await;
        assert_eq!(statuses(&report), ["created"]);
        let bob = w.user("bob").await;
        let bob = Client::sign_in(&w, &bob.name).await;
        let report = import(&bob, "", &[line("no"), of("neither", "alice")]).await;
        assert_eq!(statuses(&report), ["refused", "refused"]);
        assert!(report[0]["detail"].as_str().unwrap().contains("no service account"));
    }

    async fn an_import_waits_until_gateways_know_its_tokens(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let source = gateway(&w);
        register(&source, "gw").await;
        let before = w.feed().await.revision;
        let all = [line("one")];
        let known = AtomicBool::new(false);
        tokio::join!(
            async {
                let report = import(&admin, "?wait=60s", &all).await;
                assert_eq!(statuses(&report), ["created"]);
                assert!(known.load(Ordering::SeqCst), "it did not wait");
            },
            async {
                while w.feed().await.revision == before {}
                known.store(true, Ordering::SeqCst);
                catch_up(&source, "gw").await;
            },
        );
        let (status, _) = send(&admin, "?wait=soon", lines(&all)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn an_import_is_declared_as_lines(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        admin.post("/api/v1/tokens/import", json!({})).await.is_problem(415, "malformed-request");
        let (status, report) = send(&admin, "", String::new()).await;
        assert_eq!((status, report.len()), (StatusCode::OK, 0));
        let (status, _) = send(&admin, "", " ".repeat(33 << 20)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    async fn every_change_of_a_token_writes_one_event(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let tokens = format!("/api/v1/service-accounts/{ACCOUNT}/tokens");
        let mut order = line("t");
        order.as_object_mut().unwrap().retain(|key, _| key != "value" && key != "service_account");
        let made = admin.post(&tokens, order.clone()).await.body;
        let token = format!("/api/v1/tokens/{}", made["id"]);
        let before = w.audit().await.len();
        admin.post(&format!("/api/v1/users/{}/tokens", "root"), order).await;
        admin.patch(&token, json!({ "name": "u" })).await;
        admin.post(&format!("{token}/reissue"), json!({})).await;
        import(&admin, "", &[line("i")]).await;
        admin.delete(&format!("{token}?with_issued=true")).await;
        let events = w.audit().await;
        let actions: Vec<_> = events[before..].iter().map(|(action, _)| &**action).collect();
        assert_eq!(actions, ["token.create", "token.edit", "token.reissue", "token.import", "token.revoke"]);
    }
}
