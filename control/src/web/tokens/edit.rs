//! Editing a token, and giving it a new value.

use std::time::Duration;

use access::{Timestamp, TokenId};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use super::back::{Back, list};
use super::new::already_made;
use super::notice::notice;
use super::order::{self, FIELDS, limit_fields, limits_as_typed};
use super::owner::Owner;
use super::{old_value, was};
use crate::actor::Repeatable;
use crate::usecases::Committed;
use crate::usecases::permitted;
use crate::usecases::token::{self, Expiry, Issued, MAX_LIFESPAN, Reissue, TokenEdit, fingerprint};
use crate::web::began::{self, About};
use crate::web::failure::Failure;
use crate::web::fields::{Faults, Fields, Filled, Query};
use crate::web::form::{self, Input};
use crate::web::moment::moment;
use crate::web::page::{self, refused};
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;
use crate::web::{dialog, proof};
use crate::{Actor, Control, Error, Token, TokenStatus};

const ABOUT: About = About {
    kind: "token",
    texts: &[
        "name",
        "description",
        "expires_at",
        "networks",
        "requests_per_second",
        "bytes_per_day",
    ],
    ticks: &[],
};
const OVERLAPS: [(&str, &str); 4] =
    [("0", "none"), ("900", "15 minutes"), ("86400", "24 hours"), ("604800", "7 days")];

pub(super) async fn show(
    State(control): State<Control>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    let token = token::get(&control, &visitor.actor, id_in_path(&id)?).await?;
    let owner = Owner::of(&control, &visitor, &token).await?;
    if token.revoked.is_none() {
        permitted::token_issue(&control, &visitor.actor, &token.principal).await?;
    }
    let way = Way { owner, back: Back::of(&fields) };
    Ok(page(&visitor, &way, &token, &Filled::with(as_typed(&token))))
}

/// Where the form leads back to.
struct Way {
    owner: Owner,
    back: Back,
}

impl Way {
    fn list(&self) -> String {
        list(&self.owner.address(), self.back.fields())
    }

    /// The list, in which the token is marked.
    fn saved(&self, id: TokenId) -> Response {
        let list = list(&self.owner.address(), &self.back.with(id.0));
        proof::after(&list, None).into_response()
    }

    fn edit(&self, token: &Token) -> String {
        format!("/tokens/{}/edit{}", token.id.0, self.back.query())
    }
}

/// The form; of a token that nothing can change any more, what it was.
fn page(visitor: &Visitor, way: &Way, token: &Token, filled: &Filled) -> Markup {
    let owner = &way.owner;
    if token.revoked.is_some() {
        return visitor.page(&token.name, owner.place(), was::content(visitor, owner, token));
    }
    let content = content(visitor, way, token, filled);
    visitor.page(&format!("Edit {}", token.name), owner.place(), content)
}

pub(super) async fn save(
    State(control): State<Control>,
    Path(id): Path<String>,
    Query(query): Query,
    posted: Posted,
) -> Result<Response, Failure> {
    let (visitor, fields) = (&posted.visitor, &posted.fields);
    let id = id_in_path(&id)?;
    let before = token::get(&control, &visitor.actor, id).await?;
    let owner = Owner::of(&control, visitor, &before).await?;
    let way = Way { owner, back: Back::of(&query) };
    let mut filled = posted.filled();
    let of = (ABOUT.kind, &*before.name);
    let others = [second(&visitor.actor)];
    let fresh = began::check(&control, &posted, &fingerprint(&before), (of, &others)).await;
    if let Err(error) = fresh {
        return refuse(&control, &posted, &way, (id, error)).await;
    }
    let wanted = match Wanted::read(visitor, &before, fields) {
        Ok(wanted) => wanted,
        Err(faults) => {
            filled.faults = faults;
            return Ok(refused(page(visitor, &way, &before, &filled)));
        }
    };
    let overlap = wanted.reissue.as_ref().map(|reissue| reissue.overlap);
    match (fields.text(dialog::CONFIRM), &wanted.reissue) {
        ("", Some(reissue)) if before.revoked.is_none() => {
            return Ok(asked(&posted, &way, &before, reissue).into_response());
        }
        ("no", _) => return Ok(page(visitor, &way, &before, &filled).into_response()),
        _ => {}
    }
    match carry_out(&control, visitor, id, wanted).await {
        Ok(None) => Ok(way.saved(id)),
        Ok(Some(issued)) => {
            let (owner, fields) = (&way.owner, way.back.with(id.0));
            let page = owner.content(&control, visitor, &fields).await?;
            let address = list(&owner.address(), &fields);
            let ends = overlap.is_some_and(|time| time.is_zero());
            let proof = match ends {
                true => Some(proof::over(&control, issued.revision, &address).await?),
                false => None,
            };
            let issued = issued.value;
            let content =
                html! { (proof.unwrap_or_default()) (page) (notice(&control, &issued, &address)) };
            let page = visitor.page(&issued.token.name, owner.place(), content);
            Ok((StatusCode::CREATED, page).into_response())
        }
        Err(error) => refuse(&control, &posted, &way, (id, error)).await,
    }
}

