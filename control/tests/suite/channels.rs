//! Channels: who makes, sees and deletes them, and what goes with them.

use access::source::Touched;
use access::{Permission, Privacy, Standing};
use control::usecases::channel::{self, ChannelEdit, NewChannel};
use control::usecases::{Page, group, service_account, token};
use control::{ChannelCreators, Error, Settings};

use crate::world::{World, name, new_channel, order, settings};

control::on_both_databases! {
    async fn the_creator_owns_what_they_made(database: TestDatabase) {
        let w = World::new(database).await;
        let made = channel::create(&w.control, &w.admin, new_channel("a/b")).await.unwrap().value;
        assert_eq!(made.permission, Some(Permission::Manage));
        assert_eq!(&*made.channel.prefix, "a/b", "its own name where no prefix is said");
        let got = channel::get(&w.control, &w.admin, &name("a/b")).await.unwrap();
        assert_eq!(got, made);
        let last = w.audit().await.pop().unwrap();
        assert_eq!(last, ("channel.create".into(), "a/b".into()));
    }

    async fn a_name_is_given_once_and_not_to_what_paths_mean_otherwise(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let taken = w.channel(&w.admin, "a").await.unwrap_err();
        assert!(matches!(taken, Error::NameTaken { kind: "channel", .. }), "{taken}");
        for reserved in ["conda", "repo/x"] {
            let refused = w.channel(&w.admin, reserved).await.unwrap_err();
            assert!(matches!(refused, Error::InvalidField { field: "name", .. }), "{refused}");
        }
        let elsewhere = NewChannel { storage: Some("none".into()), ..new_channel("b") };
        let refused = channel::create(&w.control, &w.admin, elsewhere).await.unwrap_err();
        assert!(refused.to_string().contains("configured storage: main"), "{refused}");
    }

    async fn only_admins_create_channels_unless_everyone_may(database: TestDatabase) {
        let w = World::new(database).await;
        let refused = w.channel(&w.alice, "a").await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
    }

    async fn everyone_may_not_squat_around_channels_of_others(database: TestDatabase) {
        let everyone =
            Settings { channel_creators: ChannelCreators::Everyone, ..settings() };
        let w = World::with(database, everyone).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.channel(&w.admin, "b/c").await.unwrap();
        w.channel(&w.alice, "hers").await.unwrap();
        w.channel(&w.alice, "hers/too").await.unwrap();
        let below = w.channel(&w.alice, "a/hers").await.unwrap_err();
        assert!(matches!(below, Error::NotPermitted { .. }), "{below}");
        w.channel(&w.alice, "b").await.unwrap();
        let over = NewChannel { include_subchannels: true, ..new_channel("b2") };
        channel::create(&w.control, &w.alice, over).await.unwrap();
        w.channel(&w.admin, "d/e/f").await.unwrap();
        let over = NewChannel { include_subchannels: true, ..new_channel("d") };
        let refused = channel::create(&w.control, &w.alice, over).await.unwrap_err();
        assert!(refused.to_string().contains("every channel below `d`"), "{refused}");
    }

    async fn only_an_admin_binds_a_channel_to_files_elsewhere(database: TestDatabase) {
        let everyone =
            Settings { channel_creators: ChannelCreators::Everyone, ..settings() };
        let w = World::with(database, everyone).await;
        let here = NewChannel { prefix: Some("spoils".into()), ..new_channel("secret") };
        channel::create(&w.control, &w.admin, here).await.unwrap();
        let there = NewChannel { prefix: Some("secret".into()), ..new_channel("hers") };
        for refused in [
            channel::create(&w.control, &w.alice, there).await.map(drop),
            w.channel(&w.alice, "spoils").await,
        ] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        }
        w.channel(&w.alice, "hers").await.unwrap();
        let rebind = ChannelEdit { prefix: Some("spoils".into()), ..ChannelEdit::default() };
        let refused = channel::edit(&w.control, &w.alice, &name("hers"), rebind.clone()).await;
        assert!(matches!(refused.unwrap_err(), Error::NotPermitted { .. }));
        channel::edit(&w.control, &w.admin, &name("hers"), rebind).await.unwrap();
    }

    async fn who_manages_a_channel_changes_it(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.channel(&w.admin, "a/b").await.unwrap();
        w.join("a_owners", "alice").await;
        let bob = w.user("bob").await;
        let open = ChannelEdit {
            description: Some("For all".into()),
            privacy: Some(Privacy::Authenticated),
            ..ChannelEdit::default()
        };
        let hidden = channel::edit(&w.control, &bob, &name("a"), open.clone()).await.unwrap_err();
        assert!(matches!(hidden, Error::NotFound { .. }), "{hidden}");
        let before = w.feed().await;
        let edited = channel::edit(&w.control, &w.alice, &name("a"), open).await.unwrap().value;
        assert_eq!(edited.channel.privacy, Privacy::Authenticated);
        assert_eq!(&*edited.channel.prefix, "a", "what is left out stays");
        let told = w.feed_since(before).await;
        assert!(told.contains(&Touched::Channel(edited.channel.id)), "{told:?}");
        let seen = channel::edit(&w.control, &bob, &name("a"), ChannelEdit::default()).await;
        assert!(matches!(seen.unwrap_err(), Error::NotPermitted { .. }), "seen, not managed");
        let cover = ChannelEdit { include_subchannels: Some(true), ..ChannelEdit::default() };
        let refused = channel::edit(&w.control, &w.alice, &name("a"), cover.clone()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("every channel below `a`"), "{refused}");
        w.join("a:b_owners", "alice").await;
        channel::edit(&w.control, &w.alice, &name("a"), cover).await.unwrap();
    }

    async fn what_one_may_not_see_looks_like_what_is_not_there(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "secret").await.unwrap();
        let hidden = channel::get(&w.control, &w.alice, &name("secret")).await.unwrap_err();
        let absent = channel::get(&w.control, &w.alice, &name("absent")).await.unwrap_err();
        assert_eq!(
            hidden.to_string().replace("secret", "absent"),
            absent.to_string()
        );
        let hidden = channel::delete(&w.control, &w.alice, &name("secret")).await.unwrap_err();
        assert!(matches!(hidden, Error::NotFound { .. }), "{hidden}");
        let open = NewChannel { privacy: Privacy::Public, ..new_channel("open") };
        channel::create(&w.control, &w.admin, open).await.unwrap();
        let seen = channel::get(&w.control, &w.alice, &name("open")).await.unwrap();
        assert_eq!(seen.permission, None);
        let refused = channel::delete(&w.control, &w.alice, &name("open")).await.unwrap_err();
        assert!(refused.to_string().contains("`manage` on `open`; a user of `open_owners`"));
    }

    async fn lists_are_by_name_and_paged(database: TestDatabase) {
        let w = World::new(database).await;
        for channel in ["b", "a", "c", "b-0", "a/x"] {
            w.channel(&w.admin, channel).await.unwrap();
        }
        let mut page = Page { limit: 2, ..Page::first() };
        let mut seen = Vec::new();
        loop {
            let listed = channel::list(&w.control, &w.admin, &page).await.unwrap();
            assert!(listed.items.len() <= 2);
            seen.extend(listed.items.iter().map(|item| item.channel.name.to_string()));
            match listed.next_cursor {
                Some(cursor) => page.after = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, ["a", "a/x", "b", "b-0", "c"]);
        let hers = channel::list(&w.control, &w.alice, &Page::first()).await.unwrap();
        assert!(hers.items.is_empty());
    }

    async fn deleting_takes_along_account_shares_and_owners(database: TestDatabase) {
        let w = World::new(database).await;
        let one = w.account("one").await;
        let two = w.account("two").await;
        w.join("one_owners", &two.name).await;
        let read = Permission::Read;
        let of_one = w.token(&w.admin, &one.name, order("t", read, &["one"])).await.unwrap();
        let only = w.token(&w.admin, &two.name, order("only", read, &["one"])).await.unwrap();
        let both = w.token(&w.admin, &two.name, order("both", read, &["one", "two"])).await.unwrap();

        channel::delete(&w.control, &w.admin, &name("one")).await.unwrap();
        let gone = channel::get(&w.control, &w.admin, &name("one")).await.unwrap_err();
        assert!(matches!(gone, Error::NotFound { .. }));
        let gone = service_account::get(&w.control, &w.admin, &one.name).await.unwrap_err();
        assert!(matches!(gone, Error::NotFound { .. }));
        let gone = group::add_member(&w.control, &w.admin, "one_owners", "alice").await.unwrap_err();
        assert!(matches!(gone, Error::NotFound { .. }));
        for revoked in [&of_one, &only] {
            let grant = w.grant(revoked).await;
            assert!(matches!(grant.standing, Standing::Revoked(_)), "{grant:?}");
            assert!(grant.channels().is_empty());
        }
        let grant = w.grant(&both).await;
        assert_eq!((grant.standing, grant.channels().len()), (Standing::Active, 1));

        // Made again it is another channel: nothing of the old one comes back.
        w.account("one").await;
        assert_eq!(w.grant(&both).await.channels().len(), 1);
        let tokens = token::list(&w.control, &w.admin, &one.name, None, &Page::first()).await.unwrap();
        assert!(tokens.items.is_empty(), "the new account has no tokens of the old one");
    }
}
