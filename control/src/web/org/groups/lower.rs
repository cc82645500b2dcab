//! Lowering what a group may do on a channel: asked about first, as what takes it away is.

use access::{ChannelName, Permission};
use maud::{Markup, html};

use crate::usecases::group;
use crate::web::dialog::{self, dialog};
use crate::web::failure::Failure;
use crate::web::posted::Posted;
use crate::{Control, Error, GroupDetails};

/// A permission that is lower than what the group holds.
pub(in crate::web) struct Lowering {
    details: GroupDetails,
    held: Permission,
    wanted: Permission,
}

impl Lowering {
    /// Whether `wanted` is lower than what the group holds on the channel.
    pub(in crate::web) async fn of(
        control: &Control,
        posted: &Posted,
        group: &str,
        (channel, wanted): (&ChannelName, Permission),
    ) -> Result<Option<Self>, Failure> {
        let details = match group::get(control, &posted.visitor.actor, group).await {
            Ok(details) => details,
            // What isn't there is told by what changes it.
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let held = details.permissions.iter().find(|(name, _)| name == channel);
        let held = held.map(|(_, held)| *held).filter(|held| *held > wanted);
        Ok(held.map(|held| Self { details, held, wanted }))
    }

    /// The question; the form is sent to `action` again.
    pub(in crate::web) fn question(
        &self,
        posted: &Posted,
        channel: &ChannelName,
        action: &str,
    ) -> Markup {
        let (group, members) = (&self.details.group.name, self.details.member_count);
        dialog(
            "Lower permission",
            html! {
                p { "Lower what " b { (group) } " may do on " b { (channel) } "?" }
                dl.kv {
                    dt { "Now" } dd { (self.held) }
                    dt { "Then" } dd { (self.wanted) }
                    dt { "Members" } dd { (members) }
                }
                p { "It holds at once on every gateway: tokens of theirs grant no more than they still hold. What other groups give them stays." }
                (dialog::confirm(posted, action, "Lower"))
            },
        )
    }
}
