//! Channel names and the words that can't be one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The subdirs (platforms) that conda-family clients know; each is a reserved word, so that the
/// end of the channel in a path can be seen without asking the registry (wire.md W4).
///
/// Source: `conda.base.constants.KNOWN_SUBDIRS` and rattler's `Platform`.
pub const SUBDIRS: [&str; 28] = [
    "emscripten-wasm32",
    "freebsd-64",
    "linux-32",
    "linux-64",
    "linux-aarch64",
    "linux-armv6l",
    "linux-armv7l",
    "linux-loongarch64",
    "linux-loong64",
    "linux-ppc64",
    "linux-ppc64le",
    "linux-riscv32",
    "linux-riscv64",
    "linux-s390x",
    "netbsd-64",
    "noarch",
    "openbsd-64",
    "osx-64",
    "osx-arm64",
    "osx-ppc",
    "solaris-64",
    "wasi-wasm32",
    "win-32",
    "win-64",
    "win-arm64",
    "zos-z",
    "zos-s390x",
    "unknown",
];

/// Words of the wire contract that can't be a segment of a channel name (wire.md W4).
const PATH_WORDS: [&str; 4] = ["t", "api", "label", "shards"];

/// The letters with which a subdir begins, a bit for each: most segments are told by the first alone.
const FIRST_LETTERS: u32 = {
    let (mut letters, mut at) = (0, 0);
    while at < SUBDIRS.len() {
        letters |= 1 << (SUBDIRS[at].as_bytes()[0] - b'a');
        at += 1;
    }
    letters
};

/// Whether `segment` is a subdir of a channel.
pub fn is_subdir(segment: &str) -> bool {
    let first = segment.bytes().next().filter(u8::is_ascii_lowercase);
    first.is_some_and(|letter| FIRST_LETTERS >> (letter - b'a') & 1 == 1)
        && SUBDIRS.contains(&segment)
}

/// Whether `segment` has a meaning of its own in a client's path and so can't name a channel.
///
/// The first segments of the gateway's mount prefixes are reserved too, as a channel's *first*
/// segment; they are a setting, so whoever registers channels checks them.
pub fn is_reserved_word(segment: &str) -> bool {
    PATH_WORDS.contains(&segment) || is_subdir(segment)
}

/// A channel's identity in the database. Never reused: a channel deleted and made again under
/// the same name is another one (sync.md F2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub i64);

/// The name of a channel, as clients write it: `analytics`, or `analytics/prod`.
///
/// One to four segments of `[a-z0-9][a-z0-9._-]*`, none of them reserved, 128 bytes in all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(Arc<str>);

impl ChannelName {
    /// How many segments a name may have.
    pub const MAX_SEGMENTS: usize = 4;
    /// How many bytes a name may have.
    pub const MAX_BYTES: usize = 128;

    /// Whether a text can be a segment of a channel's name.
    ///
    /// # Errors
    /// [`ChannelNameError`] for what is wrong with it.
    pub fn check_segment(segment: &str) -> Result<(), ChannelNameError> {
        let lower_or_digit = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let Some(&first) = segment.as_bytes().first() else {
            return Err(ChannelNameError::Empty);
        };
        let later = |b: u8| lower_or_digit(b) || matches!(b, b'.' | b'_' | b'-');
        if !lower_or_digit(first) || !segment.bytes().all(later) {
            return Err(ChannelNameError::Character { segment: segment.to_owned() });
        }
        if is_reserved_word(segment) {
            return Err(ChannelNameError::Reserved { segment: segment.to_owned() });
        }
        Ok(())
    }

    /// The name as in a client's path: `analytics/prod`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one path segment or part of another name: `analytics:prod`.
    pub fn with_colons(&self) -> String {
        self.0.replace('/', ":")
    }

    /// Reads a name as it stands in an API path, where `/` is written `:`.
    ///
    /// # Errors
    /// As [`ChannelName::from_str`]; a `/` is refused too.
    pub fn parse_with_colons(text: &str) -> Result<Self, ChannelNameError> {
        if text.contains('/') {
            return Err(ChannelNameError::Character { segment: text.to_owned() });
        }
        text.replace(':', "/").parse()
    }

    /// The first segment: `analytics` of `analytics/prod`.
    pub fn first_segment(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The channels above this one, nearest first: `a/b` and `a` for `a/b/c`.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.rmatch_indices('/').map(|(at, _)| &self.0[..at])
    }
}

/// So that a registry can be asked with a borrowed name.
impl std::borrow::Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no channel name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelNameError {
    /// Nothing, or nothing between two slashes.
    #[error("a channel name has no empty segment")]
    Empty,
    /// More than [`ChannelName::MAX_BYTES`].
    #[error("a channel name has at most {max} bytes, this one has {0}", max = ChannelName::MAX_BYTES)]
    TooLong(usize),
    /// More than [`ChannelName::MAX_SEGMENTS`].
    #[error("a channel name has at most {max} segments, this one has {0}", max = ChannelName::MAX_SEGMENTS)]
    TooDeep(usize),
    /// A segment that doesn't match `[a-z0-9][a-z0-9._-]*`.
    #[error(
        "`{segment}` can't name a channel: use lower-case letters, digits, `.`, `_` and `-`, \
         beginning with a letter or digit"
    )]
    Character {
        /// The segment at fault.
        segment: String,
    },
    /// A segment with a meaning of its own in paths.
    #[error("`{segment}` can't name a channel: the word has a meaning of its own in channel URLs")]
    Reserved {
        /// The segment at fault.
        segment: String,
    },
}

impl FromStr for ChannelName {
    type Err = ChannelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > Self::MAX_BYTES {
            return Err(ChannelNameError::TooLong(text.len()));
        }
        let depth = text.split('/').count();
        if depth > Self::MAX_SEGMENTS {
            return Err(ChannelNameError::TooDeep(depth));
        }
        text.split('/').try_for_each(Self::check_segment)?;
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ChannelName, ChannelNameError> {
        text.parse()
    }

    #[test]
    fn names_of_one_to_four_segments_are_taken() {
        for name in ["a", "0", "analytics", "analytics/prod", "a/b/c/d", "r-4.2_x"] {
            assert_eq!(parse(name).unwrap().as_str(), name);
        }
        assert_eq!(parse("a/b/c/d/e"), Err(ChannelNameError::TooDeep(5)));
        assert_eq!(parse(&"a".repeat(129)), Err(ChannelNameError::TooLong(129)));
    }

    #[test]
    fn what_clients_or_paths_would_misread_is_refused() {
        for name in ["", "/a", "a/", "a//b"] {
            assert_eq!(parse(name), Err(ChannelNameError::Empty), "{name}");
        }
        for name in ["A", "-a", ".a", "..", "a b", "a%20", "a:b", "ä", "a\0"] {
            assert!(matches!(parse(name), Err(ChannelNameError::Character { .. })), "{name}");
        }
        for name in ["t", "api", "a/label", "shards/a", "noarch", "a/linux-64"] {
            assert!(matches!(parse(name), Err(ChannelNameError::Reserved { .. })), "{name}");
        }
    }

    #[test]
    fn parents_are_nearest_first() {
        let name = parse("a/b/c").unwrap();
        assert_eq!(name.parents().collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(name.first_segment(), "a");
    }

    #[test]
    fn colons_stand_for_slashes_in_one_segment() {
        let name = ChannelName::parse_with_colons("analytics:prod").unwrap();
        assert_eq!(name.as_str(), "analytics/prod");
        assert_eq!(name.with_colons(), "analytics:prod");
        assert!(ChannelName::parse_with_colons("a/b").is_err());
    }
}
