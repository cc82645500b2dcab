//! Redirects of an upstream: followed within the storage's configured hosts, and nowhere else
//! (wire.md W19).

use ::http::header::LOCATION;
use ::http::{Response, StatusCode, Uri};
use url::Url;

use super::super::{Fault, FaultKind};
use super::connect::Upstream;
use super::request::Origin;

/// Where to ask next, if the answer is a redirect.
pub(super) fn next<B>(
    upstream: &Upstream,
    from: &Uri,
    response: &Response<B>,
) -> Result<Option<Uri>, Fault> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&response.status()) {
        return Ok(None);
    }
    let unusable = |what: &str| {
        Fault::new(FaultKind::Unusable, format!("{} redirects {what}", upstream.base()))
    };
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| unusable("without a Location"))?;
    let joined = Url::parse(&from.to_string()).and_then(|base| base.join(location));
    let joined = joined.map_err(|_why| unusable("to something that is no URL"))?;
    if !joined.username().is_empty() || joined.password().is_some() {
        return Err(unusable("to a URL with credentials"));
    }
    // Without the fragment, which is the client's matter; the query may be a signature.
    let text = joined.as_str().split('#').next().unwrap_or_default();
    let uri: Uri = text.parse().map_err(|_why| unusable("to something that is no URL"))?;
    let origin = Origin::of(&uri)?;
    let downgrade = from.scheme_str() == Some("https") && !origin.https;
    if downgrade || !upstream.may_ask(&uri, &origin) {
        return Err(unusable(&format!(
            "to {}:{}, which is not among `redirect_hosts`",
            origin.host, origin.port
        )));
    }
    Ok(Some(uri))
}
