//! One segment of a path, checked to be canonical (wire.md W5).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{MAX_SEGMENTS, PathError};

/// A segment as it came and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Segment<'r> {
    pub(super) raw: &'r str,
    pub(super) decoded: Cow<'r, str>,
}

/// Splits a path into its segments.
///
/// # Errors
/// For everything that a storage might read otherwise than we do.
pub(super) fn split(path: &str) -> Result<Vec<Segment<'_>>, PathError> {
    let rest = path.strip_prefix('/').ok_or(PathError::NotCanonical("it doesn't begin with /"))?;
    if rest.is_empty() {
        return Err(PathError::NoChannel);
    }
    let mut segments = Vec::with_capacity(8);
    let (mut start, mut is_encoded) = (0, false);
    // Each byte once: this is done for every request.
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b if is_path_character(b) => {}
            b'/' => {
                segments.push(read(&rest[start..at], is_encoded)?);
                (start, is_encoded) = (at + 1, false);
                if segments.len() == MAX_SEGMENTS {
                    return Err(PathError::NotCanonical("it has too many segments"));
                }
            }
            b'%' => is_encoded = true,
            _ => {
                let what = "it has a character that must be percent-encoded";
                return Err(PathError::NotCanonical(what));
            }
        }
    }
    segments.push(read(&rest[start..], is_encoded)?);
    Ok(segments)
}

/// One whose characters have been looked at.
fn read(raw: &str, is_encoded: bool) -> Result<Segment<'_>, PathError> {
    if raw.is_empty() {
        return Err(PathError::NotCanonical("it has an empty segment"));
    }
    let decoded = if is_encoded { decode(raw)? } else { Cow::Borrowed(raw) };
    if matches!(&*decoded, "." | "..") {
        return Err(PathError::NotCanonical("it has a `.` or `..` segment"));
    }
    Ok(Segment { raw, decoded })
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

/// RFC 3986, section 3.3: what stands for itself in a segment. A table, for each byte of each path is
/// looked up.
const PATH_CHARACTERS: [bool; 256] = {
    let marks = b"-._~!$&'()*+,;=:@";
    let mut is = [false; 256];
    let mut b = 0;
    while b < 256 {
        is[b] = (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        is[marks[at] as usize] = true;
        at += 1;
    }
    is
};

fn is_path_character(b: u8) -> bool {
    PATH_CHARACTERS[usize::from(b)]
}

impl<'r> Segment<'r> {
    /// The segment where a token or a channel's name stands.
    ///
    /// # Errors
    /// When a character is encoded that need not be: the same name in two spellings.
    pub(super) fn plain(&self) -> Result<&'r str, PathError> {
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
