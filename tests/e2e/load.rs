//! Many clients with many tokens while some of them are revoked: every answer is right.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use access::{Privacy, TokenSecret};

use crate::site::{DAY, Database, Revocation, Setup, Site, Standing, ago, files};

const CONNECTIONS: usize = 200;
const REQUESTS: usize = 20_000;
/// Tokens in all, and of each kind; the rest is valid to the end.
const TOKENS: usize = 1_000;
const TO_BE_REVOKED: usize = 300;
const EXPIRED: usize = 100;
const UNKNOWN: usize = 100;
const UNGRANTED: usize = 100;
/// In how many steps tokens are revoked, evenly over the requests.
const BATCHES: usize = 10;

const FILES: [&str; 3] =
    ["noarch/repodata.json", "noarch/repodata.json.zst", "noarch/demo-data-2026.11.1-0.conda"];

#[test]
fn every_answer_is_right_on_sqlite() {
    every_answer_is_right(Database::Sqlite);
}

#[test]
fn every_answer_is_right_on_postgres() {
    every_answer_is_right(Database::Postgres);
}

/// A token, and what the database has of it.
struct Known {
    value: String,
    kind: Kind,
    revocation: Revocation,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Valid,
    Expired,
    Unknown,
    Ungranted,
}

impl Known {
    fn new(value: String, kind: Kind) -> Self {
        Self { value, kind, revocation: Revocation::default() }
    }

    /// The statuses that are right for a request that began and ended in these.
    fn right(&self, began: Standing, ended: Standing) -> &'static [u16] {
        match (self.kind, began, ended) {
            (Kind::Expired | Kind::Unknown, ..) | (_, Standing::Gone, _) => &[401],
            (Kind::Ungranted, ..) => &[403],
            (Kind::Valid, _, Standing::Valid) => &[200],
            (Kind::Valid, ..) => &[200, 401],
        }
    }
}

/// How far clients and revoker are.
#[derive(Default)]
struct Progress {
    asked: AtomicUsize,
    batches: AtomicUsize,
    /// Requests with a token that was known to be revoked.
    with_revoked: AtomicUsize,
}

fn every_answer_is_right(database: Database) {
    let setup = Setup::with_demo_channel(database);
    setup.admin.channel("elsewhere", Privacy::Private, "main", "demo");
    let site = setup.start();
    let to_be_revoked: Vec<_> = (0..TO_BE_REVOKED).map(|_| site.admin.token(&["demo"])).collect();
    let mut tokens: Vec<Known> =
        to_be_revoked.iter().map(|t| Known::new(t.value.clone(), Kind::Valid)).collect();
    let add = |tokens: &mut Vec<Known>, count, kind, make: &dyn Fn() -> String| {
        tokens.extend((0..count).map(|_| Known::new(make(), kind)));
    };
    let admin = &site.admin;
    let expired = || admin.token_from(ago(40 * DAY), 30 * DAY, &["demo"]).value;
    add(&mut tokens, EXPIRED, Kind::Expired, &expired);
    let unknown = || TokenSecret::generate().unwrap().reveal().to_owned();
    add(&mut tokens, UNKNOWN, Kind::Unknown, &unknown);
    add(&mut tokens, UNGRANTED, Kind::Ungranted, &|| admin.token(&["elsewhere"]).value);
    let rest = TOKENS - tokens.len();
    add(&mut tokens, rest, Kind::Valid, &|| admin.token(&["demo"]).value);

    let bodies = FILES.map(|file| std::fs::read(files::demo_channel().join(file)).unwrap());
    let progress = Progress::default();
    std::thread::scope(|scope| {
        let (site, tokens, bodies, progress) = (&site, &tokens, &bodies, &progress);
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|n| scope.spawn(move || client(n, site, tokens, bodies, progress).unwrap()))
            .collect();
        for (batch, revoked) in to_be_revoked.chunks(TO_BE_REVOKED / BATCHES).enumerate() {
            // Not before its time, unless the clients have failed.
            while progress.asked.load(Ordering::SeqCst) < batch * REQUESTS / BATCHES / 2
                && !clients.iter().any(std::thread::ScopedJoinHandle::is_finished)
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            let first = batch * TO_BE_REVOKED / BATCHES;
            let known = &tokens[first..first + revoked.len()];
            known.iter().for_each(|token| token.revocation.set(Standing::Going));
            let last = revoked.iter().map(|token| site.admin.revoke(token)).max().unwrap();
            site.wait_for(last);
            known.iter().for_each(|token| token.revocation.set(Standing::Gone));
            progress.batches.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!(progress.asked.load(Ordering::SeqCst), REQUESTS);
    let with_revoked = progress.with_revoked.load(Ordering::SeqCst);
    println!("{with_revoked} of {REQUESTS} requests had a token known to be revoked");
    assert!(with_revoked > REQUESTS / 50, "{with_revoked}");
    site.stop();
}

fn client(
    number: usize,
    site: &Site,
    tokens: &[Known],
    bodies: &[Vec<u8>; 3],
    progress: &Progress,
) -> io::Result<()> {
    let mut connection = site.connect();
    let mut random = number as u64 + 1;
    for n in 0..REQUESTS / CONNECTIONS {
        // No further ahead of the revoker than half of the requests, so that enough come after it.
        while progress.asked.load(Ordering::SeqCst)
            > (progress.batches.load(Ordering::SeqCst) + BATCHES / 2) * REQUESTS / BATCHES
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Marsaglia's xorshift.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let token = &tokens[usize::try_from(random % TOKENS as u64).unwrap()];
        let file = n % FILES.len();
        let path = format!("/t/{}/demo/{}", token.value, FILES[file]);
        let began = token.revocation.standing();
        let answer = connection.get(&path, &[]);
        let ended = token.revocation.standing();
        let answer = match answer {
            Ok(answer) if answer.whole => answer,
            // Cut, because its token was revoked meanwhile (sync.md T3).
            Ok(_) | Err(_) if ended != Standing::Valid => {
                connection = site.connect();
                progress.asked.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            Ok(answer) => panic!("{} bytes of {}", answer.body.len(), FILES[file]),
            Err(why) => return Err(why),
        };
        let right = token.right(began, ended);
        let status = answer.status();
        assert!(right.contains(&status), "{status} is not of {right:?}: {began:?} to {ended:?}");
        assert!(status != 200 || answer.body == bodies[file], "other bytes of {}", FILES[file]);
        progress.with_revoked.fetch_add(usize::from(began == Standing::Gone), Ordering::SeqCst);
        progress.asked.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}
