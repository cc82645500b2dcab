//! What the control plane needs to be told; the root crate fills it from the configuration.

use std::time::Duration;

use access::TrustedProxies;

/// The control plane's settings (product.md, "Configuration").
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// How many users and service accounts there may be; none for no limit (product.md S2).
    pub seats: Option<u32>,
    /// Who creates channels.
    pub channel_creators: ChannelCreators,
    /// Who issues and manages service accounts' tokens.
    pub token_managers: TokenManagers,
    /// The configured storages, to which channels can be bound.
    pub storages: Vec<StorageName>,
    /// How clients reach the gateway, without a slash at the end: what people are told to type.
    pub gateway_url: Option<String>,
    /// First segments that no channel name may have: those of the gateway's mount prefixes.
    pub reserved_first_segments: Vec<String>,
    /// How long before their end tokens count as expiring.
    pub expiry_warning: Duration,
    /// How long changes are kept, and with them the exact times of their proofs.
    pub keep_changes_for: Duration,
    /// How long a sign-in lasts.
    pub session_lifetime: Duration,
    /// Whether browsers may send the session's cookie over HTTPS only. False only where the
    /// control plane's public URL is plain HTTP.
    pub secure_cookies: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trusted_proxies: TrustedProxies::default(),
            seats: None,
            channel_creators: ChannelCreators::Admins,
            token_managers: TokenManagers::Managers,
            storages: Vec::new(),
            gateway_url: None,
            reserved_first_segments: Vec::new(),
            expiry_warning: Duration::from_secs(14 * 24 * 60 * 60),
            keep_changes_for: Duration::from_secs(90 * 24 * 60 * 60),
            session_lifetime: Duration::from_secs(12 * 60 * 60),
            secure_cookies: true,
        }
    }
}

/// `control.channel_creators`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelCreators {
    /// Role `admin`; the default.
    Admins,
    /// Every user.
    Everyone,
}

/// `control.token_managers` (product.md S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenManagers {
    /// Whoever holds `manage` on the account's channel; the default.
    Managers,
    /// Of those, only who has role `admin`.
    Admins,
}

/// A configured storage as far as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageName {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind: `directory`, `http`, …
    pub kind: String,
}
