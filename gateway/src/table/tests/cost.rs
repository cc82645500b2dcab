//! What a check costs, from a request's target to leave to open a file, all in memory, as tokens and
//! channels grow. Long, and worth something only optimised: docs/performance.md has the command and
//! what it said.

use std::hint::black_box;
use std::net::Ipv4Addr;

use access::source::{Answer, Beginning, DatabaseIdentity, FeedRead, Loaded, Revision, Stamp};
use access::{
    Channel, ChannelId, Grant, GrantedChannel, Permission, PrincipalId, Standing, SystemClock,
    TokenDigest, TokenHint, TokenId, TokenSecret,
};
use futures_util::FutureExt as _;
use rustix::time::{ClockId, clock_gettime};

use super::super::*;
use crate::credential;
use crate::listener::Fields;
use crate::target::{self, MountPrefixes};

const ROUNDS: usize = 7;
const CHECKS: usize = 200_000;
/// So many targets lie ready at a time, as they do where they have just been received.
const AT_A_TIME: usize = 64;
const TOKENS_PER_PRINCIPAL: usize = 50;
const AT_MOST: Duration = Duration::from_micros(1);
const FAR: Timestamp = Timestamp::from_millis(i64::MAX);

/// A control database that is read once.
struct Fixed(Beginning);

impl GrantSource for Fixed {
    fn begin(&self, _recently_used: usize) -> Answer<'_, Beginning> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn load(&self, _digest: TokenDigest) -> Answer<'_, Loaded> {
        Box::pin(async { Err(SourceError("every token is in memory".to_owned())) })
    }

    fn feed(&self, _applied: Applied) -> Answer<'_, FeedRead> {
        Box::pin(async { Err(SourceError("nothing changes".to_owned())) })
    }
}

fn channel(number: usize) -> Channel {
    Channel {
        id: ChannelId(i64::try_from(number).unwrap()),
        name: format!("team-{number}/prod").parse().unwrap(),
        privacy: Privacy::Private,
        storage: "main".into(),
        prefix: "".into(),
        include_subchannels: false,
    }
}

/// A token for one of the channels.
fn grant(number: usize, channels: usize) -> Grant {
    let id = |number: usize| i64::try_from(number).unwrap();
    let channel = ChannelId(id(number % channels));
    let granted = GrantedChannel { channel, permission: Permission::Read };
    let hint = TokenHint::from_stored("AbCd");
    let principal = PrincipalId(id(number / TOKENS_PER_PRINCIPAL));
    Grant::new(TokenId(id(number)), hint, principal, FAR, Standing::Active, vec![granted])
}

/// The table, and a request's target for each of its tokens.
async fn begin(tokens: usize, channels: usize) -> (Table, Vec<String>) {
    let secrets: Vec<_> = (0..tokens).map(|_| TokenSecret::generate().unwrap()).collect();
    let digests = secrets.iter().map(TokenSecret::digest).enumerate();
    let beginning = Beginning {
        applied: Applied {
            revision: Revision(1),
            stamp: Stamp(1),
            database: DatabaseIdentity("fixed".to_owned()),
        },
        channels: (0..channels).map(channel).collect(),
        recently_used: digests.map(|(n, digest)| (digest, grant(n, channels))).collect(),
        now: Timestamp::from_millis(0),
    };
    let path = |(number, secret): (usize, &TokenSecret)| {
        let name = channel(number % channels).name;
        format!("/t/{}/{name}/noarch/some-package-1.2.3-py312_0.conda", secret.reveal())
    };
    let paths = secrets.iter().enumerate().map(path).collect();
    let limits = TableLimits {
        size_bytes: u64::MAX,
        misses_per_second: 1,
        misses_per_second_per_address: 1,
    };
    let hour = Duration::from_secs(3600);
    let terms = LeaseTerms { lease: hour, serve_known: hour, public_grace: hour };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let table = Table::begin(Arc::new(Fixed(beginning)), clock, limits, terms).await.unwrap();
    table.extend_lease(SystemClock.moment());
    (table, paths)
}

fn check(table: &Table, mounts: &MountPrefixes, fields: &Fields<'_>, path: &str) -> bool {
    let target = target::read(path, mounts).unwrap();
    let credential = credential::find(target.token, fields).unwrap();
    let address = Ipv4Addr::LOCALHOST.into();
    let decided = table.decide(target.channel, &credential, address, |_| {});
    decided.now_or_never().is_some_and(|decided| decided.is_ok())
}

/// How long the processor has worked for this thread: other work on the machine doesn't count.
fn worked() -> Duration {
    let worked = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(worked.tv_nsec).unwrap();
    Duration::new(worked.tv_sec.unsigned_abs(), nanos)
}

/// Numbers of tokens in no order.
#[derive(Clone, Copy)]
enum Draw {
    /// A few often and most seldom, by Zipf's law, as in `loadtest`.
    Zipf,
    /// Each as often: as little in the processor's caches as can be.
    Evenly,
}

impl Draw {
    fn numbers(self, tokens: usize) -> impl Iterator<Item = usize> {
        // Prime to all counts: every token's turn comes, neighbours far apart.
        const STRIDE: usize = 7_368_787;
        let weigh = |sum: &mut f64, place: usize| {
            *sum += 1.0 / place as f64;
            Some(*sum)
        };
        let sums: Vec<f64> = (1..=tokens).scan(0.0, weigh).collect();
        // The golden ratio's multiples lie evenly between 0 and 1, in no order.
        let place = move |n: usize| {
            let drawn = (n as f64 * 0.618_033_988_749_895).fract() * sums[tokens - 1];
            sums.partition_point(|sum| *sum < drawn)
        };
        (0..CHECKS).map(move |n| match self {
            Self::Zipf => place(n) * STRIDE % tokens,
            Self::Evenly => n * STRIDE % tokens,
        })
    }
}

/// The middle one of several rounds.
fn cost(table: &Table, paths: &[String], draw: Draw) -> Duration {
    let (mounts, fields) = (MountPrefixes::default(), Fields::default());
    let asked: Vec<&str> = draw.numbers(paths.len()).map(|number| &*paths[number]).collect();
    let mut ready = [const { String::new() }; AT_A_TIME];
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut spent = Duration::ZERO;
        for some in asked.chunks(AT_A_TIME) {
            ready.iter_mut().zip(some).for_each(|(ready, path)| (*path).clone_into(ready));
            let begun = worked();
            for path in &ready[..some.len()] {
                assert!(check(table, &mounts, &fields, black_box(path)), "refused");
            }
            spent += worked() - begun;
        }
        rounds.push(spent / u32::try_from(CHECKS).unwrap());
    }
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

#[tokio::test]
#[ignore = "a benchmark"]
async fn a_check_costs_the_same_however_many_tokens_and_channels() {
    const TOKENS: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
    const CHANNELS: [usize; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
    println!("| tokens | channels | by Zipf's law | each as often |\n| --- | --- | --- | --- |");
    let by_tokens = TOKENS.map(|tokens| (tokens, 100));
    let by_channels = CHANNELS.map(|channels| (100_000, channels));
    let mut most = Duration::ZERO;
    for (tokens, channels) in by_tokens.into_iter().chain(by_channels) {
        let (table, paths) = begin(tokens, channels).await;
        let [zipf, evenly] = [Draw::Zipf, Draw::Evenly].map(|draw| cost(&table, &paths, draw));
        println!("| {tokens} | {channels} | {} ns | {} ns |", zipf.as_nanos(), evenly.as_nanos());
        most = most.max(zipf);
    }
    assert!(most < AT_MOST, "{most:?}");
}
