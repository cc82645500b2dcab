//! Whether the gateways are well, in the header of every page of an admin's: in grey while nothing
//! is to be done. It renews itself; without scripts it is as of the page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::HERE;
use crate::usecases::gateway::{self, Health};
use crate::web::failure::Failure;
use crate::web::icon::icon;
use crate::web::visitor::Anybody;
use crate::{Actor, Control, Error};

/// The address of this part of a page.
pub(super) const PATH: &str = "/org/gateways/state";

pub(super) async fn show(
    State(control): State<Control>,
    Anybody(visitor): Anybody,
) -> Result<Response, Failure> {
    // Whose session has ended goes on with what they are typing: nothing is exchanged.
    let Some(visitor) = visitor else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    Ok(of(&control, &visitor.actor).await?.into_response())
}

/// The state, as a link to the gateways.
pub(in crate::web) async fn of(control: &Control, actor: &Actor) -> Result<Markup, Error> {
    let health = gateway::health(control, actor).await?;
    let troubled = [&health.behind, &health.silent, &health.lost];
    let is_well = health.serving > 0 && troubled.iter().all(|names| names.is_empty());
    let (class, icon_name) = if is_well { ("gates", "gate") } else { ("gates warn", "warn") };
    Ok(html! {
        a #gates class=(class) href=(HERE.path()) title="Gateways"
            hx-get=(PATH) hx-trigger="every 10s" hx-swap="outerHTML"
        { (icon(icon_name)) span.vh-s { (words(&health)) } }
    })
}

fn words(health: &Health) -> String {
    let many = |names: &[String], what: &str| match names {
        [one] => format!("{one} is {what}"),
        more => format!("{} gateways are {what}", more.len()),
    };
    match (health.serving, &*health.silent, &*health.lost, &*health.behind) {
        (_, [_, ..], ..) => many(&health.silent, "silent"),
        (0, ..) => "No gateway serves".to_owned(),
        (_, _, [_, ..], _) => many(&health.lost, "gone"),
        (.., [_, ..]) => many(&health.behind, "behind"),
        (1, ..) => "1 gateway serves".to_owned(),
        (serving, ..) => format!("{serving} gateways serve"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_told() {
        let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (serving, silent, lost, behind, told) in [
            (3, &[][..], &[][..], &[][..], "3 gateways serve"),
            (1, &[], &[], &[], "1 gateway serves"),
            (0, &[], &["c"], &[], "No gateway serves"),
            (2, &[], &[], &["b"], "b is behind"),
            (2, &[], &["c"], &["b"], "c is gone"),
            (2, &["a"], &["c"], &["b"], "a is silent"),
            (0, &["a", "b"], &[], &[], "2 gateways are silent"),
        ] {
            let health =
                Health { serving, silent: some(silent), behind: some(behind), lost: some(lost) };
            assert_eq!(words(&health), told);
        }
    }
}
