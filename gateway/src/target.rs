//! Step 2: from a request's path to a token's text, a channel and a file. The only place that
//! parses paths; what is not canonical is refused, nothing is repaired (wire.md W2, W4 to W6).

mod segment;

use std::borrow::Cow;

use access::{ChannelName, is_subdir};

use self::segment::Segment;

/// The most segments that a path may have: two mount prefixes, the token's two, four of a
/// channel and five of a file come to less.
const MAX_SEGMENTS: usize = 32;

/// How long a package's name may be to be counted under it, in bytes.
const MAX_PACKAGE_NAME: usize = 128;

const SHARDS: &str = "shards";
const SHARD_INDEX: &str = "repodata_shards.msgpack.zst";
const SHARD_SUFFIX: &str = ".msgpack.zst";

/// Files that belong to a channel and to no subdir of it.
const CHANNEL_FILES: [&str; 2] = ["channeldata.json", "notices.json"];

/// The prefixes under which clients may have been given a channel URL (wire.md W2), such as
/// `api/repo`; the empty one is always among them.
#[derive(Clone, Debug, Default)]
pub struct MountPrefixes(Vec<Vec<String>>);

impl MountPrefixes {
    /// From the setting `gateway.mount_prefixes`.
    pub fn new<'p>(prefixes: impl IntoIterator<Item = &'p str>) -> Self {
        let segments = |prefix: &str| -> Vec<String> {
            prefix.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect()
        };
        let mut prefixes: Vec<_> = prefixes.into_iter().map(segments).collect();
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        Self(prefixes)
    }

    /// How many leading segments of `path` are a mount prefix: the longest that fits.
    fn leading(&self, path: &[Segment<'_>]) -> usize {
        let fits = |prefix: &Vec<String>| {
            prefix.len() <= path.len() && prefix.iter().zip(path).all(|(p, s)| s.raw == p)
        };
        self.0.iter().find(|prefix| fits(prefix)).map_or(0, Vec::len)
    }
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'r> {
    /// The text after `/t/`: perhaps a token. A secret, so it is handed on and never printed.
    pub token: Option<PathToken<'r>>,
    /// The text where a channel's name stands; none when it can't be a name, or when what follows
    /// it is no file of a channel. Both are answered like a channel that doesn't exist.
    pub channel: Option<&'r str>,
    /// Which file; none as with `channel`.
    pub file: Option<FilePath<'r>>,
}

/// The text in a token's place. Cannot be printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PathToken<'r>(pub(crate) &'r str);

impl std::fmt::Debug for PathToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PathToken(redacted)")
    }
}

/// A file's place in its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath<'r> {
    label: Option<&'r str>,
    subdir: Option<&'r str>,
    in_shards: bool,
    name: &'r str,
    decoded_name: Cow<'r, str>,
}

impl FilePath<'_> {
    /// The path below the channel as the client encoded it: what an HTTP storage is asked for.
    pub fn encoded(&self) -> String {
        self.path("", self.name)
    }

    /// The path below the channel with the file's name decoded.
    pub fn decoded(&self) -> String {
        self.decoded_below("")
    }

    /// The same below a prefix: the file's place in a directory.
    pub(crate) fn decoded_below(&self, prefix: &str) -> String {
        self.path(prefix, &self.decoded_name)
    }

    /// The file's decoded name.
    pub fn name(&self) -> &str {
        &self.decoded_name
    }

    /// The subdir, where the file is in one.
    pub fn subdir(&self) -> Option<&str> {
        self.subdir
    }

    /// The conda package that the file is, by the name in front of its version and build
    /// (`name-version-build.conda` or `.tar.bz2`); none for what is no package file. What can't be
    /// a package's name is told as the empty one.
    pub fn package(&self) -> Option<&str> {
        let stem = self.package_stem()?;
        let package = stem.rsplitn(3, '-').nth(2).unwrap_or_default();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let is_name = package.len() <= MAX_PACKAGE_NAME && package.bytes().all(allowed);
        Some(if is_name { package } else { "" })
    }

    /// Whether its name is another one when its bytes are: a package or a shard.
    pub(crate) fn is_unchanging(&self) -> bool {
        self.in_shards || self.package_stem().is_some()
    }

    /// A package file's name without what says that it is one.
    fn package_stem(&self) -> Option<&str> {
        self.subdir?;
        let name = self.name();
        name.strip_suffix(".conda").or_else(|| name.strip_suffix(".tar.bz2"))
    }

    /// Whether the file is the channel's `notices.json`, which clients ask for without their
    /// token (wire.md W7).
    pub fn is_notices(&self) -> bool {
        self.subdir.is_none() && self.name == "notices.json"
    }

    /// The same place with another file name.
    pub(crate) fn sibling(&self, name: &'static str) -> FilePath<'_> {
        FilePath { name, decoded_name: Cow::Borrowed(name), ..self.clone() }
    }

    fn path(&self, prefix: &str, name: &str) -> String {
        let prefix = (!prefix.is_empty()).then_some(prefix);
        let label = self.label.map(|label| ["label", label]).into_iter().flatten();
        let shards = self.in_shards.then_some(SHARDS);
        let folders = prefix.into_iter().chain(label).chain(self.subdir).chain(shards);
        let mut path = String::with_capacity(name.len() + 60);
        for folder in folders {
            path.push_str(folder);
            path.push('/');
        }
        path.push_str(name);
        path
    }
}

