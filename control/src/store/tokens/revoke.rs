//! What is revoked, and what gateways must be told of it.

use access::source::{Revision, Touched};
use access::{ChannelId, PrincipalId, Timestamp, TokenId};

use super::values::touched;
use crate::store::{Connection, StoreError};

/// What is to be revoked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Revoke {
    /// One token.
    One(TokenId),
    /// A token, those that were issued with it, those issued with these, and so on.
    WithIssued(TokenId),
    /// Every token that acts for a principal.
    AllOf(PrincipalId),
    /// Every token that was issued for this channel and no other.
    OnlyOn(ChannelId),
}

/// A token and what was issued with it, at any remove. `UNION` ends where a token issued itself
/// anew.
macro_rules! with_issued {
    ($statement:literal) => {
        concat!(
            "WITH RECURSIVE issued (id) AS (SELECT t.id FROM tokens t WHERE t.id = $1 UNION \
             SELECT v.token_id FROM issued i JOIN token_values v ON v.issued_by_token = i.id) ",
            $statement
        )
    };
}

macro_rules! revoke_where {
    ($condition:literal) => {
        concat!(
            "UPDATE tokens SET revoked_at = $2, revoked_revision = $3 \
             WHERE revoked_at IS NULL AND ",
            $condition
        )
    };
}

const REVOKE: &str = revoke_where!("id = $1");
pub(in crate::store) const REVOKE_WITH_ISSUED: &str = with_issued!(
    "UPDATE tokens SET revoked_at = $2, revoked_revision = $3 \
     WHERE revoked_at IS NULL AND id IN (SELECT id FROM issued)"
);
pub(in crate::store) const REVOKE_ALL_OF: &str = revoke_where!("principal_id = $1");
/// Those that have no other channel.
pub(in crate::store) const REVOKE_ONLY_ON: &str = revoke_where!(
    "id IN (SELECT token_id FROM token_channels WHERE channel_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM token_channels o \
     WHERE o.token_id = tokens.id AND o.channel_id <> $1)"
);
pub(in crate::store) const REVOKED_BY: &str = "SELECT v.token_id, v.digest FROM tokens t \
     JOIN token_values v ON v.token_id = t.id WHERE t.revoked_revision = $1 LIMIT $2";
pub(in crate::store) const IDS_REVOKED_BY: &str =
    "SELECT id FROM tokens WHERE revoked_revision = $1 ORDER BY id";
pub(in crate::store) const LAST_REVOKED: &str =
    with_issued!("SELECT max(t.revoked_revision) FROM issued i JOIN tokens t ON t.id = i.id");

/// Revokes what isn't revoked yet; how many tokens that were.
pub(crate) async fn revoke_tokens(
    db: &mut Connection,
    what: Revoke,
    now: Timestamp,
    revision: Revision,
) -> Result<u64, StoreError> {
    let (sql, id) = match what {
        Revoke::One(id) => (REVOKE, id.0),
        Revoke::WithIssued(id) => (REVOKE_WITH_ISSUED, id.0),
        Revoke::AllOf(id) => (REVOKE_ALL_OF, id.0),
        Revoke::OnlyOn(id) => (REVOKE_ONLY_ON, id.0),
    };
    let query = sqlx::query(sql).bind(id).bind(now.as_millis()).bind(revision.0);
    Ok(query.execute(db).await?.rows_affected())
}

/// The values of the tokens that a change revoked, at most `limit` of them.
pub(crate) async fn values_revoked_by(
    db: &mut Connection,
    revision: Revision,
    limit: usize,
) -> Result<Vec<Touched>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sqlx::query(REVOKED_BY).bind(revision.0).bind(limit).fetch_all(db).await?;
    rows.iter().map(touched).collect()
}

/// The tokens that a change revoked.
pub(crate) async fn tokens_revoked_by(
    db: &mut Connection,
    revision: Revision,
) -> Result<Vec<TokenId>, StoreError> {
    let ids: Vec<i64> = sqlx::query_scalar(IDS_REVOKED_BY).bind(revision.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(TokenId).collect())
}

/// The last change that revoked this token or one that was issued with it.
pub(crate) async fn last_revoked(
    db: &mut Connection,
    id: TokenId,
) -> Result<Option<Revision>, StoreError> {
    let last: Option<i64> = sqlx::query_scalar(LAST_REVOKED).bind(id.0).fetch_one(db).await?;
    Ok(last.map(Revision))
}
