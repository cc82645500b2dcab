//! Changing tokens while their value stays: product.md S6, S9, +4.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use access::source::Touched;
use access::{Clock as _, GrantSource as _, Limits, Permission, TokenId};
use control::usecases::token::{
    self, Expiry, Issued, MAX_LIFESPAN, Reissue, TokenEdit, TokenOrder,
};
use control::usecases::{Holder, group};
use control::{Actor, Error, Token, TokenStatus};

use crate::world::{World, name, order};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn edit(w: &World, by: &Actor, id: TokenId, edit: TokenEdit) -> Result<Token, Error> {
    token::edit(&w.control, by, id, edit).await.map(|done| done.value)
}

fn ending(expires: Expiry) -> TokenEdit {
    TokenEdit { expires: Some(expires), ..TokenEdit::default() }
}

fn limits(networks: &[&str], requests: u32, bytes: u64) -> Limits {
    Limits {
        networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        requests_per_second: NonZeroU32::new(requests),
        bytes_per_day: NonZeroU64::new(bytes),
    }
}

/// A token of the account of `a`, for reading it.
async fn issued(w: &World, name: &str) -> Issued {
    let order = order(name, Permission::Read, &["a"]);
    w.token(&w.admin, "service-account-channel-a", order).await.unwrap()
}

