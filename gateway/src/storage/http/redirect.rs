//! Redirects of an upstream: followed within the storage's configured hosts, and nowhere else
//! (wire.md W19).

use std::sync::Arc;

use ::http::StatusCode;
use url::Url;

use super::super::{Fault, FaultKind};
use super::client::{Answered, UpstreamField};
use super::connect::Upstream;
use super::origin::{Origin, Target};

/// Where to ask next, if the answer is a redirect.
pub(super) fn next(
    upstream: &Upstream,
    from: &Target,
    answered: &Answered,
) -> Result<Option<Target>, Fault> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&answered.status) {
        return Ok(None);
    }
    let unusable = |what: &str| {
        Fault::new(FaultKind::Unusable, format!("{} redirects {what}", upstream.base()))
    };
    let location = answered.fields.text(UpstreamField::Location);
    let location = location.ok_or_else(|| unusable("without a Location"))?;
    let joined = Url::parse(&from.url()).and_then(|base| base.join(location));
    let joined = joined.map_err(|_why| unusable("to something that is no URL"))?;
    if !joined.username().is_empty() || joined.password().is_some() {
        return Err(unusable("to a URL with credentials"));
    }
    let origin = Origin::of_url(&joined)
        .ok_or_else(|| unusable("to something that is no URL of the web"))?;
    let is_downgrade = from.origin.is_https && !origin.is_https;
    if is_downgrade || !upstream.may_ask(&origin) {
        return Err(unusable(&format!(
            "to {}:{}, which is not among `redirect_hosts`",
            origin.host, origin.port
        )));
    }
    // Without the fragment, which is the client's matter; the query may be a signature.
    let path = match joined.query() {
        Some(query) => format!("{}?{query}", joined.path()),
        None => joined.path().to_owned(),
    };
    Target::new(Arc::new(origin), path).map(Some)
}
