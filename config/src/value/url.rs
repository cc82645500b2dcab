//! The URLs of settings.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use http::Uri;
use http::uri::InvalidUri;

use super::{Raw, Refusal, Value, quote};

/// An `http` or `https` URL to which paths are appended: without user, password, query, fragment
/// and trailing slash.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    uri: Uri,
    text: String,
}

impl BaseUrl {
    /// The URL, without a slash at the end: `https://conda.example.com`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&http::uri::Scheme::HTTPS)
    }

    /// The host, without a port; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// The port, by default the scheme's.
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// The path without a slash at the end: empty, or `/channels`.
    pub fn path(&self) -> &str {
        self.uri.path().trim_end_matches('/')
    }

    /// Host and, if it is written, port: what a `Host` header says.
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", http::uri::Authority::as_str)
    }
}

/// Why a text is no [`BaseUrl`]. Never repeats the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL with scheme `http` or `https` and a host.
    #[error("not a URL with a scheme (http or https) and a host")]
    Malformed,
    /// A user or password stands in it; they would end in logs.
    #[error("a URL with a user or password in it; they have settings of their own")]
    Credentials,
    /// A query or fragment, to which no path can be appended.
    #[error("a URL with a query or fragment")]
    Query,
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        if text.contains(['?', '#']) {
            return Err(BaseUrlError::Query);
        }
        let uri: Uri =
            text.parse().map_err(|_names_no_more: InvalidUri| BaseUrlError::Malformed)?;
        let authority = uri.authority().ok_or(BaseUrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        let port_is_good = authority.as_str().len() == uri.host().unwrap_or_default().len()
            || uri.port_u16().is_some();
        if !known || authority.host().is_empty() || !port_is_good {
            return Err(BaseUrlError::Malformed);
        }
        Ok(Self { text: text.trim_end_matches('/').to_owned(), uri })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl Value for BaseUrl {
    const SENSITIVE: bool = true;

    fn accepted() -> String {
        r#"a URL such as "https://conda.example.com""#.to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let text = raw.text().ok_or_else(|| Refusal::new("is not a URL"))?;
        text.parse().map_err(|error: BaseUrlError| Refusal::new(format!("is {error}")))
    }

    fn render(&self) -> Option<String> {
        Some(quote(&self.text))
    }
}
