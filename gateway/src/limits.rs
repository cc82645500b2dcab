//! Step 4, its end: what a token's use is held to beside its channels (product.md +4). Networks are
//! a matter of the decision itself ([`access::decide()`]); here is what takes counting.
//!
//! *Architecture invariant:* a token without such limits takes no lock here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use access::{Allowed, Day, Grant, Limited, Moment, Privacy, Timestamp, TokenId};
use dashmap::DashMap;

use crate::bucket::Bucket;

/// How long a token's counts are kept after its last request.
const KEPT_FOR: Duration = Duration::from_secs(60 * 60);

/// Which limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// Requests per second on this gateway.
    Requests,
    /// Bytes per day over all gateways.
    Bytes {
        /// Until the next day begins.
        retry_after: Duration,
    },
}

/// The counts of the limited tokens in use.
#[derive(Debug, Default)]
pub(crate) struct Limiters(DashMap<TokenId, Arc<Limiter>>);

impl Limiters {
    /// Whether the request may go on, and by which counts the bytes of its answer are held. A
    /// public channel is open to anyone, and so to a token that has used itself up.
    pub(crate) fn admit(
        &self,
        allowed: &Allowed,
        now: Timestamp,
        at: impl FnOnce() -> Moment,
    ) -> Result<Option<Arc<Limiter>>, Exceeded> {
        match allowed.by() {
            Some(live)
                if live.grant().limited().is_some_and(|limited| limited.limits.are_counted())
                    && allowed.channel().privacy != Privacy::Public =>
            {
                let at = at();
                let limiter = self.of(live.grant(), at);
                limiter.admit(live.grant(), now, at)?;
                Ok(Some(limiter))
            }
            _ => Ok(None),
        }
    }

    fn of(&self, grant: &Grant, at: Moment) -> Arc<Limiter> {
        if let Some(limiter) = self.0.get(&grant.token) {
            return Arc::clone(&limiter);
        }
        let limiter = self.0.entry(grant.token).or_insert_with(|| Limiter::new(grant, at).into());
        Arc::clone(&limiter)
    }

    /// Marks the bytes sent up to now as on their way into a report, forgets tokens that are no
    /// longer in use, and tells which ones' bytes of `day` are limited.
    pub(crate) fn begin_report(&self, day: Day, at: Moment) -> Vec<TokenId> {
        self.0.retain(|_, limiter| at.since(limiter.lock().last_used) < KEPT_FOR);
        let reported = self.0.iter().filter(|limiter| limiter.begin_report(day));
        reported.map(|limiter| *limiter.key()).collect()
    }

    /// Takes in how many bytes each of `asked` has been sent on `day` over all gateways; this
    /// gateway's are in it up to the last [`Self::begin_report`].
    pub(crate) fn reported(&self, day: Day, asked: &[TokenId], told: &[(TokenId, u64)]) {
        for limiter in asked.iter().filter_map(|token| self.0.get(token)) {
            let told = told.iter().find(|(token, _)| token == limiter.key());
            limiter.reported(day, told.map_or(0, |(_, bytes)| *bytes));
        }
    }
}

/// The counts of one token.
#[derive(Debug)]
pub(crate) struct Limiter(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    last_used: Moment,
    requests: Option<Bucket>,
    day: Day,
    /// Over all gateways, as told last.
    told: u64,
    /// Sent by this gateway, and in a report that `told` may not have in it.
    in_report: u64,
    /// Sent by this gateway since.
    since: u64,
}

impl Limiter {
    fn new(grant: &Grant, at: Moment) -> Self {
        let told = grant.limited().and_then(|limited| limited.bytes_of_day);
        let (day, told) = told.unwrap_or((Day::from_number(0), 0));
        let counts = Counts { last_used: at, requests: None, day, told, in_report: 0, since: 0 };
        Self(Mutex::new(counts))
    }

    fn admit(&self, grant: &Grant, now: Timestamp, at: Moment) -> Result<(), Exceeded> {
        let mut counts = self.lock();
        counts.last_used = at;
        counts.begin_day(now.day());
        let Some(Limited { limits, .. }) = grant.limited() else { return Ok(()) };
        if let Some(limit) = limits.bytes_per_day
            && counts.sent() >= limit.get()
        {
            return Err(Exceeded::Bytes { retry_after: now.day().end().since(now) });
        }
        if let Some(limit) = limits.requests_per_second {
            let per_second = f64::from(limit.get());
            let bucket = counts.requests.get_or_insert_with(|| Bucket::full(per_second, at));
            if !bucket.take(per_second, 0.0, at) {
                return Err(Exceeded::Requests);
            }
        }
        Ok(())
    }

