//! Gateways as members: their feed, their lease, and the proof that a change is in force on all of
//! them (sync.md, "What a revoke promises" and "The lease").

use std::sync::Arc;
use std::time::Duration;

use access::lease::{Instance, LeaseSource as _, LeaseTerms, Registration, Renewal};
use access::source::Revision;
use access::{GrantSource as _, Permission, Privacy};
use control::testing::TestDatabase;
use control::usecases::channel::{self, ChannelEdit, NewChannel};
use control::usecases::proof::{MemberState, Proof, prove};
use control::usecases::token;
use control::{GatewaySource, Observer, Store};

use axum::http::StatusCode;
use serde_json::json;

use crate::client::Client;
use crate::world::{World, name, new_channel, order};

const LEASE: Duration = Duration::from_secs(180);
/// For how long public channels are served past the lease.
const GRACE: Duration = Duration::from_secs(3600);
/// How far a control plane's clock may be from the one that ended a gateway.
const CLOCKS_APART: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(10);

pub(crate) fn gateway(w: &World) -> GatewaySource {
    w.control.store().gateway_source(w.clock.clone())
}

fn instance(name: &str) -> Instance {
    Instance(format!("instance-of-{name}"))
}

pub(crate) async fn register(source: &GatewaySource, name: &str) {
    let terms = LeaseTerms { lease: LEASE, serve_known: Duration::ZERO, public_grace: GRACE };
    let (name, version) = (name.to_owned(), "1".to_owned());
    let registration = Registration { instance: instance(&name), name, version, terms };
    source.register(registration).await.unwrap();
}

/// Applies all that there is, and says so.
pub(crate) async fn catch_up(source: &GatewaySource, name: &str) {
    let applied = source.begin(0).await.unwrap().applied;
    source.acknowledge(instance(name), applied).await.unwrap();
}

/// A revoked token's revision.
async fn revoke_one(w: &World) -> Revision {
    let account = w.account("a").await;
    let issued = w.token(&w.admin, &account.name, order("t", Permission::Read, &["a"])).await;
    token::revoke(&w.control, &w.admin, issued.unwrap().token.id).await.unwrap().revision
}

/// The revision in which a channel is open to nobody any more.
async fn close(w: &World, channel: &str) -> Revision {
    let edit = ChannelEdit { privacy: Some(Privacy::Private), ..ChannelEdit::default() };
    channel::edit(&w.control, &w.admin, &name(channel), edit).await.unwrap().revision
}

fn states(proof: &Proof) -> Vec<(&str, MemberState)> {
    proof.gateways.iter().map(|member| (member.name.as_str(), member.state)).collect()
}

