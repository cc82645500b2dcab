//! Users as they are stored: what they have beyond other principals.

use access::{PrincipalId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::look::{Column, Order, looked_at, order};
use super::principals::{Principal, PrincipalKind, Role, insert_principal, read as principal};
use super::rows::time;
use super::{Connection, Look, LookedAt, NameRange, StoreError};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// As what they act; their role is in it.
    pub principal: Principal,
    /// Their name as people write it.
    pub display_name: String,
    /// Their address; empty when not known.
    pub email: String,
    /// When they were made.
    pub created_at: Timestamp,
}

/// What signing in needs to know of a user.
pub(crate) struct SignIn {
    pub(crate) id: PrincipalId,
    pub(crate) password_hash: String,
}

/// What can be changed of a user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserProfile<'a> {
    pub(crate) display_name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) role: Role,
}

const INSERT: &str = "INSERT INTO users (principal_id, display_name, email, role, \
     password_hash) VALUES ($1, $2, $3, $4, $5)";
const UPDATE: &str =
    "UPDATE users SET display_name = $2, email = $3, role = $4 WHERE principal_id = $1";
const SET_PASSWORD: &str = "UPDATE users SET password_hash = $2 WHERE principal_id = $1";
const PASSWORD: &str = "SELECT password_hash FROM users WHERE principal_id = $1";
pub(super) const SIGN_IN: &str = "SELECT p.id, u.password_hash FROM principals p \
     JOIN users u ON u.principal_id = p.id \
     WHERE p.name = $1 AND p.deleted_at IS NULL AND p.deactivated_at IS NULL";
pub(super) const AN_ADMIN: &str = "SELECT 1 FROM users u JOIN principals p ON p.id = u.principal_id \
     AND p.deactivated_at IS NULL WHERE u.role = 'admin' LIMIT 1";
/// A column by which users are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserColumn {
    /// Their name.
    Name,
    /// Their address, small and capital letters alike.
    Email,
    /// Their role, admins first.
    Role,
    /// Whether they may sign in; those who may first.
    Status,
    /// When they were made.
    Created,
}

/// Users, at most `$4`.
macro_rules! users {
    ($key:expr, $after:literal, $down:literal) => {
        concat!(
            "SELECT p.id, p.name, p.kind, u.role, p.deactivated_at, p.created_at, \
             u.display_name, u.email, ",
            $key,
            " AS sort_key FROM principals p JOIN users u ON u.principal_id = p.id \
             WHERE p.deleted_at IS NULL AND ",
            looked_at!("p.name", "p.id", $key, $after),
            " ORDER BY ",
            $key,
            $down,
            ", p.id",
            $down,
            " LIMIT $4"
        )
    };
}
#[cfg(test)]
pub(super) const LOOK_BY_NAME: &str = users!("p.name", ">", "");

impl Column for UserColumn {
    fn order(self) -> Order {
        match self {
            Self::Name => const { order!(users, "p.name", true) },
            Self::Email => const { order!(users, "lower(u.email)", true) },
            Self::Role => {
                const {
                    order!(
                        users,
                        "CAST(CASE u.role WHEN 'admin' THEN 0 ELSE 1 END AS BIGINT)",
                        false
                    )
                }
            }
            Self::Status => {
                const {
                    order!(
                        users,
                        "CAST(CASE WHEN p.deactivated_at IS NULL THEN 0 ELSE 1 END AS BIGINT)",
                        false
                    )
                }
            }
            Self::Created => const { order!(users, "p.created_at", false) },
        }
    }
}

pub(super) const LIST: &str = "SELECT p.id, p.name, p.kind, u.role, p.deactivated_at, p.created_at, \
     u.display_name, u.email FROM principals p JOIN users u ON u.principal_id = p.id \
     WHERE p.deleted_at IS NULL AND p.name >= $1 AND p.name < $2 ORDER BY p.name LIMIT $3";

pub(crate) async fn insert_user(
    db: &mut Connection,
    name: &str,
    profile: UserProfile<'_>,
    password_hash: &str,
    now: Timestamp,
) -> Result<PrincipalId, StoreError> {
    let id = insert_principal(&mut *db, PrincipalKind::User, name, now).await?;
    sqlx::query(INSERT)
        .bind(id.0)
        .bind(profile.display_name)
        .bind(profile.email)
        .bind(profile.role.as_str())
        .bind(password_hash)
        .execute(db)
        .await?;
    Ok(id)
}

pub(crate) async fn update_user(
    db: &mut Connection,
    id: PrincipalId,
    profile: UserProfile<'_>,
) -> Result<(), StoreError> {
    sqlx::query(UPDATE)
        .bind(id.0)
        .bind(profile.display_name)
        .bind(profile.email)
        .bind(profile.role.as_str())
        .execute(db)
        .await?;
    Ok(())
}

pub(crate) async fn set_password(
    db: &mut Connection,
    id: PrincipalId,
    password_hash: &str,
) -> Result<(), StoreError> {
    sqlx::query(SET_PASSWORD).bind(id.0).bind(password_hash).execute(db).await?;
    Ok(())
}

/// The stored hash of a user's password.
pub(crate) async fn password_of(
    db: &mut Connection,
    id: PrincipalId,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(PASSWORD).bind(id.0).fetch_optional(db).await?)
}

/// The active user of that name, for signing in.
pub(crate) async fn sign_in(db: &mut Connection, name: &str) -> Result<Option<SignIn>, StoreError> {
    let Some(row) = sqlx::query(SIGN_IN).bind(name).fetch_optional(db).await? else {
        return Ok(None);
    };
    let id = PrincipalId(row.try_get("id")?);
    Ok(Some(SignIn { id, password_hash: row.try_get("password_hash")? }))
}

/// Whether anybody active has role `admin`.
pub(crate) async fn has_an_admin(db: &mut Connection) -> Result<bool, StoreError> {
    Ok(sqlx::query(AN_ADMIN).fetch_optional(db).await?.is_some())
}

/// The user of that name, active or not.
pub(crate) async fn user_named(
    db: &mut Connection,
    name: &str,
) -> Result<Option<User>, StoreError> {
    Ok(list_users(db, &NameRange::exactly(name)).await?.pop())
}

/// Users by name, active or not.
pub(crate) async fn list_users(
    db: &mut Connection,
    range: &NameRange,
) -> Result<Vec<User>, StoreError> {
    range.read(db, LIST, read).await
}

/// Users as they are looked through, active or not.
pub(crate) async fn look_at_users(
    db: &mut Connection,
    look: &Look<'_, UserColumn>,
) -> Result<LookedAt<User>, StoreError> {
    let query = look.query()?.bind(look.probe());
    look.read(db, query, read).await
}

fn read(row: &AnyRow) -> Result<User, StoreError> {
    Ok(User {
        principal: principal(row)?,
        display_name: row.try_get("display_name")?,
        email: row.try_get("email")?,
        created_at: time(row, "created_at")?,
    })
}
