//! Pruning: what is past is deleted, and nothing that a gateway or a proof needs.

use std::time::Duration;

use access::lease::{Instance, LeaseSource as _, LeaseTerms, Registration, Renewal};
use access::source::{Applied, Revision, Touched};
use access::{GrantSource as _, Permission, Privacy};
use axum::http::StatusCode;
use control::testing::TestDatabase;
use control::usecases::channel::{self, ChannelEdit, NewChannel};
use control::usecases::proof::prove;
use control::{GatewaySource, Observer, Pruner, Settings};
use serde_json::json;

use crate::client::Client;
use crate::repeats::send;
use crate::world::{World, name, new_channel, order, settings};

const DAY: Duration = Duration::from_secs(24 * 3600);
const GRACE: Duration = Duration::from_secs(10 * 24 * 3600);

async fn world(database: &TestDatabase) -> World {
    let w = World::with(database, Settings { keep_changes_for: DAY, ..settings() }).await;
    // The first revision has the database's time.
    w.clock.advance(Duration::from_secs(60));
    w
}

async fn prune(w: &World) {
    Pruner::new(w.control.clone()).prune().await.unwrap();
}

async fn numbers(w: &World, sql: &'static str) -> Vec<i64> {
    sqlx::query_scalar(sql).fetch_all(&w.control.store().pool()).await.unwrap()
}

async fn kept(w: &World) -> Vec<i64> {
    numbers(w, "SELECT revision FROM revisions ORDER BY revision").await
}

/// A gateway of that name, registered.
async fn register(w: &World, name: &str) -> GatewaySource {
    let source = w.control.store().gateway_source(w.clock.clone());
    let lease = Duration::from_secs(180);
    let terms = LeaseTerms { lease, serve_known: Duration::ZERO, public_grace: GRACE };
    let (instance, version) = (Instance(name.to_owned()), "1".to_owned());
    let registration = Registration { instance, name: name.to_owned(), version, terms };
    source.register(registration).await.unwrap();
    source
}

async fn catch_up(source: &GatewaySource, name: &str) {
    let applied = source.begin(0).await.unwrap().applied;
    source.acknowledge(Instance(name.to_owned()), applied).await.unwrap();
}

/// Two changes, now, and the last one's number.
async fn change(w: &World, channel: &str) -> i64 {
    w.account(channel).await;
    w.feed().await.revision.0
}

