//! The *Members* tab: the groups that may do something on the channel, and who is in them.

use access::Permission;
use access::source::Revision;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::frame::{frame, frame_under, manages, named, shown};
use crate::usecases::reach::{self, Access};
use crate::usecases::{Page, channel, group};
use crate::web::empty::{empty, none_found};
use crate::web::failure::{Failure, absent};
use crate::web::fields::{Fields, Filled, Query};
use crate::web::form::{self, Input};
use crate::web::icon::icon;
use crate::web::org::groups::lower::Lowering;
use crate::web::org::groups::remove;
use crate::web::page::refused;
use crate::web::paging::Pages;
use crate::web::posted::Posted;
use crate::web::status::{Tone, status};
use crate::web::table::{Head, table};
use crate::web::visitor::Visitor;
use crate::web::{address, dialog, proof};
use crate::{ChannelDetails, Control, Error, PrincipalKind};

const TAB: &str = "Members";
/// What a form of this page does.
const DO: &str = "do";
/// How many groups a page has.
const LIMIT: u32 = 10;

/// Which of the groups are shown.
struct Asked<'f> {
    pages: Pages,
    /// What they have in their names.
    part: &'f str,
}

impl Asked<'_> {
    fn first() -> Self {
        Self { pages: Pages::first(), part: "" }
    }
}

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(segment): Path<String>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let details = shown(&control, &visitor, &segment).await?;
    let asked = Asked { pages: Pages::of(&fields), part: fields.text("q") };
    page(&control, &visitor, &details, (&asked, &Filled::default())).await
}

pub(super) async fn change(
    State(control): State<Control>,
    Path(segment): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, name, fields) = (&posted.visitor, named(&segment)?, &posted.fields);
    let here = address::channel(&name, "members");
    let lowering = match fields.text("permission").parse() {
        Ok(wanted) if fields.text(DO) == "permit" => {
            Lowering::of(&control, &posted, fields.text("group"), (&name, wanted)).await?
        }
        _ => None,
    };
    match (fields.text(dialog::CONFIRM), &lowering) {
        ("", Some(lowering)) => {
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let over = lowering.question(&posted, &name, &here);
            let shown = (&Asked::first(), &Filled::default());
            let under = content(&control, visitor, &details, shown).await?;
            return Ok(frame_under(visitor, &details, TAB, (under, over)).into_response());
        }
        ("no", _) => {
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let shown = (&Asked::first(), &posted.filled());
            return Ok(page(&control, visitor, &details, shown).await?.into_response());
        }
        _ => {}
    }
    match carry_out(&control, visitor, &name, &posted.fields).await {
        Ok(done) => Ok(proof::after(&here, lowering.map(|_| done)).into_response()),
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(&here, None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            // A member or a group that isn't there is a typing error here.
            match error {
                Error::NotFound { kind, .. } => {
                    let field = if kind == "group" { "group" } else { "member" };
                    filled.faults.add(field, absent(&error));
                }
                error => filled.refuse(error, &["member", "group", "permission"])?,
            }
            let details = channel::get(&control, &visitor.actor, &name).await?;
            let page = page(&control, visitor, &details, (&Asked::first(), &filled)).await?;
            Ok(refused(page))
        }
    }
}

async fn carry_out(
    control: &Control,
    visitor: &Visitor,
    channel: &access::ChannelName,
    fields: &Fields,
) -> Result<Revision, Error> {
    let (group, member) = (fields.text("group"), fields.text("member"));
    let actor = &visitor.actor;
    match fields.text(DO) {
        "add" if member.is_empty() => Err(Error::invalid("member", "say who")),
        "add" => Ok(group::add_member(control, actor, group, member).await?.revision),
        _ if group.is_empty() => Err(Error::invalid("group", "say which group")),
        _ => {
            let permission: Result<Permission, _> = fields.text("permission").parse();
            let permission = permission.map_err(|why| Error::invalid("permission", why))?;
            let wanted = Some(permission);
            Ok(group::set_permission(control, actor, group, channel, wanted).await?.revision)
        }
    }
}

