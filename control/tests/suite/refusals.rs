//! Every error that must be told apart (api.md, last paragraph): its status, its type and its
//! words.

use access::Permission;
use control::Settings;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{PASSWORD, World, order, settings};

#[track_caller]
fn says(refused: &Answer, status: u16, name: &str, detail: &str) {
    refused.is_problem(status, name);
    assert_eq!(refused.body["detail"], detail);
}

fn token(more: &Value) -> Value {
    let mut order = json!({ "name": "t", "permission": "read", "channels": ["a"],
        "expires_in": "1d" });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

control::on_both_databases! {
    async fn not_signed_in_and_a_wrong_password(database: TestDatabase) {
        let w = World::new(database).await;
        let client = Client::new(&w);
        let detail = "sign in first: the session or token is unknown, ended or revoked";
        for client in [client.clone(), client.with("not a token"), client.with(&"a".repeat(41))] {
            let refused = client.get("/api/v1/me").await;
            says(&refused, 401, "not-signed-in", detail);
            assert!(refused.headers.contains_key("www-authenticate"));
        }
        let detail = "the user name or the password is wrong";
        for username in ["alice", "nobody", "\u{1}"] {
            let login = json!({ "username": username, "password": "wrong horse" });
            says(&client.post("/api/v1/sessions", login).await, 401, "wrong-password", detail);
        }
    }

    async fn not_permitted_names_what_is_missing_and_who_can_give_it(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let reader = json!({ "permission": "read" });
        let admin = Client::sign_in(&w, "root").await;
        admin.post("/api/v1/groups", json!({ "name": "readers" })).await;
        admin.put("/api/v1/groups/readers/permissions/a", reader).await;
        w.join("readers", "alice").await;
        let alice = Client::sign_in(&w, "alice").await;
        let refused = alice.post("/api/v1/channels", json!({ "name": "b" })).await;
        says(&refused, 403, "not-permitted", "this needs role `admin`; an admin can give it");
        assert_eq!(refused.body["needs"], "role `admin`");
        let refused = alice.patch("/api/v1/channels/a", json!({ "privacy": "public" })).await;
        let detail = "this needs `manage` on `a`; a user of `a_owners` can give it";
        says(&refused, 403, "not-permitted", detail);
        assert_eq!(refused.body["needs"], "`manage` on `a`");
        assert_eq!(refused.body["who"], "a user of `a_owners`");
    }

    async fn hidden_and_absent_are_one_answer(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("secret").await.name;
        let admin = Client::sign_in(&w, "root").await;
        admin.post("/api/v1/groups", json!({ "name": "secret" })).await;
        let order = order("t", Permission::Read, &["secret"]);
        let hidden_token = w.token(&w.admin, &account, order).await.unwrap().token.id.0;
        let alice = Client::sign_in(&w, "alice").await;
        for (hidden, absent) in [
            ("channels/secret".to_owned(), "channels/absent"),
            ("groups/secret".to_owned(), "groups/absent"),
            ("users/root".to_owned(), "users/absent"),
            (format!("service-accounts/{account}"), "service-accounts/absent"),
            (format!("tokens/{hidden_token}"), "tokens/999999"),
        ] {
            let seen = alice.get(&format!("/api/v1/{hidden}")).await;
            let unseen = alice.get(&format!("/api/v1/{absent}")).await;
            let name = |path: &str| path.split('/').next_back().unwrap().to_owned();
            let kind = absent.split("s/").next().unwrap().replace('-', " ");
            let detail = |path| format!("no {kind} `{}`, or it is not visible to you", name(path));
            says(&seen, 404, "not-found", &detail(&hidden));
            says(&unseen, 404, "not-found", &detail(absent));
        }
    }

    async fn names_taken_and_seats_taken(database: TestDatabase) {
        let w = World::with(database, Settings { seats: Some(2), ..settings() }).await;
        let admin = Client::sign_in(&w, "root").await;
        admin.post("/api/v1/channels", json!({ "name": "a" })).await;
        let taken = admin.post("/api/v1/channels", json!({ "name": "a" })).await;
        says(&taken, 409, "name-taken", "there is a channel `a` already");
        let alice = json!({ "name": "alice", "password": PASSWORD });
        let taken = admin.post("/api/v1/users", alice).await;
        says(&taken, 409, "name-taken", "there is a user `alice` already");
        admin.post("/api/v1/groups", json!({ "name": "g" })).await;
        let taken = admin.post("/api/v1/groups", json!({ "name": "g" })).await;
        says(&taken, 409, "name-taken", "there is a group `g` already");
        let detail = "all seats are taken: 2 of 2; users and service accounts both count";
        let bob = json!({ "name": "bob", "password": PASSWORD });
        for full in [
            admin.post("/api/v1/users", bob).await,
            admin.post("/api/v1/service-accounts", json!({ "channel": "a" })).await,
        ] {
            says(&full, 409, "seat-limit", detail);
            assert_eq!((&full.body["used"], &full.body["limit"]), (&json!(2), &json!(2)));
        }
    }

    async fn what_is_not_held_and_what_lasts_too_long(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await.name;
        w.channel(&w.admin, "b").await.unwrap();
        let admin = Client::sign_in(&w, "root").await;
        let tokens = format!("/api/v1/service-accounts/{account}/tokens");
        let refused = admin.post(&tokens, token(&json!({ "channels": ["a", "b"] }))).await;
        let detail = format!(
            "`{account}` does not hold `read` on `b`, so that no token can be issued for it"
        );
        says(&refused, 403, "permission-not-held", &detail);
        assert_eq!(refused.body["channel"], "b");
        assert_eq!(refused.body["permission"], "read");

        let latest = w.now().plus(control::usecases::token::MAX_LIFESPAN);
        let detail = format!(
            "`expires_at` must lie between now and {latest}: a token lasts at most 365 days from \
             its issue"
        );
        for late in ["366d", "0s"] {
            let refused = admin.post(&tokens, token(&json!({ "expires_in": late }))).await;
            says(&refused, 422, "lifespan", &detail);
            assert_eq!(refused.body["errors"][0]["field"], "expires_at");
        }
    }

    async fn unknown_fields_and_wrong_types(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let refused = admin.post("/api/v1/groups", json!({ "name": "g", "colour": "red" })).await;
        refused.is_problem(422, "invalid-field");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("`colour`: unknown field `colour`, expected"), "{detail}");
        let refused = admin.post("/api/v1/groups", json!({ "name": 7 })).await;
        refused.is_problem(422, "invalid-field");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("`name`: invalid type: integer `7`, expected a string"), "{detail}");
        let refused = admin.post("/api/v1/groups", json!(["g", "description"])).await;
        says(&refused, 422, "invalid-field", "`body`: must be an object");
        let refused = admin.post("/api/v1/groups", json!({ "name": "a\u{0}b" })).await;
        says(&refused, 400, "malformed-request", "no text may have the character U+0000");
    }

    async fn what_must_stay_stays(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let admin = Client::sign_in(&w, "root").await;
        let last = admin.patch("/api/v1/users/root", json!({ "role": "user" })).await;
        let detail = "this is the last active admin; give another user role `admin` first";
        says(&last, 409, "last-admin", detail);
        let last = admin.delete("/api/v1/groups/a_owners/members/root").await;
        let detail = "`a_owners` would be left without a user; add another one first";
        says(&last, 409, "last-owner", detail);
        let owners = admin.delete("/api/v1/groups/a_owners").await;
        let detail = "`a_owners` holds the owners of its channel: it comes, goes and holds \
             `manage` with it";
        says(&owners, 409, "owners-group", detail);
    }
}
