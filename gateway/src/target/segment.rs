//! One segment of a path, checked to be canonical (wire.md W5).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

use super::{MAX_SEGMENTS, PathError};

/// A segment as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'r> {
    pub(super) raw: &'r str,
    /// Where in the path it begins.
    at: usize,
    is_encoded: bool,
}

/// A path's segments; most paths have no more than fit in here.
pub(super) type Segments<'r> = SmallVec<[Segment<'r>; 8]>;

/// Splits a path into its segments.
///
/// # Errors
/// For everything that a storage might read otherwise than we do.
pub(super) fn split(path: &str) -> Result<Segments<'_>, PathError> {
    let rest = path.strip_prefix('/').ok_or(PathError::NotCanonical("it doesn't begin with /"))?;
    if rest.is_empty() {
        return Err(PathError::NoChannel);
    }
    // Without leaving early, so that many bytes are looked at in one step.
    if rest.bytes().fold(false, |found, b| found | !is_of_path(b)) {
        let what = "it has a character that must be percent-encoded";
        return Err(PathError::NotCanonical(what));
    }
    let has_encoded = memchr::memchr(b'%', rest.as_bytes()).is_some();
    let mut segments = Segments::new();
    let ends = memchr::memchr_iter(b'/', rest.as_bytes()).chain([rest.len()]);
    let mut begin = 0;
    for end in ends {
        if segments.len() == MAX_SEGMENTS {
            return Err(PathError::NotCanonical("it has too many segments"));
        }
        let raw = &rest[begin..end];
        let is_encoded = has_encoded && raw.contains('%');
        segments.push(Segment { raw, at: begin + 1, is_encoded }.checked()?);
        begin = end + 1;
    }
    Ok(segments)
}

/// The part of a path that these segments of it are, with the slashes between them.
pub(super) fn together<'r>(path: &'r str, segments: &[Segment<'r>]) -> &'r str {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return "" };
    path.get(first.at..last.at + last.raw.len()).unwrap_or_default()
}

fn decode(raw: &str) -> Result<Cow<'_, str>, PathError> {
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
        if byte == b'%' && !(hex(bytes.next()) && hex(bytes.next())) {
            return Err(PathError::NotCanonical("it has a `%` without two hexadecimal digits"));
        }
    }
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_not_utf8| PathError::NotCanonical("it is not UTF-8"))?;
    if decoded.chars().any(|c| c.is_control() || matches!(c, '/' | '\\')) {
        return Err(PathError::NotCanonical(
            "it has an encoded slash, backslash or control character",
        ));
    }
    Ok(decoded)
}

/// RFC 3986, section 3.3: what may stand in a path, `%` and `/` among it.
fn is_of_path(b: u8) -> bool {
    let is_mark = (b == b'!') | (b == b'=') | (b == b'_') | (b == b'~');
    is_mark | (b'$'..=b';').contains(&b) | (b'@'..=b'Z').contains(&b) | b.is_ascii_lowercase()
}

impl<'r> Segment<'r> {
    fn checked(self) -> Result<Self, PathError> {
        if self.raw.is_empty() {
            return Err(PathError::NotCanonical("it has an empty segment"));
        }
        let decoded = if self.is_encoded { decode(self.raw)? } else { Cow::Borrowed(self.raw) };
        if matches!(&*decoded, "." | "..") {
            return Err(PathError::NotCanonical("it has a `.` or `..` segment"));
        }
        Ok(self)
    }

    /// What it stands for.
    pub(super) fn decoded(&self) -> Cow<'r, str> {
        match self.is_encoded {
            true => percent_decode_str(self.raw).decode_utf8_lossy(),
            false => Cow::Borrowed(self.raw),
        }
    }

    /// The segment where a token or a channel's name stands.
    ///
    /// # Errors
    /// When a character is encoded that need not be: the same name in two spellings.
    pub(super) fn plain(&self) -> Result<&'r str, PathError> {
        if !self.is_encoded {
            return Ok(self.raw);
        }
        let needless = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let encoded = percent_encoded(self.raw);
        if encoded.into_iter().any(|byte| needless(char::from(byte))) {
            return Err(PathError::NotCanonical(
                "a token or channel has an encoded character that need not be encoded",
            ));
        }
        Ok(self.raw)
    }

    /// The segment as a label: letters, digits and a few marks, so that no storage gives it
    /// another meaning.
    pub(super) fn label(&self) -> Option<&'r str> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+!:@".contains(&b);
        self.raw.bytes().all(plain).then_some(self.raw)
    }
}

/// The bytes that `raw` has percent-encoded; `raw` has been checked.
fn percent_encoded(raw: &str) -> Vec<u8> {
    let value = |at: usize| u8::from_str_radix(raw.get(at + 1..at + 3).unwrap_or(""), 16);
    memchr::memchr_iter(b'%', raw.as_bytes()).filter_map(|at| value(at).ok()).collect()
}
