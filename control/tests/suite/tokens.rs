//! Tokens: product.md S5, S6, S10, S11.

use std::time::Duration;

use access::{Clock as _, Permission, TokenId};
use control::usecases::token::{self, Expiry, MAX_LIFESPAN, TokenOrder};
use control::usecases::{Holder, Page, group};
use control::{Error, Settings, TokenManagers};

use crate::world::{World, name, order, settings};

control::on_both_databases! {
    async fn s5_several_tokens_each_with_a_name_of_its_own(database: TestDatabase) {
        let w = World::new(database).await;
        let (one, two) = (w.account("one").await, w.account("two").await);
        let first = w.token(&w.admin, &one.name, order("ci", Permission::Read, &["one"])).await;
        let first = first.unwrap();
        let taken = w.token(&w.admin, &one.name, order("ci", Permission::Read, &["one"])).await;
        assert!(matches!(taken.unwrap_err(), Error::NameTaken { kind: "token", .. }));
        w.token(&w.admin, &one.name, order("ci 2", Permission::Write, &["one"])).await.unwrap();
        w.token(&w.admin, &two.name, order("ci", Permission::Read, &["two"])).await.unwrap();
        let listed = token::list(&w.control, &w.admin, &one.name, None, &Page::first()).await.unwrap();
        let names: Vec<_> = listed.items.iter().map(|token| &*token.name).collect();
        assert_eq!(names, ["ci", "ci 2"]);
        assert_eq!(listed.items[0], first.token);
        assert_eq!(listed.items[0].channels[0].effective, Some(Permission::Read));

        token::revoke(&w.control, &w.admin, first.token.id).await.unwrap();
        w.token(&w.admin, &one.name, order("ci", Permission::Read, &["one"])).await.unwrap();
    }

    async fn s5_a_token_lasts_at_most_a_year_from_its_issue(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let now = w.clock.now();
        let second = Duration::from_secs(1);
        let ending = |name: &str, expires| TokenOrder { expires, ..order(name, Permission::Read, &["a"]) };
        for refused in [
            Expiry::At(now),
            Expiry::In(Duration::ZERO),
            Expiry::In(MAX_LIFESPAN + second),
            Expiry::In(Duration::MAX),
            Expiry::At(now.plus(MAX_LIFESPAN + second)),
        ] {
            let refused = w.token(&w.admin, &account.name, ending("t", refused)).await.unwrap_err();
            assert!(matches!(refused, Error::Lifespan { .. }), "{refused}");
        }
        let longest = w.token(&w.admin, &account.name, ending("t", Expiry::In(MAX_LIFESPAN))).await;
        assert_eq!(longest.unwrap().token.expires_at, now.plus(MAX_LIFESPAN));
    }

    async fn s6_no_more_than_caller_and_account_hold(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        w.join("a_owners", "alice").await;
        // Alice manages the account, but doesn't see `b`.
        let both = order("t", Permission::Read, &["a", "b"]);
        let refused = w.token(&w.alice, &account.name, both.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { kind: "channel", .. }), "{refused}");
        // The admin holds it, but the account doesn't.
        let refused = w.token(&w.admin, &account.name, both.clone()).await.unwrap_err();
        let Error::PermissionNotHeld { holder, channel, .. } = refused else { panic!("{refused}") };
        assert_eq!((holder, channel), (Holder::Principal(account.name.clone()), name("b")));
        // S11: once the owner of `b` adds the account, it does.
        w.join("b_owners", &account.name).await;
        let issued = w.token(&w.admin, &account.name, both).await.unwrap();
        assert_eq!(w.grant(&issued).await.channels().len(), 2);
    }

    async fn s6_afterwards_it_is_capped_by_what_the_account_holds(database: TestDatabase) {
        let w = World::new(database).await;
        let (account, other) = (w.account("a").await, w.account("b").await);
        w.join("a_owners", &other.name).await;
        let write = order("t", Permission::Write, &["a"]);
        let issued = w.token(&w.admin, &other.name, write).await.unwrap();
        let held = |grant: &access::Grant| grant.on(account.channel_id);
        assert_eq!(held(&w.grant(&issued).await), Some(Permission::Write));
        group::remove_member(&w.control, &w.admin, "a_owners", &other.name).await.unwrap();
        assert_eq!(held(&w.grant(&issued).await), None);
        // `b_owners` may read `a`: less than the token was issued for.
        let read = Some(Permission::Read);
        group::set_permission(&w.control, &w.admin, "b_owners", &name("a"), read).await.unwrap();
        assert_eq!(held(&w.grant(&issued).await), read);
        let shown = token::get(&w.control, &w.admin, issued.token.id).await.unwrap();
        assert_eq!(shown.channels[0].effective, read);
    }

    async fn s6_a_token_cannot_issue_what_exceeds_or_outlives_it(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        w.account("b").await;
        w.join("b_owners", &account.name).await;
        let short = Expiry::In(Duration::from_secs(3600));
        let manage = TokenOrder { expires: short, ..order("m", Permission::Manage, &["a"]) };
        let manage = w.token(&w.admin, &account.name, manage).await.unwrap();
        let by_token = w.by(&manage).await;

        let outlives = w.token(&by_token, &account.name, order("t", Permission::Read, &["a"])).await;
        assert!(matches!(outlives.unwrap_err(), Error::Lifespan { .. }));
        let ending = |channels: &[&str]| TokenOrder { expires: short, ..order("t", Permission::Read, channels) };
        let exceeds = w.token(&by_token, &account.name, ending(&["a", "b"])).await.unwrap_err();
        assert!(matches!(exceeds, Error::NotFound { .. }), "outside its channels: {exceeds}");
        let issued = w.token(&by_token, &account.name, ending(&["a"])).await.unwrap();
        assert_eq!(issued.token.created_by_token, Some(manage.token.id));
        assert_eq!(issued.token.created_by, account.name);

        // A token that doesn't manage manages nothing, not even itself.
        let reader = w.by(&issued).await;
        let refused = w.token(&reader, &account.name, ending(&["a"])).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        let refused = token::revoke(&w.control, &reader, issued.token.id).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        let refused = token::get(&w.control, &reader, issued.token.id).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { .. }), "{refused}");
    }

    async fn accounts_that_are_hidden_look_like_those_that_are_not_there(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let absent = account.name.replace("channel-a", "channel-b");
        let page = Page::first();
        let hidden = token::list(&w.control, &w.alice, &account.name, None, &page).await.unwrap_err();
        let missing = token::list(&w.control, &w.alice, &absent, None, &page).await.unwrap_err();
        assert_eq!(hidden.to_string().replace(&account.name, &absent), missing.to_string());
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let id = issued.unwrap().token.id;
        let hidden = token::get(&w.control, &w.alice, id).await.unwrap_err();
        let missing = token::get(&w.control, &w.alice, TokenId(12345)).await.unwrap_err();
        assert_eq!(hidden.to_string().replace(&id.0.to_string(), "12345"), missing.to_string());
    }

    async fn a_personal_token_is_its_users_own(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let refused = w.token(&w.admin, "alice", order("t", Permission::Read, &["a"])).await;
        assert!(matches!(refused.unwrap_err(), Error::NotPermitted { .. }));
        let refused = w.token(&w.alice, "root", order("t", Permission::Read, &["a"])).await;
        assert!(matches!(refused.unwrap_err(), Error::NotFound { .. }));

        let plain = w.token(&w.admin, "root", order("plain", Permission::Manage, &["a"])).await.unwrap();
        let refused = w.channel(&w.by(&plain).await, "b").await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "no role without `admin`");
        let admin = TokenOrder { admin: true, ..order("admin", Permission::Manage, &["a"]) };
        let refused = w.token(&w.by(&plain).await, "root", admin.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::Lifespan { .. } | Error::NotPermitted { .. }), "{refused}");
        let admin = w.token(&w.admin, "root", admin).await.unwrap();
        w.channel(&w.by(&admin).await, "b").await.unwrap();
        let hers = TokenOrder { admin: true, ..order("t", Permission::Read, &["a"]) };
        w.join("a_owners", "alice").await;
        let refused = w.token(&w.alice, "alice", hers).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
    }

    async fn s1_token_managers_can_be_narrowed_to_admins(database: TestDatabase) {
        let narrow = Settings { token_managers: TokenManagers::Admins, ..settings() };
        let w = World::with(database, narrow).await;
        let account = w.account("a").await;
        w.join("a_owners", "alice").await;
        let refused = w.token(&w.alice, &account.name, order("t", Permission::Read, &["a"])).await;
        assert!(matches!(refused.unwrap_err(), Error::NotPermitted { .. }));
        w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await.unwrap();
    }

    async fn s8_nothing_stored_holds_the_value(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        token::revoke(&w.control, &w.admin, issued.token.id).await.unwrap();
        let sql = "SELECT coalesce(before, '') || coalesce(after, '') || target FROM audit_events \
             UNION ALL SELECT hint FROM token_values UNION ALL SELECT name || description FROM tokens";
        let texts: Vec<String> =
            sqlx::query_scalar(sql).fetch_all(&w.control.store().pool()).await.unwrap();
        let value = issued.secret.reveal();
        assert!(texts.iter().any(|text| text.contains("\"permission\":\"read\"")));
        assert!(texts.iter().all(|text| !text.contains(&value[3..12])), "more than the hint");
    }
}
