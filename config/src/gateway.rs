//! The section `[gateway]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::section::settings;
use crate::value::{BaseUrl, MountPrefix, Size, choice};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

settings! {
    /// The data plane: what clients talk to.
    pub struct Gateway {
        /// Addresses that clients connect to.
        listen: Vec<SocketAddr> = vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080)];
        /// How clients reach the gateway: the base of every channel URL that is shown.
        /// Unset: the first address of `listen`.
        public_url: Option<BaseUrl> = None, example "https://conda.example.com";
        /// Worker threads, each with a listener and an upstream pool of its own. 0: one per core.
        threads: u32 = 0, within 0..=1024;
        /// Paths below which channels are served, before or after the token.
        mount_prefixes: Vec<MountPrefix> = MountPrefix::known();
        /// Whom to ask for access; named in refusals.
        contact: Option<String> = None, example "platform@example.com";
        /// How long a stop waits for requests in flight.
        drain: Duration = 30 * SECOND, within Duration::ZERO..=HOUR;
        /// Networks of proxies whose `X-Forwarded-For` is believed.
        trusted_proxies: Vec<IpNet> = Vec::new();
        /// The label of this gateway among others. Empty: the host name.
        name: String = String::new();
        /// How long a gateway may serve without news from the database: the bound of a revoke.
        lease: Duration = 180 * SECOND, within 5 * SECOND..=HOUR;
        /// What happens past the lease.
        when_lease_ends: WhenLeaseEnds = WhenLeaseEnds::Refuse;
        /// How long known tokens are served past the lease, with `serve-known`.
        serve_known_for: Duration = 24 * HOUR, within SECOND..=30 * DAY;
        /// How long public channels are served past the lease.
        public_grace: Duration = HOUR, within Duration::ZERO..=30 * DAY;
        /// How long before its expiry a token's answers name that day, and the control plane
        /// counts it as expiring.
        expiry_warning: Duration = 14 * DAY, within Duration::ZERO..=365 * DAY;
        /// How often usage is reported to the control database; what a crash may lose of it.
        usage_flush: Duration = 10 * SECOND, within SECOND..=10 * MINUTE;
        /// The form of the access log.
        access_log: AccessLog = AccessLog::Json;
        /// The file of the access log, appended to. `-`: the standard output.
        access_log_file: PathBuf = PathBuf::from("-");
        /// Small objects kept in memory.
        cache: Cache = Cache::default();
        /// The bounds of what a client can make the gateway hold.
        limits: Limits = Limits::default();
        /// HTTPS, with HTTP/1.1 and HTTP/2. Without this section the gateway speaks plain HTTP.
        tls: Option<Tls> = None;
    }
    check check_gateway
}

fn check_gateway(gateway: &Gateway) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if gateway.listen.is_empty() {
        found.push(("listen", "needs at least one address".to_owned()));
    }
    if gateway.mount_prefixes.is_empty() {
        found.push(("mount_prefixes", r#"needs at least one; [""] is the root"#.to_owned()));
    }
    found
}

settings! {
    /// Small files of HTTP storages kept in memory, up to 64 KiB each, and the heads of larger
    /// ones, so that the storage is not asked for each of them. Kept once for all tokens, and given
    /// only to those whose token grants the channel. `0s` switches a class off.
    pub struct Cache {
        /// Memory for objects, in all.
        size: Size = Size::mib(256), within Size::bytes(0)..=Size::gib(1024);
        /// How long repodata and other metadata is fresh, if the storage doesn't say.
        metadata_ttl: Duration = SECOND, within Duration::ZERO..=365 * DAY;
        /// How long packages and shards are fresh, if the storage doesn't say.
        package_ttl: Duration = MINUTE, within Duration::ZERO..=365 * DAY;
        /// How long a stale object is served while the storage fails. `0s`: not at all.
        stale_if_error: Duration = Duration::ZERO, within Duration::ZERO..=30 * DAY;
    }
}

settings! {
    /// The bounds of what a client can make the gateway hold.
    pub struct Limits {
        /// Connections at a time; more wait in the kernel's queue.
        max_connections: u32 = 10_000, within 1..=1_000_000;
        /// A request's line and headers.
        request_head_max: Size = Size::kib(16), within Size::kib(4)..=Size::mib(1);
        /// How long a client may take to send a request's head.
        request_head_timeout: Duration = 15 * SECOND, within SECOND..=HOUR;
        /// How long a connection may stay open between requests.
        idle_timeout: Duration = 75 * SECOND, within SECOND..=HOUR;
        /// How long a client may take none of the bytes that wait for it.
        send_timeout: Duration = MINUTE, within SECOND..=HOUR;
        /// Memory for the grants of known tokens.
        table_size: Size = Size::mib(64), within Size::mib(1)..=Size::gib(64);
        /// Lookups of tokens that are not in memory, per second and gateway.
        misses_per_second: u32 = 2_000, within 1..=1_000_000;
        /// The same for one source address.
        misses_per_second_per_address: u32 = 50, within 1..=1_000_000;
    }
}

settings! {
    /// The certificate and key of the gateway. Both files are read again when they change.
    pub struct Tls {
        /// The certificate and its chain, PEM.
        certificate: PathBuf, example "tls/fullchain.pem";
        /// The certificate's private key, PEM, readable only by the gateway.
        key: PathBuf, example "tls/key.pem";
    }
}

choice! {
    /// What a gateway does that has had no news from the database for a whole lease.
    pub enum WhenLeaseEnds {
        /// Private content is refused with 503.
        Refuse = "refuse",
        /// Known tokens go on, at most for `serve_known_for`.
        ServeKnown = "serve-known",
    }
}

choice! {
    /// The form of the access log.
    pub enum AccessLog {
        /// One JSON object a line.
        Json = "json",
        /// One line of `key=value` pairs.
        Text = "text",
        /// None.
        Off = "off",
    }
}
