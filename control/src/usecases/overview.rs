//! Channels with what the list of them tells of each.

use super::caller::{Caller, require_manage};
use super::{Control, Error, Listed, cursor};
use crate::Actor;
use crate::store::{self, ChannelColumn, ChannelDetails, Look};

/// How many days of downloads are added up.
pub const DAYS: u32 = 30;

/// A channel in a list.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The channel.
    pub channel: ChannelDetails,
    /// Whether it has a service account.
    pub has_account: bool,
    /// Package files that were sent in the last [`DAYS`]; for whoever holds `manage` on the channel
    /// and for admins, as all usage is.
    pub downloads: Option<u64>,
}

/// The channels that the caller may see, as they are looked through.
///
/// # Errors
/// [`Error::NotSignedIn`], [`Error::InvalidField`] for a foreign cursor; [`Error::Store`].
pub async fn channels(
    control: &Control,
    actor: &Actor,
    look: &Look<'_, ChannelColumn>,
) -> Result<Listed<Overview>, Error> {
    let to = control.now().day();
    let days = (to.minus(DAYS - 1), to);
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = store::look_at_channels(&mut db, caller.view(), look, days).await;
    let (found, next_cursor) = found.map_err(cursor)?;
    let items = found.into_iter().map(|(channel, has_account, downloads)| {
        let seen = caller.is_admin() || require_manage(&channel).is_ok();
        Overview { channel, has_account, downloads: seen.then_some(downloads) }
    });
    Ok(Listed { items: items.collect(), next_cursor })
}
