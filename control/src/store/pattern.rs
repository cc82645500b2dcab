//! What is searched for within texts, as a query's `LIKE … ESCAPE '!'` takes it.

/// How many characters of a search are looked for: no name has more.
const MAX_CHARS: usize = 128;

/// A pattern of what has a text in it, small and capital letters (of English) alike: to be compared
/// with `lower(…)`. Nothing searched for is `%`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// What has this in it.
    pub(crate) fn containing(text: &str) -> Self {
        let mut pattern = String::from("%");
        for letter in text.chars().take(MAX_CHARS) {
            if matches!(letter, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(letter.to_ascii_lowercase());
        }
        if pattern.len() > 1 {
            pattern.push('%');
        }
        Self(pattern)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_means_itself() {
        assert_eq!(Pattern::containing("").as_str(), "%");
        assert_eq!(Pattern::containing("CI").as_str(), "%ci%");
        assert_eq!(Pattern::containing("50%_!").as_str(), "%50!%!_!!%");
        assert_eq!(Pattern::containing(&"x".repeat(500)).as_str().len(), 130);
    }
}