    /// Counts bytes that were sent for a request of that day.
    pub(crate) fn add_bytes(&self, day: Day, bytes: u64) {
        let mut counts = self.lock();
        if counts.day == day {
            counts.since += bytes;
        }
    }

    fn begin_report(&self, day: Day) -> bool {
        let mut counts = self.lock();
        counts.in_report += std::mem::take(&mut counts.since);
        counts.day == day
    }

    fn reported(&self, day: Day, bytes: u64) {
        let mut counts = self.lock();
        if counts.day == day {
            counts.told = bytes;
            counts.in_report = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Counts are whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn begin_day(&mut self, day: Day) {
        if day > self.day {
            (self.day, self.told, self.in_report, self.since) = (day, 0, 0, 0);
        }
    }

    fn sent(&self) -> u64 {
        self.told.saturating_add(self.in_report).saturating_add(self.since)
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64};

    use access::{Limits, PrincipalId, Standing, TokenHint};

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_793_534_400_000);

    fn grant(requests_per_second: u32, bytes_per_day: u64) -> Grant {
        used(requests_per_second, bytes_per_day, None)
    }

    fn used(
        requests_per_second: u32,
        bytes_per_day: u64,
        bytes_of_day: Option<(Day, u64)>,
    ) -> Grant {
        let hint = TokenHint::from_stored("AbCd");
        let (token, principal, ends) = (TokenId(1), PrincipalId(1), NOON);
        let limits = Limits {
            networks: Box::default(),
            requests_per_second: NonZeroU32::new(requests_per_second),
            bytes_per_day: NonZeroU64::new(bytes_per_day),
        };
        Grant::new(token, hint, principal, ends, Standing::Active, vec![])
            .held_to(Limited { limits, bytes_of_day })
    }

    fn at(millis: u64) -> Moment {
        Moment::from_start(Duration::from_millis(millis))
    }

    fn admit(limiters: &Limiters, grant: &Grant, now: Timestamp, at: Moment) -> bool {
        limiters.of(grant, at).admit(grant, now, at).is_ok()
    }

    #[test]
    fn requests_come_at_their_rate_with_one_seconds_burst() {
        let (limiters, grant) = (Limiters::default(), grant(10, 0));
        let admitted = |at| (0..50).filter(|_| admit(&limiters, &grant, NOON, at)).count();
        assert_eq!(admitted(at(0)), 10);
        assert_eq!(admitted(at(300)), 3);
        assert_eq!(admitted(at(60_000)), 10);
    }

    #[test]
    fn bytes_are_counted_over_all_gateways_until_midnight() {
        let (limiters, grant) = (Limiters::default(), grant(0, 100));
        let limiter = limiters.of(&grant, at(0));
        assert_eq!(limiter.admit(&grant, NOON, at(0)), Ok(()));
        limiter.add_bytes(NOON.day(), 40);
        // The report says what all have sent; what was sent here since comes on top, once.
        assert_eq!(limiters.begin_report(NOON.day(), at(0)), [grant.token]);
        limiter.add_bytes(NOON.day(), 9);
        limiters.reported(NOON.day(), &[grant.token], &[(grant.token, 90)]);
        assert!(admit(&limiters, &grant, NOON, at(0)), "99 of 100");
        limiter.add_bytes(NOON.day(), 1);
        let retry_after = Duration::from_secs(12 * 60 * 60);
        assert_eq!(limiter.admit(&grant, NOON, at(0)), Err(Exceeded::Bytes { retry_after }));
        let tomorrow = NOON.day().end();
        assert!(admit(&limiters, &grant, tomorrow, at(0)));
        limiter.add_bytes(NOON.day(), 100);
        assert!(admit(&limiters, &grant, tomorrow, at(0)), "the day before counts for itself");
    }

    #[test]
    fn a_token_is_begun_with_what_the_database_knows_of_its_day() {
        let limiters = Limiters::default();
        let used_up = used(0, 100, Some((NOON.day(), 100)));
        assert!(!admit(&limiters, &used_up, NOON, at(0)));
        assert!(admit(&limiters, &used_up, NOON.day().end(), at(0)));
    }

    #[test]
    fn counts_of_tokens_out_of_use_are_forgotten() {
        let (limiters, grant) = (Limiters::default(), grant(0, 100));
        assert!(admit(&limiters, &grant, NOON, at(0)));
        assert_eq!(limiters.begin_report(NOON.day(), at(3_599_000)).len(), 1);
        assert_eq!(limiters.begin_report(NOON.day(), at(3_601_000)).len(), 0);
        assert!(limiters.0.is_empty());
    }
}
