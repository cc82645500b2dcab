//! From the configuration to what each crate needs to be told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use config::{Config, Loaded, StorageKind};

use crate::cli::{Global, LogForm};
use crate::failure::Failure;

/// Reads the configuration that the command line names, and the environment.
pub(crate) fn load(global: &Global) -> Result<Loaded, Failure> {
    let mut loaded = Config::load(global.config.as_deref(), environment())?;
    override_log(&mut loaded.config, global);
    Ok(loaded)
}

/// What the command line says over `[log]`.
pub(crate) fn override_log(config: &mut Config, global: &Global) {
    match global.log_format {
        Some(LogForm::Text) => config.log.format = config::LogFormat::Text,
        Some(LogForm::Json) => config.log.format = config::LogFormat::Json,
        None => {}
    }
}

/// The environment; variables that aren't Unicode are none of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// What the control plane needs to be told.
pub(crate) fn for_control(config: &Config) -> control::Settings {
    let settings = &config.control;
    control::Settings {
        trusted_proxies: access::TrustedProxies::new(settings.trusted_proxies.clone()),
        seats: settings.seats,
        channel_creators: match settings.channel_creators {
            config::ChannelCreators::Admins => control::ChannelCreators::Admins,
            config::ChannelCreators::Everyone => control::ChannelCreators::Everyone,
        },
        token_managers: match settings.token_managers {
            config::TokenManagers::Owners => control::TokenManagers::Managers,
            config::TokenManagers::Admins => control::TokenManagers::Admins,
        },
        storages: config.storage.iter().map(storage_name).collect(),
        reserved_first_segments: reserved_first_segments(&config.gateway),
        expiry_warning: config.gateway.expiry_warning,
        keep_changes_for: settings.keep_changes_for,
        // Without a public URL the control plane is reached as it listens: by plain HTTP.
        secure_cookies: settings.public_url.as_ref().is_some_and(config::BaseUrl::is_https),
        ..control::Settings::default()
    }
}

fn storage_name((name, storage): (&String, &config::Storage)) -> control::StorageName {
    let kind = match storage.kind() {
        StorageKind::Directory => "directory",
        StorageKind::Http => "http",
    };
    control::StorageName { name: name.clone(), kind: kind.to_owned() }
}

/// The first segments of the mount prefixes, which no channel may begin with (wire.md W4).
pub(crate) fn reserved_first_segments(gateway: &config::Gateway) -> Vec<String> {
    let first = |prefix: &config::MountPrefix| prefix.segments().next().map(str::to_owned);
    gateway.mount_prefixes.iter().filter_map(first).collect()
}

/// How clients reach the gateway: as it is configured, else as it listens in this process.
pub(crate) fn gateway_url(config: &Config, listens: Option<SocketAddr>) -> Option<String> {
    let configured = config.gateway.public_url.as_ref().map(ToString::to_string);
    configured.or_else(|| Some(url_of(config.gateway.tls.is_some(), listens?)))
}

/// The URL by which a client on this machine reaches a listener.
pub(crate) fn url_of(tls: bool, address: SocketAddr) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(reachable(address.ip()), address.port()))
}

/// The address by which a client on this machine reaches a listener.
pub(crate) fn reachable(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_reserves_nothing_and_a_prefix_its_first_segment() {
        let gateway = config::Gateway::default();
        assert_eq!(reserved_first_segments(&gateway), ["api", "conda", "repo"]);
    }

    #[test]
    fn a_url_names_an_address_that_can_be_connected_to() {
        let url = |tls, text: &str| url_of(tls, text.parse().unwrap());
        assert_eq!(url(false, "127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(url(true, "0.0.0.0:8443"), "https://127.0.0.1:8443");
        assert_eq!(url(false, "[::]:80"), "http://[::1]:80");
        assert_eq!(url(false, "192.0.2.7:1"), "http://192.0.2.7:1");
    }

    #[test]
    fn clients_reach_the_gateway_as_configured_or_as_it_listens() {
        let listens = Some("0.0.0.0:8080".parse().unwrap());
        let mut config = Config::default();
        assert_eq!(gateway_url(&config, None), None);
        assert_eq!(gateway_url(&config, listens).as_deref(), Some("http://127.0.0.1:8080"));
        config.gateway.public_url = Some("https://conda.example.com/".parse().unwrap());
        assert_eq!(gateway_url(&config, listens).as_deref(), Some("https://conda.example.com"));
    }

    #[test]
    fn storages_are_told_by_name_and_kind() {
        let text = "[storage.main]\nkind = \"directory\"\npath = \"/srv/conda\"\n";
        let none = std::iter::empty();
        let loaded = Config::from_text(text, std::path::Path::new("condagate.toml"), none).unwrap();
        let storages = for_control(&loaded.config).storages;
        assert_eq!(storages.len(), 1);
        assert_eq!((&*storages[0].name, &*storages[0].kind), ("main", "directory"));
    }
}
