//! Users, and what users and service accounts share, as they are stored.

use std::fmt;
use std::str::FromStr;

use access::{PrincipalId, Timestamp};
use sqlx::Row as _;

use super::rows::word;
use super::{Connection, StoreError};

/// What a user may do beyond what their groups give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Creates channels, service accounts, users and groups.
    Admin,
    /// Does what their groups allow.
    User,
}

impl Role {
    /// The word used in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Admin, Self::User].into_iter().find(|role| role.as_str() == word).ok_or(())
    }
}

/// Whether a principal is a person or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// Credentials for programs, of one channel.
    ServiceAccount,
}

impl PrincipalKind {
    /// The word used in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceAccount => "service_account",
        }
    }
}

impl FromStr for PrincipalKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::User, Self::ServiceAccount].into_iter().find(|k| k.as_str() == word).ok_or(())
    }
}

/// A principal that is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its identity, never reused.
    pub id: PrincipalId,
    /// Its name, unique among principals.
    pub name: String,
    /// Person or program.
    pub kind: PrincipalKind,
    /// A user's role; service accounts have none.
    pub role: Option<Role>,
    /// Whether it may do anything at all.
    pub active: bool,
}

const SEATS_USED: &str = "SELECT count(*) FROM principals WHERE deactivated_at IS NULL";
const INSERT: &str =
    "INSERT INTO principals (kind, name, created_at) VALUES ($1, $2, $3) RETURNING id";
const SET_ACTIVE: &str = "UPDATE principals SET deactivated_at = $2 WHERE id = $1";
const DELETE: &str = "UPDATE principals SET deleted_at = $2, \
     deactivated_at = coalesce(deactivated_at, $2) WHERE id = $1";

macro_rules! principal_where {
    ($condition:literal) => {
        concat!(
            "SELECT p.id, p.name, p.kind, u.role, p.deactivated_at FROM principals p \
             LEFT JOIN users u ON u.principal_id = p.id WHERE p.deleted_at IS NULL AND ",
            $condition
        )
    };
}
pub(super) const BY_ID: &str = principal_where!("p.id = $1");
pub(super) const BY_NAME: &str = principal_where!("p.name = $1");

/// How many users and service accounts count against the seat limit (product.md S2).
pub(crate) async fn seats_used(db: &mut Connection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(SEATS_USED).fetch_one(db).await?)
}

pub(crate) async fn insert_principal(
    db: &mut Connection,
    kind: PrincipalKind,
    name: &str,
    now: Timestamp,
) -> Result<PrincipalId, StoreError> {
    let id = sqlx::query_scalar(INSERT)
        .bind(kind.as_str())
        .bind(name)
        .bind(now.as_millis())
        .fetch_one(db)
        .await?;
    Ok(PrincipalId(id))
}

/// Takes a seat or frees it.
pub(crate) async fn set_active(
    db: &mut Connection,
    id: PrincipalId,
    active: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let since = (!active).then_some(now.as_millis());
    sqlx::query(SET_ACTIVE).bind(id.0).bind(since).execute(db).await?;
    Ok(())
}

/// Marks a principal deleted: its name is free again, its id and its history stay.
pub(crate) async fn delete_principal(
    db: &mut Connection,
    id: PrincipalId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE).bind(id.0).bind(now.as_millis()).execute(db).await?;
    Ok(())
}

pub(crate) async fn principal(
    db: &mut Connection,
    id: PrincipalId,
) -> Result<Option<Principal>, StoreError> {
    let row = sqlx::query(BY_ID).bind(id.0).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn principal_named(
    db: &mut Connection,
    name: &str,
) -> Result<Option<Principal>, StoreError> {
    let row = sqlx::query(BY_NAME).bind(name).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

pub(super) fn read(row: &sqlx::any::AnyRow) -> Result<Principal, StoreError> {
    let role = row.try_get::<Option<&str>, _>("role")?;
    Ok(Principal {
        id: PrincipalId(row.try_get("id")?),
        name: row.try_get("name")?,
        kind: word("a kind of principal", row.try_get("kind")?)?,
        role: role.map(|role| word("a role", role)).transpose()?,
        active: row.try_get::<Option<i64>, _>("deactivated_at")?.is_none(),
    })
}
