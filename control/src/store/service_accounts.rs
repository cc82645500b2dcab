//! Service accounts as they are stored.

use access::{ChannelId, ChannelName, PrincipalId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::channels::held_channels;
use super::rows::{time, time_if_any, word};
use super::{ChannelView, Connection, NameRange, StoreError};

/// The credentials for programs of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its identity among principals, never reused.
    pub id: PrincipalId,
    /// `service-account-channel-<CHANNEL>` (product.md S4).
    pub name: String,
    /// Its channel.
    pub channel_id: ChannelId,
    /// Its channel's name.
    pub channel: ChannelName,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the tokens of an account are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUse {
    /// How many of them work.
    pub active: u64,
    /// When one of them was last used.
    pub last_used_at: Option<Timestamp>,
}

/// How service accounts are named; no user may have such a name (product.md S4).
pub(crate) const NAME_PREFIX: &str = "service-account-channel-";

/// The name of a channel's service account.
pub(crate) fn service_account_name(channel: &ChannelName) -> String {
    format!("{NAME_PREFIX}{}", channel.with_colons())
}

const BIND: &str = "INSERT INTO service_accounts (principal_id, channel_id) VALUES ($1, $2)";
const UNBIND: &str = "DELETE FROM service_accounts WHERE principal_id = $1";

macro_rules! accounts_where {
    ($($condition:expr),+) => {
        concat!(
            "SELECT p.id, p.name, p.created_at, c.id AS channel_id, c.name AS channel \
             FROM service_accounts s JOIN principals p ON p.id = s.principal_id \
             JOIN channels c ON c.id = s.channel_id WHERE ",
            $($condition),+
        )
    };
}
pub(super) const BY_NAME: &str = accounts_where!("p.name = $1 AND p.deleted_at IS NULL");
pub(super) const BY_CHANNEL: &str = accounts_where!("s.channel_id = $1");
/// Those whose channel `$4` manages, as far as the token `$5` reaches (0: everywhere).
pub(super) const LIST: &str = accounts_where!(
    "c.name >= $1 AND c.name < $2 AND ($6 = 1 OR (c.id IN ",
    held_channels!("gp.permission = 3"),
    " AND ($5 = 0 OR c.id IN (SELECT tc.channel_id FROM token_channels tc \
     JOIN tokens t ON t.id = tc.token_id AND t.permission = 3 WHERE tc.token_id = $5)))) \
     ORDER BY c.name LIMIT $3"
);

/// How the tokens of a principal are used, at a time.
macro_rules! token_use {
    ($principal:literal, $now:literal) => {
        concat!(
            "(SELECT count(*) FROM tokens t WHERE t.principal_id = ",
            $principal,
            " AND t.revoked_at IS NULL AND t.expires_at > ",
            $now,
            ") AS active_tokens, \
             (SELECT max(used.last_used_at) FROM tokens t JOIN token_last_used used \
             ON used.token_id = t.id WHERE t.principal_id = ",
            $principal,
            ") AS last_used_at"
        )
    };
}
pub(super) use token_use;

pub(super) const TOKEN_USE: &str = concat!("SELECT ", token_use!("$1", "$2"));

/// How the tokens of an account are used.
pub(crate) async fn tokens_used(
    db: &mut Connection,
    account: PrincipalId,
    now: Timestamp,
) -> Result<TokenUse, StoreError> {
    let query = sqlx::query(TOKEN_USE).bind(account.0).bind(now.as_millis());
    read_token_use(&query.fetch_one(db).await?)
}

pub(super) fn read_token_use(row: &AnyRow) -> Result<TokenUse, StoreError> {
    let active = u64::try_from(row.try_get::<i64, _>("active_tokens")?).unwrap_or_default();
    Ok(TokenUse { active, last_used_at: time_if_any(row, "last_used_at")? })
}

/// Makes a principal the service account of a channel.
pub(crate) async fn bind_service_account(
    db: &mut Connection,
    account: PrincipalId,
    channel: ChannelId,
) -> Result<(), StoreError> {
    sqlx::query(BIND).bind(account.0).bind(channel.0).execute(db).await?;
    Ok(())
}

pub(crate) async fn unbind_service_account(
    db: &mut Connection,
    account: PrincipalId,
) -> Result<(), StoreError> {
    sqlx::query(UNBIND).bind(account.0).execute(db).await?;
    Ok(())
}

pub(crate) async fn service_account_named(
    db: &mut Connection,
    name: &str,
) -> Result<Option<ServiceAccount>, StoreError> {
    let row = sqlx::query(BY_NAME).bind(name).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn service_account_of(
    db: &mut Connection,
    channel: ChannelId,
) -> Result<Option<ServiceAccount>, StoreError> {
    let row = sqlx::query(BY_CHANNEL).bind(channel.0).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The accounts that the viewer may manage, by their channel's name.
pub(crate) async fn list_service_accounts(
    db: &mut Connection,
    view: ChannelView,
    range: &NameRange,
) -> Result<Vec<ServiceAccount>, StoreError> {
    range.read_seen(db, LIST, view, read).await
}

fn read(row: &AnyRow) -> Result<ServiceAccount, StoreError> {
    Ok(ServiceAccount {
        id: PrincipalId(row.try_get("id")?),
        name: row.try_get("name")?,
        channel_id: ChannelId(row.try_get("channel_id")?),
        channel: word("a channel's name", row.try_get("channel")?)?,
        created_at: time(row, "created_at")?,
    })
}
