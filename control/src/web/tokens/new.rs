//! *Generate Token*.

use access::Permission;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::back::{Back, list};
use super::notice::notice;
use super::offer::{Offer, SEARCH, SEARCH_BUTTON, is_search};
use super::order::{self, FIELDS, limit_fields};
use super::owner::Owner;
use crate::usecases::{permitted, token};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Choice, Input};
use crate::web::icon::icon;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::{Control, Error};

const TITLE: &str = "Generate Token";
const ENDS: [(&str, &str); 5] = [
    ("30d", "in 30 days"),
    ("90d", "in 90 days"),
    ("180d", "in 180 days"),
    ("365d", "in 365 days"),
    ("date", "on a date …"),
];

pub(super) async fn of_account(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    let owner = Owner::account(&control, &visitor, &name).await?;
    show(&control, &visitor, owner).await
}

pub(super) async fn of_own(
    State(control): State<Control>,
    visitor: Visitor,
) -> Result<Markup, Failure> {
    let owner = Owner::own(&visitor);
    show(&control, &visitor, owner).await
}

pub(super) async fn make_of_account(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let owner = Owner::account(&control, &posted.visitor, &name).await?;
    make(&control, posted, owner).await
}

pub(super) async fn make_of_own(
    State(control): State<Control>,
    posted: Posted,
) -> Result<Response, Failure> {
    let owner = Owner::own(&posted.visitor);
    make(&control, posted, owner).await
}

async fn show(control: &Control, visitor: &Visitor, owner: Owner) -> Result<Markup, Failure> {
    permitted::token_issue(control, &visitor.actor, owner.name()).await?;
    let offer = Offer::read(control, visitor, &owner, "").await?;
    let mut fields = vec![
        ("expires_at", "90d".to_owned()),
        ("permission", Permission::Read.as_str().to_owned()),
    ];
    // The account's own channel, or the only one.
    let own = match (&owner, offer.found.items.as_slice()) {
        (Owner::Account(account), _) => Some(account.channel.to_string()),
        (Owner::Own(_), [only]) => Some(only.channel.to_string()),
        (Owner::Own(_), _) => None,
    };
    fields.extend(own.map(|channel| ("channels", channel)));
    let filled = Filled::with(Fields::of(fields));
    let content = content(visitor, &owner, &offer, &filled);
    Ok(visitor.page(TITLE, owner.place(), content))
}

async fn make(control: &Control, posted: Posted, owner: Owner) -> Result<Response, Failure> {
    let visitor = &posted.visitor;
    let mut filled = posted.filled();
    if is_search(&posted.fields) {
        let offer = Offer::read(control, visitor, &owner, posted.fields.text(SEARCH)).await?;
        let content = content(visitor, &owner, &offer, &filled);
        return Ok(visitor.page(TITLE, owner.place(), content).into_response());
    }
    let done = match order::new(&posted.fields, visitor.now) {
        Ok(order) => token::create(control, &visitor.actor, owner.name(), order).await,
        Err(faults) => {
            filled.faults = faults;
            return again(control, visitor, &owner, &filled).await;
        }
    };
    match done {
        Ok(made) => {
            let fields = Back::newest().with(made.value.token.id.0);
            let page = owner.content(control, visitor, &fields).await?;
            let close = list(&owner.address(), &fields);
            let content = html! { (page) (notice(control, &made.value, &close)) };
            let title = owner.account_name().unwrap_or("My tokens");
            Ok((StatusCode::CREATED, visitor.page(title, owner.place(), content)).into_response())
        }
        Err(Error::AlreadyDone { .. }) => Ok(already_made(visitor, &owner)),
        Err(error) => {
            match error {
                // A channel that was deleted while the form was open.
                Error::NotFound { kind: "channel", .. } => {
                    filled.faults.add("channels", error.to_string());
                }
                error => filled.refuse(error, &FIELDS)?,
            }
            again(control, visitor, &owner, &filled).await
        }
    }
}

