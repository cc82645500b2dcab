//! `/org/leaked`: which token or session a value belongs to that was found somewhere, and the way to
//! end it.
//! The value comes in a form's body, and is in no answer, address or log.

use access::TokenSecret;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};

use super::{Tab, tab_head, tab_page};
use crate::usecases::session;
use crate::usecases::token::{self, Found};
use crate::web::address;
use crate::web::failure::Failure;
use crate::web::fields::Filled;
use crate::web::form;
use crate::web::moment::moment;
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::status::{Tone, status};
use crate::web::visitor::Visitor;
use crate::{Control, Error, SessionId, SignedInSession, TokenStatus, Via};

const HERE: Tab = Tab::Leaked;
/// The field; no form that is shown again has its value.
const SECRET: &str = "secret";
const NONE: &str =
    "there is no token in this; paste the value itself, or the line or URL in which you found it";
const BROKEN: &str =
    "this looks like a token, but it is mistyped or cut short; paste it whole, as you found it";

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/org/leaked", get(show).post(find))
        .route("/org/leaked/sessions/{session}/end", post(end))
}

async fn show(visitor: Visitor) -> Markup {
    page(&visitor, &Filled::default(), html! {})
}

async fn find(State(control): State<Control>, posted: Posted) -> Result<Response, Failure> {
    let visitor = &posted.visitor;
    // What was pasted is not kept.
    let mut filled = Filled { once: posted.filled().once, ..Filled::default() };
    let text = posted.fields.text(SECRET);
    let mut refuse = |why| {
        filled.faults.add(SECRET, why);
        Ok(refused(page(visitor, &filled, html! {})))
    };
    let Some(secret) = value_in(text) else {
        return refuse(if is_nearly_one(text) { BROKEN } else { NONE });
    };
    let actor = &visitor.actor;
    let content = match found(token::lookup(&control, actor, &secret).await)? {
        Some(found) => result(visitor, &found),
        // A session's value looks like a token's.
        None => match found(session::lookup(&control, actor, &secret).await)? {
            Some(session) => sign_in(visitor, &session),
            // What is cut short could be another system's.
            None if !secret.is_ours() && is_nearly_one(text) => return refuse(BROKEN),
            None => unknown(visitor, &secret),
        },
    };
    Ok(page(visitor, &filled, content).into_response())
}

