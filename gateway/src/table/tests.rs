mod cost;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use access::source::{
    Answer, Beginning, Change, DatabaseIdentity, FeedRead, Loaded, Revision, Stamp, Touched,
};
use access::{
    Channel, ChannelId, Grant, GrantedChannel, ManualClock, Permission, PrincipalId, Standing,
    TokenDigest, TokenHint, TokenId, TokenSecret,
};
use tokio::sync::oneshot;

use super::*;
use crate::credential::Credential;

const LIMITS: TableLimits = TableLimits {
    size_bytes: 1 << 20,
    misses_per_second: 1_000,
    misses_per_second_per_address: 500,
};
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FAR: Timestamp = Timestamp::from_millis(1_000_000);

/// A control database in memory whose reads can be held at the point where they have read but not
/// yet answered.
#[derive(Default)]
struct FakeSource {
    state: Mutex<State>,
    loads: AtomicU64,
    /// Rule T2 taken out: what is read claims to be as of the last change when it is answered.
    claims_newest: AtomicBool,
    away: AtomicBool,
    hold_next_load: Mutex<Option<Held>>,
}

#[derive(Default, Clone)]
struct State {
    revision: i64,
    history: i64,
    tokens: HashMap<TokenDigest, Grant>,
    changes: Vec<Change>,
}

struct Held {
    has_read: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

impl State {
    fn applied(&self) -> Applied {
        Applied {
            revision: Revision(self.revision),
            stamp: self.stamp(self.revision),
            database: DatabaseIdentity("fake".into()),
        }
    }

    fn stamp(&self, revision: i64) -> Stamp {
        Stamp(self.history * 1_000 + revision)
    }
}

impl FakeSource {
    fn change(&self, touched: Touched, edit: impl FnOnce(&mut HashMap<TokenDigest, Grant>)) {
        let mut state = self.state.lock().unwrap();
        edit(&mut state.tokens);
        state.revision += 1;
        let revision = state.revision;
        let stamp = state.stamp(revision);
        state.changes.push(Change { revision: Revision(revision), stamp, touched: vec![touched] });
    }

    fn put(&self, token: &TokenSecret, standing: Standing) {
        let digest = token.digest();
        self.change(Touched::Token { id: TokenId(1), digest }, |tokens| {
            tokens.insert(digest, grant(standing));
        });
    }

    fn hold_next_load(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (has_read, read) = oneshot::channel();
        let (go, go_on) = oneshot::channel();
        *self.hold_next_load.lock().unwrap() = Some(Held { has_read, go_on });
        (read, go)
    }

    fn check(&self) -> Result<(), SourceError> {
        let away = self.away.load(Ordering::SeqCst);
        if away { Err(SourceError("away".into())) } else { Ok(()) }
    }
}

impl GrantSource for FakeSource {
    fn begin(&self, _recently_used: usize) -> Answer<'_, Beginning> {
        Box::pin(async move {
            self.check()?;
            let state = self.state.lock().unwrap().clone();
            Ok(Beginning {
                applied: state.applied(),
                channels: vec![channel()],
                recently_used: vec![],
                now: Timestamp::from_millis(0),
            })
        })
    }

    fn load(&self, digest: TokenDigest) -> Answer<'_, Loaded> {
        Box::pin(async move {
            self.check()?;
            self.loads.fetch_add(1, Ordering::SeqCst);
            let (read, grant) = {
                let state = self.state.lock().unwrap();
                (state.applied(), state.tokens.get(&digest).cloned())
            };
            let held = self.hold_next_load.lock().unwrap().take();
            if let Some(held) = held {
                let _ = held.has_read.send(());
                let _ = held.go_on.await;
            }
            let newest = self.claims_newest.load(Ordering::SeqCst);
            let read = if newest { self.state.lock().unwrap().applied() } else { read };
            Ok(Loaded { revision: read.revision, stamp: read.stamp, grant })
        })
    }

    fn feed(&self, applied: Applied) -> Answer<'_, FeedRead> {
        Box::pin(async move {
            self.check()?;
            let state = self.state.lock().unwrap().clone();
            let known = applied.revision.0 <= state.revision;
            let mut changes = state.changes.clone();
            changes.retain(|change| change.revision > applied.revision);
            Ok(FeedRead {
                database: DatabaseIdentity("fake".into()),
                counter: Revision(state.revision),
                stamp_of_asked: known.then(|| state.stamp(applied.revision.0)),
                changes,
                channels: vec![],
                now: Timestamp::from_millis(0),
            })
        })
    }
}

