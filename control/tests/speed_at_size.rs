//! How fast the API answers with 100,000 tokens, 10,000 channels and 5,000 groups of 200 members, on
//! both databases. Not a part of the usual run: what it finds is the machine's, too.
//!
//! ```sh
//! cargo test --release -p control --test speed_at_size -- --ignored --nocapture --test-threads 1
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]
#![allow(clippy::print_stdout, reason = "what was measured is shown")]

#[path = "at_size/mod.rs"]
mod at_size;

use std::time::Duration;

use access::{Clock as _, SystemClock};
use at_size::{BOUND, PASSWORD, TIMES, millis, percentiles};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use control::testing::TestDatabase;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// What is read; the busiest account is that of `channel-1`.
const READS_OF_ADMIN: &[&str] = &[
    "/channels",
    "/channels?limit=1000",
    "/channels?q=channel-55&limit=1000",
    "/channels?cursor=channel-5&limit=1000",
    "/channels/channel-77",
    "/service-accounts?limit=1000",
    "/service-accounts?manageable=true&limit=1000",
    "/service-accounts/service-account-channel-channel-77",
    "/groups?limit=1000",
    "/groups?q=group-4&limit=1000",
    "/groups/group-25",
    "/users?limit=1000",
    "/users?q=user-4&limit=1000",
    "/me",
    "/tokens/12",
    "/service-accounts/service-account-channel-channel-77/tokens",
    "/service-accounts/service-account-channel-channel-1/tokens",
    "/service-accounts/service-account-channel-channel-1/tokens?limit=1000",
    "/service-accounts/service-account-channel-channel-1/tokens?limit=1000&cursor=99000",
    "/service-accounts/service-account-channel-channel-1/tokens?limit=1000&status=active",
    "/service-accounts/service-account-channel-channel-1/tokens?limit=1000&status=revoked",
    "/service-accounts/service-account-channel-channel-1/tokens?limit=1000&status=limited",
    "/service-accounts/service-account-channel-channel-1/tokens?limit=1000&q=token-99",
    "/service-accounts/service-account-channel-channel-1/tokens?q=no",
    "/audit?limit=1000",
    "/audit?actor=user-7&limit=1000",
    "/audit?action=action-7&limit=1000",
    "/audit?target=channel-7&limit=1000",
    "/usage?by=token&limit=1000",
];
/// `alice` manages `channel-3310`, and has something in common with few others.
const READS_OF_ALICE: &[&str] = &[
    "/channels",
    "/channels?limit=1000",
    "/channels?q=channel-55&limit=1000",
    "/channels?cursor=channel-5&limit=1000",
    "/channels/channel-3310",
    "/service-accounts?limit=1000",
    "/service-accounts?manageable=true&limit=1000",
    "/groups?limit=1000",
    "/groups?q=group-4&limit=1000",
    "/groups/group-25",
    "/me",
    "/service-accounts/service-account-channel-channel-3310/tokens",
    "/users/alice/tokens",
];