/// Why a form wasn't carried out, beside its fields; where that was because it is done already, what
/// was done.
async fn refuse(
    control: &Control,
    posted: &Posted,
    way: &Way,
    (id, error): (TokenId, Error),
) -> Result<Response, Failure> {
    let visitor = &posted.visitor;
    let mut filled = posted.filled();
    let now = token::get(control, &visitor.actor, id).await?;
    match error {
        Error::AlreadyDone { .. } if posted.fields.has("reissue", "yes") => {
            return Ok(already_made(visitor, &way.owner));
        }
        Error::AlreadyDone { .. } => return Ok(way.saved(now.id)),
        Error::ChangedMeanwhile { .. } => began::merge(&mut filled, &as_typed(&now), &ABOUT),
        error => filled.refuse(error, &FIELDS)?,
    }
    // Of two changes the first may be done: what is sent next is another request.
    filled.once = None;
    Ok(refused(page(visitor, way, &now, &filled)))
}

/// Whether a new value is meant: until when it works, what runs on the old one, and until when it may.
fn asked(posted: &Posted, way: &Way, token: &Token, reissue: &Reissue) -> Markup {
    let visitor = &posted.visitor;
    let overlap = reissue.overlap;
    let ends = visitor.now.plus(overlap).min(token.expires_at);
    let at_once = html! { "Ends at once on every gateway; downloads that run on it are cut" };
    let over = dialog::dialog(
        "Issue a new token?",
        html! {
            p { "Whatever uses " b { (token.name) } " needs the new value. This can’t be undone." }
            dl.kv {
                @if let Some(Expiry::At(end)) = reissue.expires {
                    dt { "The new value" }
                    dd {
                        "Works until " (last_day(end)) " (UTC), " (moment(visitor.now, end))
                        @if end == token.expires_at { ": the day that it ends now" }
                    }
                }
                dt { "The old value" }
                dd {
                    @if token.status == TokenStatus::Expired { "Expired already" }
                    @else if overlap.is_zero() { (at_once) }
                    @else { "Works on; it ends " (moment(visitor.now, ends)) }
                }
                @if let Some(before) = &token.old_value {
                    dt { "The value before it" }
                    dd { (before.hint) " still works, and ends at once" }
                }
                dt { "Last used" } dd { (was::last_used(visitor, token)) }
                @if !token.description.is_empty() { dt { "Description" } dd { (token.description) } }
                dt { "Channels" } dd { @for channel in &token.channels { div { (channel.name) } } }
            }
            (dialog::confirm(posted, &way.edit(token), "Issue new token"))
        },
    );
    let under = content(visitor, way, token, &posted.filled());
    visitor.page_under(&format!("Edit {}", token.name), way.owner.place(), under, over)
}

/// What a form that was sent asks for.
struct Wanted {
    edit: TokenEdit,
    reissue: Option<Reissue>,
}

impl Wanted {
    /// All of it, before anything is changed; or all that is wrong with it.
    fn read(visitor: &Visitor, before: &Token, fields: &Fields) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let reissues = fields.has("reissue", "yes");
        let (name, description) = order::texts(fields, &mut faults);
        let expires = match began::changed(fields, "expires_at") {
            Some(day) if !reissues => faults.keep(order::day(&day, before.issued_at)),
            _ => None,
        };
        let limits = order::limits(fields, &mut faults);
        let reissue = reissues.then(|| faults.keep(how(visitor, before, fields))).flatten();
        let limits = match limits {
            Some(limits) if faults.is_empty() => limits,
            _ => return Err(faults),
        };
        let is_changed = |field: &str| began::changed(fields, field).is_some();
        let edit = TokenEdit {
            name: is_changed("name").then_some(name),
            description: is_changed("description").then_some(description),
            expires,
            permission: None,
            channels: None,
            networks: is_changed("networks").then_some(limits.networks),
            requests_per_second: is_changed("requests_per_second")
                .then_some(limits.requests_per_second),
            bytes_per_day: is_changed("bytes_per_day").then_some(limits.bytes_per_day),
            seen: began::seen(fields),
        };
        Ok(Self { edit, reissue })
    }
}

/// Edits the token, and issues its new value if one is asked for.
async fn carry_out(
    control: &Control,
    visitor: &Visitor,
    id: TokenId,
    wanted: Wanted,
) -> Result<Option<Committed<Issued>>, Error> {
    // A form that was sent twice may have done its second change alone.
    let second = second(&visitor.actor);
    let edited = match token::edit(control, &visitor.actor, id, wanted.edit).await {
        Err(changed @ Error::ChangedMeanwhile { .. }) => {
            if let Some(sent) = &second.repeatable {
                crate::usecases::repeat::look_up(control, &second, sent).await?;
            }
            return Err(changed);
        }
        edited => edited?.value,
    };
    let Some(reissue) = wanted.reissue else { return Ok(None) };
    let reissue = Reissue { seen: Some(fingerprint(&edited)), ..reissue };
    Ok(Some(token::reissue(control, &second, id, reissue).await?))
}