control::on_both_databases! {
    async fn f3_who_follows_goes_on_and_who_is_behind_begins_anew(database: TestDatabase) {
        let w = world(database).await;
        let behind = w.feed().await;
        let old = change(&w, "old").await;
        let up_to_date = w.feed().await;
        w.clock.advance(DAY);
        let young = change(&w, "young").await;
        prune(&w).await;
        assert_eq!(kept(&w).await, (old..=young).collect::<Vec<_>>(), "the last old one, and on");
        let orphans = "SELECT count(*) FROM changes WHERE revision NOT IN \
             (SELECT revision FROM revisions)";
        assert_eq!(numbers(&w, orphans).await, [0]);
        let read = w.control.store().feed(up_to_date.clone()).await.unwrap();
        assert_eq!(read.continuing(&up_to_date).expect("the same feed").len(), 2);
        let read = w.control.store().feed(behind.clone()).await.unwrap();
        assert!(read.continuing(&behind).is_none(), "what it lacks is no more");
        // With nothing new, the newest stays, however old it is.
        w.clock.advance(100 * DAY);
        prune(&w).await;
        assert_eq!(kept(&w).await, [young]);
        let newest = w.feed().await;
        let read = w.control.store().feed(newest.clone()).await.unwrap();
        assert!(read.continuing(&newest).is_some());
    }

    async fn a_revoke_that_was_pruned_is_still_proven(database: TestDatabase) {
        let w = world(database).await;
        let account = w.account("a").await;
        let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
        let token = format!("/api/v1/tokens/{}?wait=0s", issued.unwrap().token.id.0);
        let admin = Client::sign_in(&w, "root").await;
        let revoked = admin.delete(&token).await.body;
        assert_eq!(revoked["confirmed"], true, "{revoked}");
        let revision = revoked["revision"].as_i64().unwrap();
        let stands_for_it = change(&w, "b").await;
        w.clock.advance(DAY);
        let pruned_at = w.now().to_string();
        prune(&w).await;
        assert_eq!(kept(&w).await, [stands_for_it]);

        // One that has begun since and hasn't come so far unproves nothing.
        w.clock.advance(DAY / 2);
        register(&w, "anew").await;
        change(&w, "c").await;
        prune(&w).await;
        let admin = Client::sign_in(&w, "root").await;
        let again = admin.delete(&token).await;
        let proof = admin.get(&format!("/api/v1/revisions/{revision}/proof")).await;
        for answer in [again, proof] {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            assert_eq!(answer.body["revision"], revision);
            assert_eq!(answer.body["confirmed_at"], pruned_at);
        }
        for none in [-1, 99_999] {
            let none = admin.get(&format!("/api/v1/revisions/{none}/proof")).await;
            assert_eq!(none.status, StatusCode::NOT_FOUND);
        }
    }

    async fn l5_what_a_gateway_lacks_stays(database: TestDatabase) {
        let w = world(database).await;
        let source = register(&w, "slow").await;
        let last = change(&w, "a").await;
        let before = kept(&w).await;
        w.clock.advance(2 * DAY);
        assert_eq!(source.renew(Instance("slow".into())).await.unwrap(), Renewal::Committed);
        prune(&w).await;
        assert_eq!(kept(&w).await, before);
        catch_up(&source, "slow").await;
        prune(&w).await;
        assert_eq!(kept(&w).await, [last]);
    }

    async fn l6_what_may_still_be_served_as_public_stays(database: TestDatabase) {
        let w = world(database).await;
        let public = NewChannel { privacy: Privacy::Public, ..new_channel("open") };
        channel::create(&w.control, &w.admin, public).await.unwrap();
        catch_up(&register(&w, "gone").await, "gone").await;
        let edit = ChannelEdit { privacy: Some(Privacy::Private), ..ChannelEdit::default() };
        let ended = channel::edit(&w.control, &w.admin, &name("open"), edit).await.unwrap().revision;
        let mut observer = Observer::new(w.control.store().clone(), w.clock.clone());
        observer.look().await.unwrap();
        w.clock.advance(Duration::from_secs(180));
        observer.look().await.unwrap();
        let last = change(&w, "a").await;
        let proven = prove(&w.control, Revision(last), Duration::ZERO).await.unwrap();
        assert!(proven.confirmed_at.is_some(), "the channel alone is waited for");

        let before = kept(&w).await;
        w.clock.advance(2 * DAY);
        prune(&w).await;
        assert_eq!(kept(&w).await, before);
        let proof = prove(&w.control, ended, Duration::ZERO).await.unwrap();
        assert_eq!((proof.confirmed_at, proof.gateways.len()), (None, 1));
        w.clock.advance(GRACE);
        prune(&w).await;
        assert_eq!(kept(&w).await, [last]);
        let proof = prove(&w.control, ended, Duration::ZERO).await.unwrap();
        assert!(proof.confirmed_at.is_some());
    }

    async fn gateways_that_ended_go_once_no_proof_names_them(database: TestDatabase) {
        let w = world(database).await;
        let source = register(&w, "stopped").await;
        register(&w, "live").await;
        source.end(Instance("stopped".into())).await.unwrap();
        let count = "SELECT count(*) FROM gateways";
        for (days, left) in [(0, 2), (10, 2), (1, 2), (1, 1), (100, 1)] {
            w.clock.advance(DAY * days);
            // Nothing is waited for by this one.
            catch_up(&source, "live").await;
            prune(&w).await;
            assert_eq!(numbers(&w, count).await, [left], "after {days} days more");
        }
        let ended = source.renew(Instance("stopped".into())).await.unwrap();
        assert_eq!(ended, Renewal::Ended, "no row is no lease");
    }

    async fn sessions_and_keys_go_when_they_are_over_and_the_audit_log_stays(database: TestDatabase) {
        let w = world(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let made = send(&admin, "k", "/groups", json!({ "name": "g" })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let events = w.audit().await;
        let left = "SELECT count(*) FROM sessions UNION ALL SELECT count(*) FROM repeatable_requests";
        prune(&w).await;
        assert_eq!(numbers(&w, left).await, [1, 1]);
        w.clock.advance(DAY / 2);
        prune(&w).await;
        assert_eq!(numbers(&w, left).await, [0, 1]);
        w.clock.advance(DAY / 2);
        prune(&w).await;
        assert_eq!(numbers(&w, left).await, [0, 0]);
        w.clock.advance(1000 * DAY);
        prune(&w).await;
        assert_eq!(w.audit().await, events);
    }

    async fn many_are_deleted_little_by_little_and_large_ones_whole(database: TestDatabase) {
        let w = world(database).await;
        let fill = [
            "INSERT INTO revisions (revision, stamp, at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
             SELECT i + 1 FROM n WHERE i < 2500) SELECT c.revision + i, i, 0 FROM n, revision_counter c",
            // One of them has more entries than are deleted at a time.
            "INSERT INTO changes (revision, ordinal, kind, id) WITH RECURSIVE n(i) AS (SELECT 1 \
             UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT c.revision + 1200, i, 'principal', i \
             FROM n, revision_counter c",
            "UPDATE revision_counter SET revision = revision + 2500",
        ];
        for sql in fill {
            sqlx::query(sql).execute(&w.control.store().pool()).await.unwrap();
        }
        let newest = w.feed().await.revision.0;
        w.clock.advance(DAY);
        prune(&w).await;
        assert_eq!(kept(&w).await, [newest]);
        assert_eq!(numbers(&w, "SELECT count(*) FROM changes").await, [0]);
    }

    async fn f3_pruning_while_changes_are_made_loses_none(database: TestDatabase) {
        let w = world(database).await;
        let mut applied = w.feed().await;
        let mut told = Vec::new();
        let mut made = Vec::new();
        for round in 0..12 {
            w.clock.advance(DAY / 4);
            let changes = async {
                let mut made = Vec::new();
                for number in 0..4 {
                    let channel = new_channel(&format!("c{round}-{number}"));
                    let done = channel::create(&w.control, &w.admin, channel).await.unwrap();
                    made.push(Touched::Channel(done.value.channel.id));
                }
                made
            };
            let follows = async {
                for _ in 0..8 {
                    applied = follow(&w, applied.clone(), &mut told).await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let prunes = async { tokio::join!(prune(&w), prune(&w)) };
            let ((), _, new) = tokio::join!(follows, prunes, changes);
            made.extend(new);
        }
        follow(&w, applied, &mut told).await;
        told.retain(|touched| matches!(touched, Touched::Channel(_)));
        assert_eq!(told, made);
        let kept = kept(&w).await;
        assert!(kept[0] > 20, "nothing was pruned: {kept:?}");
        assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "holes: {kept:?}");
    }
}

/// Reads on, as a gateway does.
async fn follow(w: &World, applied: Applied, told: &mut Vec<Touched>) -> Applied {
    let read = w.control.store().feed(applied.clone()).await.unwrap();
    let changes = read.continuing(&applied).expect("one that follows never begins anew");
    told.extend(changes.iter().flat_map(|change| change.touched.clone()));
    match changes.last() {
        Some(last) => Applied { revision: last.revision, stamp: last.stamp, ..applied },
        None => applied,
    }
}
