//! What gateways are told of one token, and to begin with (sync.md T2, T6).

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use access::source::Revision;
use access::{Clock as _, GrantSource as _, Permission, Standing, TokenSecret};
use control::usecases::channel;

use crate::world::{World, name, order};

control::on_both_databases! {
    async fn t2_a_grant_comes_with_its_revision_also_when_there_is_none(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let store = w.control.store();
        let never = TokenSecret::generate().unwrap().digest();
        let before = store.load(never).await.unwrap();
        assert!(before.grant.is_none());
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        let after = store.load(issued.secret.digest()).await.unwrap();
        assert_eq!(after.revision, Revision(before.revision.0 + 1));
        let grant = after.grant.unwrap();
        assert_eq!(grant.token, issued.token.id);
        assert_eq!(grant.principal, account.id);
        assert_eq!(grant.hint, issued.secret.hint());
        assert_eq!(grant.expires_at, issued.token.expires_at);
        assert_eq!(grant.standing, Standing::Active);
        assert_eq!(grant.on(account.channel_id), Some(Permission::Read));
    }

    async fn a_replaced_value_ends_before_its_token(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        let soon = w.clock.now().plus(Duration::from_secs(60));
        sqlx::query("UPDATE token_values SET valid_until = $1")
            .bind(soon.as_millis())
            .execute(&w.control.store().pool())
            .await
            .unwrap();
        assert_eq!(w.grant(&issued).await.expires_at, soon);
        let late = issued.token.expires_at.plus(Duration::from_secs(1));
        sqlx::query("UPDATE token_values SET valid_until = $1")
            .bind(late.as_millis())
            .execute(&w.control.store().pool())
            .await
            .unwrap();
        assert_eq!(w.grant(&issued).await.expires_at, issued.token.expires_at);
    }

    async fn a_deactivated_principal_is_told_so(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        sqlx::query("UPDATE principals SET deactivated_at = 1 WHERE id = $1")
            .bind(account.id.0)
            .execute(&w.control.store().pool())
            .await
            .unwrap();
        assert_eq!(w.grant(&issued).await.standing, Standing::PrincipalInactive);
    }

    async fn a_grant_comes_with_its_tokens_limits(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        assert_eq!(w.grant(&issued).await.limited(), None);
        sqlx::query("UPDATE tokens SET networks = $1, requests_per_second = 5, bytes_per_day = 7")
            .bind(r#"["192.0.2.0/24", "2001:db8::/32"]"#)
            .execute(&w.control.store().pool())
            .await
            .unwrap();
        let grant = w.grant(&issued).await;
        let limits = &grant.limited().unwrap().limits;
        assert_eq!(limits.requests_per_second, NonZeroU32::new(5));
        assert_eq!(limits.bytes_per_day, NonZeroU64::new(7));
        assert!(limits.admit_from("2001:db8::1".parse().unwrap()));
        assert!(!limits.admit_from("198.51.100.1".parse().unwrap()));
        let begun = w.control.store().begin(1).await.unwrap();
        assert_eq!(begun.recently_used[0].1, grant);
    }

    async fn t6_a_gateway_begins_with_all_channels_and_the_tokens_used_last(database: TestDatabase) {
        let w = World::new(database).await;
        let account = w.account("a").await;
        w.account("b").await;
        w.join("b_owners", &account.name).await;
        let mut issued = Vec::new();
        for n in 0..4 {
            w.clock.advance(Duration::from_millis(10));
            let both = order(&format!("t{n}"), Permission::Read, &["a", "b"]);
            issued.push(w.token(&w.admin, &account.name, both).await.unwrap());
        }
        control::usecases::token::revoke(&w.control, &w.admin, issued[3].token.id).await.unwrap();
        let used = w.clock.now().plus(Duration::from_secs(1));
        sqlx::query("INSERT INTO token_last_used (token_id, last_used_at, last_used_from) \
             VALUES ($1, $2, '192.0.2.1')")
            .bind(issued[0].token.id.0)
            .bind(used.as_millis())
            .execute(&w.control.store().pool())
            .await
            .unwrap();

        let begun = w.control.store().begin(2).await.unwrap();
        let mut names: Vec<_> = begun.channels.iter().map(|c| c.name.to_string()).collect();
        names.sort();
        assert_eq!(names, ["a", "b"]);
        let digests: Vec<_> = begun.recently_used.iter().map(|(digest, _)| *digest).collect();
        assert_eq!(digests.len(), 2);
        for expected in [&issued[0], &issued[2]] {
            let digest = expected.secret.digest();
            assert!(digests.contains(&digest), "the last used, then the last issued");
            let loaded = w.control.store().load(digest).await.unwrap();
            assert_eq!(loaded.revision, begun.applied.revision);
            let (_, grant) = begun.recently_used.iter().find(|(d, _)| *d == digest).unwrap();
            assert_eq!(Some(grant), loaded.grant.as_ref());
        }
    }

    async fn a_channel_is_registered_as_it_was_made(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let begun = w.control.store().begin(0).await.unwrap();
        let details = channel::get(&w.control, &w.admin, &name("a")).await.unwrap();
        assert_eq!(begun.channels, [details.channel]);
        assert!(begun.recently_used.is_empty());
    }
}
