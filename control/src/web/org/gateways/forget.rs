//! Waiting no more for a gateway that is gone for good.

use access::lease::Instance;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::{HERE, list};
use crate::Control;
use crate::usecases::gateway;
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::fields::Filled;
use crate::web::form;
use crate::web::moment::moment;
use crate::web::org::tab_page_under;
use crate::web::page::refused;
use crate::web::paging::Pages;
use crate::web::posted::Posted;
use crate::web::visitor::Visitor;

pub(in crate::web::org) async fn ask(
    State(control): State<Control>,
    visitor: Visitor,
    Path(instance): Path<String>,
) -> Result<Markup, Failure> {
    asked(&control, &visitor, &instance, &Filled::default()).await
}

pub(in crate::web::org) async fn forget(
    State(control): State<Control>,
    Path(instance): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let actor = &posted.visitor.actor;
    match gateway::forget(&control, actor, &Instance(instance.clone())).await {
        Ok(()) => Ok(Redirect::to(HERE.path()).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            Ok(refused(asked(&control, &posted.visitor, &instance, &filled).await?))
        }
    }
}

async fn asked(
    control: &Control,
    visitor: &Visitor,
    instance: &str,
    filled: &Filled,
) -> Result<Markup, Failure> {
    let action = format!("{}/{instance}/forget", HERE.path());
    let gateway = gateway::get(control, &visitor.actor, &Instance(instance.to_owned())).await?;
    let over = dialog(
        &format!("Forget {}?", gateway.name),
        html! {
            p {
                "Do this for a gateway that is gone for good. Changes are then proven without it, and it is told of no more. One that "
                "comes back is taken in again, and serves nothing before it knows every change."
            }
            dl.kv {
                dt { "Started" } dd { (moment(visitor.now, gateway.started_at)) }
                dt { "Last heard of" } dd { (moment(visitor.now, gateway.renewed_at)) }
            }
            (form::post(visitor, filled, &action, dialog::danger("Forget", HERE.path())))
        },
    );
    let under = list::content(control, visitor, &Pages::first()).await?;
    Ok(tab_page_under(visitor, HERE, under, over))
}
