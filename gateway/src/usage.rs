//! What is used, gathered beside the requests and reported in batches ([`reporter`]).
//!
//! Each worker thread counts into a shard of its own, whose lock it shares with the reporter alone:
//! a request waits for it while a report begins, for as long as it takes to swap a map.

mod reporter;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::Timestamp;
use access::usage::UsageKey;
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
    /// A request that opened a channel: the use of its token, but no download yet.
    pub(crate) fn begin(&self, key: UsageKey, at: Timestamp, from: IpAddr) -> Use<'_> {
        Use { shard: self, key, at, from, is_counted: false }
    }

    /// Counts bytes of an answer.
    pub(crate) fn sent(&self, meter: &Meter, bytes: u64) {
        if let Some(limiter) = &meter.limiter {
            limiter.add_bytes(meter.key.day, bytes);
        }
        if let Some(package) = &meter.package {
            let mut gathered = self.lock();
            let Some((day, room)) = gathered.day(meter.key) else { return };
            if day.add(package, 0, bytes).is_none() {
                day.begin(room, Arc::clone(package), 0, bytes);
            }
        }
    }

    fn take(&self) -> Gathered {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that opened a channel. Its use is counted with its answer, at the latest when this is
/// dropped.
pub(crate) struct Use<'s> {
    shard: &'s Shard,
    key: UsageKey,
    at: Timestamp,
    from: IpAddr,
    is_counted: bool,
}

impl Use<'_> {
    /// Counts an answer with content from here on. `package` is empty for what is no package;
    /// `downloads` is one where the answer counts as a download.
    pub(crate) fn answered(
        mut self,
        package: &str,
        downloads: u64,
        limiter: Option<Arc<Limiter>>,
    ) -> Meter {
        self.is_counted = true;
        let mut gathered = self.shard.lock();
        let package = gathered.used(self.key, self.at, self.from).and_then(|(day, room)| {
            let known = day.add(package, downloads, 0).cloned();
            known.or_else(|| day.begin(room, package.into(), downloads, 0))
        });
        Meter { key: self.key, package, limiter }
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        if !self.is_counted {
            self.shard.lock().used(self.key, self.at, self.from);
        }
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

/// Counts on their way into a report.
#[derive(Debug, Default)]
struct Gathered {
    days: HashMap<UsageKey, TokenDay>,
    room: Room,
}

/// What bounds them.
#[derive(Debug, Default)]
struct Room {
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
    /// When it was used last, and from where.
    last: Option<(Timestamp, IpAddr)>,
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
    /// What is counted under a key; none when there is no room for another.
    fn day(&mut self, key: UsageKey) -> Option<(&mut TokenDay, &mut Room)> {
        if self.days.len() >= COUNTS_MAX && !self.days.contains_key(&key) {
            self.room.dropped += 1;
            return None;
        }
        Some((self.days.entry(key).or_default(), &mut self.room))
    }

    /// Counts a use.
    fn used(
        &mut self,
        key: UsageKey,
        at: Timestamp,
        from: IpAddr,
    ) -> Option<(&mut TokenDay, &mut Room)> {
        let (day, room) = self.day(key)?;
        day.used(at, from);
        Some((day, room))
    }

    /// Adds what another shard, or an earlier time, has gathered.
    fn merge(&mut self, other: Self) {
        self.room.dropped += other.room.dropped;
        for (key, day) in other.days {
            let Some((known, room)) = self.day(key) else { continue };
            day.addresses.into_iter().for_each(|address| known.seen(address));
            if let Some((at, from)) = day.last {
                known.used(at, from);
            }
            for Count { package, downloads, bytes } in day.packages.into_values() {
                if known.add(&package, downloads, bytes).is_none() {
                    known.begin(room, package, downloads, bytes);
                }
            }
        }
    }
}

impl TokenDay {
    fn used(&mut self, at: Timestamp, from: IpAddr) {
        // Most requests of a token come from one place, one after the other.
        if self.last.is_none_or(|(_, last)| last != from) {
            self.seen(network(from));
        }
        if self.last.is_none_or(|(last, _)| at >= last) {
            self.last = Some((at, from));
        }
    }

    fn seen(&mut self, address: IpAddr) {
        if self.addresses.len() < ADDRESSES_MAX {
            self.addresses.insert(address);
        }
    }

    /// Adds to a package's count, and gives its name as it is shared; none when it has no count yet.
    fn add(&mut self, package: &str, downloads: u64, bytes: u64) -> Option<&Arc<str>> {
        let count = self.packages.get_mut(package)?;
        count.downloads += downloads;
        count.bytes += bytes;
        Some(&count.package)
    }

    /// Begins a package's count, and gives its name; none when there is no room.
    fn begin(
        &mut self,
        room: &mut Room,
        package: Arc<str>,
        downloads: u64,
        bytes: u64,
    ) -> Option<Arc<str>> {
        if room.counts >= COUNTS_MAX {
            room.dropped += 1;
            return None;
        }
        room.counts += 1;
        let count = Count { package: Arc::clone(&package), downloads, bytes };
        self.packages.insert(Arc::clone(&package), count);
        Some(package)
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
