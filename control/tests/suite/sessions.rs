//! Signing in and out.

use std::net::IpAddr;
use std::time::Duration;

use access::TokenSecret;
use control::usecases::session::Origin;
use control::usecases::{me, session};
use control::{Error, Via};

use crate::world::{PASSWORD, World};

control::on_both_databases! {
    async fn a_session_acts_for_its_user_until_it_ends(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let signed_in = session::create(&w.control, "root", PASSWORD, Origin::default()).await.unwrap();
        let check = || session::authenticate(&w.control, &signed_in.secret, Origin::default());
        let actor = check().await.unwrap();
        assert_eq!((actor.principal, &*actor.name), (w.admin.principal, "root"));
        let held = me(&w.control, &actor).await.unwrap();
        assert!(held.is_admin);
        assert_eq!(held.channels.len(), 1);

        w.clock.advance(Duration::from_secs(12 * 3600));
        assert!(matches!(check().await.unwrap_err(), Error::NotSignedIn));
        let refused = w.channel(&actor, "b").await.unwrap_err();
        assert!(matches!(refused, Error::NotSignedIn), "the claim is checked again: {refused}");
    }

    async fn signing_out_ends_it_at_once(database: TestDatabase) {
        let w = World::new(database).await;
        let signed_in = session::create(&w.control, "alice", PASSWORD, Origin::default()).await.unwrap();
        let other = session::create(&w.control, "alice", PASSWORD, Origin::default()).await.unwrap();
        let actor = session::authenticate(&w.control, &signed_in.secret, Origin::default()).await.unwrap();
        assert!(matches!(actor.via, Via::Session(_)));
        session::end_current(&w.control, &actor).await.unwrap();
        let ended = session::authenticate(&w.control, &signed_in.secret, Origin::default()).await;
        assert!(matches!(ended.unwrap_err(), Error::NotSignedIn));
        session::authenticate(&w.control, &other.secret, Origin::default()).await.unwrap();
    }

    async fn a_wrong_password_and_an_unknown_name_look_the_same(database: TestDatabase) {
        let w = World::new(database).await;
        let wrong = session::create(&w.control, "alice", "wrong horse", Origin::default()).await.unwrap_err();
        let unknown = session::create(&w.control, "nobody", PASSWORD, Origin::default()).await.unwrap_err();
        assert_eq!(wrong.to_string(), unknown.to_string());
        let never = TokenSecret::generate().unwrap();
        let refused = session::authenticate(&w.control, &never, Origin::default()).await.unwrap_err();
        assert!(matches!(refused, Error::NotSignedIn));
    }

    async fn signing_in_forgives_earlier_failures(database: TestDatabase) {
        let w = World::new(database).await;
        for _ in 0..2 {
            for _ in 0..6 {
                let wrong = session::create(&w.control, "alice", "wrong horse", Origin::default()).await;
                assert!(matches!(wrong.unwrap_err(), Error::WrongPassword));
            }
            session::create(&w.control, "alice", PASSWORD, Origin::default()).await.unwrap();
        }
    }

    async fn guessing_is_slowed_down(database: TestDatabase) {
        let w = World::new(database).await;
        let address = Some(IpAddr::from([192, 0, 2, 7]));
        let from = Origin { address, request_id: None };
        for _ in 0..10 {
            let wrong = session::create(&w.control, "alice", "wrong horse", from.clone()).await;
            assert!(matches!(wrong.unwrap_err(), Error::WrongPassword));
        }
        let refused = session::create(&w.control, "alice", PASSWORD, from.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::TooManyAttempts { .. }), "{refused}");
        session::create(&w.control, "alice", PASSWORD, Origin::default()).await.unwrap();
        w.clock.advance(Duration::from_secs(300));
        session::create(&w.control, "alice", PASSWORD, from.clone()).await.unwrap();
    }
}
