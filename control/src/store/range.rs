//! A page of a list by name, as every such query takes it.

use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

use super::{ChannelView, Connection, StoreError};

/// Names from one on and below another: one range of an index, whatever is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameRange {
    from: String,
    below: String,
    limit: i64,
}

impl NameRange {
    /// Names that begin with `prefix` and come after `after`, at most `limit` of them.
    pub(crate) fn new(prefix: &str, after: Option<&str>, limit: u32) -> Self {
        // No name has a control character: nothing lies between `after` and this.
        let next = after.map(|after| format!("{after}\u{1}"));
        Self {
            from: next.filter(|next| next.as_str() > prefix).unwrap_or_else(|| prefix.to_owned()),
            below: format!("{prefix}\u{10ffff}"),
            limit: i64::from(limit),
        }
    }

    /// This name alone.
    pub(crate) fn exactly(name: &str) -> Self {
        Self { from: name.to_owned(), below: format!("{name}\u{1}"), limit: 1 }
    }

    /// Reads the rows of `sql`, whose `$1` to `$3` are this range.
    pub(super) async fn read<T>(
        &self,
        db: &mut Connection,
        sql: &'static str,
        read: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let query = sqlx::query(sql).bind(&*self.from).bind(&*self.below).bind(self.limit);
        query.fetch_all(db).await?.iter().map(read).collect()
    }

    /// Reads the rows of `sql`, whose `$1` to `$3` are this range and `$4` to `$6` the view.
    pub(super) async fn read_seen<T>(
        &self,
        db: &mut Connection,
        sql: &'static str,
        view: ChannelView,
        read: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.seen(sql, view).fetch_all(db).await?.iter().map(read).collect()
    }

    /// A query of which `$1` to `$3` are this range and `$4` to `$6` the view.
    pub(super) fn seen(
        &self,
        sql: &'static str,
        view: ChannelView,
    ) -> Query<'_, Any, AnyArguments> {
        let query = sqlx::query(sql).bind(&*self.from).bind(&*self.below).bind(self.limit);
        view.bind(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(range: &NameRange, name: &str) -> bool {
        range.from.as_str() <= name && name < range.below.as_str()
    }

    #[test]
    fn a_range_holds_what_begins_with_the_prefix_and_comes_after() {
        let all = NameRange::new("", None, 10);
        assert!(holds(&all, "a") && holds(&all, "~") && holds(&all, "Z"));
        let begun = NameRange::new("ab", None, 10);
        assert!(holds(&begun, "ab") && holds(&begun, "ab/c") && holds(&begun, "ab~"));
        assert!(!holds(&begun, "aa") && !holds(&begun, "ac") && !holds(&begun, "a"));
        let after = NameRange::new("ab", Some("ab"), 10);
        assert!(!holds(&after, "ab") && holds(&after, "ab-") && holds(&after, "ab/c"));
        let foreign = NameRange::new("ab", Some("a"), 10);
        assert!(holds(&foreign, "ab") && !holds(&foreign, "aa"));
        assert!(!holds(&NameRange::new("ab", Some("b"), 10), "ab"));
        let one = NameRange::exactly("ab");
        assert!(holds(&one, "ab") && !holds(&one, "ab-") && !holds(&one, "aa"));
    }
}
