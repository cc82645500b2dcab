//! Where the load goes: a channel of a server, and the token that opens it.

use std::path::Path;

use access::TokenSecret;
use http::Uri;
use serde::Deserialize;

use crate::client::{Connection, Protocol, Server, Trust};
use crate::error::Error;

/// A channel's URL taken apart: `http[s]://HOST[:PORT]/[PREFIX/][t/TOKEN/]CHANNEL`.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    server: Server,
    /// What stands before the token: empty, or `/api/repo`.
    prefix: String,
    token: Option<TokenSecret>,
    /// What stands behind the token: `/CHANNEL`.
    channel: String,
}

/// What is used of the file that `condagate demo` writes.
#[derive(Deserialize)]
struct Demo {
    channel_url: String,
}

impl Target {
    /// Takes a channel's URL apart; `trust` is for `https://`.
    pub(crate) fn parse(url: &str, trust: Option<Trust>) -> Result<Self, Error> {
        let malformed = Error::Url("write it as http[s]://HOST[:PORT]/[t/TOKEN/]CHANNEL");
        let Ok(uri) = url.trim().parse::<Uri>() else { return Err(malformed) };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(malformed);
        };
        let protocol = match (scheme, trust) {
            ("http", _) => Protocol::Http1,
            ("https", Some(trust)) => Protocol::Http1Tls(trust),
            ("https", None) => return Err(Error::Url("for https:// name a file with --ca")),
            _ => return Err(malformed),
        };
        let path = uri.path().trim_end_matches('/');
        let (prefix, token, channel) = match path.split_once("/t/") {
            None => ("", None, path),
            Some((prefix, rest)) => {
                let (token, _) = rest.split_once('/').unwrap_or((rest, ""));
                let Ok(secret) = TokenSecret::parse(token) else {
                    return Err(Error::Url("what follows /t/ is no token"));
                };
                (prefix, Some(secret), &rest[token.len()..])
            }
        };
        Ok(Self {
            server: Server { authority: authority.as_str().to_owned(), protocol },
            prefix: prefix.to_owned(),
            token,
            channel: channel.to_owned(),
        })
    }

    /// Takes the channel of `condagate demo` from its file.
    pub(crate) fn from_demo(path: &Path, trust: Option<Trust>) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(|cause| Error::file(path, cause))?;
        let demo: Demo = serde_json::from_slice(&text)
            .map_err(|cause| Error::Demo { path: path.to_owned(), cause })?;
        Self::parse(&demo.channel_url, trust)
    }

    /// The URL as it may be shown: without the token.
    pub(crate) fn shown(&self) -> String {
        let token = if self.has_token() { "/t/…" } else { "" };
        let scheme = match self.server.protocol {
            Protocol::Http1 => "http",
            Protocol::Http1Tls(_) | Protocol::Http2(_) => "https",
        };
        format!("{scheme}://{}{}{token}{}", self.server.authority, self.prefix, self.channel)
    }

    /// Whether the URL has a token in it.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Where it is.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Its root instead of a channel.
    pub(crate) fn root(&self) -> Self {
        Self { channel: String::new(), ..self.clone() }
    }

    /// The same over HTTP/2, if it is over TLS.
    pub(crate) fn over_http2(mut self) -> Result<Self, Error> {
        self.server.protocol = match self.server.protocol {
            Protocol::Http1Tls(trust) | Protocol::Http2(trust) => Protocol::Http2(trust),
            Protocol::Http1 => return Err(Error::Url("HTTP/2 is spoken over https:// only")),
        };
        Ok(self)
    }

    /// A connection to make the first request on.
    ///
    /// # Errors
    /// [`Error::NoServer`].
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let open = self.server.connect().await;
        open.map_err(|cause| Error::NoServer { authority: self.server.authority.clone(), cause })
    }

    /// The target of a request for `file`, with `token` or else the URL's own.
    pub(crate) fn request_path(&self, token: Option<&TokenSecret>, file: &str) -> String {
        let Self { prefix, channel, .. } = self;
        match token.or(self.token.as_ref()) {
            Some(token) => format!("{prefix}/t/{}{channel}/{file}", token.reveal()),
            None => format!("{prefix}{channel}/{file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_put_together_as_it_was() {
        let token = TokenSecret::generate().unwrap();
        for prefix in ["", "/api/repo"] {
            let url = format!("http://h:81{prefix}/t/{}/a/b", token.reveal());
            let target = Target::parse(&format!("{url}/\n"), None).unwrap();
            assert_eq!(target.server().authority, "h:81");
            let path = target.request_path(None, "noarch/x.conda");
            assert_eq!(format!("http://h:81{path}"), format!("{url}/noarch/x.conda"));
        }
        let plain = Target::parse("http://h/a", None).unwrap();
        assert_eq!(plain.request_path(None, "f"), "/a/f");
        let path = plain.request_path(Some(&token), "f");
        assert_eq!(path, format!("/t/{}/a/f", token.reveal()));
    }

    #[test]
    fn what_is_shown_has_no_token() {
        let token = TokenSecret::generate().unwrap();
        let target = Target::parse(&format!("http://h/t/{}/a", token.reveal()), None).unwrap();
        assert_eq!(target.shown(), "http://h/t/…/a");
        assert!(!format!("{target:?}").contains(token.reveal()));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "h/a", "https://h/a", "http://h/t/short/a"] {
            assert!(Target::parse(url, None).is_err(), "{url}");
        }
    }
}