control::on_both_databases! {
    async fn every_change_answers_its_proof(database: TestDatabase) {
        let w = World::new(database).await;
        let admin = Client::sign_in(&w, "root").await;
        let source = gateway(&w);
        register(&source, "gw").await;
        let name = json!({ "name": "a" });
        let made = admin.post("/api/v1/channels?wait=0s", name.clone()).await.body;
        let proof = &made["proof"];
        assert_eq!((&proof["revision"], &proof["confirmed"]), (&made["revision"], &json!(false)));
        assert_eq!(proof["gateways"][0]["state"], "waiting");
        let edit = json!({ "description": "told again" });
        let edited = tokio::join!(admin.patch("/api/v1/channels/a?wait=10s", edit.clone()), async {
            while made["revision"] == w.feed().await.revision.0 {}
            catch_up(&source, "gw").await;
        });
        assert_eq!(edited.0.body["proof"]["confirmed"], true, "{}", edited.0.body);
        for (path, body) in [("groups/a_owners", edit), ("users/alice", json!({ "email": "a@b" }))] {
            let edited = admin.patch(&format!("/api/v1/{path}"), body).await;
            assert_eq!(edited.body["proof"]["confirmed"], false, "{path}: {}", edited.body);
        }
    }

    async fn l5_a_revoke_is_proven_when_every_gateway_has_applied_it(database: TestDatabase) {
        let w = World::new(database).await;
        let source = gateway(&w);
        register(&source, "gw-1").await;
        register(&source, "gw-2").await;
        let revision = revoke_one(&w).await;
        catch_up(&source, "gw-1").await;

        let proof = prove(&w.control, revision, Duration::ZERO).await.unwrap();
        assert_eq!(proof.confirmed_at, None);
        let waiting = MemberState::Waiting;
        assert_eq!(states(&proof), [("gw-1", MemberState::Applied), ("gw-2", waiting)]);
        assert_eq!(proof.gateways[1].stops_by, Some(proof.guaranteed_by));

        let confirmed = prove(&w.control, revision, SOON);
        let acknowledged = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            catch_up(&source, "gw-2").await;
        };
        let (proof, ()) = tokio::join!(confirmed, acknowledged);
        let confirmed_at = proof.unwrap().confirmed_at;
        assert!(confirmed_at.is_some());

        w.clock.advance(LEASE);
        register(&source, "gw-3").await;
        let again = prove(&w.control, revision, Duration::ZERO).await.unwrap();
        assert_eq!(again.confirmed_at, confirmed_at, "it is told as it was");
    }

    async fn l5_who_does_not_renew_is_ended_and_begins_anew(database: TestDatabase) {
        let w = World::new(database).await;
        let source = gateway(&w);
        register(&source, "kept").await;
        register(&source, "gone").await;
        let mut observer = Observer::new(w.control.store().clone(), w.clock.clone());
        let revision = revoke_one(&w).await;
        observer.look().await.unwrap();
        w.clock.advance(LEASE / 2);
        assert_eq!(source.renew(instance("kept")).await.unwrap(), Renewal::Committed);
        catch_up(&source, "kept").await;
        observer.look().await.unwrap();
        w.clock.advance(LEASE / 2);
        observer.look().await.unwrap();

        let proof = prove(&w.control, revision, Duration::ZERO).await.unwrap();
        assert!(proof.confirmed_at.is_some());
        assert_eq!(states(&proof), [("gone", MemberState::Ended), ("kept", MemberState::Applied)]);
        let by_lease: Vec<_> = proof.gateways.iter().map(|member| member.stopped_by_lease).collect();
        assert_eq!(by_lease, [true, false]);
        assert_eq!(source.renew(instance("gone")).await.unwrap(), Renewal::Ended);
        assert_eq!(source.renew(instance("kept")).await.unwrap(), Renewal::Committed);
    }

    async fn when_it_came_into_force_is_kept_also_where_nobody_asks(database: TestDatabase) {
        let w = World::new(database).await;
        let source = gateway(&w);
        register(&source, "gw-1").await;
        let mut observer = Observer::new(w.control.store().clone(), w.clock.clone());
        let first = revoke_one(&w).await;
        observer.look().await.unwrap();
        w.clock.advance(SOON);
        catch_up(&source, "gw-1").await;
        observer.look().await.unwrap();
        let seen_at = w.now();

        w.clock.advance(LEASE);
        register(&source, "gw-2").await;
        let proof = prove(&w.control, first, Duration::ZERO).await.unwrap();
        assert_eq!(proof.confirmed_at, Some(seen_at));
    }

    async fn the_time_that_was_told_stays(database: TestDatabase) {
        let w = World::new(database).await;
        let source = gateway(&w);
        register(&source, "gw-1").await;
        let revision = revoke_one(&w).await;
        w.clock.advance(Duration::from_secs(1));
        let told = prove(&w.control, revision, Duration::ZERO).await.unwrap().guaranteed_by;
        assert_eq!(told, w.now().plus(LEASE), "it may have been committed just now");
        w.clock.advance(Duration::from_secs(5));
        let again = prove(&w.control, revision, Duration::ZERO).await.unwrap();
        assert_eq!((again.guaranteed_by, again.confirmed_at), (told, None));
    }

    async fn l5_a_clean_stop_is_not_waited_for(database: TestDatabase) {
        let w = World::new(database).await;
        let source = gateway(&w);
        register(&source, "gw-1").await;
        let revision = revoke_one(&w).await;
        source.end(instance("gw-1")).await.unwrap();
        let proof = prove(&w.control, revision, Duration::ZERO).await.unwrap();
        assert!(proof.confirmed_at.is_some());
        assert_eq!(states(&proof), [("gw-1", MemberState::Ended)]);
    }

    async fn l6_whom_the_observer_ended_may_still_serve_what_was_public(database: TestDatabase) {
        let w = World::new(database).await;
        for open in ["soon", "late", "later"] {
            let open = NewChannel { privacy: Privacy::Public, ..new_channel(open) };
            channel::create(&w.control, &w.admin, open).await.unwrap();
        }
        let source = gateway(&w);
        register(&source, "gone").await;
        register(&source, "stopped").await;
        source.end(instance("stopped")).await.unwrap();
        let mut observer = Observer::new(w.control.store().clone(), w.clock.clone());
        observer.look().await.unwrap();
        w.clock.advance(LEASE);
        observer.look().await.unwrap();
        let over = w.now().plus(GRACE + CLOCKS_APART);

        w.clock.advance(GRACE / 2);
        let proof = async |revision| prove(&w.control, revision, Duration::ZERO).await.unwrap();
        let private = proof(revoke_one(&w).await).await;
        assert!(private.confirmed_at.is_some() && private.gateways.is_empty(), "{private:?}");
        let soon = close(&w, "soon").await;
        let waiting = proof(soon).await;
        assert_eq!(states(&waiting), [("gone", MemberState::Waiting)]);
        assert_eq!((waiting.confirmed_at, waiting.guaranteed_by), (None, over));

        w.clock.advance(GRACE / 2 + CLOCKS_APART);
        assert_eq!(w.now(), over);
        let ended = proof(soon).await;
        assert_eq!(states(&ended), [("gone", MemberState::Ended)]);
        assert_eq!(ended.confirmed_at, Some(over));
        assert_eq!(states(&proof(close(&w, "late").await).await).len(), 1);
        w.clock.advance(Duration::from_millis(1));
        assert!(proof(close(&w, "later").await).await.gateways.is_empty());
    }

    async fn the_api_answers_the_proof_and_gives_it_again(database: TestDatabase) {
        let w = World::new(database).await;
        let source = gateway(&w);
        register(&source, "gw-1").await;
        let revision = revoke_one(&w).await.0;
        let admin = Client::sign_in(&w, "root").await;
        let path = format!("/api/v1/revisions/{revision}/proof");
        let early = admin.get(&path).await;
        assert_eq!(early.status, StatusCode::ACCEPTED, "{}", early.body);
        assert_eq!(early.body["gateways"][0]["state"], "waiting");
        assert_eq!(early.body["gateways"][0]["stops_by"], early.body["guaranteed_by"]);
        catch_up(&source, "gw-1").await;
        let proven = admin.get(&path).await;
        assert_eq!(proven.status, StatusCode::OK, "{}", proven.body);
        assert_eq!(proven.body["confirmed"], true);
        assert_eq!(proven.body["gateways"][0]["state"], "applied");
        let none = admin.get("/api/v1/revisions/99999/proof").await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    }

    async fn f6_a_change_wakes_whoever_follows(database: TestDatabase) {
        let w = World::new(database).await;
        let source = Arc::new(gateway(&w));
        // The first may be told for nothing: that listening has begun.
        let _ = tokio::time::timeout(Duration::from_millis(500), source.woken()).await;
        let waiting = tokio::spawn({
            let source = Arc::clone(&source);
            async move { tokio::time::timeout(SOON, source.woken()).await }
        });
        revoke_one(&w).await;
        assert!(waiting.await.unwrap().is_ok(), "nobody woke the gateway");
    }
}

