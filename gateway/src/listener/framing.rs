//! Strict reading of an HTTP/1 request's head (wire.md W5a).
//!
//! A proxy that reads a message's length otherwise than its neighbour can be made to take one
//! request for two. So whatever two parsers could read differently is refused here, and the
//! connection with it; what passes is plain enough for any parser. Source: RFC 9112, sections
//! 2.2, 3, 5.1, 5.2, 6.

use http::Version;

/// Why a request's head is refused. The connection is closed after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not what RFC 9112 calls a request line; or a version other than 1.0 and 1.1.
    RequestLine,
    /// A target that is no URI, or has a fragment.
    Target,
    /// A bare CR or LF, NUL or another control character, a folded line, whitespace before a
    /// colon, a field without a name.
    Field,
    /// Content-Length and Transfer-Encoding together, or one of them repeated or malformed.
    Length,
    /// A GET or HEAD with content.
    Content,
    /// Another method with content: refused for its method, content unread.
    Method,
    /// More bytes or fields than the setting allows.
    TooLarge,
    /// The head did not arrive in time.
    Slow,
}

/// How many fields a head may have.
pub(super) const MAX_FIELDS: usize = 100;

/// Where the first complete head in `bytes` ends, if there is one.
///
/// # Errors
/// [`Fault::Field`] for a line that does not end in CR LF: waiting for the end of such a head
/// could last for ever.
pub(crate) fn head_end(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    let mut line_start = 0;
    for lf in memchr::memchr_iter(b'\n', bytes) {
        let Some(line) = bytes[line_start..lf].strip_suffix(b"\r") else {
            return Err(if line_start == 0 { Fault::RequestLine } else { Fault::Field });
        };
        if line.is_empty() && line_start > 0 {
            return Ok(Some(lf + 1));
        }
        line_start = lf + 1;
    }
    Ok(None)
}

/// A head's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'h> {
    pub(super) method: &'h [u8],
    pub(super) target: &'h [u8],
    pub(super) version: Version,
}

/// Reads one complete head, with its empty line; `field` is given each name and value.
///
/// # Errors
/// What about it two parsers could read differently, or what we don't take.
pub(super) fn read<'h>(
    head: &'h [u8],
    mut field: impl FnMut(&'h [u8], &'h [u8]),
) -> Result<RequestLine<'h>, Fault> {
    let (line, fields) = split_head(head)?;
    let request = read_request_line(line)?;
    let mut length = Length::default();
    read_fields(fields, |name, value| {
        field(name, value);
        length.read(name, value)
    })?;
    match (length.has_content()?, request.method) {
        (false, _) => Ok(request),
        (true, b"GET" | b"HEAD") => Err(Fault::Content),
        (true, _) => Err(Fault::Method),
    }
}

/// The first line of a complete head, and the lines of its fields.
///
/// # Errors
/// [`Fault::Field`] when it doesn't end in an empty line.
pub(crate) fn split_head(head: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    Ok(first_line(head.strip_suffix(b"\r\n\r\n").ok_or(Fault::Field)?))
}

/// Reads the lines of a head's fields; `field` is given each name and value.
///
/// # Errors
/// What about them two parsers could read differently, too many of them, or what `field` says.
pub(crate) fn read_fields<'h, E: From<Fault>>(
    mut lines: &'h [u8],
    mut field: impl FnMut(&'h [u8], &'h [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut fields = 0;
    while !lines.is_empty() {
        let line;
        (line, lines) = first_line(lines);
        let (name, value) = read_field(line)?;
        field(name, value)?;
        fields += 1;
    }
    if fields > MAX_FIELDS { Err(Fault::TooLarge.into()) } else { Ok(()) }
}

/// Lines end in CR LF, as [`head_end`] has seen; the last one has lost it. A CR elsewhere is found in
/// its line.
fn first_line(lines: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', lines) {
        Some(lf) => (lines[..lf].strip_suffix(b"\r").unwrap_or(&lines[..lf]), &lines[lf + 1..]),
        None => (lines, &[]),
    }
}

