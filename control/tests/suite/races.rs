//! The race that a plain implementation gets wrong: the counter taken late (sync.md F1).
//!
//! 1. A takes `read` on `c` from a group, and names the group's members: so far Alice.
//! 2. Before A commits, B adds Bob to the group and commits.
//! 3. A gateway applies B's revision and reads Bob's token: A isn't committed, so Bob may read.
//! 4. A commits. Its entries don't name Bob, so that his grant stays in the table for good.
//!
//! With the counter first, B waits in step 2 until A has committed, and the history is right.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use access::source::{Applied, Touched};
use access::{ChannelId, Grant, GrantSource as _, Permission, TokenDigest};
use control::testing::{Hooks, Pause, Step, TestDatabase};
use control::usecases::token::Issued;
use control::usecases::{channel, group};
use control::{Actor, Store};

use crate::world::{World, name, order};

/// The least that a gateway does: it keeps grants until the feed names them.
struct Gateway {
    applied: Applied,
    table: HashMap<TokenDigest, Grant>,
}

impl Gateway {
    async fn begin(store: &Store) -> Self {
        let begun = store.begin(0).await.unwrap();
        Self { applied: begun.applied, table: HashMap::new() }
    }

    async fn apply_feed(&mut self, store: &Store) {
        let read = store.feed(self.applied.clone()).await.unwrap();
        for change in read.continuing(&self.applied).expect("a contiguous feed") {
            for touched in &change.touched {
                self.table.retain(|digest, grant| match *touched {
                    Touched::Token { digest: named, .. } => *digest != named,
                    Touched::Principal(principal) => grant.principal != principal,
                    Touched::Channel(_) => true,
                    Touched::Everything => false,
                });
            }
            self.applied.revision = change.revision;
            self.applied.stamp = change.stamp;
        }
    }

    /// What it would let the token do, loading it on a miss.
    async fn held(
        &mut self,
        store: &Store,
        token: TokenDigest,
        channel: ChannelId,
    ) -> Option<Permission> {
        if !self.table.contains_key(&token) {
            let loaded = store.load(token).await.unwrap();
            assert_eq!(loaded.revision, self.applied.revision);
            self.table.insert(token, loaded.grant.unwrap());
        }
        self.table[&token].on(channel)
    }
}

struct Scene {
    w: World,
    bob: Actor,
    /// Bob's, for `c`; he holds nothing on it yet.
    token: Issued,
    c: ChannelId,
}

/// A group with `read` on `c`, Alice in it, Bob not yet.
async fn scene(w: World) -> Scene {
    w.channel(&w.admin, "team").await.unwrap();
    w.channel(&w.admin, "c").await.unwrap();
    let c = channel::get(&w.control, &w.admin, &name("c")).await.unwrap().channel.id;
    let read = Some(Permission::Read);
    group::set_permission(&w.control, &w.admin, "team_owners", &name("c"), read).await.unwrap();
    w.join("team_owners", "alice").await;
    let bob = w.user("bob").await;
    w.join("team_owners", "bob").await;
    let token = w.token(&bob, "bob", order("t", Permission::Read, &["c"])).await.unwrap();
    group::remove_member(&w.control, &w.admin, "team_owners", "bob").await.unwrap();
    Scene { w, bob, token, c }
}

/// The transaction that a test holds may be held for long on a slow machine.
fn holding(database: &TestDatabase) -> (Hooks, Arc<Pause>) {
    let (hooks, pause) = Hooks::pausing_at(Step::Decided);
    if database.is_postgres() {
        let forever = "SET LOCAL idle_in_transaction_session_timeout = 0";
        (hooks.beginning_with(forever), pause)
    } else {
        (hooks, pause)
    }
}

/// How long to look for B in step 2: it can't overtake, so that a short look is right on any
/// machine; or it does, however slow the machine is.
const A_LOOK: Duration = Duration::from_millis(300);
const UNTIL_IT_DOES: Duration = Duration::from_secs(60);