/// What there is, if there is.
fn found<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Ends the session whose value was found.
async fn end(
    State(control): State<Control>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let no_session = || Error::NotFound { kind: "session", name: id.clone() };
    let session = SessionId(id.parse().map_err(|_not_an_id| no_session())?);
    let visitor = &posted.visitor;
    found(session::end(&control, &visitor.actor, session).await)?;
    if visitor.actor.via == Via::Session(session) {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let content = found_section(html! {
        p { (status(Tone::Good, "ok", "The session has ended: its value no longer works")) }
    });
    Ok(page(visitor, &Filled::default(), content).into_response())
}

/// The token in a text: the text itself, or the first of its words that looks like one of ours, or
/// else what stands behind `/t/` in a URL.
fn value_in(text: &str) -> Option<TokenSecret> {
    if let Ok(secret) = TokenSecret::parse(text) {
        return Some(secret);
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut read = words.filter_map(|word| TokenSecret::parse(word).ok());
    if let Some(secret) = read.find(TokenSecret::is_ours) {
        return Some(secret);
    }
    let (_, behind) = text.split_once("/t/")?;
    TokenSecret::parse(behind.split('/').next()?).ok()
}

/// Whether a text without a token has a word that begins as ours do.
fn is_nearly_one(text: &str) -> bool {
    const SOME: usize = 6;
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.any(|word| word.strip_prefix("cg-").is_some_and(|rest| rest.len() >= SOME))
}

fn page(visitor: &Visitor, filled: &Filled, result: Markup) -> Markup {
    let about = "Paste a token that was found in a log, a repository or a message. You see which one it is, and can revoke it.";
    let fields = html! {
        (form::lines(filled, SECRET, "Token", Some("Or the line or URL in which you found it. It is not kept.")))
        div.row { button.btn.primary { "Find token" } }
    };
    let inner = html! {
        (tab_head(HERE, about, html! {}))
        (form::post(visitor, filled, HERE.path(), fields))
        (result)
    };
    tab_page(visitor, HERE, inner)
}

fn found_section(content: Markup) -> Markup {
    html! { div.found.gap role="status" { (content) } }
}

fn result(visitor: &Visitor, found: &Found) -> Markup {
    let (token, now) = (&found.token, visitor.now);
    let is_over = matches!(token.status, TokenStatus::Revoked);
    found_section(html! {
        h2 { (token.name) }
        @if found.works {
            p { (status(Tone::Bad, "warn", "This value works")) }
        } @else {
            p { (status(Tone::Good, "ok", "This value no longer works")) }
        }
        dl.kv {
            dt { "Acts for" } dd { a href=(holder(&token.principal)) { (token.principal) } }
            dt { "Grants" }
            // In a paragraph a link is underlined, to be told from the words around it.
            dd { p {
                (token.permission) " on "
                @for (at, channel) in token.channels.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href=(address::channel(&channel.name, "")) { (channel.name) }
                }
                @if token.channels.is_empty() { "no channel" }
            } }
            @if !token.description.is_empty() { dt { "Description" } dd { (token.description) } }
            dt { "The token" } dd { (token.status.as_str()) }
            @if let Some(at) = found.replaced_at {
                dt { "This value" }
                dd { "An old one; a newer one was issued. It " (if found.works { "ends" } else { "ended" }) " " (moment(now, at)) }
            }
            dt { "Created" } dd { (moment(now, token.created_at)) }
            dt { "Expires" } dd { (moment(now, token.expires_at)) }
            dt { "Last used" }
            dd {
                @match &token.last_used {
                    Some((at, from)) => { (moment(now, *at)) " from " (from) },
                    None => (status(Tone::Dim, "never", "Never used")),
                }
            }
        }
        @if !is_over {
            @if found.replaced_at.is_some() {
                p { "Revoking the token ends " (if found.works { "both values" } else { "its newer value" }) " at once." }
            }
            div.row { a.btn.danger href={ "/tokens/" (token.id.0) "/delete" } { "Revoke token" } }
        }
    })
}

/// A sign-in, which isn't shown as a token but is as bad to lose.
fn sign_in(visitor: &Visitor, session: &SignedInSession) -> Markup {
    let now = visitor.now;
    let is_own = visitor.actor.via == Via::Session(session.id);
    found_section(html! {
        h2 { "A session, not a token" }
        p { (status(Tone::Bad, "warn", "This value works: whoever has it is signed in")) }
        dl.kv {
            dt { "Signed in as" }
            dd { a href=(address::user(&session.principal)) { (session.principal) } @if is_own { " (this session)" } }
            dt { "Since" }
            dd {
                (moment(now, session.created_at))
                @if let Some(from) = &session.address { " from " (from) }
            }
            dt { "Ends" } dd { (moment(now, session.expires_at)) }
        }
        p { "Ending it signs them out there. If somebody else had the value, look in the audit log for what was done, and set a new password." }
        (form::button(visitor, &format!("/org/leaked/sessions/{}/end", session.id.0), html! {
            button.btn.danger { "End session" }
        }))
    })
}

fn unknown(visitor: &Visitor, secret: &TokenSecret) -> Markup {
    found_section(html! {
        @if visitor.is_admin {
            h2 { "Not one of ours" }
            p { "No token begins with " code { (secret.hint()) } " and has this value." }
        } @else {
            h2 { "Not one that you may see" }
            p {
                "No token begins with " code { (secret.hint()) } " and has this value, or it is not visible to you. "
                "An admin sees every token: ask one if it may have leaked."
            }
        }
    })
}

fn holder(principal: &str) -> String {
    match principal.starts_with("service-account-channel-") {
        true => address::account(principal),
        false => address::user(principal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_what_was_pasted() {
        let secret = TokenSecret::generate().unwrap();
        let value = secret.reveal();
        for text in [
            value.to_owned(),
            format!("https://conda.example.com/t/{value}/analytics"),
            format!("+ conda config --add channels https://c/t/{value}/x  # ok"),
            format!("machine conda.example.com login token password {value}"),
        ] {
            assert!(
                value_in(&text).is_some_and(|found| found.digest() == secret.digest()),
                "{text}"
            );
        }
        let imported = value_in("https://conda.example.com/t/an-old-token-0123456789/analytics");
        assert_eq!(imported.unwrap().reveal(), "an-old-token-0123456789");
        for text in ["", "nothing here", "cg-short", "https://conda.example.com/analytics/noarch"] {
            assert!(value_in(text).is_none(), "{text}");
        }
        // A letter is wrong.
        let broken = format!("cg-{}", "a".repeat(38));
        assert!(value_in(&broken).is_none());
        for text in
            [&broken, &format!("https://c/t/{broken}/x"), &value[..20], &format!("{value}0")]
        {
            assert!(value_in(text).is_none_or(|found| !found.is_ours()), "{text}");
            assert!(is_nearly_one(text), "{text}");
        }
        assert!(!is_nearly_one("nothing here, and no cg-team"));
    }
}