fn read_request_line(line: &[u8]) -> Result<RequestLine<'_>, Fault> {
    let (method, rest) = token(line, b' ').ok_or(Fault::RequestLine)?;
    let space = memchr::memchr(b' ', rest).ok_or(Fault::RequestLine)?;
    let (target, version) = (&rest[..space], &rest[space + 1..]);
    let version = match version {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        _ => return Err(Fault::RequestLine),
    };
    if target.is_empty() {
        return Err(Fault::RequestLine);
    }
    if is_target(target) { Ok(RequestLine { method, target, version }) } else { Err(Fault::Target) }
}

/// A path whose characters every parser takes, or another URI.
fn is_target(target: &[u8]) -> bool {
    // Without leaving early, for nearly all are.
    let kinds = target.iter().fold(PATH, |kinds, &b| kinds & KINDS[usize::from(b)]);
    let is_usual_path = target.first() == Some(&b'/') && kinds != 0;
    let is_uri = || {
        target.iter().all(u8::is_ascii_graphic)
            && !target.contains(&b'#')
            && http::Uri::try_from(target).is_ok()
    };
    is_usual_path || is_uri()
}

/// What a head says of its content's length.
#[derive(Default)]
struct Length<'h> {
    content_length: Option<&'h [u8]>,
    transfer_encoding: Option<&'h [u8]>,
}

impl<'h> Length<'h> {
    fn read(&mut self, name: &[u8], value: &'h [u8]) -> Result<(), Fault> {
        let slot = match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => &mut self.content_length,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => &mut self.transfer_encoding,
            _ => return Ok(()),
        };
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(Fault::Length),
        }
    }

    fn has_content(&self) -> Result<bool, Fault> {
        match (self.content_length, self.transfer_encoding) {
            (None, None) => Ok(false),
            (Some(_), Some(_)) => Err(Fault::Length),
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(true),
            (None, Some(_)) => Err(Fault::Length),
            (Some(digits), None) => {
                // 18 digits fit every integer that a parser may use.
                let plain =
                    (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
                if plain { Ok(digits.iter().any(|&d| d != b'0')) } else { Err(Fault::Length) }
            }
        }
    }
}

/// Name and value, without the space around it.
fn read_field(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let (name, value) = token(line, b':').ok_or(Fault::Field)?;
    // Without leaving early, so that many bytes are looked at in one step.
    let is_control = |b: u8| ((b < b' ') & (b != b'\t')) | (b == 0x7f);
    if value.iter().fold(false, |found, &b| found | is_control(b)) {
        return Err(Fault::Field);
    }
    Ok((name, value.trim_ascii()))
}

/// The token that a line begins with and what is behind the `end` of it; none where it begins with
/// another thing.
fn token(line: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    let length = line.iter().position(|&b| KINDS[usize::from(b)] & TOKEN == 0)?;
    let is_token = length > 0 && line[length] == end;
    is_token.then(|| (&line[..length], &line[length + 1..]))
}

/// RFC 9110, section 5.6.2: the characters of a method and of a field's name.
const TOKEN: u8 = 1;
/// What may be in a path that every parser takes.
const PATH: u8 = 2;

/// What each byte may be in.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut b = 0;
    while b < 256 {
        if (b as u8).is_ascii_alphanumeric() {
            kinds[b] = TOKEN | PATH;
        }
        b += 1;
    }
    kinds = with(kinds, b"!#$%&'*+-.^_`|~", TOKEN);
    with(kinds, b"-._~!$&'()*+,;=:@%/", PATH)
};

