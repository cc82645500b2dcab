//! Whether a request says once, and clearly, which host it is for (RFC 9110, section 7.2; RFC
//! 9112, section 3.2; wire.md W5a).

use http::uri::Authority;
use http::{Uri, Version};

use super::fields::{Field, Fields, visible};

/// What is in most Hosts: a name or an IPv4 address, and perhaps a port.
fn is_usual(host: &[u8]) -> bool {
    let colon = memchr::memchr(b':', host).unwrap_or(host.len());
    let (name, port) = host.split_at(colon);
    let in_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let is_port = |port: &[u8]| {
        port.is_empty() || (port.len() > 1 && port[1..].iter().all(u8::is_ascii_digit))
    };
    !name.is_empty() && name.iter().all(in_name) && is_port(port)
}

/// Whether Host is exactly one valid authority and agrees with an absolute target, which is one of
/// HTTP. HTTP/1.0 may do without; HTTP/2 has it in the target.
pub(super) fn is_clear(version: Version, uri: &Uri, fields: &Fields<'_>) -> bool {
    if !matches!(uri.scheme_str(), None | Some("http" | "https")) {
        return false;
    }
    are_clear(version, fields, uri.authority())
}

/// The same where the target names no host if `target` is none.
pub(super) fn are_clear(version: Version, fields: &Fields<'_>, target: Option<&Authority>) -> bool {
    let mut hosts = fields.all(Field::Host);
    match (hosts.next(), hosts.next(), target) {
        (Some(host), None, None) if is_usual(host) => true,
        (None, _, Some(target)) => version == Version::HTTP_2 && is_plain(target),
        (None, _, None) => version == Version::HTTP_10,
        (Some(host), None, target) => {
            let host = visible(host).and_then(|text| text.parse::<Authority>().ok());
            let agrees = |host: &Authority| target.is_none_or(|target| target == host);
            host.is_some_and(|host| is_plain(&host) && agrees(&host))
        }
        (Some(_), Some(_), _) => false,
    }
}

/// Without user information, and with a host.
fn is_plain(authority: &Authority) -> bool {
    !authority.as_str().contains('@') && !authority.host().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let hosts: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        is_clear(version, &uri.parse().unwrap(), &Fields::from_pairs(&hosts))
    }

    #[test]
    fn w5a_host_is_exactly_one_valid_authority() {
        let one = |host| check(Version::HTTP_11, "/a", &[host]);
        for host in ["a", "a.example:80", "127.0.0.1:8080", "[::1]:8080"] {
            assert!(one(host), "{host}");
        }
        for host in ["", "a b", "a/b", "user@a", "a, b", ":80"] {
            assert!(!one(host), "{host}");
        }
        assert!(!check(Version::HTTP_11, "/a", &[]));
        assert!(check(Version::HTTP_10, "/a", &[]));
        assert!(!check(Version::HTTP_11, "/a", &["a", "a"]));
    }

    proptest::proptest! {
        /// What is told at a glance is so on closer look.
        #[test]
        fn w5a_a_usual_host_is_an_authority(host in "[a-z0-9.:@-]{0,8}") {
            let authority = host.parse::<Authority>();
            if is_usual(host.as_bytes()) {
                proptest::prop_assert!(authority.is_ok_and(|host| is_plain(&host)));
            }
        }
    }

    #[test]
    fn w5a_an_absolute_target_agrees_with_it() {
        assert!(check(Version::HTTP_11, "http://a:80/x", &["a:80"]));
        assert!(check(Version::HTTP_11, "http://a/x", &["A"]));
        assert!(!check(Version::HTTP_11, "http://a/x", &["b"]));
        assert!(!check(Version::HTTP_11, "http://a/x", &[]));
        assert!(!check(Version::HTTP_11, "ftp://a/x", &["a"]));
        assert!(check(Version::HTTP_2, "https://a/x", &[]));
        assert!(!check(Version::HTTP_2, "https://a/x", &["b"]));
    }
}
