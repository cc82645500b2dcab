//! Where a request goes: a server, and what is asked of it.

use std::sync::Arc;

use url::Url;

use super::super::{Fault, FaultKind};

/// A server that connections lead to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) is_https: bool,
    /// A name or an address; no brackets around it.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the `Host` field says.
    pub(super) authority: String,
}

/// A file of a server.
pub(super) struct Target {
    pub(super) origin: Arc<Origin>,
    /// Path and query, of visible ASCII alone.
    path: String,
}

impl Origin {
    /// The server of a storage.
    pub(super) fn of(base: &config::BaseUrl) -> Self {
        Self {
            is_https: base.is_https(),
            host: without_brackets(base.host()),
            port: base.port(),
            authority: base.authority().to_owned(),
        }
    }

    /// The server of an URL; none where it isn't one of the web.
    pub(super) fn of_url(url: &Url) -> Option<Self> {
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host_str()?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let port = url.port_or_known_default()?;
        Some(Self { is_https, host: without_brackets(host), port, authority })
    }

    /// Whether it is the same server, however it is written.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.is_https, self.port) == (other.is_https, other.port) && self.is_host(&other.host)
    }

    /// Whether this is the name of its host.
    pub(super) fn is_host(&self, name: &str) -> bool {
        self.host.eq_ignore_ascii_case(name.trim_matches(['[', ']']))
    }
}

fn without_brackets(host: &str) -> String {
    host.trim_matches(['[', ']']).to_owned()
}

impl Target {
    /// A file of `origin`.
    ///
    /// # Errors
    /// When the path can't stand in a request.
    pub(super) fn new(origin: Arc<Origin>, path: String) -> Result<Self, Fault> {
        // Without leaving early, so that many bytes are looked at in one step.
        let is_odd = |b: u8| (b <= b' ') | (b > b'~');
        if !path.starts_with('/') || path.bytes().fold(false, |found, b| found | is_odd(b)) {
            let text = format!("{}: the path can't be asked for", origin.authority);
            return Err(Fault::new(FaultKind::Unusable, text));
        }
        Ok(Self { origin, path })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The URL that a `Location` is told from.
    pub(super) fn url(&self) -> String {
        let scheme = if self.origin.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.origin.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_url(url: &str) -> Option<Origin> {
        Origin::of_url(&url.parse().unwrap())
    }

    #[test]
    fn a_server_is_told_from_a_url() {
        let origin = of_url("http://Files.example:8080/a?b").unwrap();
        assert_eq!((&*origin.host, origin.port, origin.is_https), ("files.example", 8080, false));
        assert_eq!(origin.authority, "files.example:8080");
        let origin = of_url("https://[::1]/a").unwrap();
        assert_eq!((&*origin.host, origin.port, origin.is_https), ("::1", 443, true));
        assert_eq!(origin.authority, "[::1]");
        assert!(origin.is_host("[::1]"));
        assert_eq!(of_url("ftp://files.example/a"), None);
        assert_eq!(of_url("data:,a"), None);
    }

    #[test]
    fn a_server_is_the_same_however_it_is_written() {
        let base = Origin::of(&"http://Files.example".parse().unwrap());
        assert!(base.is_same(&of_url("http://files.example:80/a").unwrap()));
        assert!(!base.is_same(&of_url("https://files.example:80/a").unwrap()));
        assert!(!base.is_same(&of_url("http://files.example:81/a").unwrap()));
    }

    #[test]
    fn what_would_end_a_request_line_is_no_path() {
        let origin = Arc::new(of_url("http://a").unwrap());
        let path = |path: &str| Target::new(Arc::clone(&origin), path.to_owned()).map(|t| t.url());
        assert_eq!(path("/a?b").unwrap(), "http://a/a?b");
        for wrong in ["", "a", "/a b", "/a\r\nb", "/\u{e9}"] {
            assert!(path(wrong).is_err(), "{wrong:?}");
        }
    }
}
