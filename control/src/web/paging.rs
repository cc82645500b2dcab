//! The pages of a list. A list is read onwards from an item; the way that led there is in the address,
//! and leads back.

use maud::{Markup, html};

use super::address;
use super::fields::Fields;
use crate::usecases::Listed;

/// How many pages one can go back through.
const TRAIL: usize = 20;

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    /// The fields of the address: after which item the page begins, and the same of those before it.
    fields: (&'static str, &'static str),
    after: Option<String>,
    /// The first page is the empty text.
    trail: Vec<String>,
}

impl Pages {
    /// The page that an address asks for.
    pub(super) fn of(fields: &Fields) -> Self {
        Self::by(("after", "before"), fields)
    }

    /// The beginning of a list.
    pub(super) fn first() -> Self {
        Self::of(&Fields::default())
    }

    /// What an address asks for of one of two lists on a page, by other fields.
    pub(super) fn by(names: (&'static str, &'static str), fields: &Fields) -> Self {
        let trail = fields.all(names.1).map(str::to_owned).collect();
        Self { fields: names, after: fields.some(names.0), trail }
    }

    /// After which item it begins.
    pub(super) fn after(&self) -> Option<String> {
        self.after.clone()
    }

    pub(super) fn is_first(&self) -> bool {
        self.after.is_none()
    }

    /// The fields by which this page is asked for.
    pub(super) fn kept(&self) -> Vec<(&str, &str)> {
        self.to(self.after.as_deref().unwrap_or_default(), &self.trail)
    }

    /// The links to the pages around this one, where there are any. `kept` are the other fields of
    /// the address.
    pub(super) fn links<T>(&self, listed: &Listed<T>, kept: &[(&str, &str)]) -> Markup {
        let to = |after: &str, trail: &[String]| {
            format!("?{}", address::query(&[kept, &self.to(after, trail)].concat()))
        };
        let next = listed.next_cursor.as_deref().map(|next| {
            let mut trail = self.trail.clone();
            trail.push(self.after.clone().unwrap_or_default());
            to(next, &trail[trail.len().saturating_sub(TRAIL)..])
        });
        let previous = self.trail.split_last().map(|(last, before)| to(last, before));
        let is_second = self.trail.last().is_some_and(String::is_empty);
        html! {
            @if next.is_some() || !self.is_first() {
                nav.foot aria-label="Pages" {
                    div.row {
                        @if !self.is_first() && !is_second { a.btn href=(to("", &[])) { "First page" } }
                        @if let Some(previous) = previous { a.btn href=(previous) rel="prev" { "Previous page" } }
                    }
                    @if let Some(next) = next { a.btn href=(next) rel="next" { "Next page" } }
                }
            }
        }
    }

    fn to<'a>(&self, after: &'a str, trail: &'a [String]) -> Vec<(&'static str, &'a str)> {
        let (here, before) = self.fields;
        let after = (!after.is_empty()).then_some((here, after));
        after.into_iter().chain(trail.iter().map(|page| (before, page.as_str()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(query: &str, next: Option<&str>) -> String {
        let listed = Listed { items: vec![()], next_cursor: next.map(str::to_owned) };
        let pages = Pages::of(&Fields::parse(query.as_bytes()));
        pages.links(&listed, &[("q", "x")]).into_string().replace("&amp;", "&")
    }

    #[test]
    fn a_page_leads_on_and_back() {
        assert_eq!(links("", None), "");
        let first = links("", Some("b"));
        assert!(first.contains("\"?q=x&after=b&before=\" rel=\"next\""), "{first}");
        assert!(!first.contains("First page") && !first.contains("Previous"), "{first}");
        let second = links("after=b&before=", Some("d"));
        assert!(second.contains("\"?q=x\" rel=\"prev\""), "{second}");
        assert!(!second.contains("First page"), "it is the previous one");
        assert!(second.contains("\"?q=x&after=d&before=&before=b\""), "{second}");
        let third = links("after=d&before=&before=b", None);
        assert!(third.contains("\"?q=x&after=b&before=\" rel=\"prev\""), "{third}");
        assert!(third.contains("\"?q=x\">First page") && !third.contains("Next"), "{third}");
        let linked = links("after=d", Some("e"));
        assert!(linked.contains("First page") && !linked.contains("Previous"), "{linked}");
    }

    #[test]
    fn the_way_back_has_an_end() {
        let query = format!("after=z{}", "&before=a".repeat(TRAIL));
        assert_eq!(links(&query, Some("n")).matches("&before=z").count(), 1);
        assert_eq!(
            links(&query, Some("n"))
                .split("rel=\"next\"")
                .next()
                .unwrap()
                .rsplit("href")
                .next()
                .unwrap()
                .matches("before=")
                .count(),
            TRAIL
        );
    }
}
