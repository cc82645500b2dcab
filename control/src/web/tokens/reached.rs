//! The channels that a service account reaches: the first on its page, all on one of their own.

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::owner::Owner;
use crate::usecases::{Listed, Page, reach};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::moment::moment;
use crate::web::page;
use crate::web::paging::Pages;
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::web::{address, channels, form};
use crate::{Control, Reach, ServiceAccount};

/// How many a page has.
const LIMIT: u32 = 50;

/// The first of them, with the way to the others.
pub(super) fn section(
    visitor: &Visitor,
    account: &ServiceAccount,
    reached: &Listed<Reach>,
) -> Markup {
    html! {
        section {
            h2 { "Channels it reaches" }
            p.dim { "A token can be issued for any of these, with no more than the permission shown. Owners of another channel add the account to a group of theirs." }
            (rows(visitor, account, &reached.items))
            @if reached.next_cursor.is_some() {
                p.foot {
                    "The first " (reached.items.len()) "."
                    a.btn href={ (address::account(&account.name)) "/channels" } { "All channels it reaches" }
                }
            }
        }
    }
}

/// All of them.
pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let (search, pages) = (fields.text("q"), Pages::of(&fields));
    let owner = Owner::account(&control, &visitor, &name).await?;
    let page = Page { after: pages.after(), limit: LIMIT, prefix: search.to_owned() };
    let found = reach::of_account(&control, &visitor.actor, &name, &page).await?;
    let here = format!("{}/channels", owner.address());
    let content = html! {
        (owner.crumbs())
        (page::head(html! { "Channels it reaches" }, html! { p { "And through which group." } }, html! {}))
        (form::search(&here, "Search channels", search, html! {}))
        @match &owner {
            Owner::Account(account) if !found.items.is_empty() => {
                (rows(&visitor, account, &found.items))
                (pages.links(&found, &[("q", search)]))
            },
            _ => (empty("search", "No channel begins with this", html! {
                "The account reaches no channel whose name begins with " b { (search) } "."
            }, html! { a.btn href=(here) { "Show all channels" } })),
        }
    };
    Ok(visitor.page("Channels it reaches", owner.place(), content))
}

fn rows(visitor: &Visitor, account: &ServiceAccount, reached: &[Reach]) -> Markup {
    let heads = ["Channel", "Permission", "Through group", "Added"].map(Head::words);
    table(
        "Channels that the account reaches",
        &heads,
        html! {
            @for reach in reached {
                tr {
                    th scope="row" { a href=(address::channel(&reach.channel, "")) { (channels::name(&reach.channel)) } }
                    td data-label="Permission" { (reach.permission) }
                    td.long data-label="Through group" {
                        (reach.group)
                        @if reach.channel == account.channel { small { "its own channel" } }
                    }
                    td data-label="Added" { (moment(visitor.now, reach.added_at)) }
                }
            }
        },
    )
}