fn channel() -> Channel {
    Channel {
        id: ChannelId(1),
        name: "private".parse().unwrap(),
        privacy: Privacy::Private,
        storage: "main".into(),
        prefix: "private".into(),
        include_subchannels: false,
    }
}

fn grant(standing: Standing) -> Grant {
    let granted = GrantedChannel { channel: ChannelId(1), permission: Permission::Read };
    let hint = TokenHint::from_stored("AbCd");
    Grant::new(TokenId(1), hint, PrincipalId(1), FAR, standing, vec![granted])
}

async fn table(source: &Arc<FakeSource>) -> Arc<Table> {
    table_by(Arc::new(ManualClock::at(Timestamp::from_millis(0))), source).await
}

async fn table_by(clock: Arc<ManualClock>, source: &Arc<FakeSource>) -> Arc<Table> {
    let source: Arc<dyn GrantSource> = Arc::<FakeSource>::clone(source);
    let table = Table::begin(source, clock, LIMITS, TERMS).await.unwrap();
    table.extend_lease(Moment::from_start(Duration::ZERO));
    Arc::new(table)
}

const TERMS: LeaseTerms = LeaseTerms {
    lease: Duration::from_secs(180),
    serve_known: Duration::ZERO,
    public_grace: Duration::ZERO,
};

async fn ask(table: &Table, token: &TokenSecret) -> Result<(), Undecided> {
    table.decide(Some("private"), &Credential::Token(token.into()), HERE, |_| {}).await.map(drop)
}

fn token() -> TokenSecret {
    TokenSecret::generate().unwrap()
}

const REVOKED: Standing = Standing::Revoked(FAR);

#[tokio::test]
async fn a_known_token_costs_one_read() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    source.put(&token, Standing::Active);
    let table = table(&source).await;
    for _ in 0..10 {
        assert_eq!(ask(&table, &token).await, Ok(()));
    }
    assert_eq!(source.loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn t1_unknown_tokens_are_remembered_until_they_are_made() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    let table = table(&source).await;
    for _ in 0..10 {
        assert_eq!(ask(&table, &token).await, Err(Denied::UnknownToken.into()));
    }
    assert_eq!(source.loads.load(Ordering::SeqCst), 1);
    source.put(&token, Standing::Active);
    table.catch_up().await.unwrap();
    assert_eq!(ask(&table, &token).await, Ok(()));
}

#[tokio::test]
async fn a_revoke_takes_effect_with_the_feed_and_is_explained() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    source.put(&token, Standing::Active);
    let table = table(&source).await;
    assert_eq!(ask(&table, &token).await, Ok(()));
    source.put(&token, REVOKED);
    table.catch_up().await.unwrap();
    assert_eq!(ask(&table, &token).await, Err(Denied::Revoked(FAR).into()));
}

#[tokio::test]
async fn a_change_of_the_principal_reaches_its_tokens() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    source.put(&token, Standing::Active);
    let table = table(&source).await;
    assert_eq!(ask(&table, &token).await, Ok(()));
    source.change(Touched::Principal(PrincipalId(1)), |tokens| {
        tokens.insert(token.digest(), grant(Standing::PrincipalInactive));
    });
    table.catch_up().await.unwrap();
    assert_eq!(ask(&table, &token).await, Err(Denied::PrincipalInactive.into()));
}

