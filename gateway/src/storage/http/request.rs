//! The request to an upstream server: built anew from an allow-list (wire.md W19).

use ::http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    RANGE, USER_AGENT, VIA,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use access::redact;
use bytes::Bytes;
use http_body_util::Empty;

use super::super::conditions::Conditions;
use super::super::{Ask, Fault, FaultKind};
use super::connect::Upstream;

/// What passes from the client's request as it is, if it is there exactly once.
const PASSED_ON: [HeaderName; 5] = [IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE, ACCEPT, USER_AGENT];

/// The request's id, so that the upstream's log can be read beside ours.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is made of, whichever server it goes to.
pub(super) struct Parts<'r> {
    method: Method,
    headers: HeaderMap,
    request_id: &'r str,
}

impl<'r> Parts<'r> {
    pub(super) fn new(ask: &Ask<'r>) -> Self {
        let mut headers = HeaderMap::with_capacity(12);
        for name in PASSED_ON {
            let mut values = ask.headers.get_all(&name).iter();
            if let (Some(value), None) = (values.next(), values.next())
                && let Some(value) = without_tokens(value)
            {
                headers.insert(name, value);
            }
        }
        if let Some(range) = Conditions::new(ask.headers, ask.head).range_to_pass_on()
            && let Ok(range) = HeaderValue::from_str(range)
        {
            headers.insert(RANGE, range);
        }
        // Bytes are passed as they are, so no server is invited to encode them (wire.md W11).
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(VIA, HeaderValue::from_static("1.1 condagate"));
        let method = if ask.head { Method::HEAD } else { Method::GET };
        Self { method, headers, request_id: ask.request_id }
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
fn without_tokens(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    (redact(text) == text).then(|| value.clone())
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
