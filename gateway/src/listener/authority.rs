//! Whether a request says once, and clearly, which host it is for (RFC 9110, section 7.2; RFC
//! 9112, section 3.2; wire.md W5a).

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri, Version};

/// Whether Host is exactly one valid authority and agrees with an absolute target, which is one of
/// HTTP. HTTP/1.0 may do without; HTTP/2 has it in the target.
pub(crate) fn is_clear(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    if !matches!(uri.scheme_str(), None | Some("http" | "https")) {
        return false;
    }
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next(), uri.authority()) {
        (None, _, Some(target)) => version == Version::HTTP_2 && is_plain(target),
        (None, _, None) => version == Version::HTTP_10,
        (Some(host), None, target) => {
            let host = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
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
        let pair = |host: &&str| (HOST, host.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in hosts.iter().map(pair) {
            headers.append(name, value);
        }
        is_clear(version, &uri.parse().unwrap(), &headers)
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
