//! The change feed (sync.md F1 to F4).

use access::source::{Applied, Revision, Touched};
use access::{GrantSource as _, Permission};
use control::usecases::{channel, group, service_account, token};
use sqlx::AssertSqlSafe;

use crate::world::{World, name, order};

async fn applied(w: &World) -> Applied {
    w.control.store().begin(0).await.unwrap().applied
}

/// What was touched since, flat.
async fn touched_since(w: &World, since: &Applied) -> Vec<Touched> {
    let read = w.control.store().feed(since.clone()).await.unwrap();
    let changes = read.continuing(since).expect("a contiguous feed");
    changes.iter().flat_map(|change| change.touched.clone()).collect()
}

control::on_both_databases! {
    async fn f2_each_use_case_names_what_it_touched(database: TestDatabase) {
        let w = World::new(database).await;
        let since = applied(&w).await;
        let made = channel::create(&w.control, &w.admin, crate::world::new_channel("a")).await;
        let id = made.unwrap().value.channel.id;
        assert!(touched_since(&w, &since).await.contains(&Touched::Channel(id)));

        let since = applied(&w).await;
        let account = service_account::create(&w.control, &w.admin, &name("a")).await.unwrap().value;
        assert_eq!(touched_since(&w, &since).await, [Touched::Principal(account.id)]);

        let since = applied(&w).await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let issued = issued.unwrap();
        let entry = Touched::Token { id: issued.token.id, digest: issued.secret.digest() };
        assert_eq!(touched_since(&w, &since).await, [entry]);

        let since = applied(&w).await;
        token::revoke(&w.control, &w.admin, issued.token.id).await.unwrap();
        assert_eq!(touched_since(&w, &since).await, [entry]);

        let since = applied(&w).await;
        service_account::delete(&w.control, &w.admin, &account.name).await.unwrap();
        assert_eq!(touched_since(&w, &since).await, [Touched::Principal(account.id)]);
    }

    async fn f3_a_read_carries_whole_revisions_and_what_channels_are_now(database: TestDatabase) {
        let w = World::new(database).await;
        let since = applied(&w).await;
        w.channel(&w.admin, "kept").await.unwrap();
        w.channel(&w.admin, "gone").await.unwrap();
        channel::delete(&w.control, &w.admin, &name("gone")).await.unwrap();
        let read = w.control.store().feed(since.clone()).await.unwrap();
        let revisions: Vec<_> = read.changes.iter().map(|change| change.revision.0).collect();
        let first = since.revision.0 + 1;
        assert_eq!(revisions, [first, first + 1, first + 2]);
        assert_eq!(read.counter, Revision(first + 2));
        let mut channels: Vec<_> =
            read.channels.iter().map(|(_, c)| c.as_ref().map(|c| c.name.to_string())).collect();
        channels.sort();
        assert_eq!(channels, [None, Some("kept".into())]);
        let stamps: std::collections::HashSet<_> =
            read.changes.iter().map(|change| change.stamp.0).collect();
        assert_eq!(stamps.len(), 3, "each with a stamp of its own");
    }

    async fn f3_pruned_history_means_to_begin_anew(database: TestDatabase) {
        let w = World::new(database).await;
        let since = applied(&w).await;
        for channel in ["a", "b"] {
            w.channel(&w.admin, channel).await.unwrap();
        }
        sqlx::query("DELETE FROM revisions WHERE revision = $1")
            .bind(since.revision.0 + 1)
            .execute(&w.control.store().pool())
            .await
            .unwrap();
        let read = w.control.store().feed(since.clone()).await.unwrap();
        assert!(read.continuing(&since).is_none(), "a hole");
    }

    async fn f1_a_revision_names_at_most_a_thousand_and_a_change_ten(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        w.channel(&w.admin, "b").await.unwrap();
        let crowd = "INSERT INTO principals (kind, name, created_at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
             SELECT 'user', 'crowd-' || i, 0 FROM n";
        let join = |numbers: &str| format!("INSERT INTO group_members SELECT g.id, p.id, 0 \
             FROM groups g, principals p WHERE g.name = 'a_owners' AND p.name LIKE '{numbers}'");
        let sql = async |sql: String| {
            sqlx::query(AssertSqlSafe(sql)).execute(&w.control.store().pool()).await.unwrap();
        };
        sql(crowd.to_owned()).await;
        sql(join("crowd-1___")).await;
        let since = applied(&w).await;
        let set = async |permission| {
            let (b, owners) = (name("b"), "a_owners");
            group::set_permission(&w.control, &w.admin, owners, &b, permission).await.unwrap()
        };
        // A thousand and the owner, who made the channel.
        let done = set(Some(Permission::Read)).await;
        let read = w.control.store().feed(since.clone()).await.unwrap();
        let changes = read.continuing(&since).expect("several revisions, read as one");
        let sizes: Vec<_> = changes.iter().map(|change| change.touched.len()).collect();
        assert_eq!(sizes, [1_000, 1]);
        assert_eq!(changes.last().unwrap().revision, done.revision);
        sql(join("crowd-%") + " AND p.name NOT LIKE 'crowd-1___'").await;
        let since = applied(&w).await;
        set(Some(Permission::Write)).await;
        assert_eq!(touched_since(&w, &since).await, [Touched::Everything]);
    }

    async fn f3_what_is_cut_off_is_never_taken_for_whole(database: TestDatabase) {
        let w = World::new(database).await;
        let since = applied(&w).await;
        w.channel(&w.admin, "a").await.unwrap();
        let fill = "INSERT INTO changes (revision, ordinal, kind, id) \
             WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 20100) \
             SELECT c.revision, i, 'principal', i FROM n, revision_counter c";
        sqlx::query(fill).execute(&w.control.store().pool()).await.unwrap();
        let read = w.control.store().feed(since.clone()).await.unwrap();
        assert!(read.continuing(&since).is_none(), "more entries than a read carries");
        assert!(read.changes.is_empty());
    }

    async fn what_is_refused_leaves_no_revision(database: TestDatabase) {
        let w = World::new(database).await;
        let before = applied(&w).await;
        w.channel(&w.alice, "a").await.unwrap_err();
        assert_eq!(applied(&w).await, before);
        assert!(touched_since(&w, &before).await.is_empty());
    }
}
