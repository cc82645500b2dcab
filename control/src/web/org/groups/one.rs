//! A group's page: its members, and its permission on each channel, with what changes them.

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::{HERE, address, remove};
use crate::usecases::Page;
use crate::usecases::group::{self, Looked};
use crate::usecases::permitted::{self, GroupChanges};
use crate::web::empty::empty;
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled, Query};
use crate::web::form::{self, Input};
use crate::web::icon::icon;
use crate::web::org::Tab;
use crate::web::page::{self, Place};
use crate::web::paging::Pages;
use crate::web::status::{Tone, status};
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::web::{address as places, channels};
use crate::{Control, Group, Principal, PrincipalKind};

/// How many members, and how many permissions, a page has.
const LIMIT: u32 = 30;
/// The fields of the permissions' search, and of their pages.
const CHANNEL: &str = "channel";
const AFTER_CHANNEL: &str = "after_channel";
const BEFORE_CHANNEL: &str = "before_channel";

/// The group's form that was sent and refused, and shows why.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms {
    pub(super) member: Filled,
    pub(super) permission: Filled,
    pub(super) description: Filled,
}

pub(in crate::web::org) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let asked = Asked::of(&fields);
    let found = asked.find(&control, &visitor, &name).await?;
    let content = content(&control, &visitor, (&asked, &found), &Forms::default()).await?;
    Ok(visitor.page(&name, Place::Org, content))
}

/// Which members and which permissions a page's address asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    members: Page,
    permissions: Page,
    /// The same of each for its links.
    pages: (Pages, Pages),
}

impl Asked {
    fn of(fields: &Fields) -> Self {
        let page = |search: &str, after: &str| {
            let prefix = fields.text(search).to_owned();
            Page { after: fields.some(after), limit: LIMIT, prefix }
        };
        let pages = (Pages::of(fields), Pages::by((AFTER_CHANNEL, BEFORE_CHANNEL), fields));
        Self { members: page("q", "after"), permissions: page(CHANNEL, AFTER_CHANNEL), pages }
    }

    /// The first of both.
    pub(super) fn first() -> Self {
        Self::of(&Fields::default())
    }

    pub(super) async fn find(
        &self,
        control: &Control,
        visitor: &Visitor,
        name: &str,
    ) -> Result<Looked, Failure> {
        let pages = (&self.members, &self.permissions);
        Ok(group::look(control, &visitor.actor, name, pages).await?)
    }
}

/// The page, with what is wrong with a form that was sent, or a dialog over it.
pub(super) async fn page(
    control: &Control,
    visitor: &Visitor,
    name: &str,
    forms: &Forms,
    over: Option<Markup>,
) -> Result<Markup, Failure> {
    let asked = Asked::first();
    let found = asked.find(control, visitor, name).await?;
    let content = content(control, visitor, (&asked, &found), forms).await?;
    Ok(match over {
        Some(over) => visitor.page_under(name, Place::Org, content, over),
        None => visitor.page(name, Place::Org, content),
    })
}

/// What the page shows, also under a dialog.
pub(super) async fn content(
    control: &Control,
    visitor: &Visitor,
    (asked, details): (&Asked, &Looked),
    forms: &Forms,
) -> Result<Markup, Failure> {
    let group = &details.group;
    let may = permitted::group_changes(control, &visitor.actor, group, &details.permissions.items)
        .await?;
    let is_owners = group.owners_of.is_some();
    let about = html! {
        @if !group.description.is_empty() { p { (group.description) } }
        @if is_owners {
            p { "It comes and goes with its channel, and always holds " b { "manage" } " on it." }
        }
    };
    let actions = html! {
        @if visitor.is_admin && !is_owners {
            a.btn.danger href=(address(&group.name, "delete")) { "Delete Group" }
        }
    };
    Ok(html! {
        (page::crumbs(&[("Org Settings", Tab::ServiceAccounts.path()), (HERE.words(), HERE.path())]))
        (page::head(html! { (group.name) }, about, actions))
        (members(visitor, (asked, details), &may, &forms.member))
        (permissions(visitor, (asked, details), &may, &forms.permission))
        @if visitor.is_admin { (description(visitor, &details.group, &forms.description)) }
    })
}

