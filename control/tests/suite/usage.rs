//! Usage: taken in as gateways report it, and told to whom it concerns (product.md +3, +4).

mod top;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::usage::{LastUse, ReporterId, UsageCount, UsageKey, UsageReport};
use access::{ChannelId, Clock as _, Day, Grant, Permission, TokenId, UsageSink as _};
use control::usecases::usage::UsageOrder;
use control::usecases::{Page, token, usage};
use control::{Actor, Error, UsageBy, UsageSubject, UsageSum};
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{World, name, order};

const ADDRESSES: [&str; 2] = ["192.0.2.1", "192.0.2.2"];

/// Two channels with a token each, and what was downloaded with them.
struct Used {
    w: World,
    channels: [ChannelId; 2],
    tokens: [TokenId; 2],
    today: Day,
    reporter: ReporterId,
}

impl Used {
    async fn new(w: World) -> Self {
        let mut used = Self {
            channels: [ChannelId(0); 2],
            tokens: [TokenId(0); 2],
            today: w.clock.now().day(),
            reporter: ReporterId::generate().unwrap(),
            w,
        };
        for (at, channel) in ["a", "b"].into_iter().enumerate() {
            let account = used.w.account(channel).await;
            let order = order("t", Permission::Read, &[channel]);
            let issued = used.w.token(&used.w.admin, &account.name, order).await.unwrap();
            used.channels[at] = account.channel_id;
            used.tokens[at] = issued.token.id;
        }
        used
    }

    fn key(&self, at: usize, days_ago: u32) -> UsageKey {
        let (token, channel) = (Some(self.tokens[at]), self.channels[at]);
        UsageKey { day: self.today.minus(days_ago), token, channel }
    }

    fn report(&self, number: u64, counts: Vec<UsageCount>) -> UsageReport {
        let addresses = counts.iter().map(|count| (count.key, ADDRESSES[0].parse().unwrap()));
        UsageReport {
            reporter: self.reporter.clone(),
            number,
            made_at: self.w.clock.now(),
            addresses: addresses.collect(),
            last_uses: vec![],
            counts,
        }
    }

    async fn send(&self, report: UsageReport) {
        self.w.control.store().report(Arc::new(report)).await.unwrap();
    }

    async fn ask(&self, actor: &Actor, order: UsageOrder) -> Result<Vec<UsageSum>, Error> {
        let found = usage::list(&self.w.control, actor, &order, &Page::first()).await?;
        assert_eq!(found.next_cursor, None);
        Ok(found.items)
    }

    /// What the admin is told, in short.
    async fn told(&self, order: UsageOrder) -> Vec<(String, u64, u64, Option<u64>)> {
        let sums = self.ask(&self.w.admin, order).await.unwrap();
        sums.into_iter().map(short).collect()
    }
}

fn short(sum: UsageSum) -> (String, u64, u64, Option<u64>) {
    let subject = match sum.subject {
        UsageSubject::Day(day) => day.to_string(),
        UsageSubject::Token(None) => "-".into(),
        UsageSubject::Token(Some((id, name, principal))) => format!("{}:{name}:{principal}", id.0),
        UsageSubject::Channel(_, name) => name.unwrap_or_else(|| "-".into()),
        UsageSubject::Package(name) => name,
    };
    (subject, sum.downloads, sum.bytes, sum.addresses)
}

fn count(key: UsageKey, package: &str, downloads: u64, bytes: u64) -> UsageCount {
    UsageCount { key, package: package.into(), downloads, bytes }
}

fn by(by: UsageBy) -> UsageOrder {
    UsageOrder { token: None, channel: None, package: None, from: None, to: None, by }
}

