//! Who asks: the session cookie or a bearer token becomes an [`Actor`].

use std::net::SocketAddr;

use access::TokenSecret;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::problem::Problem;
use super::request_id::RequestId;
use crate::actor::Repeatable;
use crate::usecases::session::{self, Origin};
use crate::{Actor, Control, Error, Settings};

/// The cookie of a browser's session.
pub(super) const SESSION_COOKIE: &str = "condagate_session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whoever presents a valid credential.
pub(super) struct SignedIn(pub(super) Actor);

/// Where a request comes from.
pub(crate) struct From(pub(crate) Origin);

impl FromRequestParts<Control> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let (secret, way) = presented(&parts.headers).ok_or(Error::NotSignedIn)?;
        if way == Way::Cookie && !parts.method.is_safe() && !is_same_origin(&parts.headers) {
            return Err(Problem::cross_origin());
        }
        let origin = origin(parts, control);
        let actor = session::authenticate(control, &secret, origin).await?;
        Ok(Self(Actor { repeatable: parts.extensions.get::<Repeatable>().cloned(), ..actor }))
    }
}

impl FromRequestParts<Control> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        control: &Control,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(origin(parts, control)))
    }
}

/// The client's address, where the server knows its peer's.
pub(crate) fn origin(parts: &Parts, control: &Control) -> Origin {
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let address = peer
        .map(|ConnectInfo(peer)| control.settings().trusted_proxies.client(peer.ip(), forwarded));
    let request_id = parts.extensions.get::<RequestId>().map(|RequestId(id)| id.clone());
    Origin { address, request_id }
}

/// How a credential came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Said by whoever made the request.
    Authorization,
    /// Added by a browser, whoever made the request.
    Cookie,
}

/// The credential, if the request has one that can be one. `Authorization` decides where it is
/// there: a program says what it means.
fn presented(headers: &HeaderMap) -> Option<(TokenSecret, Way)> {
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        return Some((browser_session(headers)?, Way::Cookie));
    };
    let value = bearer(authorization.to_str().ok()?)?;
    Some((TokenSecret::parse(value).ok()?, Way::Authorization))
}

/// The session that a browser sends with every request, if it can be one.
pub(crate) fn browser_session(headers: &HeaderMap) -> Option<TokenSecret> {
    let mut lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    TokenSecret::parse(lines.find_map(cookie)?).ok()
}

/// The header line that has a browser keep a session's value for as long as it lasts; an empty
/// value makes it forget the one that it has.
pub(crate) fn session_cookie(settings: &Settings, value: &str) -> String {
    let lifetime_secs = if value.is_empty() { 0 } else { settings.session_lifetime.as_secs() };
    let secure = if settings.secure_cookies { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={lifetime_secs}; HttpOnly; SameSite=Lax{secure}"
    )
}

/// Whether a page of our own made the request, by what browsers say of it and pages can't forge:
/// `Sec-Fetch-Site`, and where that is not sent (plain HTTP) `Origin`, which must name the host
/// that was asked. A request that says neither comes from no browser, and may send its session as
/// a bearer token.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let origin = text(&ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| Some(host) == text(&HOST))
}

/// Whether a page of another site made the request. Whatever comes from no browser says nothing.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let by_browser = headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(ORIGIN);
    by_browser && !is_same_origin(headers)
}

/// The token of `Bearer <token>` (RFC 6750 section 2.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start_matches(' '))
}

/// Our cookie of `a=1; b=2` (RFC 6265 section 4.2.1).
fn cookie(line: &str) -> Option<&str> {
    let pairs = line.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_bearer_scheme_is_read_in_any_case() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }

    #[test]
    fn our_cookie_is_found_among_others() {
        assert_eq!(cookie("a=1; condagate_session=xyz; b=2"), Some("xyz"));
        assert_eq!(cookie("not_condagate_session=xyz"), None);
        assert_eq!(cookie(""), None);
    }

    #[test]
    fn a_page_of_another_site_is_told_from_ours() {
        let asked = |headers: &[(&'static str, &'static str)]| {
            is_same_origin(&HeaderMap::from_iter(headers.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            })))
        };
        let host = ("host", "admin.example.com:8081");
        assert!(asked(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(asked(&[host, ("origin", "http://admin.example.com:8081")]));
        for other in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "http://evil.example.com"),
            ("origin", "http://admin.example.com"),
            ("origin", "null"),
            ("referer", "http://admin.example.com:8081/"),
        ] {
            assert!(!asked(&[host, other]), "{other:?}");
        }
        let both =
            [host, ("sec-fetch-site", "cross-site"), ("origin", "http://admin.example.com:8081")];
        assert!(!asked(&both));
    }
}
