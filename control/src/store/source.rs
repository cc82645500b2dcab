//! What gateways read: one token, the feed, and a snapshot to begin with (sync.md F3, T2, T6).

use access::source::{
    Answer, Applied, Beginning, Change, DatabaseIdentity, FeedRead, Loaded, Revision, SourceError,
    Stamp, Touched,
};
use access::{
    Channel, ChannelId, Day, Grant, GrantSource, GrantedChannel, Limited, PrincipalId, Standing,
    Timestamp, TokenDigest, TokenHint, TokenId,
};
use sqlx::any::AnyRow;
use sqlx::{Connection as _, Row as _};

use super::channels::{channel, channel_columns};
use super::dialect::Dialect;
use super::memberships::held;
use super::rows::{
    digest_from_column, limits, permission_from_column, permission_if_any, time, time_if_any,
};
use super::{Connection, Store, StoreError};

/// How many entries one read of the feed carries. A gateway further behind begins anew, which
/// costs no more.
const MAX_ENTRIES: usize = 20_000;

/// A value with its token, one row per channel; `held` is what the principal has there.
macro_rules! grant_columns {
    () => {
        concat!(
            "v.digest, v.hint, v.valid_until, t.id AS token_id, t.principal_id, t.permission, \
         t.expires_at, t.revoked_at, \
         t.networks, t.requests_per_second, t.bytes_per_day, \
         (SELECT max(u.day) FROM usage_days u WHERE t.bytes_per_day IS NOT NULL \
         AND u.token_id = t.id AND u.channel_id = -1 AND u.package = '*') AS used_day, \
         (SELECT u.bytes FROM usage_days u WHERE t.bytes_per_day IS NOT NULL \
         AND u.token_id = t.id AND u.channel_id = -1 AND u.package = '*' \
         ORDER BY u.day DESC LIMIT 1) AS used_bytes, p.deactivated_at, tc.channel_id, (",
            held!("t.principal_id", "tc.channel_id"),
            ") AS held"
        )
    };
}

/// T2: one statement, and so one snapshot, for the grant and the revision it stands at. There is
/// always a row, since there is always a counter.
const LOAD: &str = concat!(
    "SELECT r.revision, (SELECT stamp FROM revisions WHERE revision = r.revision) AS stamp, ",
    grant_columns!(),
    " FROM revision_counter r LEFT JOIN token_values v ON v.digest = $1 \
     LEFT JOIN tokens t ON t.id = v.token_id LEFT JOIN principals p ON p.id = t.principal_id \
     LEFT JOIN token_channels tc ON tc.token_id = t.id"
);

/// T6: what was never used counts from when it was issued. No token is used before it is issued, so
/// that the latest are among those last used and those last issued, and no more need be read.
/// `CROSS JOIN` has SQLite begin with those few, not with a million values.
pub(super) const RECENTLY_USED: &str = concat!(
    "SELECT ",
    grant_columns!(),
    " FROM (SELECT id FROM (SELECT * FROM (SELECT l.id, u.last_used_at AS at \
     FROM token_last_used u CROSS JOIN tokens l CROSS JOIN principals lp \
     WHERE l.id = u.token_id AND lp.id = l.principal_id \
     AND l.revoked_at IS NULL AND l.expires_at > $1 AND lp.deactivated_at IS NULL \
     ORDER BY u.last_used_at DESC LIMIT $2) AS used UNION SELECT * FROM (SELECT l.id, \
     coalesce((SELECT u.last_used_at FROM token_last_used u WHERE u.token_id = l.id), \
     l.issued_at) AS at FROM tokens l JOIN principals lp ON lp.id = l.principal_id \
     WHERE l.revoked_at IS NULL AND l.expires_at > $1 AND lp.deactivated_at IS NULL \
     ORDER BY l.issued_at DESC LIMIT $2) AS issued) AS either ORDER BY at DESC LIMIT $2) AS live \
     CROSS JOIN tokens t CROSS JOIN token_values v CROSS JOIN principals p \
     LEFT JOIN token_channels tc ON tc.token_id = t.id WHERE t.id = live.id AND v.token_id = t.id \
     AND (v.valid_until IS NULL OR v.valid_until > $1) AND p.id = t.principal_id \
     ORDER BY t.id, v.digest"
);

pub(super) const CHANNELS: &str = concat!("SELECT ", channel_columns!(), " FROM channels c");

const CHANGES: &str = "SELECT r.revision, r.stamp, c.kind, c.id, c.digest FROM revisions r \
     LEFT JOIN changes c ON c.revision = r.revision WHERE r.revision > $1 \
     ORDER BY r.revision, c.ordinal LIMIT $2";

