//! The bound on lookups of tokens that are not in memory: the defence against somebody who makes
//! up tokens, since anyone can compute a checksum (sync.md T1).

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use access::Moment;
use moka::sync::Cache;

use super::TableLimits;
use crate::bucket::Bucket;
use crate::usage::network;

/// How many source addresses are told apart at a time; the least recent ones start afresh.
const ADDRESSES_MAX: u64 = 65_536;
/// The share of all lookups, one in this many, that only tokens with a valid checksum may use.
const KEPT_SHARE: f64 = 4.0;

pub(super) struct Misses {
    all: Mutex<Bucket>,
    by_address: Cache<IpAddr, std::sync::Arc<Mutex<Bucket>>>,
    per_second: f64,
    per_second_per_address: f64,
}

impl Misses {
    pub(super) fn new(limits: TableLimits) -> Self {
        let per_second = f64::from(limits.misses_per_second);
        Self {
            all: Mutex::new(Bucket::full(per_second, Moment::from_start(Duration::ZERO))),
            by_address: Cache::builder()
                .max_capacity(ADDRESSES_MAX)
                .time_to_idle(Duration::from_secs(60))
                .build(),
            per_second,
            per_second_per_address: f64::from(limits.misses_per_second_per_address),
        }
    }

    /// Whether a lookup for `address` may be made now.
    pub(super) fn admit(&self, address: IpAddr, checksum_valid: bool, now: Moment) -> bool {
        let rate = self.per_second_per_address;
        let bucket = self
            .by_address
            .get_with(network(address), || Mutex::new(Bucket::full(rate, now)).into());
        if !locked(&bucket).take(rate, 0.0, now) {
            return false;
        }
        let kept = if checksum_valid { 0.0 } else { self.per_second / KEPT_SHARE };
        locked(&self.all).take(self.per_second, kept, now)
    }
}

fn locked(bucket: &Mutex<Bucket>) -> std::sync::MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misses(per_second: u32, per_address: u32) -> Misses {
        Misses::new(TableLimits {
            size_bytes: 1 << 20,
            misses_per_second: per_second,
            misses_per_second_per_address: per_address,
        })
    }

    fn admitted(misses: &Misses, addresses: impl Iterator<Item = IpAddr>, ours: bool) -> usize {
        let now = Moment::from_start(Duration::from_secs(10));
        addresses.filter(|&address| misses.admit(address, ours, now)).count()
    }

    fn v4(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn t1_one_address_has_its_share_and_no_more() {
        let misses = misses(1_000, 50);
        assert_eq!(admitted(&misses, std::iter::repeat_n(v4(1), 500), true), 50);
        assert_eq!(admitted(&misses, std::iter::repeat_n(v4(2), 500), true), 50);
        let later = Moment::from_start(Duration::from_millis(10_500));
        assert_eq!((0..500).filter(|_| misses.admit(v4(1), true, later)).count(), 25);
    }

    #[test]
    fn t1_a_share_is_kept_for_tokens_with_a_checksum() {
        let misses = misses(1_000, 50);
        assert_eq!(admitted(&misses, (0..5_000).map(v4), false), 750);
        assert_eq!(admitted(&misses, (10_000..15_000).map(v4), true), 250);
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let misses = misses(1_000, 50);
        let same_network = (0..500u128).map(|n| IpAddr::V6(((0x2001_0db8 << 96) + n).into()));
        assert_eq!(admitted(&misses, same_network, true), 50);
    }
}
