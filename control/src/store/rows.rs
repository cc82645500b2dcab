//! How condagate's words are written in columns and read back.

use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use access::{Limits, Permission, Timestamp, TokenDigest};
use ipnet::IpNet;
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

/// A token's limits, from the columns of that name.
pub(super) fn limits(row: &AnyRow) -> Result<Limits, StoreError> {
    let networks = row.try_get::<Option<&str>, _>("networks")?;
    let number = |column| row.try_get::<Option<i64>, _>(column);
    Ok(Limits {
        networks: networks.map_or_else(|| Ok(Box::default()), networks_from_column)?,
        requests_per_second: number("requests_per_second")?.map(requests).transpose()?,
        bytes_per_day: number("bytes_per_day")?.map(bytes).transpose()?,
    })
}

fn requests(column: i64) -> Result<NonZeroU32, StoreError> {
    let number = u32::try_from(column).ok().and_then(NonZeroU32::new);
    number.ok_or_else(|| unreadable("requests per second", column.to_string()))
}

fn bytes(column: i64) -> Result<NonZeroU64, StoreError> {
    let number = u64::try_from(column).ok().and_then(NonZeroU64::new);
    number.ok_or_else(|| unreadable("bytes per day", column.to_string()))
}

/// Networks as they are stored; nothing where all are admitted.
pub(super) fn networks_to_column(limits: &Limits) -> Option<String> {
    let list: Vec<_> = limits.networks.iter().map(ToString::to_string).collect();
    (!list.is_empty()).then(|| serde_json::json!(list).to_string())
}

pub(super) fn requests_to_column(limits: &Limits) -> Option<i64> {
    limits.requests_per_second.map(|requests| i64::from(requests.get()))
}

/// More than the column holds is more than a day brings.
pub(super) fn bytes_to_column(limits: &Limits) -> Option<i64> {
    limits.bytes_per_day.map(|bytes| i64::try_from(bytes.get()).unwrap_or(i64::MAX))
}

/// Networks as they are stored: a JSON list of CIDRs.
fn networks_from_column(text: &str) -> Result<Box<[IpNet]>, StoreError> {
    let unreadable = || unreadable("networks", text.to_owned());
    let list: Vec<String> = serde_json::from_str(text).map_err(|_not_a_list| unreadable())?;
    list.iter().map(|net| net.parse().map_err(|_no_network| unreadable())).collect()
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

    #[test]
    fn networks_are_a_json_list_of_cidrs() {
        let networks = networks_from_column(r#"["10.0.0.0/8", "2001:db8::/32"]"#).unwrap();
        assert_eq!(networks[1].to_string(), "2001:db8::/32");
        let limits = Limits { networks, ..Limits::default() };
        let column = networks_to_column(&limits).unwrap();
        assert_eq!(networks_from_column(&column).unwrap(), limits.networks);
        assert_eq!(networks_to_column(&Limits::default()), None);
        for text in ["", "10.0.0.0/8", r#"["10.0.0.0"]"#, r#"[{"a": 1}]"#] {
            assert!(networks_from_column(text).is_err(), "{text}");
        }
        assert!(requests(0).is_err() && bytes(-1).is_err());
    }
}
