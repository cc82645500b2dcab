//! What a token's use is held to, beside its channels (product.md +4).

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};

use ipnet::IpNet;

/// The limits of one token; the default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The networks that it may be used from; empty for all.
    pub networks: Box<[IpNet]>,
    /// Requests per second on each gateway; as many may come at once.
    pub requests_per_second: Option<NonZeroU32>,
    /// Bytes per day (in UTC) over all gateways.
    pub bytes_per_day: Option<NonZeroU64>,
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        self.networks.is_empty() && !self.are_counted()
    }

    /// Whether the token may be used from `address`. An IPv4 address mapped into IPv6 is the IPv4
    /// address.
    pub fn admit_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|net| net.contains(&address))
    }

    /// Whether there is a limit that takes counting.
    pub fn are_counted(&self) -> bool {
        self.requests_per_second.is_some() || self.bytes_per_day.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(networks: &[&str]) -> Limits {
        let networks = networks.iter().map(|net| net.parse().unwrap()).collect();
        Limits { networks, ..Limits::default() }
    }

    #[test]
    fn networks_admit_what_is_in_one_of_them() {
        let limits = from(&["192.0.2.0/24", "2001:db8::/32"]);
        for (address, admitted) in [
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("2001:db8:1::1", true),
            ("192.0.3.7", false),
            ("2001:db9::1", false),
        ] {
            assert_eq!(limits.admit_from(address.parse().unwrap()), admitted, "{address}");
        }
        assert!(from(&[]).admit_from("198.51.100.1".parse().unwrap()));
    }

    #[test]
    fn each_limit_alone_is_a_limit() {
        assert!(Limits::default().is_none());
        assert!(!from(&["192.0.2.0/24"]).is_none());
        let rate = Limits { requests_per_second: NonZeroU32::new(1), ..Limits::default() };
        let bytes = Limits { bytes_per_day: NonZeroU64::new(1), ..Limits::default() };
        assert!(!rate.is_none() && !bytes.is_none());
    }
}
