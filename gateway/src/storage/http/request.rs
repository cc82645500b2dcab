//! The request to an upstream server: built anew from an allow-list (wire.md W19).

use ::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE, VIA,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use access::redact;
use bytes::Bytes;
use http_body_util::Empty;

use super::super::conditions::{Conditions, Validators};
use super::super::{Ask, Fault, FaultKind};
use super::connect::Upstream;
use crate::listener::{Field, visible};

/// What passes from the client's request as it is, if it is there exactly once.
const CONDITIONS: [Field; 3] = [Field::IfRange, Field::IfNoneMatch, Field::IfModifiedSince];
const ABOUT_THE_CLIENT: [Field; 2] = [Field::Accept, Field::UserAgent];

/// The request's id, so that the upstream's log can be read beside ours.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is made of, whichever server it goes to.
pub(super) struct Parts<'r> {
    method: Method,
    headers: HeaderMap,
    request_id: &'r str,
}

impl<'r> Parts<'r> {
    /// What the client asks, with its conditions.
    pub(super) fn new(ask: &Ask<'r>) -> Self {
        let mut parts = Self::begun(ask, ask.head);
        parts.pass_on(ask, &CONDITIONS);
        if let Some(range) = Conditions::new(ask.fields, ask.head).range_to_pass_on()
            && let Ok(range) = HeaderValue::from_str(range)
        {
            parts.headers.insert(RANGE, range);
        }
        parts
    }

    /// What the gateway itself asks: the whole file, unless it is as these validators say.
    pub(super) fn unless(ask: &Ask<'r>, validators: Option<&Validators>) -> Self {
        let mut parts = Self::begun(ask, false);
        let Some(Validators { etag, last_modified }) = validators else { return parts };
        let mut put = |name, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                parts.headers.insert(name, value);
            }
        };
        if let Some(etag) = etag {
            put(IF_NONE_MATCH, etag.clone());
        } else if let Some(modified) = last_modified {
            put(IF_MODIFIED_SINCE, httpdate::fmt_http_date(*modified));
        }
        parts
    }

    fn begun(ask: &Ask<'r>, head: bool) -> Self {
        let headers = HeaderMap::with_capacity(12);
        let method = if head { Method::HEAD } else { Method::GET };
        let mut parts = Self { method, headers, request_id: ask.request_id };
        parts.pass_on(ask, &ABOUT_THE_CLIENT);
        // Bytes are passed as they are, so no server is invited to encode them (wire.md W11).
        parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        parts.headers.insert(VIA, HeaderValue::from_static("1.1 condagate"));
        parts
    }

    fn pass_on(&mut self, ask: &Ask<'_>, fields: &[Field]) {
        for &field in fields {
            if let Some(value) = ask.fields.only(field).and_then(without_tokens) {
                self.headers.insert(field.name(), value);
            }
        }
    }

    /// The request for `uri`. The storage's own credentials go to its own origin alone.
    pub(super) fn build(
        &self,
        upstream: &Upstream,
        uri: &Uri,
    ) -> Result<Request<Empty<Bytes>>, Fault> {
        let invalid = |why: ::http::Error| Fault::new(FaultKind::Unusable, why.to_string());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(path)
            .header(HOST, authority)
            .header(REQUEST_ID, self.request_id)
            .body(Empty::new())
            .map_err(invalid)?;
        let headers = request.headers_mut();
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        if let Some(credentials) = upstream.credentials_for(uri) {
            headers.insert(AUTHORIZATION, credentials.clone());
        }
        Ok(request)
    }
}

/// The value, unless something in it looks like a token.
fn without_tokens(value: &[u8]) -> Option<HeaderValue> {
    let text = visible(value)?;
    (redact(text) == text).then(|| HeaderValue::from_str(text).ok()).flatten()
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) https: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Result<Self, Fault> {
        let https = uri.scheme_str() == Some("https");
        let host =
            uri.host().ok_or_else(|| Fault::new(FaultKind::Unusable, "a URL without host"))?;
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Ok(Self { https, host: host.trim_matches(['[', ']']).to_owned(), port })
    }
}
