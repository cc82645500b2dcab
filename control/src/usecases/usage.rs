//! What was downloaded, by whom (product.md +3).

use access::{ChannelName, Day, TokenId};

use super::caller::{Caller, require_manage};
use super::{Control, Error, Listed, Page, cursor, token};
use crate::Actor;
use crate::store::{Connection, Top, TopOf, UsageBy, UsageOf, UsageQuestion, UsageSum};

/// How many days are counted when the caller names no first one.
const USUAL_DAYS: u32 = 30;

/// How long a package's name may be, in bytes.
const MAX_PACKAGE_NAME: usize = 128;

/// A question about usage.
#[derive(Clone, Debug)]
pub struct UsageOrder {
    /// Of this token alone.
    pub token: Option<TokenId>,
    /// Of this channel alone.
    pub channel: Option<ChannelName>,
    /// Of this package alone; the empty name is all that is no package.
    pub package: Option<String>,
    /// The first day; 30 days up to the last one when not said.
    pub from: Option<Day>,
    /// The last day; today when not said.
    pub to: Option<Day>,
    /// What each sum is of.
    pub by: UsageBy,
}

/// Sums of what was downloaded, in the order of what they are of; over a long time a page has fewer
/// of them than it may. An admin may ask about
/// everything, others about channels on which they hold `manage` and about tokens that they see.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::InvalidField`]; [`Error::Store`].
pub async fn list(
    control: &Control,
    actor: &Actor,
    order: &UsageOrder,
    page: &Page,
) -> Result<Listed<UsageSum>, Error> {
    let mut db = control.store.reader().await?;
    let permitted = Permitted::verify(control, actor, order, &mut db).await?;
    permitted.ask(&mut db, page).await
}

/// The packages or tokens of a channel with the most bytes from the first to the second day, at most
/// `count`. For whoever may [`list`] them.
///
/// # Errors
/// As [`list`].
pub async fn top(
    control: &Control,
    actor: &Actor,
    channel: &ChannelName,
    (of, (from, to)): (TopOf, (Day, Day)),
    count: usize,
) -> Result<Top, Error> {
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, control.now()).await?;
    let channel = caller.channel(&mut db, channel).await?;
    if !caller.is_admin() {
        require_manage(&channel)?;
    }
    Ok(Top::read(&mut db, channel.channel.id, of, (from, to), count).await?)
}

/// A question that its caller may ask.
struct Permitted {
    of: UsageOf,
    by: UsageBy,
    from: Day,
    to: Day,
}

impl Permitted {
    async fn verify(
        control: &Control,
        actor: &Actor,
        order: &UsageOrder,
        db: &mut Connection,
    ) -> Result<Self, Error> {
        let to = order.to.unwrap_or_else(|| control.now().day());
        let from = order.from.unwrap_or_else(|| to.minus(USUAL_DAYS - 1));
        if from > to {
            return Err(Error::invalid("from", "must not lie after `to`"));
        }
        let too_long =
            |package: &String| package.len() > MAX_PACKAGE_NAME || package.contains('\0');
        if order.package.as_ref().is_some_and(too_long) {
            return Err(Error::invalid("package", "no package has such a name"));
        }
        let caller = Caller::verify(db, actor, control.now()).await?;
        let mut of = UsageOf { package: order.package.clone(), ..UsageOf::default() };
        if let Some(id) = order.token {
            of.token =
                Some(token::visible_token(control, &caller, db, id, control.now()).await?.id);
        }
        if let Some(name) = &order.channel {
            let channel = caller.channel(db, name).await?;
            if !caller.is_admin() && of.token.is_none() {
                require_manage(&channel)?;
            }
            of.channel = Some(channel.channel.id);
        }
        if !caller.is_admin() && of.token.is_none() && of.channel.is_none() {
            return Err(Error::NotPermitted {
                needs:
                    "a `channel` that you manage or a `token` of yours in the question, or role \
                        `admin`"
                        .into(),
                who: "an admin".into(),
            });
        }
        Ok(Self { of, by: order.by, from, to })
    }

    async fn ask(&self, db: &mut Connection, page: &Page) -> Result<Listed<UsageSum>, Error> {
        let question = UsageQuestion {
            of: &self.of,
            by: self.by,
            from: self.from,
            to: self.to,
            start: page.after.as_deref(),
            limit: page.limit,
        };
        let answer = question.ask(db).await.map_err(cursor)?;
        Ok(Listed { items: answer.sums, next_cursor: answer.next })
    }
}
