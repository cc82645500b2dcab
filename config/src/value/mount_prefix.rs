//! Where channels may be mounted below the gateway's root.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::{Raw, Refusal, Value, quote};

/// A path below which channels are served: empty (the root), or segments without a slash at
/// either end, `api/repo` (wire.md W2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountPrefix(String);

impl MountPrefix {
    /// The root: channels are served at `/<CHANNEL>`.
    pub const ROOT: Self = Self(String::new());

    /// The prefixes that conda-family clients and their former servers use (wire.md W2).
    pub(crate) fn known() -> Vec<Self> {
        ["", "api/repo", "conda", "repo"].map(|prefix| Self(prefix.to_owned())).to_vec()
    }

    /// The prefix as it stands in a path: `api/repo`, empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, none for the root.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

/// Why a text is no [`MountPrefix`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountPrefixError {
    /// A slash at an end, two in a row, or a segment `.` or `..`.
    #[error("it has a slash at an end or an empty, `.` or `..` segment")]
    Segment,
    /// The segment `t` introduces a token and can't be part of a prefix.
    #[error("a segment `t` introduces a token")]
    TokenWord,
    /// A character that some client encodes in a path.
    #[error("the character {0:?} can't stand in it")]
    Character(char),
}

impl FromStr for MountPrefix {
    type Err = MountPrefixError;

    fn from_str(text: &str) -> Result<Self, MountPrefixError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._~-/".contains(c);
        if let Some(character) = text.chars().find(|c| !plain(*c)) {
            return Err(MountPrefixError::Character(character));
        }
        if !text.is_empty() {
            for segment in text.split('/') {
                match segment {
                    "" | "." | ".." => return Err(MountPrefixError::Segment),
                    "t" => return Err(MountPrefixError::TokenWord),
                    _ => {}
                }
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for MountPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Value for MountPrefix {
    fn accepted() -> String {
        r#"a path without slashes at its ends such as "api/repo", or "" for the root"#.to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let text = raw.text().ok_or_else(|| Refusal::new("is not a path"))?;
        text.parse().map_err(|error: MountPrefixError| {
            Refusal::new(format!("is not a mount prefix: {error}"))
        })
    }

    fn render(&self) -> Option<String> {
        Some(quote(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        for text in ["", "conda", "api/repo", "a/b/c", "v1.0/~x"] {
            assert_eq!(text.parse::<MountPrefix>().unwrap().as_str(), text);
        }
        assert_eq!(MountPrefix::ROOT.segments().count(), 0);
        assert_eq!("api/repo".parse::<MountPrefix>().unwrap().segments().count(), 2);
    }

    #[test]
    fn not_prefixes() {
        for text in ["/", "/a", "a/", "a//b", "a/../b", ".", "..", "t", "a/t/b"] {
            assert!(text.parse::<MountPrefix>().is_err(), "{text}");
        }
        for text in ["a b", "a%20b", "ä", "a?b", "a\\b"] {
            assert!(matches!(text.parse::<MountPrefix>(), Err(MountPrefixError::Character(_))));
        }
    }
}