control::on_both_databases! {
    async fn reports_are_summed_up_by_everything_that_is_asked_for(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let anyone = UsageKey { token: None, ..u.key(0, 0) };
        u.send(u.report(1, vec![
            count(u.key(0, 0), "zlib", 2, 20),
            count(u.key(0, 0), "", 0, 5),
            count(u.key(0, 1), "zlib", 1, 10),
            count(u.key(1, 0), "zlib", 4, 40),
            count(u.key(1, 0), "python", 8, 80),
            count(anyone, "zlib", 16, 160),
        ])).await;
        u.send(u.report(2, vec![count(u.key(0, 0), "zlib", 1, 10)])).await;
        let (today, yesterday) = (u.today.to_string(), u.today.minus(1).to_string());
        let row = |name: &str, downloads, bytes| (name.to_owned(), downloads, bytes, None);
        let seen = |name: &str, downloads, bytes| (name.to_owned(), downloads, bytes, Some(1));

        assert_eq!(u.told(by(UsageBy::Day)).await, [seen(&yesterday, 1, 10), seen(&today, 31, 315)]);
        let packages = [row("", 0, 5), row("python", 8, 80), row("zlib", 24, 240)];
        assert_eq!(u.told(by(UsageBy::Package)).await, packages);
        assert_eq!(u.told(by(UsageBy::Channel)).await, [seen("a", 20, 205), seen("b", 12, 120)]);
        let token = |at: usize, channel| {
            format!("{}:t:service-account-channel-{channel}", u.tokens[at].0)
        };
        let (first, second) = (token(0, "a"), token(1, "b"));
        assert_eq!(
            u.told(by(UsageBy::Token)).await,
            [seen("-", 16, 160), seen(&first, 4, 45), seen(&second, 12, 120)]
        );

        // Each narrowed down.
        let zlib = UsageOrder { package: Some("zlib".into()), ..by(UsageBy::Token) };
        assert_eq!(u.told(zlib).await, [row("-", 16, 160), row(&first, 4, 40), row(&second, 4, 40)]);
        let of_token = UsageOrder { token: Some(u.tokens[0]), ..by(UsageBy::Package) };
        assert_eq!(u.told(of_token.clone()).await, [row("", 0, 5), row("zlib", 4, 40)]);
        let one = UsageOrder { by: UsageBy::Token, ..of_token.clone() };
        assert_eq!(u.told(one).await, [seen(&first, 4, 45)]);
        let now = UsageOrder { from: Some(u.today), by: UsageBy::Channel, ..of_token };
        assert_eq!(u.told(now).await, [seen("a", 3, 35)]);
        let of_channel = UsageOrder {
            channel: Some(name("b")),
            package: Some("python".into()),
            ..by(UsageBy::Day)
        };
        assert_eq!(u.told(of_channel).await, [row(&today, 8, 80)]);
        let one = UsageOrder { package: Some("zlib".into()), ..by(UsageBy::Package) };
        assert_eq!(u.told(one).await, [row("zlib", 24, 240)]);
    }

    async fn a_report_that_comes_twice_counts_once(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let report = u.report(1, vec![count(u.key(0, 0), "zlib", 1, 10)]);
        u.send(report.clone()).await;
        u.send(report.clone()).await;
        assert_eq!(u.told(by(UsageBy::Package)).await, [("zlib".into(), 1, 10, None)]);
        // Another gateway numbers its own.
        let other = ReporterId::generate().unwrap();
        u.send(UsageReport { reporter: other, ..report }).await;
        assert_eq!(u.told(by(UsageBy::Package)).await, [("zlib".into(), 2, 20, None)]);
    }

    async fn gateways_that_report_at_once_lose_nothing(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let packages: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
        let gateways = (0..4).map(|_| {
            let reporter = ReporterId::generate().unwrap();
            let uses = u.tokens.map(|token| LastUse {
                token,
                at: u.w.clock.now(),
                from: ADDRESSES[0].parse().unwrap(),
            });
            let reports: Vec<_> = (1..=5).map(|number| {
                let counts = packages.iter().flat_map(|package| {
                    [0, 1].map(|at| count(u.key(at, 0), package, 1, 1))
                });
                let mut report = u.report(number, counts.collect());
                report.reporter = reporter.clone();
                report.last_uses = uses.to_vec();
                Arc::new(report)
            }).collect();
            let store = u.w.control.store().clone();
            tokio::spawn(async move {
                for report in reports {
                    store.report(report).await.unwrap();
                }
            })
        });
        for gateway in gateways.collect::<Vec<_>>() {
            gateway.await.unwrap();
        }
        let told = u.told(by(UsageBy::Day)).await;
        assert_eq!(told, [(u.today.to_string(), 8_000, 8_000, Some(1))]);
    }

    async fn an_address_counts_once_a_day_in_each_sum(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let [one, two] = ADDRESSES.map(|text| text.parse::<IpAddr>().unwrap());
        let seen = [(u.key(0, 0), one), (u.key(0, 0), two), (u.key(1, 0), two), (u.key(0, 1), one)];
        for number in 1..=2 {
            let mut report = u.report(number, vec![]);
            report.addresses = seen.to_vec();
            u.send(report).await;
        }
        let told: Vec<_> = u.told(by(UsageBy::Day)).await.into_iter().map(|sum| sum.3).collect();
        assert_eq!(told, [Some(1), Some(2)], "the second channel's address is known already");
        let told: Vec<_> = u.told(by(UsageBy::Token)).await.into_iter().map(|sum| sum.3).collect();
        assert_eq!(told, [Some(2), Some(1)], "of the day with most");
    }

    async fn addresses_are_forgotten_after_two_days(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        u.send(u.report(1, vec![count(u.key(0, 0), "zlib", 1, 1)])).await;
        let kept = async || -> i64 {
            let sql = "SELECT count(*) FROM usage_addresses";
            sqlx::query_scalar(sql).fetch_one(&u.w.control.store().pool()).await.unwrap()
        };
        for (number, expected) in [(2, 4), (3, 0)] {
            u.w.clock.advance(Duration::from_secs(24 * 60 * 60));
            u.send(u.report(number, vec![])).await;
            assert_eq!(kept().await, expected);
        }
        assert_eq!(u.told(by(UsageBy::Day)).await[0].3, Some(1), "how many there were stays");
    }

    async fn a_tokens_last_use_is_the_latest_told(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let now = u.w.clock.now();
        let last = |at, from: &str| LastUse { token: u.tokens[0], at, from: from.parse().unwrap() };
        let earlier = access::Timestamp::from_millis(now.as_millis() - 1);
        let unknown = LastUse { token: TokenId(999), ..last(now, "192.0.2.1") };
        for (number, uses) in
            [(1, vec![last(now, "192.0.2.1"), unknown]), (2, vec![last(earlier, "192.0.2.2")])]
        {
            let mut report = u.report(number, vec![]);
            report.last_uses = uses;
            u.send(report).await;
        }
        let shown = token::get(&u.w.control, &u.w.admin, u.tokens[0]).await.unwrap();
        assert_eq!(shown.last_used, Some((now, "192.0.2.1".to_owned())));
    }

    async fn the_bytes_of_a_limited_tokens_day_reach_the_gateways(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        u.send(u.report(1, vec![
            count(u.key(0, 0), "zlib", 1, 10),
            count(u.key(0, 0), "", 0, 5),
            count(u.key(0, 1), "zlib", 1, 100),
        ])).await;
        let store = u.w.control.store();
        let told = store.bytes_of_day(u.today, u.tokens.to_vec()).await.unwrap();
        assert_eq!(told, [(u.tokens[0], 15)]);
        let account = "service-account-channel-a";
        let order = order("limited", Permission::Read, &["a"]);
        let issued = u.w.token(&u.w.admin, account, order).await.unwrap();
        let bytes_of_day = |grant: Grant| grant.limited().and_then(|held| held.bytes_of_day);
        assert_eq!(bytes_of_day(u.w.grant(&issued).await), None);
        sqlx::query("UPDATE tokens SET bytes_per_day = 7").execute(&store.pool()).await.unwrap();
        assert_eq!(bytes_of_day(u.w.grant(&issued).await), None, "not used yet");
        let key = |days_ago| UsageKey { token: Some(issued.token.id), ..u.key(0, days_ago) };
        u.send(u.report(2, vec![count(key(1), "zlib", 1, 3), count(key(0), "zlib", 1, 4)])).await;
        assert_eq!(bytes_of_day(u.w.grant(&issued).await), Some((u.today, 4)));
    }

    async fn usage_is_told_to_whom_it_concerns(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        u.send(u.report(1, vec![
            count(u.key(0, 0), "zlib", 1, 10),
            count(u.key(1, 0), "zlib", 2, 20),
        ])).await;
        let of_channel =
            |channel| UsageOrder { channel: Some(name(channel)), ..by(UsageBy::Package) };
        let of_token = |at: usize| UsageOrder { token: Some(u.tokens[at]), ..by(UsageBy::Package) };
        let refused = |asked: Result<_, Error>| matches!(asked, Err(Error::NotPermitted { .. }));
        let hidden = |asked: Result<_, Error>| matches!(asked, Err(Error::NotFound { .. }));

        let alice = &u.w.alice;
        assert!(refused(u.ask(alice, by(UsageBy::Day)).await), "of everything");
        assert!(hidden(u.ask(alice, of_channel("a")).await));
        assert!(hidden(u.ask(alice, of_token(0)).await));

        u.w.join("a_owners", "alice").await;
        let told = u.ask(alice, of_channel("a")).await.unwrap();
        assert_eq!((told.len(), told[0].downloads), (1, 1), "of their channel alone");
        assert_eq!(u.ask(alice, of_token(0)).await.unwrap(), told);
        assert!(hidden(u.ask(alice, of_channel("b")).await));
        assert!(hidden(u.ask(alice, of_token(1)).await));
        let backwards = UsageOrder { from: Some(u.today), to: Some(u.today.minus(1)), ..of_channel("a") };
        assert!(matches!(u.ask(alice, backwards).await, Err(Error::InvalidField { field: "from", .. })));
    }

    async fn usage_is_listed_page_by_page(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let packages = ["", "a", "b", "c", "d"];
        let counts = packages.map(|package| count(u.key(0, 0), package, 1, 1)).to_vec();
        u.send(u.report(1, counts)).await;
        u.send(u.report(2, vec![count(u.key(1, 0), "a", 1, 1), count(u.key(1, 3), "a", 1, 1)])).await;
        for (what, expected) in
            [(UsageBy::Package, 5), (UsageBy::Token, 2), (UsageBy::Channel, 2), (UsageBy::Day, 2)]
        {
            let (mut after, mut subjects) = (None, Vec::new());
            loop {
                let page = Page { after, limit: 1, ..Page::first() };
                let found = usage::list(&u.w.control, &u.w.admin, &by(what), &page).await.unwrap();
                subjects.extend(found.items.into_iter().map(short));
                after = found.next_cursor;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(subjects.len(), expected, "{subjects:?}");
            assert_eq!(subjects, u.told(by(what)).await);
        }
        let foreign = Page { after: Some("x".into()), ..Page::first() };
        let asked = usage::list(&u.w.control, &u.w.admin, &by(UsageBy::Token), &foreign).await;
        assert!(matches!(asked, Err(Error::InvalidField { field: "cursor", .. })));
    }

    async fn the_api_says_what_each_sum_is_of(database: TestDatabase) {
        let u = Used::new(World::new(database).await).await;
        let anyone = UsageKey { token: None, ..u.key(0, 0) };
        let counts = vec![count(u.key(0, 0), "zlib", 2, 20), count(anyone, "", 0, 5)];
        let mut report = u.report(1, counts);
        let (at, from) = (u.w.clock.now(), ADDRESSES[0].parse().unwrap());
        report.last_uses = vec![LastUse { token: u.tokens[0], at, from }];
        u.send(report).await;
        let root = Client::sign_in(&u.w, "root").await;
        let items = async |query: &str| {
            let answer = root.get(&format!("/api/v1/usage{query}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body["items"].clone()
        };
        let today = u.today.to_string();
        let all = json!({ "downloads": 2, "bytes": 25, "addresses": 1 });
        let with = |mut sum: Value, more: Value| {
            sum.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            sum
        };
        assert_eq!(items("").await, json!([with(all.clone(), json!({ "day": today }))]));
        let channel = json!({ "channel": "a", "channel_id": u.channels[0].0 });
        assert_eq!(items("?by=channel").await, json!([with(all, channel)]));
        let token = json!({ "token": u.tokens[0].0, "token_name": "t", "downloads": 2, "bytes": 20,
            "principal": "service-account-channel-a", "addresses": 1 });
        let none = json!({ "token": 0, "downloads": 0, "bytes": 5, "addresses": 1 });
        assert_eq!(items("?by=token&channel=a").await, json!([none, token]));
        let package =
            json!([{ "package": "zlib", "downloads": 2, "bytes": 20, "addresses": null }]);
        assert_eq!(items("?by=package&package=zlib").await, package);

        let shown = root.get(&format!("/api/v1/tokens/{}", u.tokens[0].0)).await.body;
        assert_eq!(shown["last_used_at"], at.to_string());
        assert_eq!(shown["last_used_from"], ADDRESSES[0]);

        for (query, status) in [
            ("?from=yesterday", 422),
            ("?from=2026-11-02&to=2026-11-01", 422),
            ("?by=hour", 422),
            ("?by=token&cursor=x", 422),
            ("?package=%00", 422),
            ("?token=999", 404),
            ("?channel=nope", 404),
        ] {
            assert_eq!(root.get(&format!("/api/v1/usage{query}")).await.status, status, "{query}");
        }
        let alice = Client::sign_in(&u.w, "alice").await;
        assert_eq!(alice.get("/api/v1/usage").await.status, 403);
    }
}