fn members(
    visitor: &Visitor,
    (asked, details): (&Asked, &Looked),
    may: &GroupChanges,
    filled: &Filled,
) -> Markup {
    let name = &details.group.name;
    let mut heads = vec![Head::words("Name"), Head::words("Kind")];
    if may.members {
        heads.push(Head::actions());
    }
    let (page, found) = (&asked.members, &details.members);
    let is_part = found.next_cursor.is_some() || page.after.is_some() || !page.prefix.is_empty();
    html! {
        section {
            h2 { "Members" @if is_part { " (" (details.member_count) ")" } }
            @if is_part { (form::search(&address(name, ""), "Search members", &page.prefix, html! {})) }
            @if found.items.is_empty() && is_part {
                p.dim { "No member’s name begins with this." }
            } @else if found.items.is_empty() {
                (empty("group", "No members yet", html! {
                    @if may.members { "Add a user or a service account by name." } @else { "Nobody gains anything by it." }
                }, html! {}))
            } @else {
                (table("Members", &heads, html! { @for member in &found.items { (member_row(name, member, may.members)) } }))
                (asked.pages.0.links(found, &[("q", &page.prefix)]))
            }
            @if may.members {
                (form::post(visitor, filled, &address(name, "members"), html! {
                    div.bar {
                        (Input::text("member", "User or service account").of(filled))
                        button.btn { "Add member" }
                    }
                }))
            } @else {
                p.foot { "Who is in it is decided by admins, and by whoever manages all of its channels." }
            }
        }
    }
}

fn member_row(group: &str, member: &Principal, may_remove: bool) -> Markup {
    let (kind_icon, kind) = match member.kind {
        PrincipalKind::User => ("badge", "User"),
        PrincipalKind::ServiceAccount => ("key", "Service account"),
    };
    let remove = remove::member(group, &member.name, &address(group, ""));
    html! {
        tr.gone[!member.active] {
            th scope="row" {
                @match member.kind {
                    PrincipalKind::ServiceAccount => a href=(places::account(&member.name)) { (member.name) },
                    PrincipalKind::User => b { (member.name) },
                }
            }
            td { (status(Tone::Plain, kind_icon, kind)) }
            @if may_remove {
                td.acts { a.btn.icon href=(remove) aria-label={ "Remove " (member.name) } title="Remove" { (icon("trash")) } }
            }
        }
    }
}

fn permissions(
    visitor: &Visitor,
    (asked, details): (&Asked, &Looked),
    may: &GroupChanges,
    filled: &Filled,
) -> Markup {
    let name = &details.group.name;
    let (page, found) = (&asked.permissions, &details.permissions);
    let is_part = found.next_cursor.is_some() || page.after.is_some() || !page.prefix.is_empty();
    let mut heads = vec![Head::words("Channel"), Head::words("Permission")];
    let may_any = !may.permissions.is_empty();
    if may_any {
        heads.push(Head::actions());
    }
    let rows = html! {
        @for (channel, permission) in &found.items {
            @let is_own = *name == format!("{}_owners", channel.with_colons());
            tr {
                th scope="row" { a href=(places::channel(channel, "")) { (channels::name(channel)) } }
                td data-label="Permission" { (permission) }
                @if may_any { td.acts {
                    @if !is_own && may.permissions.contains(channel) {
                        a.btn.icon href=(remove::permission(name, channel, &address(name, "")))
                            aria-label={ "Remove the permission on " (channel) } title="Remove" { (icon("trash")) }
                    }
                } }
            }
        }
    };
    let words = [
        ("read", "read: download"),
        ("write", "write: read, for upload tools of your own"),
        ("manage", "manage: write, and hand out access"),
    ];
    html! {
        section {
            h2 { "Permissions" }
            @if is_part {
                (form::find_by(CHANNEL, &address(name, ""), ("Search channels", "Name begins with …"), &page.prefix, html! {}))
            }
            @if found.items.is_empty() && is_part {
                p.dim { "No channel’s name begins with this." }
            } @else if found.items.is_empty() {
                (empty("lock", "No permission yet", html! { "Its members gain nothing by it until it has a permission on a channel." }, html! {}))
            } @else {
                (table("Permissions", &heads, rows))
                (asked.pages.1.links(found, &[(CHANNEL, &page.prefix)]))
            }
            @if may.any_channel {
                (form::post(visitor, filled, &address(name, "permissions"), html! {
                    div.bar {
                        (Input::text("channel", "Channel").example("analytics/prod").of(filled))
                        (form::select(filled, ("permission", "Permission"), None, &words))
                        button.btn { "Set permission" }
                    }
                }))
            } @else {
                p.foot { "What it may do on a channel is decided by admins, and by whoever manages that channel." }
            }
        }
    }
}

fn description(visitor: &Visitor, group: &Group, filled: &Filled) -> Markup {
    let begun = Filled::with(Fields::of([("description", group.description.clone())]));
    let filled = if filled.fields.is_empty() { &begun } else { filled };
    html! {
        section {
            h2 { "About this group" }
            (form::post(visitor, filled, &address(&group.name, "description"), html! {
                div.bar {
                    (Input::text("description", "Description").of(filled))
                    button.btn { "Save" }
                }
            }))
        }
    }
}
