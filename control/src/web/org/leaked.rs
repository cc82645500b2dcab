//! `/org/leaked`: which token a value belongs to that was found somewhere, and the way to revoke it.
//! The value comes in a form's body, and is in no answer, address or log.

use access::TokenSecret;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::{Tab, tab_head, tab_page};
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
use crate::{Control, Error, TokenStatus};

const HERE: Tab = Tab::Leaked;
/// The field; no form that is shown again has its value.
const SECRET: &str = "secret";

pub(super) fn router() -> Router<Control> {
    Router::new().route("/org/leaked", get(show).post(find))
}

async fn show(visitor: Visitor) -> Markup {
    page(&visitor, &Filled::default(), html! {})
}

async fn find(State(control): State<Control>, posted: Posted) -> Result<Response, Failure> {
    let visitor = &posted.visitor;
    // What was pasted is not kept.
    let mut filled = Filled { once: posted.filled().once, ..Filled::default() };
    let Some(secret) = value_in(posted.fields.text(SECRET)) else {
        let why = "there is no token in this; paste the value itself, or the line or URL in which you found it";
        filled.faults.add(SECRET, why);
        return Ok(refused(page(visitor, &filled, html! {})));
    };
    match token::lookup(&control, &visitor.actor, &secret).await {
        Ok(found) => Ok(page(visitor, &filled, result(visitor, &found)).into_response()),
        Err(Error::NotFound { .. }) => {
            let hint = secret.hint();
            let content = html! {
                h2 { "Not one of ours" }
                p {
                    "No token begins with " code { (hint) } " and has this value, or it is not visible to you. "
                    "It can't be used on a channel that you manage."
                }
            };
            Ok(page(visitor, &filled, found_section(content)).into_response())
        }
        Err(error) => Err(error.into()),
    }
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
            dd { p {
                (token.permission) " on "
                @for (at, channel) in token.channels.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href=(address::channel(&channel.name, "")) { (channel.name) }
                }
                @if token.channels.is_empty() { "no channel" }
            } }
            @if !token.description.is_empty() { dt { "Description" } dd { (token.description) } }
            dt { "Status" } dd { (token.status.as_str()) }
            @if let Some(at) = found.replaced_at { dt { "Replaced" } dd { (moment(now, at)) } }
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
            div.row { a.btn.danger href={ "/tokens/" (token.id.0) "/delete" } { "Revoke token" } }
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
    }
}
