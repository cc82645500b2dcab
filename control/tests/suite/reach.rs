//! What somebody reaches through which group, and what of it they could give on.

use access::{Permission, Privacy};
use control::usecases::channel::{self, NewChannel};
use control::usecases::permitted::{self, GroupChanges};
use control::usecases::{Page, group, reach};
use control::{Actor, Error};

use crate::world::{World, name, new_channel, order};

const ACCOUNT: &str = "service-account-channel-a";

/// A group with these permissions.
async fn give(w: &World, group: &str, permissions: &[(&str, Permission)]) {
    group::create(&w.control, &w.admin, group, "").await.unwrap();
    for (channel, permission) in permissions {
        let wanted = Some(*permission);
        group::set_permission(&w.control, &w.admin, group, &name(channel), wanted).await.unwrap();
    }
}

/// What the account reaches, read so many at a time.
async fn reached(w: &World, prefix: &str, limit: u32) -> Vec<String> {
    let mut page = Page { limit, prefix: prefix.into(), ..Page::first() };
    let mut all = Vec::new();
    loop {
        let found = reach::of_account(&w.control, &w.admin, ACCOUNT, &page).await.unwrap();
        assert!(found.items.len() <= limit as usize);
        let told = |r: &control::Reach| format!("{} {} {}", r.channel, r.permission, r.group);
        all.extend(found.items.iter().map(told));
        page.after = found.next_cursor;
        if page.after.is_none() {
            return all;
        }
    }
}

/// What the actor could issue a token of the account for.
async fn grantable(w: &World, actor: &Actor, search: &str) -> Vec<(String, Permission)> {
    let page = Page { prefix: search.into(), ..Page::first() };
    let found = reach::grantable(&w.control, actor, Some(ACCOUNT), &page).await.unwrap();
    found.0.items.into_iter().map(|found| (found.channel.to_string(), found.most)).collect()
}

control::on_both_databases! {
    async fn what_an_account_reaches_is_the_same_by_pages_of_any_size(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        for channel in ["b", "b/c", "d", "hidden"] {
            w.channel(&w.admin, channel).await.unwrap();
        }
        let (read, write) = (Permission::Read, Permission::Write);
        give(&w, "all", &[("a", read), ("b", read), ("b/c", read), ("d", read)]).await;
        give(&w, "more", &[("b", write), ("d", write)]).await;
        give(&w, "others", &[("hidden", read), ("d", read)]).await;
        w.join("all", ACCOUNT).await;
        w.join("more", ACCOUNT).await;
        let everything = [
            "a manage a_owners", "a read all", "b read all", "b write more", "b/c read all",
            "d read all", "d write more",
        ];
        for limit in [1, 2, 3, 6, 7, 100] {
            assert_eq!(reached(&w, "", limit).await, everything, "{limit} at a time");
            assert_eq!(reached(&w, "b", limit).await, everything[2..5], "{limit} at a time");
        }
    }

    async fn what_can_be_granted_is_what_both_reach(database: TestDatabase) {
        let w = World::new(database).await;
        w.account("a").await;
        for channel in ["b", "c", "d"] {
            w.channel(&w.admin, channel).await.unwrap();
        }
        let (read, write, manage) = (Permission::Read, Permission::Write, Permission::Manage);
        give(&w, "accounts", &[("b", write), ("c", read)]).await;
        give(&w, "people", &[("b", read), ("d", manage)]).await;
        w.join("accounts", ACCOUNT).await;
        w.join("people", "alice").await;
        w.join("a_owners", "alice").await;
        let both = [("a".to_owned(), manage), ("b".to_owned(), read)];
        assert_eq!(grantable(&w, &w.alice, "").await, both);
        // Whichever of them is in more groups.
        for number in 0..5 {
            give(&w, &format!("g{number}"), &[]).await;
            w.join(&format!("g{number}"), "alice").await;
        }
        assert_eq!(grantable(&w, &w.alice, "").await, both);
        assert_eq!(grantable(&w, &w.alice, "B").await, both[1..]);
        let admins = [("a".to_owned(), manage), ("b".to_owned(), write), ("c".to_owned(), read)];
        assert_eq!(grantable(&w, &w.admin, "").await, admins);
    }

    async fn a_token_manages_groups_and_sees_channels_as_far_as_it_was_issued(database: TestDatabase) {
        let w = World::new(database).await;
        for channel in ["a", "b"] {
            w.channel(&w.admin, channel).await.unwrap();
            w.join(&format!("{channel}_owners"), "alice").await;
        }
        let open = NewChannel { privacy: Privacy::Public, ..new_channel("open") };
        channel::create(&w.control, &w.admin, open).await.unwrap();
        let (read, manage) = (Permission::Read, Permission::Manage);
        give(&w, "of-both", &[("a", read), ("b", read)]).await;
        give(&w, "of-none", &[]).await;
        let by = async |token: &str, permission, channels: &[&str]| {
            let order = order(token, permission, channels);
            w.by(&w.token(&w.alice, "alice", order).await.unwrap()).await
        };
        let (one, both) = (by("one", manage, &["a"]).await, by("both", manage, &["a", "b"]).await);
        let reading = by("reading", read, &["a", "b"]).await;

        let may = async |actor: &Actor, group: &str| {
            let seen = group::look(&w.control, actor, group, (&Page::first(), &Page::first())).await?;
            let permissions = &seen.permissions.items;
            permitted::group_changes(&w.control, actor, &seen.group, permissions).await
        };
        let all = GroupChanges { members: true, permissions: vec![name("a"), name("b")], any_channel: true };
        assert_eq!(may(&w.alice, "of-both").await.unwrap(), all);
        assert_eq!(may(&both, "of-both").await.unwrap(), all);
        let part = GroupChanges { members: false, permissions: vec![name("a")], any_channel: true };
        assert_eq!(may(&one, "of-both").await.unwrap(), part);
        assert!(matches!(may(&reading, "of-both").await, Err(Error::NotFound { .. })));
        let joined = group::add_member(&w.control, &one, "of-both", "root").await;
        assert!(matches!(joined, Err(Error::NotPermitted { .. })), "{joined:?}");
        group::add_member(&w.control, &both, "of-both", "root").await.unwrap();
        // What gives nothing is for admins.
        w.join("of-none", "alice").await;
        assert!(!may(&w.alice, "of-none").await.unwrap().members);

        let held = async |actor: &Actor, channel: &str| {
            Some(channel::get(&w.control, actor, &name(channel)).await.ok()?.permission)
        };
        assert_eq!(held(&one, "a").await, Some(Some(manage)));
        assert_eq!(held(&reading, "a").await, Some(Some(read)));
        assert_eq!(held(&w.alice, "open").await, Some(None));
        for hidden in ["b", "open", "nothing"] {
            assert_eq!(held(&one, hidden).await, None, "{hidden}");
        }
        w.channel(&w.admin, "secret").await.unwrap();
        assert_eq!(held(&w.alice, "secret").await, None);
        assert_eq!(held(&w.admin, "secret").await, Some(Some(manage)));
    }
}
