//! Who asks: the session cookie or a bearer token becomes an [`Actor`].

use std::net::SocketAddr;

use access::TokenSecret;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use super::problem::Problem;
use crate::usecases::session::{self, Origin};
use crate::{Actor, Control, Error};

/// The cookie of a browser's session.
pub(super) const SESSION_COOKIE: &str = "condagate_session";

/// Whoever presents a valid credential.
pub(super) struct SignedIn(pub(super) Actor);

/// Where a request comes from.
pub(super) struct From(pub(super) Origin);

impl FromRequestParts<Control> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Problem> {
        let secret = presented(&parts.headers).ok_or(Error::NotSignedIn)?;
        let origin = origin(&parts.extensions);
        Ok(Self(session::authenticate(control, &secret, origin).await?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(origin(&parts.extensions)))
    }
}

/// The peer's address, where the server knows it.
fn origin(extensions: &Extensions) -> Origin {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let address = peer.map(|ConnectInfo(address)| address.ip());
    Origin { address, request_id: None }
}

/// The credential, if the request has one that can be one. `Authorization` decides where it is
/// there: a program says what it means.
fn presented(headers: &HeaderMap) -> Option<TokenSecret> {
    let value = match headers.get(AUTHORIZATION) {
        Some(authorization) => bearer(authorization.to_str().ok()?)?,
        None => {
            headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok()).find_map(cookie)?
        }
    };
    TokenSecret::parse(value).ok()
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
}