/// Why a path is refused before anything is decided. Holds nothing of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not `/`-separated non-empty canonical segments.
    #[error("the path is not canonical: {0}")]
    NotCanonical(&'static str),
    /// More than one `t/<token>` pair.
    #[error("the path has two `/t/<token>` parts")]
    TwoTokens,
    /// The pair stands behind something that is no mount prefix.
    #[error("the `/t/<token>` part stands in the wrong place")]
    TokenMisplaced,
    /// Nothing but a mount prefix and perhaps a token.
    #[error("the path names no channel")]
    NoChannel,
}

/// Reads the path of a request's target (without its query).
///
/// # Errors
/// [`PathError`] for a path that isn't canonical or has its token in a wrong place.
pub fn read<'r>(path: &'r str, mounts: &MountPrefixes) -> Result<Target<'r>, PathError> {
    let segments = segment::split(path)?;
    let mut rest = segments.as_slice();
    let before = mounts.leading(rest);
    rest = &rest[before..];
    let mut token = None;
    if let [t, value, after @ ..] = rest
        && t.raw == "t"
    {
        token = Some(PathToken(value.plain()?));
        rest = after;
        if before == 0 {
            rest = &rest[mounts.leading(rest)..];
        }
    }
    if rest.iter().rev().skip(1).any(|segment| segment.raw == "t") {
        return Err(if token.is_some() { PathError::TwoTokens } else { PathError::TokenMisplaced });
    }
    if rest.is_empty() {
        return Err(PathError::NoChannel);
    }
    let (channel, file) = split_file(rest);
    for segment in channel {
        segment.plain()?;
    }
    let named = file.and_then(|file| Some((name(path, channel)?, file)));
    let (channel, file) = named.unzip();
    Ok(Target { token, channel, file })
}

/// The channel as it stands in the path, for a refusal's text: never from the registry, so that
/// it tells nothing. None for what looks like a secret.
pub(crate) fn channel_text(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.contains("cg-"))
}

/// Splits a path behind the token where the channel ends. Since subdirs, `label` and `shards`
/// can't be part of a channel's name, the place shows without asking the registry: the longest
/// registered channel that prefixes the path (wire.md W4) can only be this one.
fn split_file<'s, 'r>(path: &'s [Segment<'r>]) -> (&'s [Segment<'r>], Option<FilePath<'r>>) {
    let starts_file = |segment: &Segment<'_>| {
        is_subdir(segment.raw) || matches!(segment.raw, "label" | SHARDS | SHARD_INDEX)
    };
    if let Some(end) = path.iter().position(starts_file) {
        let (channel, file) = path.split_at(end);
        return (channel, subdir_file(file));
    }
    match path.split_last() {
        Some((last, channel)) if CHANNEL_FILES.contains(&last.raw) => {
            (channel, Some(file_path(None, None, false, last)))
        }
        _ => (path, None),
    }
}

fn subdir_file<'r>(path: &[Segment<'r>]) -> Option<FilePath<'r>> {
    let (label, path) = match path {
        [word, label, rest @ ..] if word.raw == "label" => (Some(label.label()?), rest),
        _ => (None, path),
    };
    match path {
        [subdir, name] if is_subdir(subdir.raw) => {
            Some(file_path(label, Some(subdir.raw), false, name))
        }
        [subdir, shards, name] if is_subdir(subdir.raw) && shards.raw == SHARDS => {
            is_shard(name).then(|| file_path(label, Some(subdir.raw), true, name))
        }
        // What conda makes of shard URLs when its token file holds the channel (wire.md W6).
        [name, subdir] if name.raw == SHARD_INDEX && is_subdir(subdir.raw) => {
            Some(file_path(label, Some(subdir.raw), false, name))
        }
        [shards, name, subdir] if shards.raw == SHARDS && is_subdir(subdir.raw) => {
            is_shard(name).then(|| file_path(label, Some(subdir.raw), true, name))
        }
        _ => None,
    }
}

fn file_path<'r>(
    label: Option<&'r str>,
    subdir: Option<&'r str>,
    in_shards: bool,
    name: &Segment<'r>,
) -> FilePath<'r> {
    FilePath { label, subdir, in_shards, name: name.raw, decoded_name: name.decoded() }
}

fn is_shard(name: &Segment<'_>) -> bool {
    name.raw
        .strip_suffix(SHARD_SUFFIX)
        .is_some_and(|hash| !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The text of these segments, if it can be a channel's name.
fn name<'r>(path: &'r str, segments: &[Segment<'r>]) -> Option<&'r str> {
    let name = segment::together(path, segments);
    let is_bounded = !segments.is_empty()
        && segments.len() <= ChannelName::MAX_SEGMENTS
        && name.len() <= ChannelName::MAX_BYTES;
    let is_name = || segments.iter().all(|part| ChannelName::check_segment(part.raw).is_ok());
    (is_bounded && is_name()).then_some(name)
}

#[cfg(test)]
mod tests;
