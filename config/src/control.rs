//! The section `[control]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use crate::section::settings;
use crate::value::{BaseUrl, choice};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

settings! {
    /// The control plane: API and web pages.
    pub struct Control {
        /// Addresses of the API and the web pages.
        listen: Vec<SocketAddr> = vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081)];
        /// How people and programs reach the control plane.
        /// Unset: the first address of `listen`.
        public_url: Option<BaseUrl> = None, example "https://conda-admin.example.com";
        /// Networks of proxies whose `X-Forwarded-For` is believed.
        trusted_proxies: Vec<IpNet> = Vec::new();
        /// How many users and service accounts there may be. Unset: no limit.
        seats: Option<u32> = None, example 250;
        /// Who may create channels.
        channel_creators: ChannelCreators = ChannelCreators::Admins;
        /// Who may issue and manage the tokens of a service account.
        token_managers: TokenManagers = TokenManagers::Owners;
        /// How long changes are kept, and the exact times of their proofs; older ones are pruned
        /// once they are in force on every gateway.
        keep_changes_for: Duration = 90 * DAY, within DAY..=3650 * DAY;
    }
    check check_control
}

fn check_control(control: &Control) -> Vec<(&'static str, String)> {
    match control.listen[..] {
        [] => vec![("listen", "needs at least one address".to_owned())],
        _ => Vec::new(),
    }
}

choice! {
    /// Who may create channels.
    pub enum ChannelCreators {
        /// Users with the role `admin`.
        Admins = "admins",
        /// Every user.
        Everyone = "everyone",
    }
}

choice! {
    /// Who may issue and manage the tokens of a service account.
    pub enum TokenManagers {
        /// Whoever holds `manage` on its channel.
        Owners = "owners",
        /// Of those, only users with the role `admin`.
        Admins = "admins",
    }
}