/// A server that is no longer the database says nothing of it to who stays connected.
#[tokio::test]
async fn l2_each_renewal_is_sent_on_a_connection_that_is_made_for_it() {
    let w = World::new(&TestDatabase::postgres().await).await;
    let source = gateway(&w);
    register(&source, "a").await;
    let mut before = Vec::new();
    for _ in 0..3 {
        assert_eq!(source.renew(instance("a")).await.unwrap(), Renewal::Committed);
        let renewing = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE 'UPDATE gateways SET renewal%'";
        let pool = w.control.store().pool();
        let pids: Vec<i32> = sqlx::query_scalar(renewing).fetch_all(&pool).await.unwrap();
        assert!(pids.iter().any(|pid| !before.contains(pid)), "{pids:?} after {before:?}");
        before.extend(pids);
    }
}

#[tokio::test]
async fn a_connection_of_the_pool_lasts_half_a_lease() {
    let database = TestDatabase::postgres().await;
    for (lease, stays) in [(Duration::ZERO, false), (LEASE, true)] {
        let store = Store::connect_for(database.url(), 1, lease).await.unwrap();
        let mut pids = Vec::new();
        for _ in 0..2 {
            let asked = sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()");
            pids.push(asked.fetch_one(&store.pool()).await.unwrap());
        }
        assert_eq!(pids[0] == pids[1], stays, "{lease:?}");
    }
}
