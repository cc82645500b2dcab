//! The page of whoever tokens are of: a service account, or the visitor.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::{reached, table};
use crate::usecases::{Listed, Page, permitted, reach, service_account};
use crate::web::dialog::{danger, dialog};
use crate::web::empty::empty;
use crate::web::failure::{Failure, sentence};
use crate::web::fields::{Fields, Filled, Query};
use crate::web::icon::icon;
use crate::web::moment::moment;
use crate::web::page::{self, Place, refused};
use crate::web::posted::Posted;
use crate::web::proof;
use crate::web::visitor::Visitor;
use crate::web::{address, form};
use crate::{Control, Error, Reach, ServiceAccount, Token};

/// Where the page says why its tokens can't be changed.
pub(super) const WHY_NO_TOKEN: &str = "why-no-token";
/// How many of an account's channels stand on its page; the others on one of their own.
const REACHED: u32 = 10;

/// Whose tokens a page is about.
pub(super) enum Owner {
    /// A service account.
    Account(ServiceAccount),
    /// The visitor.
    Own(String),
}

impl Owner {
    /// The service account of that name.
    pub(super) async fn account(
        control: &Control,
        visitor: &Visitor,
        name: &str,
    ) -> Result<Self, Failure> {
        Ok(Self::Account(service_account::get(control, &visitor.actor, name).await?))
    }

    /// Whoever has this token.
    pub(super) async fn of(
        control: &Control,
        visitor: &Visitor,
        token: &Token,
    ) -> Result<Self, Failure> {
        if token.principal == visitor.actor.name {
            return Ok(Self::own(visitor));
        }
        match Self::account(control, visitor, &token.principal).await {
            // An admin looks at somebody else's, or at what a deleted account has left.
            Err(Failure::Refused { .. }) if visitor.is_admin => {
                Ok(Self::Own(token.principal.clone()))
            }
            found => found,
        }
    }

    /// The visitor.
    pub(super) fn own(visitor: &Visitor) -> Self {
        Self::Own(visitor.actor.name.clone())
    }

    /// Their name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Account(account) => &account.name,
            Self::Own(name) => name,
        }
    }

    /// The service account's name, if it is one.
    pub(super) fn account_name(&self) -> Option<&str> {
        match self {
            Self::Account(account) => Some(&account.name),
            Self::Own(_) => None,
        }
    }

    /// The page of their tokens.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Account(account) => address::account(&account.name),
            Self::Own(_) => "/me/tokens".to_owned(),
        }
    }

    /// Where their page belongs.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Account(_) => Place::Channels,
            Self::Own(_) => Place::MyTokens,
        }
    }

    /// Where a page about one of their tokens stands.
    pub(super) fn crumbs(&self) -> Markup {
        match self {
            Self::Account(account) => {
                let channel = account.channel.to_string();
                let tab = address::channel(&account.channel, "service-accounts");
                let (name, own) = (account.name.as_str(), address::account(&account.name));
                page::crumbs(&[("Channels", "/channels"), (&channel, &tab), (name, &own)])
            }
            Self::Own(_) => page::crumbs(&[("My tokens", "/me/tokens")]),
        }
    }

    /// What their page shows.
    pub(super) async fn content(
        &self,
        control: &Control,
        visitor: &Visitor,
        fields: &Fields,
    ) -> Result<Markup, Failure> {
        let asked = table::Asked::of(fields);
        let (found, reached) = tokio::try_join!(
            asked.find(control, visitor, self.name()),
            self.reached(control, visitor)
        )?;
        let issue = permitted::token_issue(control, &visitor.actor, self.name()).await;
        let why_no_token = why_not(issue)?;
        let why_no_token = why_no_token.as_deref();
        let keeps = match self {
            Self::Account(account) => why_not(
                permitted::service_account_deletion(control, &visitor.actor, &account.name).await,
            )?,
            Self::Own(_) => None,
        };
        let whose = (self.name(), &*self.address());
        Ok(html! {
            (self.heading(visitor, why_no_token))
            @if found.counts.all() == 0 && asked.is_everything() {
                (empty("key", "No tokens yet", html! {
                    "Each program or customer gets a token of its own: then one can be taken back without the others."
                }, html! { @if why_no_token.is_none() { (self.generate(true)) } }))
            } @else {
                (table::section(control, visitor, whose, &asked, (&found, why_no_token)))
            }
            @if let (Self::Account(account), Some(reached)) = (self, &reached) {
                (reached::section(visitor, account, reached))
                section {
                    h2 { "Delete this account" }
                    p.dim { "Its tokens are revoked at once." }
                    @match &keeps {
                        None => a.btn.danger href={ (self.address()) "/delete" } { (icon("trash")) "Delete account" },
                        Some(why) => {
                            button.btn disabled aria-describedby="why-it-stays" { "Delete account" }
                            p.small id="why-it-stays" { (sentence(why)) }
                        }
                    }
                }
            }
        })
    }

    /// The first channels that it reaches, if it is an account.
    async fn reached(
        &self,
        control: &Control,
        visitor: &Visitor,
    ) -> Result<Option<Listed<Reach>>, Error> {
        let Self::Account(account) = self else { return Ok(None) };
        let page = Page { limit: REACHED, ..Page::first() };
        reach::of_account(control, &visitor.actor, &account.name, &page).await.map(Some)
    }

    fn heading(&self, visitor: &Visitor, why_no_token: Option<&str>) -> Markup {
        let generate = html! {
            @match why_no_token {
                None => (self.generate(false)),
                Some(why) => div {
                    button.btn disabled aria-describedby=(WHY_NO_TOKEN) { (icon("key")) "Generate Token" }
                    p.small id=(WHY_NO_TOKEN) { (sentence(why)) }
                },
            }
        };
        match self {
            Self::Account(account) => {
                let channel = account.channel.to_string();
                let tab = address::channel(&account.channel, "service-accounts");
                html! {
                    (page::crumbs(&[("Channels", "/channels"), (&channel, &tab)]))
                    (page::head(html! { (account.name) }, html! {
                        p { "Created " (moment(visitor.now, account.created_at)) ". Uses 1 seat." }
                    }, generate))
                }
            }
            Self::Own(_) => page::head(
                html! { "My tokens" },
                html! {
                    p { "They act for you, with no more than you hold at the moment. Programs are better served by a service account: its tokens outlast people." }
                },
                generate,
            ),
        }
    }

    /// Each page has one way to a new token that stands out.
    fn generate(&self, in_the_middle: bool) -> Markup {
        let words = html! { (icon("key")) "Generate Token" };
        html! {
            @if in_the_middle { a.btn href=(self.new_token()) { (words) } }
            @else { a.btn.primary href=(self.new_token()) { (words) } }
        }
    }

    /// The form for another token.
    pub(super) fn new_token(&self) -> String {
        match self {
            Self::Account(_) => format!("{}/tokens/new", self.address()),
            Self::Own(_) => "/me/tokens/new".to_owned(),
        }
    }
}

