//! The channels that a new token can be for. Where there are many, the form has a search: sending it
//! shows what is found, with all that was typed and ticked kept, and makes nothing.

use access::{ChannelName, Permission};
use maud::{Markup, html};

use super::owner::Owner;
use crate::usecases::{Listed, Page, reach};
use crate::web::failure::Failure;
use crate::web::fields::{Fields, Filled};
use crate::web::form::{self, Choice};
use crate::web::icon::icon;
use crate::web::visitor::Visitor;
use crate::{Control, Grantable};

/// The field of what is searched for.
pub(super) const SEARCH: &str = "channel_search";
/// The field of what the list in the form was searched for.
const SEARCHED: &str = "channel_searched";
/// The button of the search.
pub(super) const SEARCH_BUTTON: &str = "find";
/// How many channels are listed.
const LIMIT: u32 = 20;
/// How many chosen ones that are not among them; a token has no more.
const CHOSEN: usize = 100;

/// Whether a form was sent to search: by the button, or by the key *Enter* in the field, which
/// browsers take for the form's first button.
pub(super) fn is_search(fields: &Fields) -> bool {
    fields.has(SEARCH_BUTTON, "yes") || fields.text(SEARCH) != fields.text(SEARCHED)
}

/// Channels to choose from.
pub(super) struct Offer {
    pub(super) found: Listed<Grantable>,
    /// The most that could be granted on any channel.
    pub(super) most: Option<Permission>,
    search: String,
}

impl Offer {
    pub(super) async fn read(
        control: &Control,
        visitor: &Visitor,
        owner: &Owner,
        search: &str,
    ) -> Result<Self, Failure> {
        let page = Page { limit: LIMIT, prefix: search.to_owned(), ..Page::first() };
        let account = owner.account_name();
        let (found, most) = reach::grantable(control, &visitor.actor, account, &page).await?;
        Ok(Self { found, most, search: search.to_owned() })
    }

    fn has_search(&self) -> bool {
        !self.search.is_empty() || self.found.next_cursor.is_some()
    }

    /// The key *Enter* is for creating, though the search's button comes first.
    pub(super) fn default_button(&self) -> Markup {
        html! { @if self.has_search() { button.vh tabindex="-1" aria-hidden="true" { "Create" } } }
    }

    /// The boxes: what is chosen already, and what was found.
    pub(super) fn choices(&self, owner: &Owner, filled: &Filled) -> Markup {
        let found = &self.found.items;
        let chosen = filled.fields.all("channels").filter_map(|name| name.parse().ok());
        let chosen: Vec<ChannelName> = chosen.take(CHOSEN).collect();
        let elsewhere = chosen.iter().filter(|name| found.iter().all(|f| f.channel != **name));
        let elsewhere = elsewhere.map(|name| (name, html! { "Chosen before" }));
        let listed = found.iter().map(|found| (&found.channel, note(owner, found)));
        let choices = elsewhere.chain(listed).map(|(name, note)| Choice {
            value: name.as_str(),
            words: html! { (name) },
            note,
            is_disabled: false,
        });
        let choices: Vec<_> = choices.collect();
        if choices.is_empty() && !self.has_search() {
            return html! {
                div.field {
                    b { "Channels" }
                    p.dim { "You hold no permission on a channel that a token could be for." }
                }
            };
        }
        let above = html! { @if self.has_search() { (self.search(filled)) } };
        form::choices_below(filled, ("channels", "Channels"), "checkbox", (above, &choices))
    }

    fn search(&self, filled: &Filled) -> Markup {
        let (found, is_all) = (self.found.items.len(), self.found.next_cursor.is_none());
        html! {
            input type="hidden" name=(SEARCHED) value=(self.search);
            div.row {
                div.search {
                    (icon("search"))
                    input type="search" name=(SEARCH) value=(self.search) aria-label="Search channels"
                        placeholder="Part of a name" autocomplete="off" spellcheck="false"
                        autofocus[filled.fields.has(SEARCH_BUTTON, "yes")];
                }
                button.btn name=(SEARCH_BUTTON) value="yes" { "Find" }
            }
            small role="status" {
                @if found == 0 { "No channel that the token could be for has this in its name. " }
                @else if !is_all { "The first " (found) ": find others by their name. " }
                "What you tick stays ticked."
            }
        }
    }
}

fn note(owner: &Owner, found: &Grantable) -> Markup {
    html! {
        @match owner {
            Owner::Account(account) if account.channel == found.channel => "Its own channel · ",
            Owner::Account(_) => { "Through " (found.group) " · " },
            Owner::Own(_) => {},
        }
        "up to " (found.most)
    }
}
