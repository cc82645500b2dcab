//! Where channels may be mounted below the gateway's root.

use std::fmt;
use std::str::FromStr;

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
