//! Sign-in attempts, limited per account and address, so that a password can't be guessed by
//! trying. In memory: a restart forgives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use access::Moment;

use super::Error;

/// How many failures for one account from one address in [`WINDOW`] are looked at.
const MAX_FAILURES: u32 = 10;
/// How many from one address for all accounts: many people may share one.
const MAX_FAILURES_FROM_ADDRESS: u32 = 100;
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// How many accounts and addresses are remembered. Past that, those whose window began first
/// are forgotten.
const MAX_ENTRIES: usize = 10_000;

/// An account at an address, or without an account all that come from there.
type Key = (Option<String>, Option<IpAddr>);

/// The failures of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Key, Failures>>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Moment,
    count: u32,
}

impl Attempts {
    /// Counts an attempt as failed before it is looked at, so that many at once are no way round.
    pub(super) fn begin(
        &self,
        account: &str,
        from: Option<IpAddr>,
        now: Moment,
    ) -> Result<(), Error> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account_there = (Some(account.to_owned()), from);
        let limits = [(account_there, MAX_FAILURES), ((None, from), MAX_FAILURES_FROM_ADDRESS)];
        // Nobody is told apart at the machine itself.
        let limits = &limits[..if from.is_some() { 2 } else { 1 }];
        for (key, max) in limits {
            let Some(entry) = failures.get(key) else { continue };
            let left = WINDOW.saturating_sub(now.since(entry.since));
            if entry.count >= *max && !left.is_zero() {
                return Err(Error::TooManyAttempts { retry_after_secs: left.as_secs() + 1 });
            }
        }
        for (key, _) in limits {
            if failures.len() >= MAX_ENTRIES && !failures.contains_key(key) {
                forget(&mut failures, now);
            }
            let begun = Failures { since: now, count: 0 };
            let entry = failures.entry(key.clone()).or_insert(begun);
            if now.since(entry.since) >= WINDOW {
                *entry = begun;
            }
            entry.count += 1;
        }
        Ok(())
    }

    /// Forgives the account from this address, and the address this attempt.
    pub(super) fn succeeded(&self, account: &str, from: Option<IpAddr>) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&(Some(account.to_owned()), from));
        if let Some(entry) = failures.get_mut(&(None, from)) {
            entry.count = entry.count.saturating_sub(1);
        }
    }
}

fn forget(failures: &mut HashMap<Key, Failures>, now: Moment) {
    failures.retain(|_, entry| now.since(entry.since) < WINDOW);
    if failures.len() >= MAX_ENTRIES
        && let Some(oldest) = failures.iter().min_by_key(|(_, entry)| entry.since)
    {
        let oldest = oldest.0.clone();
        failures.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::from_start(Duration::from_secs(secs))
    }

    #[test]
    fn the_eleventh_failure_in_five_minutes_is_not_looked_at() {
        let attempts = Attempts::default();
        let from = Some(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..MAX_FAILURES {
            attempts.begin("alice", from, at(0)).unwrap();
        }
        let refused = attempts.begin("alice", from, at(299)).unwrap_err();
        assert!(matches!(refused, Error::TooManyAttempts { retry_after_secs: 2 }), "{refused}");
        attempts.begin("bob", from, at(0)).unwrap();
        attempts.begin("alice", Some(IpAddr::from([192, 0, 2, 2])), at(0)).unwrap();
        attempts.begin("alice", from, at(300)).unwrap();
    }

    #[test]
    fn one_address_cannot_try_one_password_on_everybody() {
        let attempts = Attempts::default();
        let from = Some(IpAddr::from([192, 0, 2, 1]));
        for n in 0..MAX_FAILURES_FROM_ADDRESS {
            attempts.begin(&format!("u{n}"), from, at(0)).unwrap();
        }
        let refused = attempts.begin("alice", from, at(0)).unwrap_err();
        assert!(matches!(refused, Error::TooManyAttempts { .. }), "{refused}");
        attempts.begin("alice", Some(IpAddr::from([192, 0, 2, 2])), at(0)).unwrap();
        attempts.succeeded("u0", from);
        attempts.begin("alice", from, at(0)).unwrap();
    }

    #[test]
    fn success_forgives_and_memory_is_bounded() {
        let attempts = Attempts::default();
        for _ in 0..=MAX_FAILURES {
            attempts.begin("alice", None, at(0)).unwrap();
            attempts.succeeded("alice", None);
        }
        for n in 0..MAX_ENTRIES as u64 + 50 {
            attempts.begin(&format!("u{n}"), None, at(n / 100)).unwrap();
        }
        assert!(attempts.0.lock().unwrap().len() <= MAX_ENTRIES);
    }
}
