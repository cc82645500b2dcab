//! An answer's head as it is sent (RFC 9112, section 4).

use http::{StatusCode, Version};

use super::super::dates::HttpDate;
use crate::answer_fields::AnswerFields;

/// How an answer's content ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Nothing follows the head, or as many bytes as it says.
    Length,
    /// Each piece with its length in front of it.
    Chunks,
    /// With the connection: an HTTP/1.0 client knows no chunks.
    Close,
}

/// What of a head isn't the answer's own.
#[derive(Clone, Copy)]
pub(super) struct Framed {
    pub(super) version: Version,
    pub(super) coding: Coding,
    /// The content's, in bytes, where it is told.
    pub(super) length: Option<u64>,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
    pub(super) date: HttpDate,
}

/// Appends an answer's head to `out`.
pub(super) fn head(out: &mut Vec<u8>, status: StatusCode, fields: &AnswerFields, framed: &Framed) {
    let is_old = framed.version == Version::HTTP_10;
    out.extend_from_slice(if is_old { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(fields.lines());
    if let Some(length) = framed.length {
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if framed.coding == Coding::Chunks {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    match (framed.closes, is_old) {
        (true, _) => out.extend_from_slice(b"connection: close\r\n"),
        (false, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (false, false) => {}
    }
    out.extend_from_slice(b"date: ");
    out.extend_from_slice(&framed.date);
    out.extend_from_slice(b"\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer_fields::AnswerField;

    const FRAMED: Framed = Framed {
        version: Version::HTTP_11,
        coding: Coding::Length,
        length: Some(5),
        closes: false,
        date: *b"Sun, 06 Nov 1994 08:49:37 GMT",
    };

    fn text(status: StatusCode, fields: &AnswerFields, framed: Framed) -> String {
        let mut out = Vec::new();
        head(&mut out, status, fields, &framed);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_head_says_how_its_content_ends() {
        let mut fields = AnswerFields::default();
        fields.insert_text(AnswerField::Etag, "\"e\"");
        let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        let ok = |framed| text(StatusCode::OK, &fields, framed);
        let begun = "HTTP/1.1 200 OK\r\netag: \"e\"\r\n";
        assert_eq!(ok(FRAMED), format!("{begun}content-length: 5\r\n{date}"));
        let chunks = Framed { coding: Coding::Chunks, length: None, ..FRAMED };
        assert_eq!(ok(chunks), format!("{begun}transfer-encoding: chunked\r\n{date}"));
        let last = Framed { closes: true, ..FRAMED };
        assert_eq!(ok(last), format!("{begun}content-length: 5\r\nconnection: close\r\n{date}"));
        let old = Framed { version: Version::HTTP_10, length: None, ..FRAMED };
        let begun = "HTTP/1.0 200 OK\r\netag: \"e\"\r\n";
        assert_eq!(ok(old), format!("{begun}connection: keep-alive\r\n{date}"));
    }

    #[test]
    fn a_head_begins_with_its_status() {
        let head = text(StatusCode::NOT_FOUND, &AnswerFields::default(), FRAMED);
        let begun = "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\ndate: ";
        assert!(head.starts_with(begun), "{head}");
    }
}