/// Plays the steps. Whether Bob joined before A committed, what a gateway thinks he may do at the
/// end, and what is true.
async fn play(s: &Scene, (hooks, pause): (Hooks, Arc<Pause>), look: Duration) -> Outcome {
    let store = s.w.control.store();
    let mut gateway = Gateway::begin(store).await;
    let digest = s.token.secret.digest();
    let counts_as_a = s.w.held_by(hooks.clone());
    let admin = s.w.admin.clone();
    // 1.
    let a = tokio::spawn(async move {
        group::set_permission(&counts_as_a, &admin, "team_owners", &name("c"), None).await
    });
    pause.reached().await;
    // 2.
    let counts_as_b = s.w.held_by(hooks.without_pause());
    let admin = s.w.admin.clone();
    let mut b =
        tokio::spawn(
            async move { group::add_member(&counts_as_b, &admin, "team_owners", "bob").await },
        );
    let b_overtakes = tokio::time::timeout(look, &mut b).await.is_ok();
    // 3.
    gateway.apply_feed(store).await;
    gateway.held(store, digest, s.c).await;
    // 4.
    pause.go_on();
    a.await.unwrap().unwrap();
    if !b_overtakes {
        b.await.unwrap().unwrap();
    }
    gateway.apply_feed(store).await;
    let believed = gateway.held(store, digest, s.c).await;
    Outcome { b_overtakes, believed, held: s.w.grant(&s.token).await.on(s.c) }
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    b_overtakes: bool,
    believed: Option<Permission>,
    held: Option<Permission>,
}

control::on_both_databases! {
    async fn f1_nobody_joins_between_naming_the_members_and_the_commit(database: TestDatabase) {
        let s = scene(World::new(database).await).await;
        let outcome = play(&s, holding(database), A_LOOK).await;
        assert_eq!(outcome, Outcome { b_overtakes: false, believed: None, held: None });
        assert_eq!(s.bob.principal, Some(s.w.grant(&s.token).await.principal));
    }
}

/// The same steps with the rule taken out: what it is for. On PostgreSQL only, since a SQLite
/// database has one writer whatever we do.
#[tokio::test]
async fn f1_taken_out_a_gateway_grants_for_good_what_was_taken_away() {
    let database = TestDatabase::postgres().await;
    let s = scene(World::new(&database).await).await;
    let (hooks, pause) = holding(&database);
    let outcome = play(&s, (hooks.counting_last(), pause), UNTIL_IT_DOES).await;
    let stale = Some(Permission::Read);
    assert_eq!(outcome, Outcome { b_overtakes: true, believed: stale, held: None });
}

/// A sequence's numbers can be seen out of order; the counter's can't: whoever began first and
/// commits last holds everybody else up, and the feed has no hole at any moment.
#[tokio::test]
async fn f1_revisions_are_seen_in_order() {
    let database = TestDatabase::postgres().await;
    let w = World::new(&database).await;
    let (hooks, pause) = holding(&database);
    let slow = w.held_by(hooks);
    let admin = w.admin.clone();
    let a = tokio::spawn(async move {
        channel::create(&slow, &admin, crate::world::new_channel("slow")).await
    });
    pause.reached().await;
    // It waits for the other as long as the machine needs.
    let patient = w.held_by(Hooks::default().beginning_with("SET LOCAL lock_timeout = 0"));
    let admin = w.admin.clone();
    let b = tokio::spawn(async move {
        channel::create(&patient, &admin, crate::world::new_channel("fast")).await
    });
    let mut gateway = Gateway::begin(w.control.store()).await;
    let before = gateway.applied.revision;
    for _ in 0..10 {
        gateway.apply_feed(w.control.store()).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(gateway.applied.revision, before);
    pause.go_on();
    let (a, b) = (a.await.unwrap().unwrap().revision, b.await.unwrap().unwrap().revision);
    assert!(a < b, "{a:?} {b:?}");
    gateway.apply_feed(w.control.store()).await;
    assert_eq!(gateway.applied.revision, b);
}

/// F1: a process that is stopped in the middle of a change doesn't hold the counter for good.
#[tokio::test]
async fn f1_an_abandoned_change_gives_the_counter_back() {
    let database = TestDatabase::postgres().await;
    let w = World::new(&database).await;
    let (hooks, pause) = Hooks::pausing_at(Step::Decided);
    let stopped = w.held_by(hooks);
    let admin = w.admin.clone();
    let a = tokio::spawn(async move {
        channel::create(&stopped, &admin, crate::world::new_channel("stopped")).await
    });
    pause.reached().await;
    let waited = w.channel(&w.admin, "next");
    tokio::time::timeout(Duration::from_secs(30), waited).await.unwrap().unwrap();
    pause.go_on();
    assert!(a.await.unwrap().is_err(), "PostgreSQL ended its transaction");
}
