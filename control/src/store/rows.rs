//! How condagate's words are written in columns and read back.

use std::str::FromStr;

use access::{Permission, Timestamp, TokenDigest};
use sqlx::any::AnyRow;
use sqlx::{ColumnIndex, Row as _};

use super::StoreError;

/// A permission as it is stored: in order, so that the database can find the highest.
pub(super) fn permission_to_column(permission: Permission) -> i64 {
    match permission {
        Permission::Read => 1,
        Permission::Write => 2,
        Permission::Manage => 3,
    }
}

pub(super) fn permission_from_column(column: i64) -> Result<Permission, StoreError> {
    match column {
        1 => Ok(Permission::Read),
        2 => Ok(Permission::Write),
        3 => Ok(Permission::Manage),
        other => Err(unreadable("a permission", other.to_string())),
    }
}

pub(super) fn digest_from_column(bytes: &[u8]) -> Result<TokenDigest, StoreError> {
    let digest = bytes.try_into().map(TokenDigest::from_bytes);
    digest.map_err(|_wrong| unreadable("a digest", format!("{} bytes", bytes.len())))
}

/// What is stored as a word.
pub(super) fn word<T: FromStr>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_unknown| unreadable(what, text.to_owned()))
}

/// A column with milliseconds.
pub(super) fn time<I>(row: &AnyRow, column: I) -> Result<Timestamp, StoreError>
where
    I: ColumnIndex<AnyRow>,
{
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

/// A column with milliseconds, or nothing.
pub(super) fn time_if_any<I>(row: &AnyRow, column: I) -> Result<Option<Timestamp>, StoreError>
where
    I: ColumnIndex<AnyRow>,
{
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
}

/// A column with a permission, or nothing.
pub(super) fn permission_if_any<I>(
    row: &AnyRow,
    column: I,
) -> Result<Option<Permission>, StoreError>
where
    I: ColumnIndex<AnyRow>,
{
    row.try_get::<Option<i64>, _>(column)?.map(permission_from_column).transpose()
}

fn unreadable(what: &'static str, value: String) -> StoreError {
    StoreError::Unreadable { what, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_keep_their_order_in_the_database() {
        for pair in Permission::ALL.windows(2) {
            assert!(permission_to_column(pair[0]) < permission_to_column(pair[1]));
        }
        for permission in Permission::ALL {
            let column = permission_to_column(permission);
            assert_eq!(permission_from_column(column).unwrap(), permission);
        }
        assert!(permission_from_column(0).is_err() && permission_from_column(4).is_err());
    }
}