/// Insert after invalidate, as numbered steps. Returns what the request of step 1 is answered, and
/// what the next one is.
///
/// 1. A request reads the token: still active.
/// 2. The token is revoked.
/// 3. The gateway applies that.
/// 4. The read of step 1 comes back.
async fn race_of_a_read_with_a_revoke(
    touched: impl Fn(&TokenSecret) -> Touched,
    keep_rule: bool,
) -> [Result<(), Undecided>; 2] {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    source.put(&token, Standing::Active);
    let table = table(&source).await;
    source.claims_newest.store(!keep_rule, Ordering::SeqCst);

    let (has_read, go_on) = source.hold_next_load();
    let asking = tokio::spawn({
        let (table, token) = (Arc::clone(&table), token.clone());
        async move { ask(&table, &token).await }
    });
    has_read.await.unwrap(); // 1
    source.change(touched(&token), |tokens| {
        tokens.insert(token.digest(), grant(REVOKED));
    }); // 2
    table.catch_up().await.unwrap(); // 3
    go_on.send(()).unwrap(); // 4
    [asking.await.unwrap(), ask(&table, &token).await]
}

fn touched_by_digest(token: &TokenSecret) -> Touched {
    Touched::Token { id: TokenId(1), digest: token.digest() }
}

#[tokio::test]
async fn t2_a_read_that_was_outrun_is_neither_kept_nor_answered() {
    let refused = [Err(Denied::Revoked(FAR).into()), Err(Denied::Revoked(FAR).into())];
    assert_eq!(race_of_a_read_with_a_revoke(touched_by_digest, true).await, refused);
    let by_principal = |_: &TokenSecret| Touched::Principal(PrincipalId(1));
    assert_eq!(race_of_a_read_with_a_revoke(by_principal, true).await, refused);
}

#[tokio::test]
async fn t2_without_the_rule_a_revoked_token_goes_on() {
    let served = [Ok(()), Ok(())];
    assert_eq!(race_of_a_read_with_a_revoke(touched_by_digest, false).await, served);
}

#[tokio::test]
async fn t2_a_read_that_is_always_outrun_is_given_up() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    let table = table(&source).await;
    // The gateway is ahead of what reads see: as if it fed from the primary, read from a replica.
    table.current.load().outrun();
    assert_eq!(ask(&table, &token).await, Err(Undecided::Busy));
}

/// What a request is answered once the feed was read, that asks for a token which was read ahead of
/// the feed: never before.
async fn read_ahead(source: &FakeSource, table: &Arc<Table>, token: &TokenSecret) -> bool {
    let asking = tokio::spawn({
        let (table, token) = (Arc::clone(table), token.clone());
        async move { ask(&table, &token).await }
    });
    table.is_behind().await;
    assert_eq!(source.loads.load(Ordering::SeqCst), 1);
    assert!(!asking.is_finished());
    let continues = table.catch_up().await.unwrap();
    let expected = if continues { Denied::Revoked(FAR).into() } else { Undecided::Busy };
    assert_eq!(asking.await.unwrap(), Err(expected));
    assert_eq!(source.loads.load(Ordering::SeqCst), 1, "read again");
    continues
}

#[tokio::test]
async fn t2_what_was_read_ahead_of_the_feed_waits_for_it() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    let table = table(&source).await;
    source.put(&token, REVOKED);
    assert!(read_ahead(&source, &table, &token).await);
}

#[tokio::test]
async fn f4_what_was_read_ahead_of_another_history_is_void() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    let table = table(&source).await;
    *source.state.lock().unwrap() = State { history: 1, ..State::default() };
    source.put(&token, REVOKED);
    assert!(!read_ahead(&source, &table, &token).await);
}

/// As when an older copy is restored, and the read comes back late.
#[tokio::test]
async fn f4_what_the_feed_does_not_come_to_is_read_again() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    let table = table(&source).await;
    let before = source.state.lock().unwrap().clone();
    source.put(&token, Standing::Active);
    let (has_read, go_on) = source.hold_next_load();
    let asking = tokio::spawn({
        let (table, token) = (Arc::clone(&table), token.clone());
        async move { ask(&table, &token).await }
    });
    has_read.await.unwrap();
    *source.state.lock().unwrap() = before;
    go_on.send(()).unwrap();
    for _ in 0..2 {
        table.is_behind().await;
        assert!(table.catch_up().await.unwrap());
    }
    assert_eq!(asking.await.unwrap(), Err(Denied::UnknownToken.into()));
}

