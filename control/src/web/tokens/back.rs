//! Which of the tokens somebody was looking at, to be there again after something was done to one.

use crate::web::address;
use crate::web::fields::Fields;

/// The field of a page about a token that says where its visitor came from.
const BACK: &str = "back";
/// The field of the list that says which token was just made.
pub(super) const MADE: &str = "made";
/// The fields of the list that say what it shows.
const SHOWN: [&str; 5] = ["q", "show", "sort", "after", "before"];

/// What a list of tokens shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Back(Fields);

impl Back {
    /// What the address of a page about a token says of the list.
    pub(super) fn of(fields: &Fields) -> Self {
        Self::to(&Fields::parse(fields.raw(BACK).as_bytes()))
    }

    /// The list of this address.
    pub(super) fn to(fields: &Fields) -> Self {
        let shown = fields.iter().filter(|(name, _)| SHOWN.contains(name));
        Self(Fields::of(shown.map(|(name, value)| (name, value.to_owned()))))
    }

    /// The same list with the token that was just made in it: the newest first, where it begins.
    pub(super) fn newest() -> Self {
        Self(Fields::of([("sort", "-created".to_owned())]))
    }

    /// The fields of the list.
    pub(super) fn fields(&self) -> &Fields {
        &self.0
    }

    /// The fields of the list, in which this token is marked.
    pub(super) fn with(&self, made: i64) -> Fields {
        let fields = self.0.iter().map(|(name, value)| (name, value.to_owned()));
        Fields::of(fields.chain([(MADE, made.to_string())]))
    }

    /// What the address of a page about a token ends with.
    pub(super) fn query(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        format!("?{}", address::query(&[(BACK, &self.0.encode())]))
    }
}

/// The page of tokens at `address` with these fields.
pub(super) fn list(address: &str, fields: &Fields) -> String {
    if fields.is_empty() { address.to_owned() } else { format!("{address}?{}", fields.encode()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_the_list_that_one_left() {
        let list_of = Fields::parse(b"q=a+b&show=all&made=7&evil=x&before=&after=3");
        let query = Back::to(&list_of).query();
        assert_eq!(query, "?back=q%3Da%2Bb%26show%3Dall%26before%3D%26after%3D3");
        let back = Back::of(&Fields::parse(query.trim_start_matches('?').as_bytes()));
        assert_eq!(list("/x", back.fields()), "/x?q=a+b&show=all&before=&after=3");
        assert_eq!(list("/x", &back.with(7)), "/x?q=a+b&show=all&before=&after=3&made=7");
        assert_eq!(Back::of(&Fields::default()).query(), "");
        assert_eq!(list("/x", Back::default().fields()), "/x");
    }
}