const fn with(mut kinds: [u8; 256], bytes: &[u8], kind: u8) -> [u8; 256] {
    let mut at = 0;
    while at < bytes.len() {
        kinds[bytes[at] as usize] |= kind;
        at += 1;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(head: &str) -> Result<(), Fault> {
        let end = head_end(head.as_bytes())?.expect("a whole head");
        assert_eq!(end, head.len());
        read(head.as_bytes(), |_, _| {}).map(|_| ())
    }

    #[test]
    fn what_clients_send_passes() {
        let plain = "GET /t/x/y?z=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: caf\u{e9}\t1\r\nX:\r\n\r\n";
        assert_eq!(judge(plain), Ok(()));
        assert_eq!(judge("HEAD / HTTP/1.0\r\n\r\n"), Ok(()));
        assert_eq!(judge("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), Ok(()));
    }

    #[test]
    fn w5a_what_two_parsers_could_read_differently_is_refused() {
        let fields =
            |fields: &str| judge(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n"));
        for (field, fault) in [
            ("Content-Length: 1", Fault::Content),
            ("Transfer-Encoding: chunked", Fault::Content),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked", Fault::Length),
            ("Content-Length: 0\r\nContent-Length: 0", Fault::Length),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Fault::Length),
            ("Content-Length: +0", Fault::Length),
            ("Content-Length: 0, 0", Fault::Length),
            ("Content-Length:", Fault::Length),
            ("Content-Length: 0x0", Fault::Length),
            ("Content-Length: 0000000000000000000", Fault::Length),
            ("Transfer-Encoding: identity", Fault::Length),
            ("Transfer-Encoding: chunked, gzip", Fault::Length),
            ("Content-Length : 0", Fault::Field),
            ("X-A: 1\r\n folded", Fault::Field),
            (": no name", Fault::Field),
            ("no colon", Fault::Field),
            ("X-A: \0", Fault::Field),
            ("X-A: a\rb", Fault::Field),
            ("X-A: \u{7f}", Fault::Field),
        ] {
            assert_eq!(fields(field), Err(fault), "{field:?}");
        }
        let post = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(judge(post), Err(Fault::Method));
        let both = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(judge(both), Err(Fault::Length));
    }

    #[test]
    fn w16_a_target_that_is_no_uri_is_refused_here() {
        for target in ["/demo/<x>", "/a^b", "/a|b", "?", "http://", "http:/x/a", "http://[::1/a"] {
            let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
            let judged = judge(&head);
            let is_uri = target.parse::<http::Uri>().is_ok();
            assert_eq!(judged, if is_uri { Ok(()) } else { Err(Fault::Target) }, "{target}");
        }
    }

    #[test]
    fn w5a_a_request_line_is_exact() {
        for line in [
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            " GET / HTTP/1.1",
            "GET / HTTP/1.2",
            "GET / HTTP/2.0",
            "GET / http/1.1",
            "PRI * HTTP/2.0",
            "G(T / HTTP/1.1",
            "GET / HTTP/1.10",
        ] {
            assert_eq!(judge(&format!("{line}\r\n\r\n")), Err(Fault::RequestLine), "{line:?}");
        }
        for target in ["/a#b", "/\u{e9}", "/a\tb", "/\u{1}"] {
            let head = format!("GET {target} HTTP/1.1\r\n\r\n");
            assert_eq!(judge(&head), Err(Fault::Target), "{target:?}");
        }
    }

    #[test]
    fn w5a_a_bare_line_feed_is_seen_before_the_head_is_whole() {
        assert_eq!(head_end(b"GET / HTTP/1.1\nHost"), Err(Fault::RequestLine));
        assert_eq!(head_end(b"GET / HTTP/1.1\r\nHost: a\n"), Err(Fault::Field));
        assert_eq!(head_end(b"GET / HTTP/1.1\r\nHost: a\r\n"), Ok(None));
    }

    #[test]
    fn a_head_has_an_end_to_its_fields() {
        let head = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(judge(&head), Err(Fault::TooLarge));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = head_end(&bytes);
            let _ = read(&bytes, |_, _| {});
        }

        /// Whatever passes here, another parser reads the same way.
        #[test]
        fn what_passes_is_one_head_to_another_parser(
            head in "(GET|HEAD|PUT) /[ -~]{0,8} HTTP/1\\.[012]\r\n([A-Za-z -]{0,5}:? ?[ -~\t\r\n]{0,9}\r\n){0,4}\r\n"
        ) {
            let mut ours = Vec::new();
            let is_whole = head_end(head.as_bytes()) == Ok(Some(head.len()));
            let judged = read(head.as_bytes(), |name, value| ours.push((name, value)));
            if let (true, Ok(line)) = (is_whole, judged) {
                let mut fields = [httparse::EMPTY_HEADER; 200];
                let mut request = httparse::Request::new(&mut fields);
                let parsed = request.parse(head.as_bytes());
                prop_assert_eq!(parsed, Ok(httparse::Status::Complete(head.len())));
                prop_assert_eq!(request.method.map(str::as_bytes), Some(line.method));
                prop_assert_eq!(request.path.map(str::as_bytes), Some(line.target));
                let theirs: Vec<_> =
                    request.headers.iter().map(|f| (f.name.as_bytes(), f.value.trim_ascii())).collect();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