/// How a new value is issued: it ends on the day in the form.
fn how(visitor: &Visitor, before: &Token, fields: &Fields) -> Result<Reissue, Error> {
    let overlap = fields.text("overlap");
    let overlap = OVERLAPS.iter().find(|(seconds, _)| *seconds == overlap);
    let overlap = overlap.and_then(|(seconds, _)| seconds.parse().ok());
    let overlap = overlap.ok_or_else(|| Error::invalid("overlap", "choose one of the list"))?;
    let latest = visitor.now.plus(MAX_LIFESPAN);
    let end = match began::changed(fields, "expires_at") {
        Some(text) => order::day(&text, visitor.now)?,
        // A day that was left as it was is when it ends now, to the moment.
        None => Expiry::At(before.expires_at),
    };
    match end {
        Expiry::At(end) if end <= visitor.now || end > latest => {
            let (from, to) = (visitor.now.date(), latest.date());
            let message = format!("choose a day from {from} to {to}: the new value ends then");
            Err(Error::invalid("expires_at", message))
        }
        end => {
            Ok(Reissue { overlap: Duration::from_secs(overlap), expires: Some(end), seen: None })
        }
    }
}

/// As whom the second change of one form is made: its key is its own.
fn second(first: &Actor) -> Actor {
    let digest =
        |part: &[u8]| Sha256::new_with_prefix(b"reissue\n").chain_update(part).finalize().into();
    let repeatable = first.repeatable.as_ref().map(|first| Repeatable {
        key_digest: digest(&first.key_digest),
        request_digest: digest(&first.request_digest),
    });
    Actor { repeatable, ..first.clone() }
}

/// The last day of a token that ends then: what ends at midnight ends with the day before.
fn last_day(end: Timestamp) -> String {
    end.minus(Duration::from_millis(1)).date()
}

fn as_typed(token: &Token) -> Fields {
    let mut fields = vec![
        ("name", token.name.clone()),
        ("description", token.description.clone()),
        ("expires_at", last_day(token.expires_at)),
        ("overlap", "86400".to_owned()),
    ];
    fields.extend(limits_as_typed(&token.limits));
    Fields::of(fields)
}

pub(super) fn id_in_path(segment: &str) -> Result<TokenId, Failure> {
    let id = segment.parse().map(TokenId);
    id.map_err(|_why| {
        Error::NotFound { kind: "token", name: access::redact(segment).into() }.into()
    })
}

fn content(visitor: &Visitor, way: &Way, token: &Token, filled: &Filled) -> Markup {
    let today = visitor.now.date();
    let [latest, latest_new] =
        [token.issued_at, visitor.now].map(|at| at.plus(MAX_LIFESPAN).date());
    let channels: Vec<_> = token.channels.iter().map(|channel| channel.name.to_string()).collect();
    let is_expired = token.status == TokenStatus::Expired;
    let can_be_extended = token.issued_at.plus(MAX_LIFESPAN) > visitor.now;
    let until = if latest == latest_new {
        format!("At the end of this day in UTC, until {latest} at the latest.")
    } else if can_be_extended {
        format!(
            "At the end of this day in UTC. With its present value until {latest} at the latest; with a new one until {latest_new}."
        )
    } else {
        format!(
            "At the end of this day in UTC. Only a new value can end later: until {latest_new} at the latest."
        )
    };
    html! {
        (way.owner.crumbs())
        (page::head(html! { "Edit " (token.name) }, html! {
            p { (token.permission) " on " (channels.join(", ")) ". Its value stays unless you issue a new one." }
            @if token.old_value.is_some() { p { (old_value::ending(visitor, token, &way.back)) } }
            @if is_expired {
                p.warn {
                    "It expired " (moment(visitor.now, token.expires_at)) ". "
                    @if can_be_extended { "A later day brings it back with the value it has; so does a new token, for another year." }
                    @else { "Its year is over: only a new token brings it back." }
                }
            }
        }, html! {}))
        (form::post(visitor, filled, &way.edit(token), html! {
            (began::hidden(&fingerprint(token), &as_typed(token)))
            (Input::text("name", "Name").of(filled))
            (Input::text("description", "Description (optional)").of(filled))
            (Input::day("expires_at", "Expires", (&today, &latest_new)).hint(&until).of(filled))
            (limit_fields(filled))
            div.list {
                div.reissue {
                    (form::unfolding_tick(filled, "reissue", "Issue a new token",
                        "A new value, shown once, that ends on the day under Expires. You choose how long the old one works on."))
                    div.unfold {
                        (form::select(filled, ("overlap", "Keep the old value working for"), Some("Time to put the new value everywhere."), &OVERLAPS))
                    }
                }
            }
            (form::buttons("Save", &way.list()))
        }))
    }
}
