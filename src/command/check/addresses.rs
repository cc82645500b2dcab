//! Whether public URLs, listeners and TLS fit together.

use config::{BaseUrl, Config, Gateway};

use super::finding::Finding;

const PUBLIC_URL: &str = "gateway.public_url";

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let gateway = &config.gateway;
    let mut found = match &gateway.public_url {
        None => vec![Finding::warn(
            PUBLIC_URL,
            "is unset, so channel URLs that are shown name the first address of gateway.listen; set \
             it to the URL that clients use",
        )],
        Some(url) => [scheme(url, gateway), port(url, gateway), path(url, gateway)]
            .into_iter()
            .flatten()
            .collect(),
    };
    if found.is_empty() {
        let url = gateway.public_url.as_ref().map_or("", BaseUrl::as_str);
        found.push(Finding::ok(PUBLIC_URL, format!("{url} fits the listeners")));
    }
    found.extend(control(config));
    found
}

/// Whether clients speak TLS exactly where something answers it.
fn scheme(url: &BaseUrl, gateway: &Gateway) -> Option<Finding> {
    let has_proxy = !gateway.trusted_proxies.is_empty();
    match (url.is_https(), gateway.tls.is_some()) {
        (false, true) => Some(Finding::error(
            PUBLIC_URL,
            format!("is {url}, but the gateway speaks TLS alone; write https://"),
        )),
        (true, false) if !has_proxy => Some(Finding::warn(
            PUBLIC_URL,
            format!(
                "is {url}, but the gateway has no certificate; add [gateway.tls], or put a TLS proxy \
                 before it and name the proxy in gateway.trusted_proxies: until then its \
                 X-Forwarded-For is not believed, and logs and limits see the proxy's address"
            ),
        )),
        (false, false) if !is_loopback(url.host()) => Some(Finding::warn(
            PUBLIC_URL,
            format!(
                "is {url}: tokens cross the network in the clear; add [gateway.tls], or put a TLS \
                 proxy before the gateway, and write https://"
            ),
        )),
        _ => None,
    }
}

/// Whether the URL's port is listened on, where the gateway itself answers at it.
fn port(url: &BaseUrl, gateway: &Gateway) -> Option<Finding> {
    let itself = url.is_https() == gateway.tls.is_some() && gateway.trusted_proxies.is_empty();
    let mut ports = gateway.listen.iter().map(std::net::SocketAddr::port);
    let listens = ports.any(|port| port == url.port() || port == 0);
    (itself && !listens).then(|| {
        let message = format!(
            "names port {}, on which the gateway does not listen (gateway.listen = {}); write the \
             port, unless something forwards one to the other",
            url.port(),
            list(&gateway.listen)
        );
        Finding::warn(PUBLIC_URL, message)
    })
}

/// Whether the gateway knows the path that clients' paths begin with.
fn path(url: &BaseUrl, gateway: &Gateway) -> Option<Finding> {
    let path = url.path().trim_start_matches('/');
    let is_mount = |prefix: &config::MountPrefix| prefix.segments().eq(path.split('/'));
    (!path.is_empty() && !gateway.mount_prefixes.iter().any(is_mount)).then(|| {
        let message = format!(
            "has the path /{path}, which is none of gateway.mount_prefixes; add it there, unless a \
             proxy takes it off"
        );
        Finding::warn(PUBLIC_URL, message)
    })
}

fn control(config: &Config) -> Vec<Finding> {
    let control = &config.control;
    let is_public = control.listen.iter().any(|address| !address.ip().is_loopback());
    let mut found = Vec::new();
    if is_public {
        found.push(Finding::warn(
            "control.listen",
            format!(
                "{} is reachable over the network without TLS, and people sign in there; listen on \
                 127.0.0.1 and put a TLS proxy before it",
                list(&control.listen)
            ),
        ));
    }
    match &control.public_url {
        None => found.push(Finding::warn(
            "control.public_url",
            "is unset, so links name the first address of control.listen; set it to the URL that \
             people use",
        )),
        Some(url) if !url.is_https() && !is_loopback(url.host()) => found.push(Finding::warn(
            "control.public_url",
            format!(
                "is {url}: passwords cross the network in the clear; put a TLS proxy before the \
                 control plane, and write https://"
            ),
        )),
        Some(url) => found.push(Finding::ok("control.public_url", format!("is {url}"))),
    }
    found
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn list(addresses: &[std::net::SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::finding::Level;
    use super::*;

    /// Levels and texts of what is found for `[gateway]` with these lines.
    fn gateway(lines: &str) -> Vec<(Level, String)> {
        let text = format!("[gateway]\n{lines}\n");
        let loaded = Config::from_text(&text, Path::new(""), std::iter::empty()).unwrap();
        let found = look(&loaded.config).into_iter();
        let found = found.filter(|finding| finding.about == PUBLIC_URL);
        found.map(|finding| (finding.level, finding.message)).collect()
    }

    const TLS: &str = "[gateway.tls]\ncertificate = \"c\"\nkey = \"k\"";

    #[test]
    fn addresses_that_fit() {
        for lines in [
            "public_url = \"http://127.0.0.1:8080\"",
            "public_url = \"http://[::1]:8080/api/repo\"",
            "public_url = \"https://a.example\"\ntrusted_proxies = [\"10.0.0.0/8\"]",
            &format!("public_url = \"https://a.example\"\nlisten = [\"0.0.0.0:443\"]\n{TLS}"),
        ] {
            let found = gateway(lines);
            assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [Level::Ok], "{found:?}");
        }
    }

    #[test]
    fn addresses_that_do_not_fit() {
        let cases = [
            ("".to_owned(), Level::Warn, "unset"),
            ("public_url = \"https://a.example:8080\"".into(), Level::Warn, "no certificate"),
            ("public_url = \"http://a.example:8080\"".into(), Level::Warn, "in the clear"),
            ("public_url = \"http://localhost\"".into(), Level::Warn, "names port 80,"),
            ("public_url = \"http://localhost:8080/x\"".into(), Level::Warn, "has the path /x,"),
            (format!("public_url = \"http://a.example:8080\"\n{TLS}"), Level::Error, "https://"),
            (format!("public_url = \"https://a.example\"\n{TLS}"), Level::Warn, "names port 443,"),
        ];
        for (lines, level, part) in cases {
            let found = gateway(&lines);
            assert!(found.len() <= 2 && found[0].0 == level, "{lines}: {found:?}");
            assert!(found[0].1.contains(part), "{lines}: {found:?}");
        }
    }

    #[test]
    fn a_control_plane_on_the_network_is_warned_of() {
        let text = "[control]\nlisten = [\"0.0.0.0:8081\"]\npublic_url = \"http://admin.example\"";
        let loaded = Config::from_text(text, Path::new(""), std::iter::empty()).unwrap();
        let found = control(&loaded.config);
        let about: Vec<_> = found.iter().map(|f| (f.level, &*f.about)).collect();
        let expected = [(Level::Warn, "control.listen"), (Level::Warn, "control.public_url")];
        assert_eq!(about, expected);
    }
}
