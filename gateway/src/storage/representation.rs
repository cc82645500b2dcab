//! From a file as the storage has it to the answer that the client asked for.

use std::ops::Range;

use bytes::Bytes;
use http::StatusCode;

use super::conditions::{Validators, Verdict};
use super::{FileBody, FilePart, PipedPart, UpstreamBody};
use crate::answer_fields::{AnswerField, AnswerFields};

/// A storage's answer: 200, 206, 304 or 416.
pub(crate) struct Stored {
    pub(crate) status: StatusCode,
    pub(crate) headers: AnswerFields,
    pub(crate) body: StoredBody,
}

/// Where an answer's bytes come from.
pub(crate) enum StoredBody {
    /// There are none.
    Empty,
    /// From memory.
    Memory(Bytes),
    /// From a local file.
    File(FileBody),
    /// From an upstream server.
    Upstream(Box<UpstreamBody>),
}

/// The most that a piece has, in bytes: what may no longer be sent is cut within one (sync.md T3).
pub(super) const MAX_PIECE_BYTES: u64 = 256 * 1024;

/// A piece of an answer.
pub(crate) enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A part of a file, for the kernel to send.
    File(FilePart),
    /// A part of an upstream's answer, for the kernel to send.
    Piped(PipedPart),
}

impl StoredBody {
    /// Whether it takes time to send: more than is handed over at once.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(self, Self::File(_) | Self::Upstream(_))
    }
}

/// A body that can be made to give only a part of the file.
pub(super) trait Sliceable: Sized {
    /// Gives only these bytes of the file.
    fn slice(self, part: Range<u64>) -> StoredBody;
}

/// A whole file as a storage has it.
pub(super) struct Representation<B> {
    pub(super) length: u64,
    /// What the answer says beside length and range; see [`fields`].
    pub(super) headers: AnswerFields,
    pub(super) body: B,
}

impl<B: Sliceable> Representation<B> {
    /// The answer to a request whose conditions have this verdict.
    pub(super) fn answer(self, verdict: Verdict) -> Stored {
        let Self { length, mut headers, body } = self;
        headers.insert_text(AnswerField::AcceptRanges, "bytes");
        match verdict {
            Verdict::NotModified => {
                headers.remove(AnswerField::ContentType);
                Stored { status: StatusCode::NOT_MODIFIED, headers, body: StoredBody::Empty }
            }
            Verdict::Whole => {
                headers.set_length(length);
                Stored { status: StatusCode::OK, headers, body: body.slice(0..length) }
            }
            Verdict::Part(part) => {
                headers.set_length(part.end - part.start);
                let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
                headers.insert_text(AnswerField::ContentRange, &range);
                let body = body.slice(part);
                Stored { status: StatusCode::PARTIAL_CONTENT, headers, body }
            }
            Verdict::Unsatisfiable => {
                let mut headers = AnswerFields::default();
                headers.insert_text(AnswerField::ContentRange, &format!("bytes */{length}"));
                let status = StatusCode::RANGE_NOT_SATISFIABLE;
                Stored { status, headers, body: StoredBody::Empty }
            }
        }
    }
}

/// What every answer with a file says of it.
pub(super) fn fields(media_type: &str, validators: &Validators) -> AnswerFields {
    let mut headers = AnswerFields::default();
    headers.insert_text(AnswerField::ContentType, media_type);
    if let Some(etag) = &validators.etag {
        headers.insert_text(AnswerField::Etag, etag);
    }
    if let Some(modified) = validators.last_modified {
        headers.insert_text(AnswerField::LastModified, &httpdate::fmt_http_date(modified));
    }
    headers
}

impl Sliceable for Bytes {
    fn slice(self, part: Range<u64>) -> StoredBody {
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(self.len());
        StoredBody::Memory(Self::slice(&self, at(part.start)..at(part.end)))
    }
}

/// The media type of a file, by its name.
pub(super) fn content_type(name: &str) -> &'static str {
    let by_suffix = [
        (".json", "application/json"),
        (".zst", "application/zstd"),
        (".bz2", "application/x-bzip2"),
        (".conda", "application/zip"),
        (".xml", "application/xml"),
        (".html", "text/html; charset=utf-8"),
    ];
    let known = by_suffix.into_iter().find(|(suffix, _)| name.ends_with(suffix));
    known.map_or("application/octet-stream", |(_, media)| media)
}
