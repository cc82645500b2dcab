//! Lists as people look through them: searched by a part of a name, in the order of a column.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row as _};

use super::{Connection, Pattern, StoreError};

/// A page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Look<'l, C> {
    /// Only what has this in its name; all if it is empty.
    pub search: &'l str,
    /// By which column it is sorted; what is equal there in the order in which it was made.
    pub column: C,
    /// The last first.
    pub downwards: bool,
    /// After which item it begins: the cursor of the page before.
    pub after: Option<&'l str>,
    /// How many items it has at most.
    pub limit: u32,
}

/// A column by which a list can be sorted.
pub trait Column: Copy {
    /// The queries of its list.
    fn order(self) -> Order;
}

/// A list's queries in the order of a column, upwards and downwards. They give the column as
/// `sort_key`, and begin with what [`Look`] asks for: `$1` is the pattern of the search, `$2` the key
/// and `$3` the id after which the page begins.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    pub(super) is_text: bool,
}

/// The [`Order`] by a key, of queries that a macro makes of the key, the comparison, and the direction.
macro_rules! order {
    ($queries:ident, $key:expr, $is_text:literal) => {
        Order {
            up: $queries!($key, ">", ""),
            down: $queries!($key, "<", " DESC"),
            is_text: $is_text,
        }
    };
}
pub(super) use order;

/// The condition of a page's rows: what is searched for in `$name`, after the place in the order.
macro_rules! looked_at {
    ($name:literal, $id:literal, $key:expr, $after:literal) => {
        concat!(
            "($1 = '%' OR lower(",
            $name,
            ") LIKE $1 ESCAPE '!') AND (",
            $key,
            ", ",
            $id,
            ") ",
            $after,
            " ($2, $3)"
        )
    };
}
pub(super) use looked_at;

/// A page's items, and the cursor of the next page if there is one.
pub(crate) type LookedAt<T> = (Vec<T>, Option<String>);

impl<'l, C> Look<'l, C> {
    /// The same by the column of a list.
    pub(super) fn by<D>(&self, column: D) -> Look<'l, D> {
        let Self { search, downwards, after, limit, .. } = *self;
        Look { search, column, downwards, after, limit }
    }
}

impl<C: Column> Look<'_, C> {
    /// The query, with what the page begins with.
    pub(super) fn query<'q>(&self) -> Result<Query<'q, Any, AnyArguments>, StoreError> {
        let Order { up, down, is_text } = self.column.order();
        let query = sqlx::query(if self.downwards { down } else { up });
        let query = query.bind(Pattern::containing(self.search).as_str().to_owned());
        let after = self.after.map(|cursor| cursor.split_once(':').ok_or(StoreError::NotACursor));
        let number = |text: &str| text.parse::<i64>().map_err(|_not| StoreError::NotACursor);
        let end = if self.downwards { i64::MAX } else { i64::MIN };
        let (id, key) = match after.transpose()? {
            Some((id, key)) => (number(id)?, Some(key)),
            None => (end, None),
        };
        let query = match (is_text, key, self.downwards) {
            // PostgreSQL has no such text.
            (true, Some(key), _) if key.contains('\0') => return Err(StoreError::NotACursor),
            (true, Some(key), _) => query.bind(key.to_owned()),
            (true, None, false) => query.bind(String::new()),
            (true, None, true) => query.bind("\u{10ffff}".to_owned()),
            (false, Some(key), _) => query.bind(number(key)?),
            (false, None, _) => query.bind(end),
        };
        Ok(query.bind(id))
    }

    /// One more than the page has, to see where the next begins.
    pub(super) fn probe(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Reads the page.
    pub(super) async fn read<T>(
        &self,
        db: &mut Connection,
        query: Query<'_, Any, AnyArguments>,
        read: impl FnMut(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<LookedAt<T>, StoreError> {
        let mut rows = query.fetch_all(db).await?;
        let limit = self.limit as usize;
        let is_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| is_more).map(|row| self.cursor(row)).transpose()?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, next))
    }

    fn cursor(&self, row: &AnyRow) -> Result<String, StoreError> {
        let id: i64 = row.try_get("id")?;
        Ok(match self.column.order().is_text {
            true => format!("{id}:{}", row.try_get::<&str, _>("sort_key")?),
            false => format!("{id}:{}", row.try_get::<i64, _>("sort_key")?),
        })
    }
}
