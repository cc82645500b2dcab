//! Who looks at a page: read once for each request, before its handler.

use access::{Timestamp, TokenSecret};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use maud::Markup;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::org::gateways::state;
use super::{headers, proof};
use crate::api::credential::{browser_session, origin};
use crate::usecases::session::{self, Origin};
use crate::usecases::who;
use crate::{Actor, Control, Error, Via};

/// What htmx says of itself when it asks for a part.
const PART: &str = "hx-request";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// As whom use cases are asked.
    pub(super) actor: Actor,
    /// Whether they have role `admin`: decides what is offered, never what is allowed.
    pub(super) is_admin: bool,
    /// What their forms carry, so that no other site's can be sent in their name.
    pub(super) csrf: String,
    /// When the request came, for words like "3 days ago".
    pub(super) now: Timestamp,
    /// What stands above the page: where that is in force what they did before it.
    pub(super) above: Option<Markup>,
    /// For admins: whether the gateways are well.
    pub(super) gateways: Option<Markup>,
}

/// Where a page was asked for, for the way back to it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Its path and query.
    pub(super) target: String,
    /// The page that wants a part of itself exchanged (htmx).
    pub(super) is_part: bool,
    /// Whether it only looks.
    pub(super) is_look: bool,
}

impl Asked {
    fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        Self {
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            is_part: headers.contains_key(PART),
            is_look: method.is_safe(),
        }
    }
}

/// Finds out who asks, has the page made, and gives it what every page has.
pub(super) async fn attend(
    State(control): State<Control>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = Asked::of(&parts.method, &parts.uri, &parts.headers);
    parts.extensions.insert(asked.clone());
    let found = find(&control, &parts).await;
    let mut visitor = None;
    let mut response = match found {
        Ok(found) if !is_text(&mut parts).await => {
            visitor = found;
            Failure::no_such_page().into_response()
        }
        Ok(found) => {
            visitor.clone_from(&found);
            parts.extensions.insert(found);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => Failure::from(error).into_response(),
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.answer(visitor.as_ref(), &asked);
    }
    headers::write(response.headers_mut());
    response
}

/// Whether what an address names is text. Nothing of ours has a name that isn't, nor one with the
/// character that PostgreSQL stores in no text.
async fn is_text(parts: &mut Parts) -> bool {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(names) => names.iter().all(|(_, name)| !name.contains('\0')),
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => false,
        // An address that names nothing.
        Err(_) => true,
    }
}

/// Nobody is no error: some pages are for everybody.
async fn find(control: &Control, parts: &Parts) -> Result<Option<Visitor>, Error> {
    let Some(secret) = browser_session(&parts.headers) else { return Ok(None) };
    match Visitor::of(control, &secret, origin(parts, control)).await {
        // A part of a page has no frame.
        Ok(visitor) if parts.headers.contains_key(PART) => Ok(Some(visitor)),
        Ok(visitor) => {
            let gateways = match visitor.is_admin {
                true => Some(state::of(control, &visitor.actor).await?),
                false => None,
            };
            Ok(Some(Visitor { above: proof::above(control, parts).await?, gateways, ..visitor }))
        }
        Err(Error::NotSignedIn) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Visitor {
    /// Whoever has this session.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]: it has ended; [`Error::Store`].
    pub(super) async fn of(
        control: &Control,
        session: &TokenSecret,
        origin: Origin,
    ) -> Result<Self, Error> {
        let actor = session::authenticate(control, session, origin).await?;
        // A token's value in the cookie is no sign-in.
        if !matches!(actor.via, Via::Session(_)) {
            return Err(Error::NotSignedIn);
        }
        let is_admin = who(control, &actor).await?.is_admin;
        Ok(Self {
            actor,
            is_admin,
            csrf: csrf(session),
            now: control.now(),
            above: None,
            gateways: None,
        })
    }
}

/// A form's token: made of the session, so that it ends with it and needs no place to be kept.
fn csrf(session: &TokenSecret) -> String {
    let mut text = Sha256::new();
    text.update(b"condagate form\n");
    text.update(session.digest().as_bytes());
    text.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl FromRequestParts<Control> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Control) -> Result<Self, Failure> {
        let found = parts.extensions.get::<Option<Self>>().cloned().flatten();
        found.ok_or_else(|| Error::NotSignedIn.into())
    }
}

/// Whoever looks, signed in or not.
pub(super) struct Anybody(pub(super) Option<Visitor>);

impl FromRequestParts<Control> for Anybody {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Control) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Option<Visitor>>().cloned().flatten()))
    }
}
