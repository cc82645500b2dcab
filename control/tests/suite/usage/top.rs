//! What most of a channel's usage is.

use control::TopOf;
use sqlx::AssertSqlSafe;

use super::{Used, count, short};
use crate::world::{World, name};
use access::usage::UsageKey;
use control::Error;
use control::usecases::usage;

control::on_both_databases! {
    async fn the_most_is_told_by_bytes_and_of_the_time_asked_for(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let anyone = UsageKey { token: None, ..u.key(0, 1) };
        u.send(u.report(1, vec![
            count(u.key(0, 0), "zlib", 2, 20),
            count(u.key(0, 0), "", 0, 500),
            count(u.key(0, 1), "python", 1, 100),
            count(u.key(0, 9), "python", 1, 900),
            count(u.key(1, 0), "pip", 1, 1_000),
            count(anyone, "zlib", 3, 30),
        ])).await;
        let period = (u.today.minus(6), u.today);
        let top = async |of, most| {
            let admin = &u.w.admin;
            let top = usage::top(&u.w.control, admin, &name("a"), (of, period), most).await.unwrap();
            assert_eq!(top.since, None);
            (top.of, top.sums.into_iter().map(short).collect::<Vec<_>>())
        };
        let row = |name: &str, downloads, bytes| (name.to_owned(), downloads, bytes, None);
        let most = vec![row("", 0, 500), row("python", 1, 100), row("zlib", 5, 50)];
        assert_eq!(top(TopOf::Packages, 10).await, (3, most.clone()));
        assert_eq!(top(TopOf::Packages, 1).await, (3, most[..1].to_vec()));
        let token = format!("{}:t:service-account-channel-a", u.tokens[0].0);
        let tokens = vec![(token, 3, 620, Some(1)), ("-".to_owned(), 3, 30, Some(1))];
        assert_eq!(top(TopOf::Tokens, 10).await, (2, tokens));
    }

    async fn of_too_much_the_latest_days_are_compared(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        u.send(u.report(1, vec![
            count(u.key(0, 0), "new", 1, 7),
            count(u.key(0, 2), "new", 1, 7),
            count(u.key(0, 2), "old", 1, 1_000),
        ])).await;
        // More than are looked at, between those days.
        sqlx::query(AssertSqlSafe(format!(
            "INSERT INTO usage_days (token_id, channel_id, package, day, downloads, bytes, addresses) \
             WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 8000) \
             SELECT -1, {}, 'p' || n, {}, 1, 1, 0 FROM up",
            u.channels[0].0, u.today.number() - 1,
        ))).execute(&u.w.control.store().pool()).await.unwrap();
        let period = (u.today.minus(6), u.today);
        let (of, admin) = (TopOf::Packages, &u.w.admin);
        let top = usage::top(&u.w.control, admin, &name("a"), (of, period), 2).await.unwrap();
        assert_eq!((top.of, top.since), (8_000, Some(u.today.minus(1))));
        let first = short(top.sums[0].clone());
        assert_eq!(first, ("new".into(), 2, 14, None), "its sum is of the whole time");
        assert_eq!(top.sums.len(), 2);
    }

    async fn the_most_is_told_to_whom_it_concerns(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let period = (u.today, u.today);
        let asked = async |channel| {
            let asked = (TopOf::Tokens, period);
            usage::top(&u.w.control, &u.w.alice, &name(channel), asked, 2).await
        };
        assert!(matches!(asked("a").await, Err(Error::NotFound { .. })));
        u.w.join("a_owners", "alice").await;
        assert_eq!(asked("a").await.unwrap().of, 0);
        assert!(matches!(asked("b").await, Err(Error::NotFound { .. })));
    }
}