control::on_both_databases! {
    async fn s9_what_is_not_said_stays_and_the_value_does(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let before = issued(&w, "t").await;
        let before_revision = w.control.store().begin(0).await.unwrap().applied;
        let change = TokenEdit { name: Some("renamed".into()), ..TokenEdit::default() };
        let after = edit(&w, &w.admin, before.token.id, change).await.unwrap();
        let expected = Token { name: "renamed".into(), ..before.token.clone() };
        assert_eq!(after, expected);
        assert_eq!(w.grant(&before).await.token, before.token.id);
        let read = w.control.store().feed(before_revision).await.unwrap();
        let value = Touched::Token { id: after.id, digest: before.secret.digest() };
        assert_eq!(read.changes[0].touched, [value]);
        assert_eq!(w.audit().await.last().unwrap(), &("token.edit".into(), "renamed".into()));

        let text = TokenEdit { description: Some("for CI".into()), ..TokenEdit::default() };
        assert_eq!(edit(&w, &w.admin, after.id, text).await.unwrap().description, "for CI");
        let bad = TokenEdit { name: Some(" ".into()), ..TokenEdit::default() };
        let refused = edit(&w, &w.admin, after.id, bad).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidField { field: "name", .. }), "{refused}");
    }

    async fn of_two_who_saw_the_same_one_changes_it(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let id = issued(&w, "t").await.token.id;
        let seen = token::fingerprint(&token::get(&w.control, &w.admin, id).await.unwrap());
        let describe = |text: &str| TokenEdit {
            description: Some(text.into()),
            seen: Some(seen.clone()),
            ..TokenEdit::default()
        };
        let (one, other) = tokio::join!(
            edit(&w, &w.admin, id, describe("one's")),
            edit(&w, &w.admin, id, describe("other's")),
        );
        let changed = |error: &Error| matches!(error, Error::ChangedMeanwhile { .. });
        let winner = match (&one, &other) {
            (Ok(done), Err(error)) | (Err(error), Ok(done)) if changed(error) => done,
            _ => panic!("one alone changes it: {one:?}, {other:?}"),
        };
        let now = token::get(&w.control, &w.admin, id).await.unwrap();
        assert_eq!(now.description, winner.description);
        // A new value is a change too.
        let again = Reissue { seen: Some(seen), ..Reissue::default() };
        let refused = token::reissue(&w.control, &w.admin, id, again).await.unwrap_err();
        assert!(changed(&refused), "{refused}");
        let again = Reissue { seen: Some(token::fingerprint(&now)), ..Reissue::default() };
        let reissued = token::reissue(&w.control, &w.admin, id, again).await.unwrap().value;
        assert_ne!(token::fingerprint(&reissued.token), token::fingerprint(&now));
    }

    async fn s5_a_new_name_is_unique_too(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let (one, _two) = (issued(&w, "one").await, issued(&w, "two").await);
        let rename = |name: &str| TokenEdit { name: Some(name.into()), ..TokenEdit::default() };
        let taken = edit(&w, &w.admin, one.token.id, rename("two")).await.unwrap_err();
        assert!(matches!(taken, Error::NameTaken { kind: "token", .. }), "{taken}");
        edit(&w, &w.admin, one.token.id, rename("one")).await.unwrap();
    }

    async fn s9_a_year_is_counted_from_the_issue_and_an_expired_token_comes_back(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let begin = w.clock.now();
        let issued = issued(&w, "t").await;
        let id = issued.token.id;
        w.clock.advance(100 * DAY);
        assert_eq!(token::get(&w.control, &w.admin, id).await.unwrap().status, TokenStatus::Expired);
        let year = Expiry::At(begin.plus(MAX_LIFESPAN));
        let back = edit(&w, &w.admin, id, ending(year)).await.unwrap();
        assert_eq!((back.status, back.expires_at), (TokenStatus::Active, begin.plus(MAX_LIFESPAN)));
        assert!(w.grant(&issued).await.expires_at > w.clock.now());
        for refused in [
            Expiry::At(begin.plus(MAX_LIFESPAN + Duration::from_millis(1))),
            Expiry::In(MAX_LIFESPAN - 99 * DAY),
            Expiry::At(w.clock.now()),
        ] {
            let refused = edit(&w, &w.admin, id, ending(refused)).await.unwrap_err();
            assert!(matches!(refused, Error::Lifespan { .. }), "{refused}");
        }
        w.clock.advance(300 * DAY);
        let late = edit(&w, &w.admin, id, ending(Expiry::In(DAY))).await.unwrap_err();
        assert!(late.to_string().contains("reissue"), "past its year: {late}");
        let named = TokenEdit { name: Some("history".into()), ..TokenEdit::default() };
        edit(&w, &w.admin, id, named).await.unwrap();
    }

    async fn s9_a_revoked_token_never_comes_back(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let id = issued(&w, "t").await.token.id;
        token::revoke(&w.control, &w.admin, id).await.unwrap();
        let refused = edit(&w, &w.admin, id, ending(Expiry::In(DAY))).await.unwrap_err();
        assert!(matches!(refused, Error::TokenRevoked { .. }), "{refused}");
        let refused = token::reissue(&w.control, &w.admin, id, Reissue::default()).await.unwrap_err();
        assert!(matches!(refused, Error::TokenRevoked { .. }), "{refused}");
    }

    async fn s6_what_widens_is_granted_anew_and_what_narrows_is_not(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        w.join("b_owners", &account.name).await;
        w.join("a_owners", "alice").await;
        let both = order("t", Permission::Write, &["a", "b"]);
        let issued = w.token(&w.admin, &account.name, both).await.unwrap();
        let id = issued.token.id;
        // Alice manages the account's tokens, but holds nothing on `b`.
        let looser = TokenEdit { requests_per_second: Some(None), ..TokenEdit::default() };
        let higher = TokenEdit { permission: Some(Permission::Manage), ..TokenEdit::default() };
        let tight = TokenEdit { requests_per_second: Some(NonZeroU32::new(5)), ..TokenEdit::default() };
        edit(&w, &w.alice, id, tight).await.unwrap();
        for wider in [ending(Expiry::In(200 * DAY)), higher.clone(), looser] {
            let refused = edit(&w, &w.alice, id, wider.clone()).await.unwrap_err();
            assert!(matches!(refused, Error::NotFound { kind: "channel", .. }), "{refused}");
            edit(&w, &w.admin, id, wider).await.unwrap();
        }
        let narrower = TokenEdit {
            permission: Some(Permission::Read),
            channels: Some(vec![name("b")]),
            expires: Some(Expiry::In(DAY)),
            ..TokenEdit::default()
        };
        let after = edit(&w, &w.alice, id, narrower).await.unwrap();
        assert_eq!(after.channels.len(), 1);
        let grant = w.grant(&issued).await;
        assert_eq!(grant.channels().len(), 1);
        assert_eq!(grant.channels()[0].permission, Permission::Read);

        // The account must hold it too.
        group::remove_member(&w.control, &w.admin, "b_owners", &account.name).await.unwrap();
        let refused = edit(&w, &w.admin, id, higher).await.unwrap_err();
        let Error::PermissionNotHeld { holder, .. } = refused else { panic!("{refused}") };
        assert_eq!(holder, Holder::Principal(account.name));
        let none = TokenEdit { channels: Some(vec![]), ..TokenEdit::default() };
        let refused = edit(&w, &w.admin, id, none).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidField { field: "channels", .. }), "{refused}");
    }

    async fn limits_are_stored_and_told_to_gateways(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let set = limits(&["192.0.2.0/24", "2001:db8::/32"], 10, 1 << 40);
        let limited = TokenOrder { limits: set.clone(), ..order("t", Permission::Read, &["a"]) };
        let issued = w.token(&w.admin, &account.name, limited).await.unwrap();
        assert_eq!(issued.token.limits, set);
        assert_eq!(w.grant(&issued).await.limited().unwrap().limits, set);
        let lifted = TokenEdit {
            networks: Some(Box::default()),
            bytes_per_day: Some(None),
            ..TokenEdit::default()
        };
        let after = edit(&w, &w.admin, issued.token.id, lifted).await.unwrap();
        assert_eq!(after.limits, limits(&[], 10, 0));
        assert_eq!(w.grant(&issued).await.limited().unwrap().limits, after.limits);
    }

    async fn s6_a_token_is_within_the_limits_of_the_one_that_issues_it(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let own = limits(&[], 10, 1_000);
        let manage = TokenOrder { limits: own.clone(), ..order("m", Permission::Manage, &["a"]) };
        let manage = w.token(&w.admin, &account.name, manage).await.unwrap();
        let by_token = w.by(&manage).await;
        let hour = Expiry::In(Duration::from_secs(3600));
        let child = |limits| TokenOrder { limits, expires: hour, ..order("t", Permission::Read, &["a"]) };
        for (beyond, wrong) in [
            (Limits::default(), "requests_per_second"),
            (limits(&[], 11, 1_000), "requests_per_second"),
            (limits(&[], 10, 0), "bytes_per_day"),
        ] {
            let refused = w.token(&by_token, &account.name, child(beyond)).await.unwrap_err();
            assert!(matches!(refused, Error::InvalidField { field, .. } if field == wrong), "{refused}");
        }
        let made = w.token(&by_token, &account.name, child(own)).await.unwrap();
        let looser = TokenEdit { bytes_per_day: Some(None), ..TokenEdit::default() };
        let refused = edit(&w, &by_token, made.token.id, looser.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidField { field: "bytes_per_day", .. }), "{refused}");
        let refused = edit(&w, &by_token, manage.token.id, looser).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidField { .. }), "not even its own: {refused}");
    }

    async fn a_token_with_networks_is_taken_from_there_only(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let there = limits(&["192.0.2.0/24"], 0, 0);
        let manage = TokenOrder { limits: there, ..order("m", Permission::Manage, &["a"]) };
        let manage = w.token(&w.admin, &account.name, manage).await.unwrap();
        let mut actor = w.by(&manage).await;
        for (address, taken) in [(None, false), (Some("198.51.100.1"), false), (Some("192.0.2.7"), true)] {
            actor.address = address.map(|address| address.parse().unwrap());
            let answer = token::get(&w.control, &actor, manage.token.id).await;
            match answer {
                Ok(_) => assert!(taken, "{address:?}"),
                Err(refused) => {
                    assert!(!taken, "{address:?}: {refused}");
                    assert!(refused.to_string().contains("network"), "{refused}");
                }
            }
        }
    }

    async fn a_token_whose_day_is_used_up_is_limited(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let day = limits(&[], 0, 1_000);
        let limited = TokenOrder { limits: day, ..order("t", Permission::Read, &["a"]) };
        let id = w.token(&w.admin, &account.name, limited).await.unwrap().token.id;
        let free = issued(&w, "free").await.token.id;
        let today = w.clock.now().as_millis() / 86_400_000;
        for (day, token, bytes) in [(today - 1, id, 5_000), (today, free, 5_000), (today, id, 999), (today, id, 1_000)] {
            assert_eq!(token::get(&w.control, &w.admin, id).await.unwrap().status, TokenStatus::Active);
            sqlx::query("INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
                 VALUES ($1, -1, '*', $2, 1, $3, 0) ON CONFLICT (token_id, channel_id, package, day) \
                 DO UPDATE SET bytes = excluded.bytes")
                .bind(token.0).bind(day).bind(bytes)
                .execute(&w.control.store().pool()).await.unwrap();
        }
        assert_eq!(token::get(&w.control, &w.admin, id).await.unwrap().status, TokenStatus::Limited);
        assert_eq!(token::get(&w.control, &w.admin, free).await.unwrap().status, TokenStatus::Active);
        w.clock.advance(DAY);
        assert_eq!(token::get(&w.control, &w.admin, id).await.unwrap().status, TokenStatus::Active);
    }

    async fn a_personal_token_is_changed_by_its_user_alone(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let hers = w.token(&w.alice, "alice", order("t", Permission::Read, &["a"])).await.unwrap();
        let id = hers.token.id;
        let rename = TokenEdit { name: Some("u".into()), ..TokenEdit::default() };
        edit(&w, &w.alice, id, rename.clone()).await.unwrap();
        let refused = edit(&w, &w.admin, id, rename.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        let refused = token::reissue(&w.control, &w.admin, id, Reissue::default()).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        let bob = w.user("bob").await;
        let refused = edit(&w, &bob, id, rename.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { .. }), "{refused}");
        // It stands in a URL: whoever reads that may not make another of it.
        let by_token = w.by(&hers).await;
        let refused = edit(&w, &by_token, id, rename).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        token::revoke(&w.control, &w.admin, id).await.unwrap();
    }
}
