//! The pages: HTML from our own binary, with forms that work without JavaScript (ui.md).
//!
//! How a page is added:
//!
//! 1. A handler in a file per page or noun (`channels/list.rs`). It takes [`visitor::Visitor`], or
//!    for a form that was sent [`posted::Posted`] (which has the visitor, and has checked the form's CSRF token), asks a
//!    use case as `visitor.actor`, and answers `Result<_, Failure>`: `?` on a use case's error makes
//!    the error page, a redirect to the sign-in where that is what's missing.
//! 2. Its content is written with `maud`, and put into the frame by
//!    [`visitor.page(title, Place, content)`](visitor::Visitor::page). The shared pieces: [`table`], [`form`]
//!    (fields with their errors, filled with what was typed), [`dialog`], [`empty`], [`status`],
//!    [`moment`] (times), [`number`], [`icon`].
//! 3. A form is [`form::post`]: it has the CSRF token and the key that makes a double submit one.
//!    When a use case refuses, `filled.refuse(error)?` puts the reason beside its field, and the page
//!    is answered again by [`page_again`](visitor::Visitor::page_again).
//! 4. Its address is added to the router of its folder, which [`router`] merges.
//!
//! *Architecture invariant:* pages decide nothing. Rules and permissions are the use cases' alone;
//! a page may hide what its visitor can't use, and is refused like anybody else.
//!
//! *Architecture invariant:* every answer but the assets' is `no-store`, and the policy of
//! [`headers`] allows no script and no style but our own files: an attribute `style=` or `onclick=`
//! does nothing.

mod address;
mod assets;
mod began;
mod channels;
mod chart;
mod commands;
mod dialog;
mod duration;
mod empty;
mod failure;
mod fields;
mod form;
mod headers;
mod icon;
mod listing;
mod meter;
mod moment;
mod number;
mod org;
mod page;
mod paging;
mod posted;
mod proof;
mod sign_in;
mod status;
mod table;
mod tokens;
mod unsent;
mod visitor;
mod welcome;

use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, middleware};

use crate::{Control, api};
use failure::Failure;

/// How many bytes a form may have.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The routes of the pages. What is at no page's address is answered with a page that says so.
pub(crate) fn router(control: Control) -> Router {
    let pages = Router::new()
        .route("/", get(async || Redirect::to("/channels")))
        .merge(sign_in::router())
        .merge(welcome::router())
        .merge(channels::router())
        .merge(tokens::router())
        .merge(org::router())
        .merge(proof::router())
        .fallback(async || Failure::no_such_page())
        .method_not_allowed_fallback(async || Failure::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn_with_state(control.clone(), visitor::attend))
        .layer(middleware::from_fn(api::request_id::attach))
        .with_state(control);
    pages.merge(assets::router())
}
