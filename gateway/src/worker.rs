//! What one worker thread has for its requests. Nothing here is shared between threads but what is
//! read-mostly: the table, the metrics, and the counts of limited tokens.

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::Clock;
use http::HeaderMap;
use ipnet::IpNet;

use crate::limits::Limiters;
use crate::metrics::Metrics;
use crate::record::LogLines;
use crate::storage::Storages;
use crate::table::Table;
use crate::target::MountPrefixes;
use crate::usage::Shard;
use crate::watched::Watches;

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
    pub(crate) watches: Watches,
    /// The drain is over: what is still being sent is cut.
    pub(crate) drained: Cell<bool>,
}

/// The settings that requests are answered by.
pub(crate) struct RequestSettings {
    pub(crate) mounts: MountPrefixes,
    pub(crate) contact: Option<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) expiry_warning: Duration,
    pub(crate) send_timeout: Duration,
}

impl RequestSettings {
    pub(crate) fn new(settings: &config::Gateway) -> Self {
        Self {
            mounts: MountPrefixes::new(settings.mount_prefixes.iter().map(|m| m.as_str())),
            contact: settings.contact.clone(),
            trusted_proxies: settings.trusted_proxies.clone(),
            expiry_warning: settings.expiry_warning,
            send_timeout: settings.limits.send_timeout,
        }
    }

    /// Who asks: the peer, or behind proxies that are trusted the nearest address that isn't one
    /// of theirs.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let trusted =
            |address: &IpAddr| self.trusted_proxies.iter().any(|net| net.contains(address));
        let peer = peer.to_canonical();
        if !trusted(&peer) {
            return peer;
        }
        let fields = headers.get_all("x-forwarded-for").iter().rev();
        let hops = fields.filter_map(|field| field.to_str().ok()).flat_map(|f| f.rsplit(','));
        let mut nearest = peer;
        for hop in hops {
            let Ok(address) = hop.trim().parse::<IpAddr>() else {
                break;
            };
            nearest = address.to_canonical();
            if !trusted(&nearest) {
                break;
            }
        }
        nearest
    }
}

/// Makes ids that tell requests apart across threads and restarts.
pub(crate) struct RequestIds {
    prefix: u64,
    next: Cell<u32>,
}

impl RequestIds {
    /// Ids beginning with `prefix`, which no other thread has.
    pub(crate) fn new(prefix: u64) -> Self {
        Self { prefix, next: Cell::new(0) }
    }

    pub(crate) fn next(&self) -> String {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        format!("{:012x}{number:08x}", self.prefix & 0xffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let settings = RequestSettings {
            mounts: MountPrefixes::default(),
            contact: None,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            expiry_warning: Duration::ZERO,
            send_timeout: Duration::ZERO,
        };
        let client = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for field in forwarded {
                headers.append("x-forwarded-for", field.parse().unwrap());
            }
            settings.client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.7", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, junk"]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }
}
