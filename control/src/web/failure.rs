//! Why a page can't be shown, as a page that says what to do.

use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::fields::Fields;
use super::visitor::{Asked, Visitor};
use super::{address, page, sign_in};
use crate::Error;
use crate::api::problem::Problem;
use crate::usecases::Holder;

const REFRESH: HeaderName = HeaderName::from_static("hx-refresh");

/// A page that can't be shown, on its way to [`super::visitor::attend`], which knows for whom.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Nobody is signed in.
    SignIn,
    /// A form came without a session, or from another one: what was typed is kept.
    Form {
        /// Where it was sent.
        target: String,
        /// What was typed.
        typed: Fields,
    },
    /// It is refused, or failed.
    Refused {
        status: StatusCode,
        title: &'static str,
        detail: String,
        retry_after_secs: Option<u64>,
    },
}

impl Failure {
    pub(super) fn no_such_page() -> Self {
        Problem::no_such_resource().into()
    }

    pub(super) fn method_not_allowed() -> Self {
        Problem::method_not_allowed().into()
    }

    /// A form of another site's.
    pub(super) fn cross_origin() -> Self {
        Self::Refused {
            status: StatusCode::FORBIDDEN,
            title: "Another site’s page may not do this",
            detail:
                "only a page of this server may change things; open the page here and do it again"
                    .to_owned(),
            retry_after_secs: None,
        }
    }

    pub(super) fn too_large() -> Self {
        Self::Refused {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            title: "This is too much",
            detail: "a form may have 64 KiB; go back and shorten it".to_owned(),
            retry_after_secs: None,
        }
    }

    /// A form without a session, or from another one than the present.
    pub(super) fn form(target: String, fields: &Fields) -> Self {
        Self::Form { target, typed: fields.to_keep() }
    }

    /// The page.
    pub(super) fn answer(self, visitor: Option<&Visitor>, asked: &Asked) -> Response {
        match (self, visitor) {
            // The page around the part is asked for anew, and leads to the sign-in.
            (Self::SignIn, _) if asked.is_part => {
                (StatusCode::UNAUTHORIZED, [(REFRESH, HeaderValue::from_static("true"))])
                    .into_response()
            }
            (Self::SignIn, _) => {
                let back = if asked.is_look { asked.target.as_str() } else { "/channels" };
                Redirect::to(&address::sign_in(back)).into_response()
            }
            (Self::Form { target, typed }, None) => sign_in::after_expiry(&target, &typed),
            (Self::Form { target, typed }, Some(visitor)) => {
                sign_in::send_again(visitor, &target, &typed).into_response()
            }
            (Self::Refused { status, title, detail, retry_after_secs }, visitor) => {
                let retry = retry_after_secs.map(|secs| (RETRY_AFTER, HeaderValue::from(secs)));
                let content = content(status, title, &detail);
                let page = match visitor {
                    Some(visitor) => visitor.page(title, page::Place::None, content),
                    None => page::outside(title, content),
                };
                (status, HeaderMap::from_iter(retry), page).into_response()
            }
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let Problem { status, title, detail, retry_after_secs, .. } = problem;
        Self::Refused { status, title, detail, retry_after_secs }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotSignedIn => Self::SignIn,
            Error::KeyReused => Self::Refused {
                status: StatusCode::CONFLICT,
                title: "This form was sent before",
                detail: "it was done then as it was filled in then, and nothing is done now; open the form again for something else".to_owned(),
                retry_after_secs: None,
            },
            other => Problem::from(other).into(),
        }
    }
}

/// An answer that only carries the failure.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn content(status: StatusCode, title: &str, detail: &str) -> Markup {
    html! {
        div.empty {
            p.small { (status.as_u16()) }
            h1 { (title) }
            p { (sentence(detail)) }
            div.row { a.btn.primary href="/channels" { "Go to Channels" } }
        }
    }
}

/// Why a use case refused what was typed: the field, and what to do about it.
///
/// # Errors
/// What no other input could help against.
pub(super) fn in_form(error: Error) -> Result<(&'static str, String), Failure> {
    let words = error.to_string();
    match error {
        Error::InvalidField { field, message } => Ok((field, message)),
        Error::NameTaken { .. } => Ok(("name", words)),
        Error::Lifespan { latest, reason } => {
            Ok(("expires_at", format!("choose a day up to {}: {reason}", latest.date())))
        }
        Error::PermissionNotHeld { holder: Holder::You, .. } => Ok(("permission", words)),
        // Its owners decide what the account holds there.
        Error::PermissionNotHeld { .. } => Ok(("channels", words)),
        Error::SeatLimit { .. }
        | Error::NotPermitted { .. }
        | Error::LastOwner { .. }
        | Error::LastAdmin
        | Error::OwnersGroup { .. }
        | Error::GatewayLive { .. }
        | Error::ChangedMeanwhile { .. }
        | Error::TokenRevoked { .. } => Ok(("", words)),
        other => Err(other.into()),
    }
}

/// That something isn't there, in a page's words.
pub(super) fn absent(error: &Error) -> String {
    match error {
        Error::NotFound { kind: "principal", name } => {
            format!("no user or service account is named `{name}`")
        }
        other => other.to_string(),
    }
}

/// Words of a use case as a sentence: names that stand between backticks are set apart.
pub(super) fn sentence(words: &str) -> Markup {
    let mut first = true;
    html! {
        @for (at, part) in words.split('`').enumerate() {
            @if at % 2 == 1 {
                code { (part) }
            } @else {
                @let capital = std::mem::take(&mut first);
                (if capital { capitalized(part) } else { part.to_owned() })
            }
        }
        @if !words.ends_with(['.', '!', '?']) { "." }
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn words_of_a_use_case_become_a_sentence() {
        let shown = sentence("no channel `a<b`, or it is not visible to you").into_string();
        assert_eq!(shown, "No channel <code>a&lt;b</code>, or it is not visible to you.");
        assert_eq!(sentence("`x` begins it.").into_string(), "<code>x</code> begins it.");
    }
}
