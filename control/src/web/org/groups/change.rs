//! What is done on a group's page: each a form of its own, that comes back to the page.

use access::{ChannelName, Permission};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use super::address;
use super::lower::Lowering;
use super::one::{self, Forms};
use crate::usecases::group::{self, GroupEdit};
use crate::web::failure::{Failure, absent};
use crate::web::page::refused;
use crate::web::posted::Posted;
use crate::web::{dialog, proof};
use crate::{Control, Error};

/// Which of the page's forms was sent.
type Which = fn(&mut Forms) -> &mut crate::web::fields::Filled;

pub(in crate::web::org) async fn add_member(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let member = posted.fields.text("member");
    let done = group::add_member(&control, &posted.visitor.actor, &name, member).await;
    answer(&control, &posted, &name, done, (|forms| &mut forms.member, "member")).await
}

pub(in crate::web::org) async fn permit(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let (fields, actor) = (&posted.fields, &posted.visitor.actor);
    let of_form: Which = |forms| &mut forms.permission;
    let wanted = match (fields.text("channel").parse(), fields.text("permission").parse()) {
        (Err(why), _) => Err(Error::invalid("channel", why)),
        (_, Err(_)) => Err(Error::invalid("permission", "choose one")),
        (Ok(channel), Ok(permission)) => Ok((channel, permission)),
    };
    let (channel, permission): (ChannelName, Permission) = match wanted {
        Ok(wanted) => wanted,
        Err(error) => {
            return answer(&control, &posted, &name, Err::<(), _>(error), (of_form, "channel"))
                .await;
        }
    };
    let lowering = Lowering::of(&control, &posted, &name, (&channel, permission)).await?;
    match (fields.text(dialog::CONFIRM), &lowering) {
        ("", Some(lowering)) => {
            let action = address(&name, "permissions");
            let over = lowering.question(&posted, &channel, &action);
            let forms = Forms::default();
            let page = one::page(&control, &posted.visitor, &name, &forms, Some(over)).await?;
            return Ok(page.into_response());
        }
        ("no", _) => {
            let forms = Forms { permission: posted.filled(), ..Forms::default() };
            let page = one::page(&control, &posted.visitor, &name, &forms, None).await?;
            return Ok(page.into_response());
        }
        _ => {}
    }
    match group::set_permission(&control, actor, &name, &channel, Some(permission)).await {
        Ok(done) if lowering.is_some() => {
            Ok(proof::after(&address(&name, ""), Some(done.revision)).into_response())
        }
        done => answer(&control, &posted, &name, done, (of_form, "channel")).await,
    }
}

pub(in crate::web::org) async fn describe(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let description = Some(posted.fields.text("description").to_owned());
    let edit = GroupEdit { name: None, description };
    let done = group::edit(&control, &posted.visitor.actor, &name, edit).await;
    answer(&control, &posted, &name, done, (|forms| &mut forms.description, "description")).await
}

/// Back to the page, or the page again with why not. `field` is the one that names what wasn't
/// found.
async fn answer<T>(
    control: &Control,
    posted: &Posted,
    name: &str,
    done: Result<T, Error>,
    (which, field): (Which, &'static str),
) -> Result<Response, Failure> {
    let error = match done {
        // Sent twice, it is done once.
        Ok(_) | Err(Error::AlreadyDone { .. }) => {
            return Ok(proof::after(&address(name, ""), None).into_response());
        }
        Err(error) => error,
    };
    let mut forms = Forms::default();
    let filled = which(&mut forms);
    *filled = posted.filled();
    match error {
        Error::NotFound { kind, .. } if kind != "group" => {
            filled.faults.add(field, absent(&error));
        }
        error => filled.refuse(error, &[field, "permission"])?,
    }
    Ok(refused(one::page(control, &posted.visitor, name, &forms, None).await?))
}
