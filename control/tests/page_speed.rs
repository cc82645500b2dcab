//! How fast and how large each page is with 100,000 tokens, 10,000 channels and 5,000 groups of 200
//! members, on both databases. Not a part of the usual run: what it finds is the machine's, too. That
//! no page is too large is held there by `suite/pages/sizes.rs`.
//!
//! ```sh
//! cargo test --release -p control --test page_speed -- --ignored --nocapture --test-threads 1
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]
#![allow(clippy::print_stdout, reason = "what was measured is shown")]

#[path = "at_size/mod.rs"]
mod at_size;

use access::{Clock as _, SystemClock};
use at_size::{BOUND, PASSWORD, TIMES, millis, percentiles};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{Request, Response, StatusCode};
use control::testing::TestDatabase;
use tower::ServiceExt as _;

/// How many bytes a page may have.
const SIZE: usize = 100_000;

/// What `channel-1` and its account have more of: ninety days of downloads, of 20,000 packages, by
/// ten thousand tokens; a hundred groups; and a thousand channels that the account reaches. `root` is
/// in as many groups as there are channels. And twenty gateways.
const MORE: &[&str] = &[
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT -1, c.id, '*', $2 - n + 1, 1000 + n, 1000000000 + n, 7 FROM channels c JOIN numbers ON n <= 30 \
     WHERE c.id > 1",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT -1, 1, '*', $2 - n + 1, 1000 + n, 1000000000 + n, 7 FROM numbers WHERE n <= 90",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT -1, 1, 'package-' || n, $2 - n % 30, n, 1000 * n, 0 FROM numbers WHERE n <= 20000",
    "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
     SELECT id, 1, '*', $2, id, 1000 * id, 1 FROM tokens WHERE id > 90000",
    "INSERT INTO group_permissions (group_id, channel_id, permission) SELECT id, 1, 1 FROM groups \
     WHERE owners_of IS NULL AND id % 50 = 1 ON CONFLICT DO NOTHING",
    "INSERT INTO group_members (group_id, principal_id, added_at) SELECT g.id, s.principal_id, 0 \
     FROM groups g JOIN service_accounts s ON s.channel_id = 1 WHERE g.owners_of BETWEEN 2 AND 1000",
    "INSERT INTO gateways (instance, name, version, started_at, applied_revision, applied_stamp, renewal, \
     renewed_at, lease_ms, serve_known_ms) SELECT 'instance-' || n, 'gateway-' || n, '1.0.0', $1, 100000, \
     100000, 1, $1, 86400000, 0 FROM numbers WHERE n <= 20",
];

