//! The *Packages* tab: how clients are set up, and what they downloaded. The control plane never
//! reads a storage: it knows the packages that were downloaded, and says so.

use access::Privacy;
use axum::extract::{Path, State};
use maud::{Markup, html};

use super::frame::{frame, manages, named};
use crate::usecases::usage::{self, UsageOrder};
use crate::usecases::{Listed, Page, channel};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::Query;
use crate::web::paging::Pages;
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::web::{commands, number};
use crate::{ChannelDetails, ClientCommands, Control, UsageBy, UsageSubject, UsageSum};

const LIMIT: u32 = 50;

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let name = named(&segment)?;
    let details = channel::get(&control, &visitor.actor, &name).await?;
    let pages = Pages::of(&fields);
    let used = match manages(&visitor, &details) {
        true => {
            let order = UsageOrder {
                token: None,
                channel: Some(name),
                package: None,
                from: None,
                to: None,
                by: UsageBy::Package,
            };
            let page = Page { after: pages.after(), limit: LIMIT, ..Page::first() };
            Some(usage::list(&control, &visitor.actor, &order, &page).await?)
        }
        false => None,
    };
    let content = html! {
        (set_up(&control, &details))
        section {
            h2 { "Downloaded in the last 30 days" }
            @match &used {
                Some(used) if !used.items.is_empty() => {
                    (rows(used))
                    (pages.links(used, &[]))
                },
                Some(_) => (empty("box", "Nothing downloaded yet", html! {
                    "condagate doesn’t read the storage: a package stands here once somebody has downloaded it."
                }, html! {})),
                None => p.dim { "Shown to whoever manages the channel." },
            }
        }
    };
    Ok(frame(&visitor, &details, "Packages", content))
}

fn set_up(control: &Control, details: &ChannelDetails) -> Markup {
    let is_public = details.channel.privacy == Privacy::Public;
    html! {
        section {
            h2 { "Use this channel" }
            @match &control.settings().gateway_url {
                Some(gateway_url) => {
                    p.dim {
                        @if is_public { "Anyone can download from it." }
                        @else { "With your token in place of " code { "<TOKEN>" } "." }
                    }
                    (commands::clients(&[ClientCommands {
                        gateway_url,
                        channel: details.channel.name.as_str(),
                        token: (!is_public).then_some("<TOKEN>"),
                    }]))
                },
                None => p.dim { "Set " code { "gateway.public_url" } " to see here what people type into their clients." },
            }
        }
    }
}

fn rows(used: &Listed<UsageSum>) -> Markup {
    let heads = [Head::words("Package"), Head::number("Downloads"), Head::number("Bytes")];
    table(
        "Packages that were downloaded",
        &heads,
        html! {
            @for sum in &used.items {
                tr {
                    th scope="row" {
                        @match &sum.subject {
                            UsageSubject::Package(name) if !name.is_empty() => b { (name) },
                            _ => span.dim { "Repodata and other files" },
                        }
                    }
                    td.num data-label="Downloads" { (number::count(sum.downloads, "downloads")) }
                    td.num data-label="Bytes" { (number::bytes(sum.bytes)) }
                }
            }
        },
    )
}
