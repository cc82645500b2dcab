//! Who asks, where proxies stand between.

use std::net::IpAddr;

use ipnet::IpNet;

/// The networks of proxies whose `X-Forwarded-For` is believed; the default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client: the peer, or behind trusted proxies the nearest address that isn't one of
    /// theirs. `forwarded` are the values of `X-Forwarded-For`, in order; what stands before one
    /// that is no address isn't believed.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> IpAddr {
        let mut nearest = peer.to_canonical();
        let fields = forwarded.rev().map(|field| str::from_utf8(field).unwrap_or_default());
        let mut hops = fields.flat_map(|field| field.rsplit(','));
        while self.trust(nearest) {
            let Some(Ok(hop)) = hops.next().map(|hop| hop.trim().parse::<IpAddr>()) else { break };
            nearest = hop.to_canonical();
        }
        nearest
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let client = |peer: &str, forwarded: &[&str]| {
            let forwarded = forwarded.iter().map(|field| field.as_bytes());
            proxies.client(peer.parse().unwrap(), forwarded).to_string()
        };
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.7", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, junk"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, \u{fe}"]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }
}
