//! Service accounts: product.md S1 to S4.

use access::{Permission, Standing};
use control::usecases::{Page, group, service_account, user};
use control::{Error, Settings};

use crate::world::{PASSWORD, World, name, order, settings};

control::on_both_databases! {
    async fn s4_it_is_named_for_its_channel_and_an_owner_of_it(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("analytics/prod").await;
        assert_eq!(account.name, "service-account-channel-analytics:prod");
        let again = service_account::create(&w.control, &w.admin, &name("analytics/prod")).await;
        assert!(matches!(again.unwrap_err(), Error::NameTaken { .. }));
        let got = service_account::get(&w.control, &w.admin, &account.name).await.unwrap();
        assert_eq!(got, account);
        // As an owner it holds `manage`, so that a token for that can be issued.
        let manage = order("ci", Permission::Manage, &["analytics/prod"]);
        w.token(&w.admin, &account.name, manage).await.unwrap();
    }

    async fn s1_only_admins_who_manage_the_channel_create_and_delete(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.join("a_owners", "alice").await;
        let refused = service_account::create(&w.control, &w.alice, &name("a")).await.unwrap_err();
        assert!(refused.to_string().contains("role `admin`"), "{refused}");

        let other = user::create_admin(&w.control, "other", PASSWORD).await.unwrap().value;
        let other = control::Actor::console_as(other.principal.id, other.principal.name);
        let refused = service_account::create(&w.control, &other, &name("a")).await.unwrap_err();
        assert!(refused.to_string().contains("`manage` on `a`"), "{refused}");

        let made = service_account::create(&w.control, &w.admin, &name("a")).await.unwrap().value;
        for actor in [&w.alice, &other] {
            let refused = service_account::delete(&w.control, actor, &made.name).await.unwrap_err();
            assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        }
    }

    async fn s2_every_seat_counts_users_and_accounts_alike(database: TestDatabase) {
        let w = World::with(database, Settings { seats: Some(3), ..settings() }).await;
        let account = w.account("a").await;
        w.channel(&w.admin, "b").await.unwrap();
        let full = service_account::create(&w.control, &w.admin, &name("b")).await.unwrap_err();
        assert!(matches!(full, Error::SeatLimit { used: 3, limit: 3 }), "{full}");
        let full = user::create_admin(&w.control, "late", PASSWORD).await.unwrap_err();
        assert!(matches!(full, Error::SeatLimit { used: 3, limit: 3 }), "{full}");
        service_account::delete(&w.control, &w.admin, &account.name).await.unwrap();
        service_account::create(&w.control, &w.admin, &name("b")).await.unwrap();
    }

    async fn s2_the_last_seat_is_given_once(database: TestDatabase) {
        let w = World::with(database, Settings { seats: Some(3), ..settings() }).await;
        let channels = ["a", "b", "c", "d"];
        for channel in channels {
            w.channel(&w.admin, channel).await.unwrap();
        }
        let tasks = channels.map(|channel| {
            let (control, admin) = (w.control.clone(), w.admin.clone());
            tokio::spawn(async move {
                service_account::create(&control, &admin, &name(channel)).await.is_ok()
            })
        });
        let mut made = 0;
        for task in tasks {
            made += usize::from(task.await.unwrap());
        }
        assert_eq!(made, 1);
    }

    async fn s3_the_list_shows_each_channel_that_one_may_manage(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("with").await;
        w.channel(&w.admin, "without").await.unwrap();
        let page = Page::first();
        let listed = service_account::list_manageable(&w.control, &w.admin, &page).await.unwrap();
        let listed: Vec<_> = listed
            .items
            .iter()
            .map(|item| (item.channel.channel.name.as_str(), item.account.is_some()))
            .collect();
        assert_eq!(listed, [("with", true), ("without", false)]);
        let hers = service_account::list_manageable(&w.control, &w.alice, &page).await.unwrap();
        assert!(hers.items.is_empty());

        let accounts = service_account::list(&w.control, &w.admin, &page).await.unwrap();
        assert_eq!(accounts.items.len(), 1);
        assert!(service_account::list(&w.control, &w.alice, &page).await.unwrap().items.is_empty());
        w.join("with_owners", "alice").await;
        assert_eq!(service_account::list(&w.control, &w.alice, &page).await.unwrap().items.len(), 1);
    }

    async fn deleting_revokes_and_frees_the_name(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let token = order("t", Permission::Read, &["a"]);
        let issued = w.token(&w.admin, &account.name, token).await.unwrap();
        service_account::delete(&w.control, &w.admin, &account.name).await.unwrap();
        assert!(matches!(w.grant(&issued).await.standing, Standing::Revoked(_)));
        let again = service_account::create(&w.control, &w.admin, &name("a")).await.unwrap().value;
        assert_eq!(again.name, account.name);
        assert_ne!(again.id, account.id, "another account, whatever its name");
        assert!(matches!(w.grant(&issued).await.standing, Standing::Revoked(_)));
    }

    async fn the_last_user_cannot_leave_the_owners(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let left = group::remove_member(&w.control, &w.admin, "a_owners", "root").await.unwrap_err();
        assert!(matches!(left, Error::LastOwner { .. }), "{left}");
        w.join("a_owners", "alice").await;
        group::remove_member(&w.control, &w.admin, "a_owners", "root").await.unwrap();
        group::remove_member(&w.control, &w.alice, "a_owners", &account.name).await.unwrap();
        let left = group::remove_member(&w.control, &w.alice, "a_owners", "alice").await;
        assert!(matches!(left.unwrap_err(), Error::LastOwner { .. }));
    }

    async fn no_user_may_be_named_like_one(database: TestDatabase) {
        let w = World::new(database).await;
        let refused = user::create_admin(&w.control, "service-account-channel-x", PASSWORD).await;
        assert!(matches!(refused.unwrap_err(), Error::InvalidField { field: "name", .. }));
        let taken = user::create_admin(&w.control, "alice", PASSWORD).await.unwrap_err();
        assert!(matches!(taken, Error::NameTaken { kind: "user", .. }));
    }
}
