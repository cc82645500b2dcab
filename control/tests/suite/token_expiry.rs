//! Which tokens end soon, and who is told (product.md +6).

use std::time::Duration;

use access::Permission;
use control::usecases::token::{self, Expiry, TokenOrder};
use control::{Settings, TokenManagers};
use serde_json::Value;

use crate::client::Client;
use crate::world::{World, order, settings};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn ending(name: &str, channel: &str, days: u32) -> TokenOrder {
    TokenOrder { expires: Expiry::In(DAY * days), ..order(name, Permission::Read, &[channel]) }
}

/// Tokens of two accounts and of a user who owns one of the channels.
async fn scene(w: &World) {
    for (channel, owner) in [("hers", true), ("other", false)] {
        let account = w.account(channel).await;
        if owner {
            w.join("hers_owners", "alice").await;
        }
        for days in [40, 10] {
            let order = ending(&format!("{channel}-{days}"), channel, days);
            w.token(&w.admin, &account.name, order).await.unwrap();
        }
    }
    w.token(&w.alice, "alice", ending("alice-12", "hers", 12)).await.unwrap();
    let ended = w.token(&w.alice, "alice", ending("alice-revoked", "hers", 5)).await.unwrap();
    token::revoke(&w.control, &w.alice, ended.token.id).await.unwrap();
}

fn names(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("a page");
    items.iter().map(|token| token["name"].as_str().unwrap()).collect()
}

control::on_both_databases! {
    async fn whoever_sees_a_token_sees_that_it_ends(database: TestDatabase) {
        let w = World::new(database).await;
        scene(&w).await;
        let admin = Client::sign_in(&w, "root").await;
        let alice = Client::sign_in(&w, "alice").await;
        let soon = admin.get("/api/v1/tokens").await.body;
        assert_eq!(names(&soon), ["hers-10", "other-10", "alice-12"], "{soon}");
        assert_eq!(soon["items"][0]["channels"], serde_json::json!(["hers"]));
        let hers = alice.get("/api/v1/tokens?expires_within=60d").await.body;
        assert_eq!(names(&hers), ["hers-10", "alice-12", "hers-40"]);
        assert_eq!(token::count_expiring(&w.control).await.unwrap(), 3);
        w.clock.advance(DAY * 11);
        let admin = Client::sign_in(&w, "root").await;
        let left = admin.get("/api/v1/tokens").await.body;
        assert_eq!(names(&left), ["alice-12"], "what ended is no warning any more");
        admin.get("/api/v1/tokens?expires_within=soon").await.is_problem(422, "invalid-field");
    }

    async fn pages_go_on_where_the_one_before_ended(database: TestDatabase) {
        let w = World::new(database).await;
        scene(&w).await;
        let admin = Client::sign_in(&w, "root").await;
        let mut path = "/api/v1/tokens?limit=2".to_owned();
        let first = admin.get(&path).await.body;
        assert_eq!(names(&first), ["hers-10", "other-10"]);
        path += &format!("&cursor={}", first["next_cursor"].as_str().unwrap());
        let last = admin.get(&path).await.body;
        assert_eq!((names(&last), &last["next_cursor"]), (vec!["alice-12"], &Value::Null));
        for foreign in ["7", "a-b"] {
            let refused = admin.get(&format!("/api/v1/tokens?cursor={foreign}")).await;
            refused.is_problem(422, "invalid-field");
        }
    }

    async fn who_may_not_manage_accounts_tokens_sees_their_own(database: TestDatabase) {
        let admins = Settings { token_managers: TokenManagers::Admins, ..settings() };
        let w = World::with(database, admins).await;
        scene(&w).await;
        let alice = Client::sign_in(&w, "alice").await;
        let hers = alice.get("/api/v1/tokens?expires_within=60d").await.body;
        assert_eq!(names(&hers), ["alice-12"]);
    }

    async fn a_token_sees_what_its_channels_let_it(database: TestDatabase) {
        let w = World::new(database).await;
        scene(&w).await;
        w.join("other_owners", "alice").await;
        let order = order("program", Permission::Manage, &["hers"]);
        let program = w.token(&w.alice, "alice", order).await.unwrap();
        let program = Client::new(&w).with(program.secret.reveal());
        let seen = program.get("/api/v1/tokens?expires_within=60d").await.body;
        assert_eq!(names(&seen), ["hers-10", "alice-12", "hers-40"], "not the other channel's");
    }
}
