//! Giving tokens a new value: product.md S6, S9.

use std::time::Duration;

use access::{Clock as _, GrantSource as _, Permission, Timestamp, TokenId};
use control::usecases::session::{self, Origin};
use control::usecases::token::{
    self, Expiry, Issued, MAX_LIFESPAN, MAX_OVERLAP, Reissue, TokenOrder,
};
use control::{Actor, Error, TokenStatus};

use crate::world::{World, name, order};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn reissue(w: &World, by: &Actor, id: TokenId, how: Reissue) -> Result<Issued, Error> {
    token::reissue(&w.control, by, id, how).await.map(|done| done.value)
}

fn after(overlap: Duration) -> Reissue {
    Reissue { overlap, ..Reissue::default() }
}

/// A token of the account of `a`, for reading it 90 days.
async fn issued(w: &World) -> Issued {
    let account = w.account("a").await;
    w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await.unwrap()
}

/// When the value ends, as gateways are told.
async fn ends(w: &World, issued: &Issued) -> Timestamp {
    w.grant(issued).await.expires_at
}

async fn signs_in(w: &World, issued: &Issued) -> bool {
    session::authenticate(&w.control, &issued.secret, Origin::default()).await.is_ok()
}

control::on_both_databases! {
    async fn s9_the_old_value_ends_now(database: TestDatabase) {
        let w = World::new(database).await;
        let old = issued(&w).await;
        w.clock.advance(10 * DAY);
        let since = w.control.store().begin(0).await.unwrap().applied;
        let new = reissue(&w, &w.admin, old.token.id, Reissue::default()).await.unwrap();
        let now = w.clock.now();
        assert_eq!(ends(&w, &old).await, now);
        assert!(!signs_in(&w, &old).await && signs_in(&w, &new).await);
        assert_eq!(new.token.id, old.token.id);
        assert_eq!(new.token.hint, new.secret.hint());
        assert_eq!(new.token.issued_at, now);
        assert_eq!(new.token.expires_at, now.plus(90 * DAY), "as long as before, from now");
        assert_eq!(ends(&w, &new).await, new.token.expires_at);
        let read = w.control.store().feed(since).await.unwrap();
        assert_eq!(read.changes[0].touched.len(), 2, "both values");
        assert_eq!(w.audit().await.last().unwrap(), &("token.reissue".into(), "t".into()));
    }

    async fn s9_both_values_work_during_an_overlap_and_then_only_the_new_one(database: TestDatabase) {
        let w = World::new(database).await;
        let old = issued(&w).await;
        let new = reissue(&w, &w.admin, old.token.id, after(HOUR)).await.unwrap();
        assert_eq!(ends(&w, &old).await, w.clock.now().plus(HOUR));
        assert!(signs_in(&w, &old).await && signs_in(&w, &new).await);
        w.clock.advance(HOUR);
        assert!(!signs_in(&w, &old).await && signs_in(&w, &new).await);
        let too_long = reissue(&w, &w.admin, old.token.id, after(MAX_OVERLAP + HOUR)).await;
        let too_long = too_long.unwrap_err();
        assert!(matches!(too_long, Error::InvalidField { field: "overlap", .. }), "{too_long}");
        reissue(&w, &w.admin, old.token.id, after(MAX_OVERLAP)).await.unwrap();
    }

    async fn a_value_in_an_overlap_ends_at_the_next_reissue(database: TestDatabase) {
        let w = World::new(database).await;
        let first = issued(&w).await;
        let id = first.token.id;
        let second = reissue(&w, &w.admin, id, after(6 * HOUR)).await.unwrap();
        w.clock.advance(HOUR);
        let third = reissue(&w, &w.admin, id, after(2 * HOUR)).await.unwrap();
        let now = w.clock.now();
        assert_eq!(ends(&w, &first).await, now);
        assert_eq!(ends(&w, &second).await, now.plus(2 * HOUR));
        assert!(!signs_in(&w, &first).await);
        assert!(signs_in(&w, &second).await && signs_in(&w, &third).await);
        // What has ended stays as it ended.
        w.clock.advance(HOUR);
        reissue(&w, &w.admin, id, Reissue::default()).await.unwrap();
        assert_eq!(ends(&w, &first).await, now);
    }

    async fn an_old_value_is_shown_while_it_works_and_can_be_ended_before(database: TestDatabase) {
        let w = World::new(database).await;
        let old = issued(&w).await;
        let id = old.token.id;
        assert_eq!(old.token.old_value, None);
        let new = reissue(&w, &w.admin, id, after(6 * HOUR)).await.unwrap();
        let shown = new.token.old_value.clone().unwrap();
        assert_eq!((shown.hint, shown.ends_at), (old.secret.hint(), w.clock.now().plus(6 * HOUR)));
        w.clock.advance(HOUR);
        let refused = token::end_old_value(&w.control, &w.alice, id, None).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { .. }), "{refused}");
        // After another reissue it would be the value that was to go on.
        let present = new.secret.hint().to_string();
        let other = token::end_old_value(&w.control, &w.admin, id, Some(&present)).await;
        let other = other.unwrap_err();
        assert!(matches!(other, Error::ChangedMeanwhile { .. }), "{other}");
        let since = w.feed().await;
        let seen = old.secret.hint().to_string();
        let done = token::end_old_value(&w.control, &w.admin, id, Some(&seen)).await.unwrap();
        assert_eq!((done.value.old_value, done.value.hint), (None, new.secret.hint()));
        assert_eq!(ends(&w, &old).await, w.clock.now());
        assert!(!signs_in(&w, &old).await && signs_in(&w, &new).await);
        assert_eq!(w.feed_since(since).await.len(), 2, "gateways are told of both values");
        assert_eq!(w.audit().await.last().unwrap(), &("token.end_old_value".into(), "t".into()));
        // Again there is nothing to do, and the same to prove.
        let again = token::end_old_value(&w.control, &w.admin, id, Some(&seen)).await.unwrap();
        assert_eq!(again.revision, done.revision);
        // What ended by itself is shown no more, nor what ended with its token.
        reissue(&w, &w.admin, id, after(HOUR)).await.unwrap();
        w.clock.advance(2 * HOUR);
        assert_eq!(token::get(&w.control, &w.admin, id).await.unwrap().old_value, None);
        reissue(&w, &w.admin, id, after(HOUR)).await.unwrap();
        token::revoke(&w.control, &w.admin, id).await.unwrap();
        assert_eq!(token::get(&w.control, &w.admin, id).await.unwrap().old_value, None);
    }

    async fn s9_an_expired_token_comes_back_with_its_new_value_only(database: TestDatabase) {
        let w = World::new(database).await;
        let old = issued(&w).await;
        w.clock.advance(400 * DAY);
        let new = reissue(&w, &w.admin, old.token.id, after(DAY)).await.unwrap();
        assert_eq!(new.token.status, TokenStatus::Active);
        assert!(!signs_in(&w, &old).await, "an overlap keeps what works, and brings nothing back");
        assert!(signs_in(&w, &new).await);
    }

    async fn s9_a_reissue_begins_another_year_and_no_more(database: TestDatabase) {
        let w = World::new(database).await;
        let id = issued(&w).await.token.id;
        w.clock.advance(80 * DAY);
        let until = |expires| Reissue { overlap: Duration::ZERO, expires: Some(expires), ..Reissue::default() };
        for refused in [Expiry::In(MAX_LIFESPAN + HOUR), Expiry::At(w.clock.now())] {
            let refused = reissue(&w, &w.admin, id, until(refused)).await.unwrap_err();
            assert!(matches!(refused, Error::Lifespan { .. }), "{refused}");
        }
        let year = reissue(&w, &w.admin, id, until(Expiry::In(MAX_LIFESPAN))).await.unwrap();
        assert_eq!(year.token.expires_at, w.clock.now().plus(MAX_LIFESPAN));
    }

    async fn s6_a_new_value_is_given_only_to_who_holds_what_it_grants(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        w.join("b_owners", &account.name).await;
        w.join("a_owners", "alice").await;
        let both = order("t", Permission::Read, &["a", "b"]);
        let id = w.token(&w.admin, &account.name, both).await.unwrap().token.id;
        let refused = reissue(&w, &w.alice, id, Reissue::default()).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { kind: "channel", .. }), "{refused}");
        let read = Some(Permission::Read);
        control::usecases::group::set_permission(&w.control, &w.admin, "a_owners", &name("b"), read)
            .await
            .unwrap();
        reissue(&w, &w.alice, id, Reissue::default()).await.unwrap();
    }

    async fn s6_a_token_that_reissues_itself_does_not_outlive_itself(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let manage = TokenOrder {
            expires: Expiry::In(10 * DAY),
            ..order("m", Permission::Manage, &["a"])
        };
        let old = w.token(&w.admin, &account.name, manage).await.unwrap();
        w.clock.advance(DAY);
        let by_itself = w.by(&old).await;
        let new = reissue(&w, &by_itself, old.token.id, Reissue::default()).await.unwrap();
        assert_eq!(new.token.expires_at, old.token.expires_at);
        let other = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let by = w.by(&new).await;
        let shortened = reissue(&w, &by, other.unwrap().token.id, Reissue::default()).await;
        let refused = shortened.unwrap_err();
        assert!(matches!(refused, Error::Lifespan { .. }), "another's end is not cut short: {refused}");
        let longer = Reissue { overlap: Duration::ZERO, expires: Some(Expiry::In(10 * DAY)), ..Reissue::default() };
        let by_itself = w.by(&new).await;
        let refused = reissue(&w, &by_itself, old.token.id, longer).await.unwrap_err();
        assert!(matches!(refused, Error::Lifespan { .. }), "{refused}");
    }
}
