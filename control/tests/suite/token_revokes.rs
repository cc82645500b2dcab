//! Revoking tokens: product.md S6, S10.

use std::time::Duration;

use access::{GrantSource as _, Permission, Standing, TokenId};
use control::Error;
use control::usecases::session::{self, Origin};
use control::usecases::token::{self, Expiry, Issued, Reissue, TokenEdit, TokenOrder};

use crate::world::{World, order};

/// A token that may issue others, for `hours`.
async fn managing(w: &World, by: &control::Actor, name: &str, hours: u64) -> Issued {
    let expires = Expiry::In(Duration::from_secs(hours * 3600));
    let manage = TokenOrder { expires, ..order(name, Permission::Manage, &["a"]) };
    w.token(by, "service-account-channel-a", manage).await.unwrap()
}

async fn is_revoked(w: &World, issued: &Issued) -> bool {
    matches!(w.grant(issued).await.standing, Standing::Revoked(_))
}

control::on_both_databases! {
    async fn s10_revoking_is_at_once_for_good_and_can_be_repeated(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        let first = token::revoke(&w.control, &w.admin, issued.token.id).await.unwrap();
        w.clock.advance(Duration::from_secs(60));
        let events = w.audit().await.len();
        let again = token::revoke(&w.control, &w.admin, issued.token.id).await.unwrap();
        assert_eq!(again, first, "the same answer, with the revision that revoked it");
        assert_eq!(w.audit().await.len(), events);
        let gone = session::authenticate(&w.control, &issued.secret, Origin::default()).await;
        assert!(matches!(gone.unwrap_err(), Error::NotSignedIn));
        let absent = token::revoke(&w.control, &w.admin, TokenId(12345)).await.unwrap_err();
        assert!(matches!(absent, Error::NotFound { .. }));
    }

    async fn s6_a_revoke_takes_along_what_the_token_issued_at_any_remove(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let first = managing(&w, &w.admin, "first", 3).await;
        let second = managing(&w, &w.by(&first).await, "second", 2).await;
        let third = managing(&w, &w.by(&second).await, "third", 1).await;
        let other = managing(&w, &w.admin, "other", 1).await;
        let before = w.control.store().begin(0).await.unwrap().applied;
        let done = token::revoke_with_issued(&w.control, &w.admin, first.token.id).await.unwrap();
        for issued in [&first, &second, &third] {
            assert!(is_revoked(&w, issued).await, "{}", issued.token.name);
        }
        assert!(!is_revoked(&w, &other).await);
        let read = w.control.store().feed(before).await.unwrap();
        assert_eq!(read.changes.len(), 1, "in one change");
        assert_eq!(read.changes[0].touched.len(), 3);
        let again = token::revoke_with_issued(&w.control, &w.admin, first.token.id).await.unwrap();
        assert_eq!(again.revision, done.revision);
    }

    async fn what_a_revoked_token_issued_can_be_taken_later(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        let first = managing(&w, &w.admin, "first", 3).await;
        let second = managing(&w, &w.by(&first).await, "second", 2).await;
        let alone = token::revoke(&w.control, &w.admin, first.token.id).await.unwrap();
        assert!(!is_revoked(&w, &second).await);
        let both = token::revoke_with_issued(&w.control, &w.admin, first.token.id).await.unwrap();
        assert!(is_revoked(&w, &second).await);
        assert!(both.revision > alone.revision);
        let again = token::revoke(&w.control, &w.admin, first.token.id).await.unwrap();
        assert_eq!(again.revision, alone.revision, "the token's own");
    }

    /// Whoever stole the managing token knows every value that it issued, also by a reissue.
    /// One that stands in a client's URL is no way to those that reach further.
    async fn a_token_changes_none_that_reaches_further(database: TestDatabase) {
        let w = World::new(database).await;
        for channel in ["a", "b"] {
            w.channel(&w.admin, channel).await.unwrap();
        }
        let order = |token: &str, channels: &[&str]| order(token, Permission::Manage, channels);
        let powerful = TokenOrder { admin: true, ..order("powerful", &[]) };
        let powerful = w.token(&w.admin, "root", powerful).await.unwrap();
        let wider = w.token(&w.admin, "root", order("wider", &["a", "b"])).await.unwrap();
        let narrow = w.token(&w.admin, "root", order("narrow", &["a"])).await.unwrap();
        let by = w.by(&narrow).await;
        for further in [powerful.token.id, wider.token.id] {
            let renamed = TokenEdit { name: Some("x".into()), ..TokenEdit::default() };
            let edited = token::edit(&w.control, &by, further, renamed).await.map(drop);
            let reissued = token::reissue(&w.control, &by, further, Reissue::default()).await.map(drop);
            let revoked = token::revoke(&w.control, &by, further).await.map(drop);
            for refused in [edited, reissued, revoked] {
                let refused = refused.unwrap_err();
                assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
            }
        }
        token::revoke(&w.control, &by, narrow.token.id).await.unwrap();
    }

    async fn what_a_token_reissued_counts_as_issued_by_it(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let stolen = managing(&w, &w.admin, "stolen", 3).await;
        let order = order("t", Permission::Read, &["a"]);
        let issued = w.token(&w.admin, &account.name, order).await.unwrap();
        let thief = w.by(&stolen).await;
        let id = issued.token.id;
        let hour = Some(Expiry::In(Duration::from_secs(3600)));
        let how = Reissue { expires: hour, ..Reissue::default() };
        token::reissue(&w.control, &thief, id, how).await.unwrap();
        // Itself too: that is no endless loop.
        let own = token::reissue(&w.control, &thief, stolen.token.id, Reissue::default()).await;
        let own = own.unwrap().value;
        token::revoke_with_issued(&w.control, &w.admin, stolen.token.id).await.unwrap();
        assert!(is_revoked(&w, &issued).await && is_revoked(&w, &own).await);
    }

    async fn revoking_names_every_value_that_the_token_had(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let order = order("t", Permission::Read, &["a"]);
        let issued = w.token(&w.admin, &account.name, order).await.unwrap();
        let id = issued.token.id;
        let how = Reissue { overlap: Duration::from_secs(3600), ..Reissue::default() };
        let newer = token::reissue(&w.control, &w.admin, id, how).await.unwrap().value;
        let before = w.control.store().begin(0).await.unwrap().applied;
        token::revoke(&w.control, &w.admin, id).await.unwrap();
        let read = w.control.store().feed(before).await.unwrap();
        assert_eq!(read.changes[0].touched.len(), 2);
        assert!(is_revoked(&w, &issued).await && is_revoked(&w, &newer).await);
    }
}
