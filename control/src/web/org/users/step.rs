//! What of a user's change is asked about before: whoever gives or takes access says it twice.

use maud::{Markup, html};

use super::{HERE, address, list};
use crate::usecases::user::UserEdit;
use crate::usecases::{Listed, Page, session, token};
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::fields::Fields;
use crate::web::org::tab_page_under;
use crate::web::posted::Posted;
use crate::{Control, Role, TokenStatus, User};

/// A step that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// They can sign in no more.
    LockOut,
    /// They are no admin any more.
    TakeRole,
    /// They can sign in again.
    LetIn,
    /// They become an admin.
    GiveRole,
}

impl Step {
    /// The steps of a change.
    pub(super) fn of(before: &User, edit: &UserEdit) -> Vec<Self> {
        let was = &before.principal;
        let active = edit.active.filter(|active| *active != was.active);
        let role = edit.role.filter(|role| Some(*role) != was.role);
        let steps = [
            (active == Some(false), Self::LockOut),
            (role == Some(Role::User), Self::TakeRole),
            (active == Some(true), Self::LetIn),
            (role == Some(Role::Admin), Self::GiveRole),
        ];
        steps.into_iter().filter_map(|(is_meant, step)| is_meant.then_some(step)).collect()
    }

    /// Whether it takes access away, which is proven.
    pub(super) fn takes(self) -> bool {
        matches!(self, Self::LockOut | Self::TakeRole)
    }

    /// The dialog's heading and its button.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::LockOut => ("Deactivate user", "Deactivate"),
            Self::TakeRole => ("Take role admin away", "Take role away"),
            Self::LetIn => ("Activate user", "Activate"),
            Self::GiveRole => ("Give role admin", "Give role"),
        }
    }

    /// What will happen.
    async fn told(self, control: &Control, posted: &Posted, name: &str) -> Result<Markup, Failure> {
        Ok(match self {
            Self::LockOut => locks_out(control, posted, name).await?,
            Self::TakeRole => takes_role(posted, name),
            Self::LetIn => html! {
                p {
                    "Let " b { (name) } " in again? They can sign in with the password they had, take a seat, "
                    "and have what their groups give them. Tokens that were revoked stay so."
                }
            },
            Self::GiveRole => html! {
                p {
                    "Make " b { (name) } " an admin? They see everything, change users, groups, gateways and every channel, "
                    "set passwords, and can take the role from others, at once."
                }
            },
        })
    }
}

/// Asks whether these steps are meant.
pub(super) async fn asked(
    control: &Control,
    posted: &Posted,
    user: &User,
    steps: &[Step],
) -> Result<Markup, Failure> {
    let name = &user.principal.name;
    let mut told = Vec::with_capacity(steps.len());
    for step in steps {
        told.push(step.told(control, posted, name).await?);
    }
    let (heading, button) = match steps {
        [step] => step.words(),
        _ => ("Change access", "Do all of it"),
    };
    let over = dialog(
        heading,
        html! {
            @for step in &told { (step) }
            (dialog::confirm(posted, &address(name, "edit"), button))
        },
    );
    let under = list::content(control, &posted.visitor, &Fields::default()).await?;
    Ok(tab_page_under(&posted.visitor, HERE, under, over))
}

/// What stops with a user who is locked out.
async fn locks_out(control: &Control, posted: &Posted, name: &str) -> Result<Markup, Failure> {
    let actor = &posted.visitor.actor;
    let page = Page { limit: Page::MAX_LIMIT, ..Page::first() };
    let sessions = session::list(control, actor, name, &page).await?;
    let tokens = token::list(control, actor, name, Some(TokenStatus::Active), &page).await?;
    Ok(html! {
        p { "Lock " b { (name) } " out? At once, on every gateway:" }
        dl.kv {
            dt { "Sessions" } dd { (many(&sessions, "ends", "end")) }
            dt { "Tokens" } dd { (many(&tokens, "is revoked for good", "are revoked for good")) }
            dt { "Seat" } dd { "Free for somebody else" }
        }
        p { "Downloads on their tokens are cut. They stay in their groups; made active again, they need new tokens." }
    })
}

/// What an admin can't do any more who is none.
fn takes_role(posted: &Posted, name: &str) -> Markup {
    html! {
        p {
            "Make " b { (name) } " a user without the role? They no longer see or change users, gateways and the audit log, "
            "nor channels and groups that none of their own groups is for. It holds at once, in their sessions and for tokens that act with their role."
        }
        p {
            "What their groups give them stays, and so do their tokens for channels. "
            @if posted.visitor.actor.name == name { b { "This is your own role: only another admin can give it back." } }
        }
    }
}

/// "2 end"
fn many<T>(found: &Listed<T>, one: &str, more: &str) -> String {
    match (found.items.len(), &found.next_cursor) {
        (0, _) => "None".to_owned(),
        (1, _) => format!("1 {one}"),
        (many, None) => format!("{many} {more}"),
        (many, Some(_)) => format!("More than {many} {more}"),
    }
}
