//! What is used, gathered beside the requests and reported in batches ([`reporter`]).
//!
//! Each worker thread counts into a shard of its own, whose lock it shares with the reporter alone:
//! a request waits for it while a report begins, for as long as it takes to swap a map.

mod reporter;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::usage::{LastUse, UsageKey};
use access::{Timestamp, TokenId};
use foldhash::{HashMap, HashSet};

pub(crate) use self::reporter::{Gauges, Reporter, ReporterCounts, Reporting};
use crate::limits::Limiter;

/// How many counts one gateway holds for the next report; what is new beyond is dropped, and
/// counted as dropped.
const COUNTS_MAX: usize = 100_000;
/// How many addresses are told of one token, channel and day in one report.
const ADDRESSES_MAX: usize = 1_000;

/// What one worker thread has gathered since the last report.
#[derive(Debug, Default)]
pub(crate) struct Shard(Mutex<Gathered>);

impl Shard {
    /// Counts a request that opened a channel: the use of its token, but no download yet.
    pub(crate) fn used(&self, key: UsageKey, at: Timestamp, from: IpAddr) {
        self.lock().used(key, at, from);
    }

    /// Counts an answer with content from here on. `package` is empty for what is no package;
    /// `downloads` is one where the answer counts as a download.
    pub(crate) fn answered(
        &self,
        key: UsageKey,
        package: &str,
        downloads: u64,
        limiter: Option<Arc<Limiter>>,
    ) -> Meter {
        let package = self.lock().add(key, Package::Text(package), downloads, 0);
        Meter { key, package, limiter }
    }

    /// Counts bytes of an answer.
    pub(crate) fn sent(&self, meter: &Meter, bytes: u64) {
        if let Some(limiter) = &meter.limiter {
            limiter.add_bytes(meter.key.day, bytes);
        }
        if let Some(package) = &meter.package {
            self.lock().add(meter.key, Package::Known(package), 0, bytes);
        }
    }

    fn take(&self) -> Gathered {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an answer's bytes are counted.
#[derive(Debug)]
pub(crate) struct Meter {
    key: UsageKey,
    /// None when there was no room to count it.
    package: Option<Arc<str>>,
    limiter: Option<Arc<Limiter>>,
}

/// A package's name that is in the counts, or only perhaps.
#[derive(Clone, Copy)]
enum Package<'p> {
    Known(&'p Arc<str>),
    Text(&'p str),
}

/// Counts on their way into a report.
#[derive(Debug, Default)]
struct Gathered {
    days: HashMap<UsageKey, TokenDay>,
    last_uses: HashMap<TokenId, LastUse>,
    /// How many counts the days have.
    counts: usize,
    /// How many more there would be, had there been room.
    dropped: u64,
}

/// One token's use of one channel on one day.
#[derive(Debug, Default)]
struct TokenDay {
    packages: HashMap<Arc<str>, Count>,
    addresses: HashSet<IpAddr>,
    /// The one that was counted last.
    last: Option<IpAddr>,
}

/// One package's part of it.
#[derive(Debug)]
struct Count {
    /// The same name as the key.
    package: Arc<str>,
    downloads: u64,
    bytes: u64,
}

impl Gathered {
    fn used(&mut self, key: UsageKey, at: Timestamp, from: IpAddr) {
        if let Some(token) = key.token {
            self.used_last(LastUse { token, at, from });
        }
        self.seen(key, network(from));
    }

    fn used_last(&mut self, last: LastUse) {
        if self.last_uses.len() >= COUNTS_MAX && !self.last_uses.contains_key(&last.token) {
            self.dropped += 1;
            return;
        }
        let known = self.last_uses.entry(last.token).or_insert(last);
        if last.at >= known.at {
            *known = last;
        }
    }

    fn seen(&mut self, key: UsageKey, address: IpAddr) {
        if let Some(day) = self.days.get_mut(&key) {
            // Most requests of a token come from one place, one after the other.
            if day.last != Some(address) && day.addresses.len() < ADDRESSES_MAX {
                day.addresses.insert(address);
                day.last = Some(address);
            }
        } else if self.days.len() < COUNTS_MAX {
            self.days.entry(key).or_default().addresses.insert(address);
        }
    }

    /// Adds to a package's count, and gives its name as it is shared; none when there is no room.
    fn add(
        &mut self,
        key: UsageKey,
        package: Package<'_>,
        downloads: u64,
        bytes: u64,
    ) -> Option<Arc<str>> {
        let text = match package {
            Package::Known(name) => name,
            Package::Text(text) => text,
        };
        let known = self.days.get_mut(&key).and_then(|day| day.packages.get_mut(text));
        if let Some(count) = known {
            count.downloads += downloads;
            count.bytes += bytes;
            return Some(Arc::clone(&count.package));
        }
        if self.counts >= COUNTS_MAX {
            self.dropped += 1;
            return None;
        }
        self.counts += 1;
        let package = match package {
            Package::Known(name) => Arc::clone(name),
            Package::Text(text) => Arc::from(text),
        };
        let count = Count { package: Arc::clone(&package), downloads, bytes };
        self.days.entry(key).or_default().packages.insert(Arc::clone(&package), count);
        Some(package)
    }

    /// Adds what another shard, or an earlier time, has gathered.
    fn merge(&mut self, other: Self) {
        self.dropped += other.dropped;
        for last in other.last_uses.into_values() {
            self.used_last(last);
        }
        for (key, day) in other.days {
            for address in day.addresses {
                self.seen(key, address);
            }
            for count in day.packages.into_values() {
                self.add(key, Package::Known(&count.package), count.downloads, count.bytes);
            }
        }
    }
}

/// Whoever has one IPv6 address has its whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