const OF_ADMIN: &[&str] = &[
    "/channels",
    "/channels?q=channel-55",
    "/channels?q=nothing",
    "/channels?q=nel-55",
    "/channels?after=5%3Achannel-5",
    "/channels?sort=-name",
    "/channels?sort=privacy",
    "/channels?sort=-account&q=7",
    "/channels/new",
    "/channels/channel-1",
    "/channels/channel-1/packages?after=package-5",
    "/channels/channel-1/service-accounts",
    "/channels/channel-1/service-accounts?sort=-expires",
    "/channels/channel-1/members",
    "/channels/channel-1/members?after=read+group-2",
    "/channels/channel-77/members",
    "/channels/channel-1/usage",
    "/channels/channel-1/usage?days=90",
    "/channels/channel-1/settings",
    "/channels/channel-1/settings/delete",
    "/service-accounts/service-account-channel-channel-1",
    "/service-accounts/service-account-channel-channel-1?show=all&sort=-name",
    "/service-accounts/service-account-channel-channel-1?show=revoked&sort=expires",
    "/service-accounts/service-account-channel-channel-1?sort=-used",
    "/service-accounts/service-account-channel-channel-1?q=99&sort=created",
    "/service-accounts/service-account-channel-channel-1?q=nothing",
    "/service-accounts/service-account-channel-channel-1/channels",
    "/service-accounts/service-account-channel-channel-1/channels?q=channel-7",
    "/service-accounts/service-account-channel-channel-1/tokens/new",
    "/service-accounts/service-account-channel-channel-1/delete",
    "/service-accounts/service-account-channel-channel-77",
    "/tokens/99997/edit",
    "/tokens/99996/edit",
    "/tokens/99995/edit",
    "/tokens/99997/delete",
    "/tokens/99995/revoked",
    "/me/tokens",
    "/me/tokens/new",
    "/org/service-accounts",
    "/org/service-accounts?q=channel-55",
    "/org/service-accounts?after=5%3Achannel-5",
    "/org/service-accounts?sort=account",
    "/org/users",
    "/org/users?q=user-4",
    "/org/users?after=4%3Auser-4",
    "/org/users?sort=-email",
    "/org/users?sort=created",
    "/org/users/new",
    "/org/users/user-7/edit",
    "/org/users/user-7/delete",
    "/org/groups",
    "/org/groups?q=group-4",
    "/org/groups?sort=-created",
    "/org/groups/new",
    "/org/groups/group-25",
    "/org/groups/group-25?q=user-4&channel=channel-1",
    "/org/groups/group-25/delete",
    "/org/gateways",
    "/org/audit",
    "/org/audit?actor=user-7",
    "/org/audit?action=action-7&target=channel-7",
    "/org/leaked",
];
/// `alice` manages `channel-3310`, and is in 200 groups.
const OF_ALICE: &[&str] = &[
    "/channels",
    "/channels?q=nel-55",
    "/channels?sort=-privacy",
    "/channels/channel-3310",
    "/channels/channel-3310/service-accounts",
    "/channels/channel-3310/members",
    "/channels/channel-3310/usage",
    "/service-accounts/service-account-channel-channel-3310",
    "/service-accounts/service-account-channel-channel-3310/tokens/new",
    "/me/tokens",
    "/me/tokens/new",
    "/org/service-accounts",
    "/org/groups",
    "/org/groups?sort=-created",
    "/org/groups/group-25",
    "/org/leaked",
];

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
    let control = at_size::control(database, MORE).await;
    let router = control::router(control);
    let (mut slow, mut large) = (Vec::new(), Vec::new());
    for (who, pages) in [("root", OF_ADMIN), ("alice", OF_ALICE)] {
        let browser = Browser::sign_in(&router, who).await;
        for path in pages {
            let mut took = Vec::with_capacity(TIMES);
            let mut size = 0;
            for _ in 0..TIMES {
                let begun = SystemClock.moment();
                let page = browser.get(path).await;
                took.push(SystemClock.moment().since(begun));
                size = page.len();
            }
            let (p50, p95) = percentiles(took);
            let what = format!("{database_name}, {who}: {path}");
            println!("{:6.1} ms, p95 {:6.1} ms {size:6} bytes  {what}", millis(p50), millis(p95));
            if p95 > BOUND {
                slow.push(what.clone());
            }
            if size > SIZE {
                large.push(what);
            }
        }
    }
    assert!(slow.is_empty(), "slower than {BOUND:?}: {slow:#?}");
    assert!(large.is_empty(), "larger than {SIZE} bytes: {large:#?}");
}

/// Somebody who is signed in.
struct Browser {
    router: Router,
    cookie: String,
}

impl Browser {
    async fn sign_in(router: &Router, name: &str) -> Self {
        let browser = Self { router: router.clone(), cookie: String::new() };
        let request = Request::post("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = format!("username={name}&password={}", PASSWORD.replace(' ', "+"));
        let answer = browser.ask(request.body(Body::from(form)).unwrap()).await;
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { cookie, ..browser }
    }

    /// The whole page.
    async fn get(&self, path: &str) -> Bytes {
        let request = Request::get(path).header(COOKIE, &self.cookie);
        let answer = self.ask(request.body(Body::empty()).unwrap()).await;
        let status = answer.status();
        let page = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&page));
        page
    }

    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }
}
