//! Channels with what the list of them tells of each.

use super::caller::Caller;
use super::{Control, Error, Listed, Page};
use crate::Actor;
use crate::store::{self, ChannelDetails};

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

/// The channels that the caller may see, by name.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::Store`].
pub async fn channels(
    control: &Control,
    actor: &Actor,
    page: &Page,
) -> Result<Listed<Overview>, Error> {
    let to = control.now().day();
    let days = (to.minus(DAYS - 1), to);
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let found = store::list_channels(&mut db, caller.view(), &page.names()).await?;
    let found = Listed::page(found, page, |item| item.channel.name.to_string());
    let mut items = Vec::with_capacity(found.items.len());
    for channel in found.items {
        let id = channel.channel.id;
        let (has_account, downloads) = store::account_and_downloads(&mut db, id, days).await?;
        let seen = caller.is_admin() || super::caller::require_manage(&channel).is_ok();
        items.push(Overview { channel, has_account, downloads: seen.then_some(downloads) });
    }
    Ok(Listed { items, next_cursor: found.next_cursor })
}
