//! The commands of the API's client (`cli/api` declares them): a request is composed of what was
//! typed, sent, and its answer shown.

mod request;
mod show;
mod token;

use serde_json::Value;

use super::admin::{known_password, new_password};
use crate::cli::api::{Asked, Kind, Shows};
use crate::failure::Failure;
use crate::process;
use crate::remote::{Remote, Request};
use crate::terminal::{confirmed, print, print_json};
use request::{Passwords, Typed};
pub(super) use token::proof as proof_sentence;

pub(super) fn run(asked: &Asked) -> Result<(), Failure> {
    let typed = Typed::new(asked);
    // Its token, if it comes by the standard input, is the first line there.
    let remote = Remote::find(&asked.options.credential)?;
    let carries = match asked.verb.carries {
        Some(field) => Some((field, token::from_input()?)),
        None => None,
    };
    if let Some(question) = asked.verb.asks
        && !typed.flag("yes")
        && !confirmed(&show::sentence(question, |name| typed.text(name)))?
    {
        return Err(Failure::Declined);
    }
    process::block_on(async {
        let you = if typed.needs_you() { you(&remote).await? } else { String::new() };
        let mut request = typed.request(&you, &passwords(&typed, &you)?)?;
        request.carries = carries;
        match asked.verb.shows {
            Shows::Rows(_) | Shows::Lines => list(&typed, &remote, &request.path).await,
            _ => answer(&typed, &remote, request).await,
        }
    })
}

/// Reads a list, page by page, and shows it.
async fn list(typed: &Typed<'_>, remote: &Remote, path: &str) -> Result<(), Failure> {
    let limit = typed.limit();
    let fields = match typed.asked.verb.shows {
        Shows::Rows(fields) => fields,
        _ => {
            let write = |page: Vec<Value>| match page.is_empty() {
                true => Ok(()),
                false => print(&show::lines(&page)),
            };
            return remote.pages(path, limit, write).await;
        }
    };
    let mut items = Vec::new();
    let take = |page| {
        items.extend(page);
        Ok(())
    };
    remote.pages(path, limit, take).await?;
    match typed.asked.options.json {
        true => print_json(&Value::Array(items)),
        false => print(&show::table(fields, &items)),
    }
}

/// Sends the request, and shows what is answered.
async fn answer(typed: &Typed<'_>, remote: &Remote, request: Request) -> Result<(), Failure> {
    // Before the token is there: its value could be shown this once, and then an error instead.
    let gateway_url = match typed.asked.verb.shows {
        Shows::IssuedToken if !typed.asked.options.json => {
            token::gateway_url(typed, remote).await?
        }
        _ => String::new(),
    };
    let answer = remote.ask(request).await?;
    if typed.asked.options.json {
        if !answer.is_null() {
            print_json(&answer)?;
        }
        return token::judge(typed, &answer);
    }
    match typed.asked.verb.shows {
        Shows::Rows(_) | Shows::Lines => {}
        Shows::Fields(fields) => print(&show::record(fields, &answer))?,
        Shows::Says(text) => print(&said(text, typed, &answer))?,
        Shows::IssuedToken => {
            print(&token::issued(&gateway_url, &answer))?;
            print(&token::proof("\nits value is known", &answer))?;
        }
        Shows::Proof(text) => print(&token::proof(&said(text, typed, &answer), &answer))?,
        Shows::Import => print(&token::imported(&answer))?,
    }
    token::judge(typed, &answer)
}

/// A sentence about what was answered, or else typed.
fn said(text: &str, typed: &Typed<'_>, answer: &Value) -> String {
    show::sentence(text, |name| match &answer[name] {
        Value::Null => typed.text(name),
        value => show::cell(name, value),
    })
}

/// The passwords that the command takes.
fn passwords(typed: &Typed<'_>, you: &str) -> Result<Passwords, Failure> {
    let Some(input) = typed.input(Kind::Password) else { return Ok(Passwords::default()) };
    let (stdin, name) = (typed.flag(input.name), typed.text("name"));
    let own = match typed.input(Kind::OwnPassword) {
        Some(_) if name == you => Some(known_password(stdin, &name)?),
        _ => None,
    };
    Ok(Passwords { new: Some(new_password(stdin, &name)?), own })
}

/// Who asks.
async fn you(remote: &Remote) -> Result<String, Failure> {
    let me = remote.ask(Request::get("/me")).await?;
    Ok(me["name"].as_str().unwrap_or_default().to_owned())
}
