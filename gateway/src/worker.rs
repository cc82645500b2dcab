//! What one worker thread has for its requests. Nothing here is shared between threads but what is
//! read-mostly: the table, the metrics, and the counts of limited tokens.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::limits::Limiters;
use crate::listener::{Field, Fields};
use crate::metrics::Metrics;
use crate::record::LogLines;
use crate::storage::Storages;
use crate::table::Table;
use crate::target::MountPrefixes;
use crate::usage::Shard;
use crate::watched::Watches;
use access::{Clock, TrustedProxies};

pub(crate) struct Worker {
    pub(crate) table: Arc<Table>,
    pub(crate) storages: Storages,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: LogLines,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<RequestSettings>,
    pub(crate) ids: RequestIds,
    pub(crate) limiters: Arc<Limiters>,
    pub(crate) usage: Arc<Shard>,
    pub(crate) watches: Rc<Watches>,
    /// The drain is over: what is still being sent is cut.
    pub(crate) drained: Cell<bool>,
}

/// The settings that requests are answered by.
pub(crate) struct RequestSettings {
    pub(crate) mounts: MountPrefixes,
    pub(crate) contact: Option<String>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) expiry_warning: Duration,
    pub(crate) send_timeout: Duration,
}

impl RequestSettings {
    pub(crate) fn new(settings: &config::Gateway) -> Self {
        Self {
            mounts: MountPrefixes::new(settings.mount_prefixes.iter().map(|m| m.as_str())),
            contact: settings.contact.clone(),
            trusted_proxies: TrustedProxies::new(settings.trusted_proxies.clone()),
            expiry_warning: settings.expiry_warning,
            send_timeout: settings.limits.send_timeout,
        }
    }

    /// Who asks.
    pub(crate) fn client(&self, peer: IpAddr, fields: &Fields<'_>) -> IpAddr {
        self.trusted_proxies.client(peer, fields.all(Field::XForwardedFor))
    }
}

/// Makes ids that tell requests apart across threads and restarts.
pub(crate) struct RequestIds {
    first: RequestId,
    next: Cell<u32>,
}

impl RequestIds {
    /// Ids beginning with `prefix`, which no other thread has.
    pub(crate) fn new(prefix: u64) -> Self {
        Self { first: RequestId::new(prefix, 0), next: Cell::new(0) }
    }

    pub(crate) fn next(&self) -> RequestId {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        self.first.numbered(number)
    }
}

/// A request's id, as it is told: 20 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 20]);

impl RequestId {
    /// 12 digits of the thread, 8 of the request.
    pub(crate) fn new(thread: u64, request: u32) -> Self {
        let mut id = [b'0'; 20];
        write_digits(&mut id[..12], thread);
        Self(id).numbered(request)
    }

    /// Another request's of the same thread.
    fn numbered(mut self, request: u32) -> Self {
        write_digits(&mut self.0[12..], request.into());
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Writes the last digits of a number, as many as there is room for.
fn write_digits(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number % 16) as usize];
        number /= 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_threads_and_requests_apart() {
        let ids = RequestIds::new(0xfff_0019_b2c3_d4e5);
        assert_eq!(ids.next().as_str(), "0019b2c3d4e500000000");
        assert_eq!(ids.next().as_str(), "0019b2c3d4e500000001");
    }
}
