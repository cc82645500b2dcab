//! Signing in and out.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};

use super::duration::duration;
use super::failure::Failure;
use super::fields::{Fields, Filled, Query};
use super::form::{self, Input};
use super::page::{self, Place};
use super::posted::{CSRF, ONCE, Posted};
use super::visitor::{Anybody, Visitor};
use super::{address, unsent, welcome};
use crate::api::credential::{From, is_foreign, session_cookie};
use crate::usecases::{session, user};
use crate::{Control, Error};

/// Where one was.
const RETURN: &str = "return";
/// Where a form was sent after its session had ended.
const THEN: &str = "then";
/// What was typed into it.
const TYPED: &str = "typed";

pub(super) fn router() -> Router<Control> {
    Router::new().route("/sign-in", get(show).post(sign_in)).route("/sign-out", post(sign_out))
}

async fn show(
    State(control): State<Control>,
    Anybody(visitor): Anybody,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let back = address::local(fields.text(RETURN));
    if visitor.is_some() {
        return Ok(Redirect::to(back).into_response());
    }
    if !user::has_an_admin(&control).await? {
        return Ok(Redirect::to(welcome::PATH).into_response());
    }
    // Nothing else of the address: what is to be sent after the sign-in comes from a form of ours
    // alone, since a link to here may be anybody's.
    let kept = fields.some(RETURN).map(|_| (RETURN, back.to_owned()));
    Ok(form_page(&Filled::with(Fields::of(kept))).into_response())
}

async fn sign_in(
    State(control): State<Control>,
    From(origin): From,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Response, Failure> {
    // Else a page of another site could have its visitor act as somebody else here.
    if is_foreign(&headers) {
        return Err(Failure::cross_origin());
    }
    let mut filled = Filled::with(Fields::parse(&body));
    let (name, password) = (filled.fields.text("username"), filled.fields.raw("password"));
    match session::create(&control, name, password, origin.clone()).await {
        Ok(session) => {
            let cookie =
                [(SET_COOKIE, session_cookie(control.settings(), session.secret.reveal()))];
            let then = filled.fields.text(THEN);
            if then.is_empty() {
                let back = address::local(filled.fields.text(RETURN));
                return Ok((cookie, Redirect::to(back)).into_response());
            }
            let visitor = Visitor::of(&control, &session.secret, origin).await?;
            let typed = Fields::parse(filled.fields.raw(TYPED).as_bytes());
            Ok((cookie, send_again(&visitor, then, &typed)).into_response())
        }
        Err(error @ Error::WrongPassword) => {
            filled.faults.add("password", error.to_string());
            Ok((StatusCode::UNAUTHORIZED, form_page(&filled)).into_response())
        }
        Err(Error::TooManyAttempts { retry_after_secs }) => {
            let wait = duration(Duration::from_secs(retry_after_secs));
            let why = format!("too many attempts have failed here; wait {wait}, then try again");
            filled.faults.add("password", why);
            let retry = [(RETRY_AFTER, HeaderValue::from(retry_after_secs))];
            Ok((StatusCode::TOO_MANY_REQUESTS, retry, form_page(&filled)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn sign_out(State(control): State<Control>, posted: Posted) -> Result<Response, Failure> {
    session::end_current(&control, &posted.visitor.actor).await?;
    let cookie = [(SET_COOKIE, session_cookie(control.settings(), ""))];
    Ok((cookie, Redirect::to("/sign-in")).into_response())
}

/// The sign-in in the answer to a form whose session had ended: what was typed goes along.
pub(super) fn after_expiry(target: &str, typed: &Fields) -> Response {
    let fields = Fields::of([(THEN, target.to_owned()), (TYPED, typed.encode())]);
    (StatusCode::UNAUTHORIZED, form_page(&Filled::with(fields))).into_response()
}

/// What was typed under another session, to be sent in this one. Its visitor decides: they may be
/// somebody else than who typed it.
pub(super) fn send_again(visitor: &Visitor, target: &str, typed: &Fields) -> Markup {
    let back = target.strip_suffix("/new").unwrap_or(target);
    let filled = Filled { once: typed.some(ONCE), ..Filled::default() };
    let fields = html! {
        @for (name, value) in typed.iter().filter(|(name, _)| !matches!(*name, CSRF | ONCE)) {
            input type="hidden" name=(name) value=(value);
        }
        (form::buttons("Continue", address::local(back)))
    };
    // Whoever sent it may be somebody else than who has signed in now.
    visitor.page("Not sent yet", Place::None, html! {
        (page::head(html! { "Not sent yet" }, html! {
            p { "You are signed in as " b { (visitor.actor.name) } ". What was sent before the session ended was not done: continue to do it now, in your name." }
        }, html! {}))
        div.found {
            (unsent::told(target, typed))
            (form::post(visitor, &filled, address::local(target), fields))
        }
    })
}

/// What comes after it, which stays said also after a wrong password.
fn note(kept: &Fields) -> Option<&'static str> {
    if kept.some(THEN).is_some() {
        Some("Your session has ended. Sign in again: what you typed is kept.")
    } else {
        kept.some(RETURN).map(|_| "Sign in to go on to where you were.")
    }
}

fn form_page(filled: &Filled) -> Markup {
    let kept = [RETURN, THEN, TYPED];
    page::outside(
        "Sign in",
        html! {
            div {
                h1 { "Sign in" }
                @if let Some(note) = note(&filled.fields) { p.dim role="status" { (note) } }
            }
            form.form method="post" action="/sign-in" novalidate {
                @for name in kept {
                    @if let Some(value) = filled.fields.some(name) {
                        input type="hidden" name=(name) value=(value);
                    }
                }
                (Input::text("username", "Username").autocomplete("username").focused().of(filled))
                (Input::password("password", "Password", "current-password").of(filled))
                button.btn.primary { "Sign in" }
            }
            p.small { "Forgot your password? An admin can set a new one." }
        },
    )
}