async fn page(
    control: &Control,
    visitor: &Visitor,
    details: &ChannelDetails,
    shown: (&Asked<'_>, &Filled),
) -> Result<Markup, Failure> {
    let content = content(control, visitor, details, shown).await?;
    Ok(frame(visitor, details, TAB, content))
}

async fn content(
    control: &Control,
    visitor: &Visitor,
    details: &ChannelDetails,
    (Asked { pages, part }, filled): (&Asked<'_>, &Filled),
) -> Result<Markup, Failure> {
    if !manages(visitor, details) {
        let content = empty(
            "group",
            "Members are shown to the channel’s owners",
            html! {
                "Ask somebody who manages this channel to add you to one of its groups."
            },
            html! {},
        );
        return Ok(content);
    }
    let name = &details.channel.name;
    let page = Page { after: pages.after(), limit: LIMIT, ..Page::first() };
    let groups = reach::groups(control, &visitor.actor, (name, part), &page).await?;
    let here = address::channel(name, "members");
    let kept = Some(("q", *part)).filter(|(_, part)| !part.is_empty());
    let is_all = part.is_empty() && pages.is_first() && groups.next_cursor.is_none();
    Ok(html! {
        @if !is_all { (form::find(&here, ("Search groups", form::PART), part, html! {})) }
        @if groups.items.is_empty() && !is_all { (none_found("group", part, " that may do something here", &here)) }
        @for access in &groups.items { (section(visitor, &details.channel.name, access, filled)) }
        (pages.links(&groups, kept.as_slice()))
        section {
            h2 { "Give another group access" }
            p.dim { "Its members get this permission on the channel." }
            (form::post(visitor, &only_if(filled, "permit", ""), &here, html! {
                input type="hidden" name=(DO) value="permit";
                (Input::text("group", "Group").narrow().of(&only_if(filled, "permit", "")))
                (form::select(&only_if(filled, "permit", ""), ("permission", "Permission"), None,
                    &[("read", "read"), ("write", "write"), ("manage", "manage")]))
                div.row { button.btn { "Give access" } }
            }))
        }
    })
}

/// What was typed and what is wrong, for the form that was sent; the page's others are empty.
fn only_if(filled: &Filled, what: &str, group: &str) -> Filled {
    let sent = filled.fields.text(DO) == what
        && (group.is_empty() || filled.fields.text("group") == group);
    if sent { filled.clone() } else { Filled::default() }
}

fn section(
    visitor: &Visitor,
    channel: &access::ChannelName,
    access: &Access,
    filled: &Filled,
) -> Markup {
    let here = &address::channel(channel, "members");
    let details = &access.group;
    let group = details.group.name.as_str();
    let shown = details.members.len();
    let count = usize::try_from(details.member_count).unwrap_or(shown);
    let adding = only_if(filled, "add", group);
    html! {
        section {
            div.head {
                div {
                    h2 { (group) }
                    p {
                        "Holds " b { (access.permission) }
                        @if access.is_owners { ". The channel’s owners: the group comes and goes with it." }
                    }
                }
                @if !access.is_owners {
                    a.btn href=(remove::permission(group, channel, here)) aria-label={ "Take access away from " (group) } { "Take access away" }
                }
            }
            (members(here, access))
            @if count > shown {
                p.foot {
                    "The first " (shown) " of " (count) " members."
                    a.btn href=(address::group(group)) { "All members" }
                }
            }
            @if access.changes_members {
                (form::post(visitor, &adding, here, html! {
                    input type="hidden" name=(DO) value="add";
                    input type="hidden" name="group" value=(group);
                    div.bar {
                        (Input::text("member", &format!("Add to {group}")).example("user or service account").of(&adding))
                        button.btn { "Add member" }
                    }
                }))
            } @else {
                p.foot { "It is for more channels than you manage: admins decide who is in it." }
            }
        }
    }
}

fn members(here: &str, access: &Access) -> Markup {
    let (group, members) = (&access.group.group.name, &access.group.members);
    if members.is_empty() {
        return html! { p.dim { "Nobody is in this group." } };
    }
    let mut heads = vec![Head::words("Member"), Head::words("Kind")];
    if access.changes_members {
        heads.push(Head::actions());
    }
    table(
        &format!("Members of {group}"),
        &heads,
        html! {
            @for member in members {
                tr {
                    th scope="row" {
                        @match member.kind {
                            PrincipalKind::ServiceAccount => a href=(address::account(&member.name)) { (member.name) },
                            PrincipalKind::User => b { (member.name) },
                        }
                    }
                    td {
                        @if member.kind == PrincipalKind::User { (status(Tone::Plain, "badge", "User")) }
                        @else { (status(Tone::Plain, "key", "Service account")) }
                    }
                    @if access.changes_members { td.acts {
                        a.btn.icon href=(remove::member(group, &member.name, here))
                            aria-label={ "Remove " (member.name) } title={ "Remove " (member.name) } { (icon("trash")) }
                    } }
                }
            }
        },
    )
}