/// What is registered now for each channel touched since `$1`.
const TOUCHED_CHANNELS: &str = concat!(
    "SELECT touched.id AS touched_id, ",
    channel_columns!(),
    " FROM (SELECT DISTINCT id FROM changes WHERE revision > $1 AND kind = 'channel') AS touched \
     LEFT JOIN channels c ON c.id = touched.id"
);

impl GrantSource for Store {
    fn begin(&self, recently_used: usize) -> Answer<'_, Beginning> {
        Box::pin(async move {
            let (opened, mut db) = self.opener.acquire().await.map_err(unanswered)?;
            let read = read_beginning(&mut db, self.dialect, recently_used).await;
            let mut beginning = read.map_err(unanswered)?;
            opened.identify(&mut beginning.applied.database);
            Ok(beginning)
        })
    }

    fn load(&self, digest: TokenDigest) -> Answer<'_, Loaded> {
        Box::pin(async move {
            let mut db = self.reader().await.map_err(unanswered)?;
            read_token(&mut db, digest).await.map_err(unanswered)
        })
    }

    fn feed(&self, applied: Applied) -> Answer<'_, FeedRead> {
        Box::pin(async move {
            let (opened, mut db) = self.opener.acquire().await.map_err(unanswered)?;
            let read = read_feed(&mut db, self.dialect, applied.revision).await;
            let mut read = read.map_err(unanswered)?;
            opened.identify(&mut read.database);
            Ok(read)
        })
    }
}

async fn read_token(db: &mut Connection, digest: TokenDigest) -> Result<Loaded, StoreError> {
    let rows = sqlx::query(LOAD).bind(digest.as_bytes().to_vec()).fetch_all(db).await?;
    let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let revision = Revision(first.try_get("revision")?);
    let stamp = Stamp(first.try_get("stamp")?);
    let known = first.try_get::<Option<i64>, _>("token_id")?.is_some();
    let grant = if known { Some(grant(&rows)?) } else { None };
    Ok(Loaded { revision, stamp, grant })
}

pub(super) async fn read_beginning(
    db: &mut Connection,
    dialect: Dialect,
    recently_used: usize,
) -> Result<Beginning, StoreError> {
    let mut snapshot = db.begin_with(dialect.begin_snapshot()).await?;
    let head = head(&mut snapshot, dialect, Revision(0)).await?;
    let channels = sqlx::query(CHANNELS).fetch_all(&mut *snapshot).await?;
    let rows = sqlx::query(RECENTLY_USED)
        .bind(head.now.as_millis())
        .bind(i64::try_from(recently_used).unwrap_or(i64::MAX))
        .fetch_all(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    let mut tokens = Vec::with_capacity(recently_used.min(rows.len()));
    let same_value = |a: &AnyRow, b: &AnyRow| digest_of(a).ok() == digest_of(b).ok();
    for rows in rows.chunk_by(same_value) {
        tokens.push((digest_of(&rows[0])?, grant(rows)?));
    }
    Ok(Beginning {
        applied: Applied {
            revision: head.counter,
            stamp: head.stamp.ok_or(sqlx::Error::RowNotFound)?,
            database: head.database,
        },
        channels: channels.iter().map(channel).collect::<Result<_, _>>()?,
        recently_used: tokens,
        now: head.now,
    })
}

pub(super) async fn read_feed(
    db: &mut Connection,
    dialect: Dialect,
    asked: Revision,
) -> Result<FeedRead, StoreError> {
    let mut snapshot = db.begin_with(dialect.begin_snapshot()).await?;
    let head = head(&mut snapshot, dialect, asked).await?;
    let (mut changes, mut channels) = (Vec::new(), Vec::new());
    if head.stamp_of_asked.is_some() && head.counter > asked {
        let limit = i64::try_from(MAX_ENTRIES + 1).unwrap_or(i64::MAX);
        let rows = sqlx::query(CHANGES).bind(asked.0).bind(limit).fetch_all(&mut *snapshot).await?;
        // A revision is applied whole or not at all: what was cut off is no answer.
        if rows.len() <= MAX_ENTRIES {
            changes = read_changes(&rows)?;
            let rows =
                sqlx::query(TOUCHED_CHANNELS).bind(asked.0).fetch_all(&mut *snapshot).await?;
            channels = rows.iter().map(touched_channel).collect::<Result<_, _>>()?;
        }
    }
    snapshot.commit().await?;
    Ok(FeedRead {
        database: head.database,
        counter: head.counter,
        stamp_of_asked: head.stamp_of_asked,
        changes,
        channels,
        now: head.now,
    })
}

async fn head(
    snapshot: &mut Connection,
    dialect: Dialect,
    asked: Revision,
) -> Result<Head, StoreError> {
    let row = sqlx::query(dialect.feed_head()).bind(asked.0).fetch_one(snapshot).await?;
    let stamp = |column| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Stamp));
    Ok(Head {
        database: DatabaseIdentity(row.try_get("identity")?),
        counter: Revision(row.try_get("revision")?),
        stamp: stamp("stamp")?,
        stamp_of_asked: stamp("stamp_of_asked")?,
        now: time(&row, "now")?,
    })
}

