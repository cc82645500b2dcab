//! Tokens over the API: forms, statuses, and refusals that can be told apart.

use access::Permission;
use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{World, order};

const TOKENS: &str = "/api/v1/service-accounts/service-account-channel-a/tokens";

fn of(user: &str) -> String {
    format!("/api/v1/users/{user}/tokens")
}

/// A world with the account of `a`, and a client of its admin.
async fn scene(w: &World) -> Client {
    w.account("a").await;
    Client::sign_in(w, "root").await
}

fn wanted(name: &str, more: Value) -> Value {
    let mut order = json!({ "name": name, "permission": "read", "channels": ["a"] });
    order["expires_in"] = "90d".into();
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

async fn made(client: &Client, order: Value) -> Value {
    let made = client.post(TOKENS, order).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body
}

async fn look_up(client: &Client, value: &str) -> Answer {
    let request = Request::get("/api/v1/tokens/lookup").header("x-condagate-token", value);
    let bearer = format!("Bearer {}", client.bearer.as_ref().unwrap());
    client.answer(request.header("authorization", bearer).body(Body::empty()).unwrap()).await
}

control::on_both_databases! {
    async fn limits_are_taken_shown_changed_and_lifted(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let limits = json!({ "networks": ["10.0.0.0/8", "2001:db8::/32"],
            "requests_per_second": 20, "bytes_per_day": 1u64 << 40 });
        let token = made(&admin, wanted("t", limits.clone())).await;
        for (key, value) in limits.as_object().unwrap() {
            assert_eq!(&token[key], value);
        }
        let path = format!("/api/v1/tokens/{}", token["id"]);
        let change = json!({ "name": "u", "networks": null, "requests_per_second": null });
        let changed = admin.patch(&path, change).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
        assert!(changed.body["revision"].is_i64() && changed.body.get("value").is_none());
        let shown = admin.get(&path).await.body;
        assert_eq!(shown["name"], "u");
        assert_eq!(shown["networks"], json!([]));
        assert_eq!(shown["requests_per_second"], Value::Null);
        assert_eq!(shown["bytes_per_day"], limits["bytes_per_day"], "not said");

        for (wrong, field) in [
            (json!({ "networks": ["10.0.0.0"] }), "networks"),
            (json!({ "networks": ["10.0.0.1/8"] }), "networks"),
            (json!({ "requests_per_second": 0 }), "requests_per_second"),
            (json!({ "bytes_per_day": 0 }), "bytes_per_day"),
            (json!({ "bytes_per_day": -1 }), "bytes_per_day"),
            (json!({ "principal": "root" }), "principal"),
        ] {
            let refused = admin.patch(&path, wrong.clone()).await;
            refused.is_problem(422, "invalid-field");
            assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
            let refused = admin.post(TOKENS, wanted("v", wrong)).await;
            refused.is_problem(422, "invalid-field");
            assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
        }
    }

    async fn a_reissue_shows_its_value_once(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let token = made(&admin, wanted("t", json!({}))).await;
        let path = format!("/api/v1/tokens/{}", token["id"]);
        let again = admin.post(&format!("{path}/reissue"), json!({ "overlap": "24h" })).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.body);
        assert_eq!(again.headers[CACHE_CONTROL], "no-store");
        let value = again.body["value"].as_str().unwrap();
        assert_ne!(again.body["value"], token["value"]);
        let now = admin.get(&path).await.body;
        assert_eq!(now["hint"], format!("{}…", &value[..7]));
        assert_eq!(now["old_value_hint"], token["hint"]);
        assert!(now["old_value_ends_at"].is_string(), "{now}");
        let ended = admin.delete(&format!("{path}/old-value?wait=1s")).await;
        assert_eq!((ended.status, &ended.body["confirmed"]), (StatusCode::OK, &json!(true)), "{}", ended.body);
        assert!(admin.get(&path).await.body["old_value_hint"].is_null());
        let bare = admin.send("POST", &format!("{path}/reissue"), None).await;
        assert_eq!(bare.status, StatusCode::OK, "nothing to say is nothing to send: {}", bare.body);
        let late = admin.post(&format!("{path}/reissue"), json!({ "overlap": "8d" })).await;
        late.is_problem(422, "invalid-field");
        let long = admin.post(&format!("{path}/reissue"), json!({ "expires_in": "366d" })).await;
        long.is_problem(422, "lifespan");
    }

    async fn a_leaked_value_is_traced_to_its_token(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let token = made(&admin, wanted("t", json!({}))).await;
        let old = token["value"].as_str().unwrap();
        let path = format!("/api/v1/tokens/{}", token["id"]);
        let new = admin.post(&format!("{path}/reissue"), json!({ "overlap": "1h" })).await.body;
        let new = new["value"].as_str().unwrap();

        let found = look_up(&admin, old).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
        assert_eq!((&found.body["id"], &found.body["value_works"]), (&token["id"], &json!(true)));
        assert!(found.body["value_replaced_at"].is_string());
        assert!(!found.body.to_string().contains(old), "never the value");
        let found = look_up(&admin, new).await.body;
        assert_eq!((&found["value_works"], &found["value_replaced_at"]), (&json!(true), &Value::Null));
        w.clock.advance(std::time::Duration::from_secs(3600));
        assert_eq!(look_up(&admin, old).await.body["value_works"], false);
        admin.delete(&path).await;
        let found = look_up(&admin, new).await.body;
        assert_eq!((&found["status"], &found["value_works"]), (&json!("revoked"), &json!(false)));

        // Whoever doesn't see the token is told what anybody is told of a value that is nobody's.
        let alice = Client::sign_in(&w, "alice").await;
        let hidden = look_up(&alice, new).await;
        hidden.is_problem(404, "not-found");
        let nobodys = format!("{}-000000000000", &new[3..7]);
        let unknown = look_up(&alice, &nobodys).await;
        let text = |answer: &Value| answer.to_string().replace("cg-", "");
        assert_eq!(text(&hidden.body), text(&unknown.body));
        assert_eq!(look_up(&admin, &nobodys).await.body, unknown.body);
        let mistyped = format!("{}{}", &new[..40], if new.ends_with('x') { 'y' } else { 'x' });
        let refused = look_up(&admin, &mistyped).await;
        refused.is_problem(422, "invalid-field");
        assert!(refused.body["detail"].as_str().unwrap().contains("checksum"), "{}", refused.body);
        admin.get("/api/v1/tokens/lookup").await.is_problem(422, "invalid-field");
    }

    async fn personal_tokens_have_the_same_form(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let none = json!({ "channels": [], "admin": true });
        let token = admin.post(&of("root"), wanted("role", none)).await;
        assert_eq!(token.status, StatusCode::CREATED, "{}", token.body);
        assert_eq!((&token.body["admin"], &token.body["principal"]), (&json!(true), &json!("root")));
        let by_token = admin.with(token.body["value"].as_str().unwrap());
        let channel = by_token.post("/api/v1/channels", json!({ "name": "b" })).await;
        assert_eq!(channel.status, StatusCode::CREATED, "{}", channel.body);
        let listed = by_token.get(&of("root")).await.body;
        assert_eq!(listed["items"][0]["id"], token.body["id"]);

        let empty = wanted("t", json!({ "channels": [] }));
        admin.post(&of("root"), empty.clone()).await.is_problem(422, "invalid-field");
        let role = wanted("t", json!({ "admin": true }));
        let refused = admin.post(TOKENS, role).await;
        refused.is_problem(403, "not-permitted");
        assert_eq!(refused.body["needs"], "role `admin`");
        let alice = Client::sign_in(&w, "alice").await;
        let hers = wanted("t", json!({ "channels": [], "admin": true }));
        alice.post(&of("alice"), hers).await.is_problem(403, "not-permitted");
        alice.get(&of("root")).await.is_problem(404, "not-found");
        admin.get(&of("root").replace("users", "service-accounts")).await.is_problem(404, "not-found");
        let account = TOKENS.replace("service-accounts/", "users/");
        admin.get(&account).await.is_problem(404, "not-found");
    }

    async fn lists_are_narrowed_by_status_and_name(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        for name in ["ci-1", "ci-2", "laptop"] {
            made(&admin, wanted(name, json!({}))).await;
        }
        let short = made(&admin, wanted("ci-3", json!({ "expires_in": "1h" }))).await;
        let gone = made(&admin, wanted("ci-4", json!({}))).await;
        admin.delete(&format!("/api/v1/tokens/{}", gone["id"])).await;
        w.clock.advance(std::time::Duration::from_secs(3600));
        for (query, expected) in [
            ("status=active", &["ci-1", "ci-2", "laptop"][..]),
            ("status=expired", &["ci-3"]),
            ("status=revoked", &["ci-4"]),
            ("status=limited", &[]),
            ("q=ci-", &["ci-1", "ci-2", "ci-3", "ci-4"]),
            ("q=ci-&status=active", &["ci-1", "ci-2"]),
            ("q=%25", &[]),
        ] {
            let listed = admin.get(&format!("{TOKENS}?{query}")).await.body;
            let items = listed["items"].as_array().unwrap();
            let names: Vec<_> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{query}");
            let channels = |item: &Value| item["channels"] == json!(["a"]);
            assert!(items.iter().all(channels), "{query}");
        }
        let first = admin.get(&format!("{TOKENS}?status=active&limit=2")).await.body;
        let next = first["next_cursor"].as_str().unwrap();
        let last = admin.get(&format!("{TOKENS}?status=active&limit=2&cursor={next}")).await.body;
        assert_eq!(last["items"][0]["name"], "laptop");
        assert_eq!(admin.get(&format!("/api/v1/tokens/{}", short["id"])).await.body["effective"], json!([]));
        admin.get(&format!("{TOKENS}?status=broken")).await.is_problem(422, "invalid-field");
        admin.get(&format!("{TOKENS}?cursor=broken")).await.is_problem(422, "invalid-field");
    }

    async fn a_service_accounts_token_changes_things_only_with_manage(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        let other = w.account("b").await;
        let issue = async |name: &str, permission| {
            let order = order(name, permission, &["a"]);
            let issued = w.token(&w.admin, "service-account-channel-a", order).await.unwrap();
            (admin.with(issued.secret.reveal()), format!("/api/v1/tokens/{}", issued.token.id.0))
        };
        let (writer, its) = issue("writer", Permission::Write).await;
        for refused in [
            writer.post(TOKENS, wanted("t", json!({}))).await,
            writer.patch(&its, json!({ "name": "u" })).await,
            writer.post(&format!("{its}/reissue"), json!({})).await,
            writer.delete(&its).await,
        ] {
            refused.is_problem(403, "not-permitted");
            assert!(refused.body["needs"].as_str().unwrap().contains("`manage`"));
            assert!(refused.body["who"].is_string());
        }
        writer.get(TOKENS).await.is_problem(404, "not-found");
        let (manager, _) = issue("manager", Permission::Manage).await;
        assert_eq!(manager.get(TOKENS).await.body["items"].as_array().unwrap().len(), 2);
        let child = manager.post(TOKENS, wanted("child", json!({ "expires_in": "1d" }))).await;
        assert_eq!(child.status, StatusCode::CREATED, "{}", child.body);
        manager.get(&format!("/api/v1/service-accounts/{}/tokens", other.name)).await
            .is_problem(404, "not-found");
    }

    async fn refusals_can_be_told_apart(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = scene(&w).await;
        w.channel(&w.admin, "b").await.unwrap();
        let token = made(&admin, wanted("t", json!({}))).await;
        let path = format!("/api/v1/tokens/{}", token["id"]);
        let says = |answer: &Answer, words: &[&str]| {
            let detail = answer.body["detail"].as_str().unwrap().to_owned();
            for word in words {
                assert!(detail.contains(word), "{word}: {detail}");
            }
        };
        let unsigned = Client::new(&w).post(TOKENS, wanted("u", json!({}))).await;
        unsigned.is_problem(401, "not-signed-in");
        says(&unsigned, &["sign in"]);
        let taken = admin.post(TOKENS, wanted("t", json!({}))).await;
        taken.is_problem(409, "name-taken");
        says(&taken, &["token `t`"]);
        let not_held = admin.post(TOKENS, wanted("u", json!({ "channels": ["b"] }))).await;
        not_held.is_problem(403, "permission-not-held");
        says(&not_held, &["service-account-channel-a", "`read`", "`b`"]);
        assert_eq!((&not_held.body["channel"], &not_held.body["permission"]), (&json!("b"), &json!("read")));
        for (long, words) in [
            (json!({ "expires_in": "366d" }), "365 days"),
            (json!({ "expires_in": null, "expires_at": "2020-01-01T00:00:00Z" }), "between now and"),
        ] {
            let refused = admin.post(TOKENS, wanted("u", long.clone())).await;
            refused.is_problem(422, "lifespan");
            says(&refused, &[words]);
            assert_eq!(refused.body["errors"][0]["field"], "expires_at");
            let mut change = long;
            change.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            admin.patch(&path, change).await.is_problem(422, "lifespan");
        }
        let both = json!({ "expires_at": "2027-01-01T00:00:00Z" });
        let refused = admin.post(TOKENS, wanted("u", both)).await;
        refused.is_problem(422, "invalid-field");
        says(&refused, &["either"]);
        let unknown = admin.post(TOKENS, wanted("u", json!({ "colour": "red" }))).await;
        unknown.is_problem(422, "invalid-field");
        says(&unknown, &["colour"]);
        let alice = Client::sign_in(&w, "alice").await;
        let hidden = alice.patch(&path, json!({ "name": "u" })).await;
        hidden.is_problem(404, "not-found");
        let absent = alice.patch("/api/v1/tokens/12345", json!({ "name": "u" })).await;
        let same = absent.body.to_string().replace("12345", &token["id"].to_string());
        assert_eq!(hidden.body.to_string(), same);
        admin.delete(&path).await;
        for refused in [
            admin.patch(&path, json!({ "name": "u" })).await,
            admin.post(&format!("{path}/reissue"), json!({})).await,
        ] {
            refused.is_problem(409, "token-revoked");
            says(&refused, &["for good"]);
        }
    }
}