/// Requests that change something: `#` is the number of the time, from 1.
type Writes = &'static [(&'static str, &'static str, &'static str)];
const WRITES_OF_ADMIN: Writes = &[
    ("POST", "/channels", r##"{"name": "fresh-#"}"##),
    ("PATCH", "/channels/channel-3#", r#"{"privacy": "authenticated"}"#),
    ("POST", "/service-accounts", r##"{"channel": "fresh-#"}"##),
    (
        "POST",
        "/service-accounts/service-account-channel-channel-1/tokens",
        r##"{"name": "new-#", "channels": ["channel-1"], "permission": "read", "expires_in": "30d"}"##,
    ),
    ("PATCH", "/tokens/#7", r#"{"description": "changed"}"#),
    ("POST", "/tokens/#8/reissue", r#"{"overlap": "1h"}"#),
    ("DELETE", "/tokens/#9", ""),
    ("POST", "/groups", r##"{"name": "fresh-#"}"##),
    ("PUT", "/groups/group-1#/members/alice", ""),
    ("DELETE", "/groups/group-1#/members/alice", ""),
    ("PUT", "/groups/group-2#/permissions/channel-1", r#"{"permission": "read"}"#),
    ("DELETE", "/groups/group-2#/permissions/channel-1", ""),
    ("DELETE", "/groups/group-3#", ""),
    ("DELETE", "/service-accounts/service-account-channel-channel-4#", ""),
    ("DELETE", "/channels/channel-5#", ""),
    ("PATCH", "/users/user-#", r#"{"active": false}"#),
    ("DELETE", "/users/user-#", ""),
];
const WRITES_OF_ALICE: Writes = &[(
    "POST",
    "/users/alice/tokens",
    r##"{"name": "new-#", "channels": ["channel-3310"], "permission": "read", "expires_in": "30d"}"##,
)];

#[tokio::test]
#[ignore = "measures"]
async fn sqlite() {
    measure("SQLite", &TestDatabase::sqlite()).await;
}

#[tokio::test]
#[ignore = "measures"]
async fn postgres() {
    measure("PostgreSQL", &TestDatabase::postgres().await).await;
}

async fn measure(database_name: &str, database: &TestDatabase) {
    let control = at_size::control(database, &[]).await;
    let router = control::api::router(control);
    let admin = Client::sign_in(&router, "root").await;
    let alice = Client::sign_in(&router, "alice").await;
    let mut slow = Vec::new();
    for (who, client, reads, writes) in [
        ("an admin", admin, READS_OF_ADMIN, WRITES_OF_ADMIN),
        ("a user", alice, READS_OF_ALICE, WRITES_OF_ALICE),
    ] {
        let reads = reads.iter().map(|path| ("GET", *path, ""));
        for (method, path, body) in reads.chain(writes.iter().copied()) {
            let (p50, p95) = percentiles(client.times(method, path, body).await);
            let what = format!("{database_name}, {who}: {method} {path}");
            println!("{:6.1} ms, p95 {:6.1} ms  {what}", millis(p50), millis(p95));
            if p95 > BOUND {
                slow.push(what);
            }
        }
    }
    assert!(slow.is_empty(), "slower than {BOUND:?}: {slow:#?}");
}

/// Somebody who is signed in, in the same process.
struct Client {
    router: Router,
    bearer: String,
}

impl Client {
    async fn sign_in(router: &Router, name: &str) -> Self {
        let client = Self { router: router.clone(), bearer: "none".into() };
        let login = json!({ "username": name, "password": PASSWORD });
        let answer = client.ask("POST", "/sessions", &login.to_string()).await;
        is_good(&answer, "signing in");
        let answer: Value = serde_json::from_slice(&answer.1).unwrap();
        Self { bearer: answer["session_token"].as_str().unwrap().to_owned(), ..client }
    }

    /// How long each of the answers took.
    async fn times(&self, method: &str, path: &str, body: &str) -> Vec<Duration> {
        let mut took = Vec::with_capacity(TIMES);
        for number in 1..=TIMES {
            let numbered = |text: &str| text.replace('#', &number.to_string());
            let (path, body) = (numbered(path), numbered(body));
            let begun = SystemClock.moment();
            let answer = self.ask(method, &path, &body).await;
            took.push(SystemClock.moment().since(begun));
            is_good(&answer, &format!("{method} {path}"));
        }
        took
    }

    /// Asks, and reads the whole answer.
    async fn ask(&self, method: &str, path: &str, body: &str) -> (StatusCode, Bytes) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(AUTHORIZATION, format!("Bearer {}", self.bearer))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()));
        let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        (status, to_bytes(answer.into_body(), usize::MAX).await.unwrap())
    }
}

fn is_good((status, body): &(StatusCode, Bytes), what: &str) {
    assert!(status.is_success(), "{what}: {status} {}", String::from_utf8_lossy(body));
}
