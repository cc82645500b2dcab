//! The head of an upstream's answer, read strictly: a client that reads a message's length otherwise
//! than its server takes one answer for another's. Source: RFC 9112, sections 4, 5, 6.

use ::http::{StatusCode, Version};
use bytes::Bytes;

use super::chunks::Chunks;
use super::fields::{UpstreamField, UpstreamFields};
use crate::listener::{Fault, head_end, read_fields, split_head};

/// The most that a head may have, in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What about an answer can't be read, or could be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum Malformed {
    #[error("it doesn't begin like an answer of HTTP/1.0 or 1.1")]
    StatusLine,
    #[error("its header has a line that is no field")]
    Field,
    #[error("its header has more than 100 fields or 64 KB")]
    TooLarge,
    #[error("Content-Length is no number, or two")]
    ContentLength,
    #[error("Content-Length and Transfer-Encoding come together")]
    TwoLengths,
    #[error("Transfer-Encoding is something other than `chunked`")]
    Coding,
    #[error("it goes over to another protocol, or announces an answer too often")]
    Interim,
    #[error("a chunk's length, end or trailer can't be read")]
    Chunk,
}

impl From<Fault> for Malformed {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::RequestLine => Self::StatusLine,
            Fault::TooLarge => Self::TooLarge,
            _ => Self::Field,
        }
    }
}

/// How an answer's content ends (RFC 9112, section 6.3).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After as many bytes.
    Length(u64),
    /// With the last chunk.
    Chunks(Chunks),
    /// With the connection.
    Close,
}

/// A head that has been read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) fields: UpstreamFields,
    pub(super) framing: Framing,
    /// Whether the server will take another request on the connection (RFC 9112, section 9.3).
    pub(super) is_kept_alive: bool,
}

/// Where the head ends that `bytes` begin with; none while it isn't whole.
///
/// # Errors
/// When it can't become one.
pub(super) fn end(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    // At once, or what is no web server would be waited for.
    const BEGINNING: &[u8] = b"HTTP/1.";
    let begun = bytes.len().min(BEGINNING.len());
    if bytes[..begun] != BEGINNING[..begun] {
        return Err(Malformed::StatusLine);
    }
    match head_end(bytes)? {
        Some(end) if end <= MAX_HEAD_BYTES => Ok(Some(end)),
        None if bytes.len() <= MAX_HEAD_BYTES => Ok(None),
        _ => Err(Malformed::TooLarge),
    }
}

impl Head {
    /// Reads a whole head; `to_head` says whether it answers HEAD.
    ///
    /// # Errors
    /// What about it can't be read, or could be read in two ways.
    pub(super) fn read(head: Bytes, to_head: bool) -> Result<Self, Malformed> {
        let (line, lines) = split_head(&head)?;
        let (version, status) = read_status_line(line)?;
        let mut fields = UpstreamFields::default();
        let mut length = Length::default();
        let (mut closes, mut keeps) = (false, false);
        read_fields(lines, |name, value| {
            if name.eq_ignore_ascii_case(b"connection") {
                for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                    closes |= option.eq_ignore_ascii_case(b"close");
                    keeps |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            length.read(name, value)?;
            if let Some(field) = UpstreamField::named(name) {
                let start = value.as_ptr().addr() - head.as_ptr().addr();
                fields.add(field, (place(start)?, place(start + value.len())?));
            }
            Ok::<_, Malformed>(())
        })?;
        let says_nothing_follows = !length.is_chunked && length.content_length.unwrap_or(0) == 0;
        let framing = length.framing(version)?;
        let is_without = to_head
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let framing = if is_without { Framing::Length(0) } else { framing };
        // Some servers send content all the same; it would be taken for the next answer.
        let may_have_more = to_head || (is_without && !says_nothing_follows);
        let is_kept_alive = !closes
            && (keeps || version == Version::HTTP_11)
            && !may_have_more
            && !matches!(framing, Framing::Close);
        Ok(Self { status, fields: fields.of(head), framing, is_kept_alive })
    }
}

/// A place in a head, which has at most [`MAX_HEAD_BYTES`] with its end, and no value behind that.
fn place(at: usize) -> Result<u16, Malformed> {
    u16::try_from(at).map_err(|_too_large| Malformed::TooLarge)
}

/// RFC 9112, section 4: the reason is not read.
fn read_status_line(line: &[u8]) -> Result<(Version, StatusCode), Malformed> {
    let (version, rest) = line.split_at_checked(9).ok_or(Malformed::StatusLine)?;
    let version = match version {
        b"HTTP/1.1 " => Version::HTTP_11,
        b"HTTP/1.0 " => Version::HTTP_10,
        _ => return Err(Malformed::StatusLine),
    };
    let (status, reason) = rest.split_at_checked(3).ok_or(Malformed::StatusLine)?;
    let status = StatusCode::from_bytes(status).map_err(|_no_status| Malformed::StatusLine)?;
    let is_control = |&b: &u8| (b < b' ' && b != b'\t') || b == 0x7f;
    match reason.first() {
        // Some servers leave out the reason with the space in front of it.
        None => Ok((version, status)),
        Some(b' ') if !reason.iter().any(is_control) => Ok((version, status)),
        Some(_) => Err(Malformed::StatusLine),
    }
}

/// What a head says of its content's length.
#[derive(Default)]
struct Length {
    content_length: Option<u64>,
    is_chunked: bool,
}

impl Length {
    fn read(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        if name.eq_ignore_ascii_case(b"content-length") {
            // RFC 9112, section 6.3: the same number more than once is one number.
            for number in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                let number = decimal(number).ok_or(Malformed::ContentLength)?;
                if self.content_length.replace(number).is_some_and(|before| before != number) {
                    return Err(Malformed::ContentLength);
                }
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed::Coding);
            }
            self.is_chunked = true;
        }
        Ok(())
    }

    fn framing(self, version: Version) -> Result<Framing, Malformed> {
        match (self.content_length, self.is_chunked) {
            (Some(_), true) => Err(Malformed::TwoLengths),
            // RFC 9112, section 6.1: HTTP/1.0 has no transfer codings.
            (None, true) if version == Version::HTTP_10 => Err(Malformed::Coding),
            (None, true) => Ok(Framing::Chunks(Chunks::default())),
            (Some(length), false) => Ok(Framing::Length(length)),
            (None, false) => Ok(Framing::Close),
        }
    }
}

/// 18 digits fit every integer that a parser may use.
pub(in super::super) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_plain.then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests;
