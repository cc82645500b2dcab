//! An HTTP/1 request's head, read once.

use std::borrow::Cow;

use http::{Method, Uri, Version};

use super::super::fields::{Field, Fields};
use super::super::framing::{self, Fault, RequestLine};
use super::super::{Head, authority};

/// A head that has been read.
pub(super) struct Read<'h> {
    method: Method,
    version: Version,
    path: Cow<'h, str>,
    is_host_clear: bool,
    fields: Fields<'h>,
    /// Whether the client wants to ask again on this connection (RFC 9112, section 9.3).
    pub(super) is_kept_alive: bool,
}

impl<'h> Read<'h> {
    /// Reads a whole head.
    ///
    /// # Errors
    /// What about it two parsers could read differently, or what we don't take.
    pub(super) fn of(head: &'h [u8]) -> Result<Self, Fault> {
        let mut fields = Fields::default();
        let (mut closes, mut keeps) = (false, false);
        let line = framing::read(head, |name, value| {
            if name.len() == 10 && name.eq_ignore_ascii_case(b"connection") {
                for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                    closes |= option.eq_ignore_ascii_case(b"close");
                    keeps |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            if let Some(field) = Field::named(name) {
                fields.add(field, value);
            }
        })?;
        let RequestLine { method, target, version } = line;
        let method = match method {
            b"GET" => Method::GET,
            b"HEAD" => Method::HEAD,
            // `framing` has seen that it is a token.
            other => Method::from_bytes(other).map_err(|_no_method| Fault::RequestLine)?,
        };
        let (path, is_host_clear) = split(target, version, &fields)?;
        let is_kept_alive = !closes && (keeps || version == Version::HTTP_11);
        Ok(Self { method, version, path, is_host_clear, fields, is_kept_alive })
    }

    pub(super) fn head(&self) -> Head<'_> {
        Head {
            method: self.method.clone(),
            version: self.version,
            path: &self.path,
            is_host_clear: self.is_host_clear,
            has_content: false,
            fields: &self.fields,
        }
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }
}

/// A target's path, and whether it and the fields say clearly which host is asked.
fn split<'h>(
    target: &'h [u8],
    version: Version,
    fields: &Fields<'_>,
) -> Result<(Cow<'h, str>, bool), Fault> {
    if target.starts_with(b"/") {
        let end = memchr::memchr(b'?', target).unwrap_or(target.len());
        let path = str::from_utf8(&target[..end]).map_err(|_not_utf8| Fault::Target)?;
        return Ok((path.into(), authority::are_clear(version, fields, None)));
    }
    let uri = Uri::try_from(target).map_err(|_no_uri| Fault::Target)?;
    Ok((uri.path().to_owned().into(), authority::is_clear(version, &uri, fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_host_are_told_from_either_form_of_a_target() {
        for (target, path, is_clear) in [
            ("/a/b", "/a/b", true),
            ("/a/b?c=/d", "/a/b", true),
            ("http://h/a?b", "/a", true),
            ("http://h", "/", true),
            ("http://other/a", "/a", false),
            ("*", "*", true),
        ] {
            let head = format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n");
            let read = Read::of(head.as_bytes()).unwrap();
            let head = read.head();
            assert_eq!((head.path, head.is_host_clear), (path, is_clear), "{target}");
        }
    }

    /// RFC 9112, section 9.3.
    #[test]
    fn a_connection_is_kept_as_its_client_wants() {
        for (version, connection, is_kept) in [
            ("1.1", "", true),
            ("1.1", "Connection: close", false),
            ("1.1", "connection: x, CLOSE", false),
            ("1.1", "connection: keep-alive, close", false),
            ("1.0", "", false),
            ("1.0", "connection: Keep-Alive", true),
        ] {
            let fields = if connection.is_empty() { "a: b" } else { connection };
            let head = format!("GET / HTTP/{version}\r\n{fields}\r\n\r\n");
            let read = Read::of(head.as_bytes()).unwrap();
            assert_eq!(read.is_kept_alive, is_kept, "{version}: {connection}");
        }
    }
}