/// The state of the feed in a snapshot.
struct Head {
    database: DatabaseIdentity,
    counter: Revision,
    stamp: Option<Stamp>,
    stamp_of_asked: Option<Stamp>,
    now: Timestamp,
}

/// The grant of one value from its rows, one per channel.
fn grant(rows: &[AnyRow]) -> Result<Grant, StoreError> {
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let issued_for = permission_from_column(row.try_get("permission")?)?;
    let mut channels = Vec::with_capacity(rows.len());
    for row in rows {
        let channel = row.try_get::<Option<i64>, _>("channel_id")?;
        let held = permission_if_any(row, "held")?;
        if let (Some(channel), Some(held)) = (channel, held) {
            let permission = held.min(issued_for);
            channels.push(GrantedChannel { channel: ChannelId(channel), permission });
        }
    }
    let expires_at = time(row, "expires_at")?;
    let valid_until = time_if_any(row, "valid_until")?;
    let grant = Grant::new(
        TokenId(row.try_get("token_id")?),
        TokenHint::from_stored(row.try_get("hint")?),
        PrincipalId(row.try_get("principal_id")?),
        valid_until.map_or(expires_at, |end| end.min(expires_at)),
        standing(row)?,
        channels,
    );
    let day = row.try_get::<Option<i64>, _>("used_day")?.map(Day::from_number);
    let bytes = row.try_get::<Option<i64>, _>("used_bytes")?.map(i64::unsigned_abs);
    let mut grant = grant.held_to(Limited { limits: limits(row)?, bytes_of_day: day.zip(bytes) });
    grant.is_replaced = valid_until.is_some_and(|end| end <= expires_at);
    Ok(grant)
}

fn standing(row: &AnyRow) -> Result<Standing, StoreError> {
    Ok(match (time_if_any(row, "revoked_at")?, time_if_any(row, "deactivated_at")?) {
        (Some(at), _) => Standing::Revoked(at),
        (None, Some(_)) => Standing::PrincipalInactive,
        (None, None) => Standing::Active,
    })
}

fn digest_of(row: &AnyRow) -> Result<TokenDigest, StoreError> {
    digest_from_column(row.try_get("digest")?)
}

fn read_changes(rows: &[AnyRow]) -> Result<Vec<Change>, StoreError> {
    let mut changes: Vec<Change> = Vec::new();
    for row in rows {
        let revision = Revision(row.try_get("revision")?);
        let touched = touched(row)?;
        match changes.last_mut() {
            Some(change) if change.revision == revision => change.touched.extend(touched),
            _ => changes.push(Change {
                revision,
                stamp: Stamp(row.try_get("stamp")?),
                touched: touched.into_iter().collect(),
            }),
        }
    }
    Ok(changes)
}

/// One entry; none for a revision that touches nothing a gateway decides by.
fn touched(row: &AnyRow) -> Result<Option<Touched>, StoreError> {
    let Some(kind) = row.try_get::<Option<&str>, _>("kind")? else { return Ok(None) };
    let id = || row.try_get::<i64, _>("id");
    Ok(Some(match kind {
        "token" => Touched::Token { id: TokenId(id()?), digest: digest_of(row)? },
        "principal" => Touched::Principal(PrincipalId(id()?)),
        "channel" => Touched::Channel(ChannelId(id()?)),
        // Also what a newer condagate has added: dropping the table is always right.
        _ => Touched::Everything,
    }))
}

fn touched_channel(row: &AnyRow) -> Result<(ChannelId, Option<Channel>), StoreError> {
    let registered = row.try_get::<Option<i64>, _>("id")?.is_some();
    let channel = if registered { Some(channel(row)?) } else { None };
    Ok((ChannelId(row.try_get("touched_id")?), channel))
}

pub(super) fn unanswered(error: StoreError) -> SourceError {
    SourceError(error.to_string())
}