/// The form with what is wrong.
async fn again(
    control: &Control,
    visitor: &Visitor,
    owner: &Owner,
    filled: &Filled,
) -> Result<Response, Failure> {
    let offer = Offer::read(control, visitor, owner, filled.fields.text(SEARCH)).await?;
    let content = content(visitor, owner, &offer, filled);
    Ok(visitor.page_again(TITLE, owner.place(), content).into_response())
}

/// A form that was sent twice: the value was in the first answer, and in nothing since.
pub(super) fn already_made(visitor: &Visitor, owner: &Owner) -> Response {
    let content = html! {
        div.empty {
            (icon("key"))
            h1 { "This token was made already" }
            p {
                "Its value was shown once, in the answer before this one, and can’t be shown again. If nobody has it, choose "
                b { "Issue a new token" } " where the token is edited, or delete it."
            }
            div.row { a.btn.primary href=(owner.address()) { "Go to the tokens" } }
        }
    };
    (StatusCode::CONFLICT, visitor.page("Made already", owner.place(), content)).into_response()
}

/// Who holds nothing has nothing to hand on (product.md S6): whom to ask, instead of a form that can't
/// be filled in.
fn nothing_held(owner: &Owner) -> Markup {
    html! {
        (owner.crumbs())
        (page::head(html! { (TITLE) }, html! {}, html! {}))
        (empty("key", "You hold no permission yet", html! {
            "A token grants what you hold, and none of your groups gives you a channel. Ask an owner of the channel, or an admin, to add you to a group that may read it; "
            "with a token for any channel you can then use every " b { "Authenticated" } " one too."
        }, html! {
            button.btn disabled title="You hold no permission that a token could grant" { "Create" }
            a.btn href=(owner.address()) { "Back" }
        }))
    }
}

fn content(visitor: &Visitor, owner: &Owner, offer: &Offer, filled: &Filled) -> Markup {
    let acts_as_admin = matches!(owner, Owner::Own(_)) && visitor.is_admin;
    // One that acts with the role needs no channel.
    let most = offer.most.or(acts_as_admin.then_some(Permission::Read));
    if most.is_none() {
        return nothing_held(owner);
    }
    let latest = visitor.now.plus(token::MAX_LIFESPAN).date();
    let today = visitor.now.date();
    let name = Input::text("name", "Name").example("ci-runners");
    // Whoever has just searched goes on there.
    let name =
        if filled.fields.has(SEARCH_BUTTON, "yes") { name } else { name.focused() }.of(filled);
    html! {
        (owner.crumbs())
        (page::head(html! { (TITLE) }, html! { p { "The value is shown once, after you create it." } }, html! {}))
        (form::post(visitor, filled, &owner.new_token(), html! {
            (offer.default_button())
            (name)
            (Input::text("description", "Description (optional)")
                .hint("Who or what will use it. You will be glad of it when you want to delete it.").of(filled))
            div.form {
                (form::select(filled, ("expires_at", "Expires"), Some("At most 365 days from now."), &ENDS))
                div.on-date { (Input::day("expires_on", "Expiry date", (&today, &latest)).hint("At the end of this day in UTC.").of(filled)) }
            }
            (permissions(most, filled))
            (offer.choices(owner, filled))
            @if acts_as_admin {
                (form::tick(filled, "admin", "Acts with role admin in the API", "For scripts that make users, channels or accounts. Needs no channel."))
            }
            (limit_fields(filled))
            (form::buttons("Create", &owner.address()))
        }))
    }
}

fn permissions(most: Option<Permission>, filled: &Filled) -> Markup {
    let choice = |permission: Permission, note: &str| {
        let is_disabled = most.is_none_or(|most| permission > most);
        Choice {
            value: permission.as_str(),
            words: html! { (permission) },
            note: html! { @if is_disabled { "You can only grant what you hold." } @else { (note) } },
            is_disabled,
        }
    };
    form::choices(
        filled,
        ("permission", "Permission"),
        "radio",
        &[
            choice(Permission::Read, "Download packages, nothing else"),
            choice(
                Permission::Write,
                "Download, as read does: condagate itself takes no uploads. For upload tools of yours that ask what a token may do",
            ),
            choice(
                Permission::Manage,
                "Also change members and issue tokens, by API and command line",
            ),
        ],
    )
}
