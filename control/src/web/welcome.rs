//! The first run: there is no admin who could sign in. One is made at the machine alone: else
//! whoever comes first to a page on the network would own it all.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::html;

use super::failure::Failure;
use super::{commands, page};
use crate::Control;
use crate::usecases::user;

pub(super) const PATH: &str = "/welcome";

pub(super) fn router() -> Router<Control> {
    Router::new().route(PATH, get(show))
}

async fn show(State(control): State<Control>) -> Result<Response, Failure> {
    if user::has_an_admin(&control).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let content = html! {
        div {
            h1 { "Welcome to condagate" }
            p.dim { "There is no admin yet. Make the first one on the machine where condagate runs; it asks for a password." }
        }
        (commands::line("admin", "condagate admin create NAME"))
        p.dim { "Then sign in: Org Settings has what comes next." }
        a.btn.primary href="/sign-in" { "Sign in" }
    };
    Ok(page::outside("Welcome", content).into_response())
}