pub(super) async fn account(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    show(&control, &visitor, Owner::account(&control, &visitor, &name).await?, &fields).await
}

pub(super) async fn own(
    State(control): State<Control>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Markup, Failure> {
    show(&control, &visitor, Owner::own(&visitor), &fields).await
}

async fn show(
    control: &Control,
    visitor: &Visitor,
    owner: Owner,
    fields: &Fields,
) -> Result<Markup, Failure> {
    let content = owner.content(control, visitor, fields).await?;
    let title = owner.account_name().unwrap_or("My tokens");
    Ok(visitor.page(title, owner.place(), content))
}

/// Why the visitor can't do something (product.md S1); nothing where they can.
fn why_not(permitted: Result<(), Error>) -> Result<Option<String>, Failure> {
    match permitted {
        Ok(()) => Ok(None),
        Err(why @ Error::NotPermitted { .. }) => Ok(Some(why.to_string())),
        Err(other) => Err(other.into()),
    }
}

/// The dialog before an account ends.
pub(super) async fn ask_delete(
    State(control): State<Control>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    permitted::service_account_deletion(&control, &visitor.actor, &name).await?;
    deleting(&control, &visitor, &name, &Filled::default()).await
}

pub(super) async fn delete(
    State(control): State<Control>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let visitor = &posted.visitor;
    let channel = service_account::get(&control, &visitor.actor, &name).await?.channel;
    let tab = address::channel(&channel, "service-accounts");
    match service_account::delete(&control, &visitor.actor, &name).await {
        Ok(done) => Ok(proof::after(&tab, Some(done.revision)).into_response()),
        Err(Error::AlreadyDone { .. }) => Ok(proof::after(&tab, None).into_response()),
        Err(error) => {
            let mut filled = posted.filled();
            filled.refuse(error, &[])?;
            let page = deleting(&control, visitor, &name, &filled).await?;
            Ok(refused(page))
        }
    }
}

async fn deleting(
    control: &Control,
    visitor: &Visitor,
    name: &str,
    filled: &Filled,
) -> Result<Markup, Failure> {
    let owner = Owner::account(control, visitor, name).await?;
    let content = owner.content(control, visitor, &Fields::default()).await?;
    let here = owner.address();
    let dialog = dialog(
        "Delete this account?",
        form::post(
            visitor,
            filled,
            &format!("{here}/delete"),
            html! {
                p { (sentence(&format!("`{name}` ends, and every token of it is revoked at once: downloads that run on them are cut"))) }
                (danger("Delete", &here))
            },
        ),
    );
    Ok(visitor.page_under(name, owner.place(), content, dialog))
}
