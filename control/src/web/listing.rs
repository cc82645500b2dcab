//! Lists that are searched by a part of the name, sorted by a column, and paged.

use maud::Markup;

use super::fields::Fields;
use super::paging::Pages;
use super::table::Head;
use crate::Look;
use crate::usecases::Listed;

/// How many rows a page has.
const LIMIT: u32 = 50;

/// What of a list a page's address asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked<C> {
    pub(super) search: String,
    /// The word for the order, with `-` before it for downwards.
    sort: String,
    column: C,
    after: Option<String>,
    pages: Pages,
}

impl<C: Copy> Asked<C> {
    /// `columns` are those by which the list can be sorted, with their words in the address; the first
    /// where none is named.
    pub(super) fn of(fields: &Fields, columns: &[(&str, C)], usual: C) -> Self {
        let sort = fields.text("sort");
        let key = sort.trim_start_matches('-');
        let column = columns.iter().find(|column| column.0 == key);
        let first = columns.first().map_or("", |column| column.0);
        let pages = Pages::of(fields);
        Self {
            search: fields.text("q").to_owned(),
            sort: column.map_or(first, |_| sort).to_owned(),
            column: column.map_or(usual, |column| column.1),
            after: pages.after(),
            pages,
        }
    }

    /// What to read.
    pub(super) fn look(&self) -> Look<'_, C> {
        Look {
            search: &self.search,
            column: self.column,
            downwards: self.sort.starts_with('-'),
            after: self.after.as_deref(),
            limit: LIMIT,
        }
    }

    /// Whether it is the beginning of the whole list.
    pub(super) fn is_everything(&self) -> bool {
        self.search.is_empty() && self.pages.is_first()
    }

    /// Whether the list's beginning is asked for.
    pub(super) fn is_first(&self) -> bool {
        self.pages.is_first()
    }

    /// The head of a column by which the list can be sorted.
    pub(super) fn head(&self, words: &'static str, key: &str) -> Head {
        Head::words(words).sorted(key, &self.sort, &[("q", &self.search)])
    }

    /// The field that keeps the order when something is searched for.
    pub(super) fn kept(&self) -> Markup {
        maud::html! { input type="hidden" name="sort" value=(self.sort); }
    }

    /// The links to the pages around it.
    pub(super) fn paging<T>(&self, found: &Listed<T>) -> Markup {
        self.pages.links(found, &[("q", &self.search), ("sort", &self.sort)])
    }
}