#[tokio::test]
async fn requests_for_one_token_share_one_read() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    source.put(&token, Standing::Active);
    let table = table(&source).await;
    let (has_read, go_on) = source.hold_next_load();
    let asking = |_| {
        let (table, token) = (Arc::clone(&table), token.clone());
        tokio::spawn(async move { ask(&table, &token).await })
    };
    let requests: Vec<_> = (0..20).map(asking).collect();
    has_read.await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    go_on.send(()).unwrap();
    for request in requests {
        assert_eq!(request.await.unwrap(), Ok(()));
    }
    assert_eq!(source.loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn f4_after_a_restore_the_table_is_begun_anew() {
    let (source, token) = (Arc::new(FakeSource::default()), token());
    source.put(&token, REVOKED);
    let before = source.state.lock().unwrap().clone();
    source.put(&token, Standing::Active);
    let table = table(&source).await;
    assert_eq!(ask(&table, &token).await, Ok(()));
    // Restored to before the token was made active, then changed as often as before: only the
    // stamp tells.
    *source.state.lock().unwrap() = State { history: 1, ..before };
    source.put(&token, REVOKED);
    assert!(!table.catch_up().await.unwrap());
    assert_eq!(ask(&table, &token).await, Err(Undecided::LeaseEnded));
    table.begin_anew().await.unwrap();
    assert_eq!(ask(&table, &token).await, Err(Undecided::LeaseEnded), "no lease of its own yet");
    table.extend_lease(Moment::from_start(Duration::ZERO));
    assert_eq!(ask(&table, &token).await, Err(Denied::Revoked(FAR).into()));
    assert_eq!(table.counts().begun_anew.get(), 1);
}

#[tokio::test]
async fn known_tokens_go_on_while_the_database_is_away() {
    let source = Arc::new(FakeSource::default());
    let (known, other) = (token(), token());
    source.put(&known, Standing::Active);
    let table = table(&source).await;
    assert_eq!(ask(&table, &known).await, Ok(()));
    source.away.store(true, Ordering::SeqCst);
    assert!(table.catch_up().await.is_err());
    assert_eq!(ask(&table, &known).await, Ok(()));
    assert_eq!(ask(&table, &other).await, Err(Undecided::Unreachable));
    source.away.store(false, Ordering::SeqCst);
    assert_eq!(ask(&table, &other).await, Err(Denied::UnknownToken.into()));
}

#[tokio::test]
async fn the_feed_lags_while_it_is_not_applied() {
    let source = Arc::new(FakeSource::default());
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
    let table = table_by(Arc::clone(&clock), &source).await;
    let second = Duration::from_secs(1);
    clock.advance(second);
    assert_eq!(table.feed_lag(), second);
    table.catch_up().await.unwrap();
    assert_eq!(table.feed_lag(), Duration::ZERO);
    source.away.store(true, Ordering::SeqCst);
    clock.advance(second);
    assert!(table.catch_up().await.is_err());
    assert_eq!(table.feed_lag(), second, "the database doesn't answer");
    source.away.store(false, Ordering::SeqCst);
    source.change(Touched::Everything, |_| {});
    assert!(!table.catch_up().await.unwrap());
    assert_eq!(table.feed_lag(), second, "what it answers is not applied");
    table.begin_anew().await.unwrap();
    assert_eq!(table.feed_lag(), Duration::ZERO);
}

#[tokio::test]
async fn the_index_of_principals_is_swept_of_what_was_evicted() {
    let source = Arc::new(FakeSource::default());
    let digests: Vec<_> = (0..20_000).map(|_| token().digest()).collect();
    for digest in &digests {
        source.change(Touched::Token { id: TokenId(1), digest: *digest }, |tokens| {
            tokens.insert(*digest, grant(Standing::Active));
        });
    }
    let table = table(&source).await;
    let era = table.current.load_full();
    for digest in digests {
        era.load(digest, &table.source, &table.control).await;
    }
    source.put(&token(), Standing::Active);
    table.catch_up().await.unwrap();
    assert!(era.indexed() < 10_000, "{} digests are indexed", era.indexed());
}
