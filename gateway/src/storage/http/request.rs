//! The request to an upstream server: built anew from an allow-list (wire.md W19).

use access::redact;

use super::super::Ask;
use super::super::conditions::{Conditions, Validators};
use super::connect::Upstream;
use super::origin::Target;
use crate::listener::{Field, visible};

/// What passes from the client's request as it is, if it is there exactly once.
const CONDITIONS: [Field; 3] = [Field::IfRange, Field::IfNoneMatch, Field::IfModifiedSince];
const ABOUT_THE_CLIENT: [Field; 2] = [Field::Accept, Field::UserAgent];

/// What every request says. Bytes are passed as they are, so no server is invited to encode them
/// (wire.md W11). With the request's id, the upstream's log can be read beside ours.
const OURS: &str = "accept-encoding: identity\r\nvia: 1.1 condagate\r\nx-request-id: ";

/// Longer than most requests, in bytes.
const REQUEST_BYTES: usize = 512;

/// What is asked, whichever server it is asked of.
pub(super) struct Parts<'r> {
    ask: &'r Ask<'r>,
    wanted: Wanted<'r>,
}

enum Wanted<'r> {
    /// What the client asks, with its conditions.
    AsAsked,
    /// The whole file, unless it is as these validators say.
    Unless(Option<&'r Validators>),
}

impl<'r> Parts<'r> {
    /// What the client asks, with its conditions.
    pub(super) fn new(ask: &'r Ask<'r>) -> Self {
        Self { ask, wanted: Wanted::AsAsked }
    }

    /// What the gateway itself asks: the whole file, unless it is as these validators say.
    pub(super) fn unless(ask: &'r Ask<'r>, validators: Option<&'r Validators>) -> Self {
        Self { ask, wanted: Wanted::Unless(validators) }
    }

    /// What the client asks.
    pub(super) fn ask(&self) -> &'r Ask<'r> {
        self.ask
    }

    /// Whether it is only the head of the answer that is asked for.
    pub(super) fn is_head(&self) -> bool {
        matches!(self.wanted, Wanted::AsAsked) && self.ask.head
    }

    /// The request for `target`, all of its bytes. The storage's own credentials go to its own
    /// server alone.
    pub(super) fn build(&self, upstream: &Upstream, target: &Target) -> Vec<u8> {
        let mut out = Vec::with_capacity(REQUEST_BYTES);
        let method = if self.is_head() { "HEAD " } else { "GET " };
        put(&mut out, &[method, target.path(), " HTTP/1.1\r\n"]);
        put(&mut out, &["host: ", &target.origin.authority, "\r\n"]);
        put(&mut out, &[OURS, self.ask.request_id, "\r\n"]);
        for about in ABOUT_THE_CLIENT {
            self.pass_on(&mut out, about);
        }
        match self.wanted {
            Wanted::AsAsked => {
                for condition in CONDITIONS {
                    self.pass_on(&mut out, condition);
                }
                let conditions = Conditions::new(self.ask.fields, self.ask.head);
                if let Some(range) = conditions.range_to_pass_on() {
                    put(&mut out, &["range: ", range, "\r\n"]);
                }
            }
            // It came as text from a storage, and must not end its line here.
            Wanted::Unless(Some(Validators { etag: Some(etag), .. }))
                if visible(etag.as_bytes()).is_some() =>
            {
                put(&mut out, &["if-none-match: ", etag, "\r\n"]);
            }
            Wanted::Unless(Some(Validators { last_modified: Some(modified), .. })) => {
                let date = httpdate::fmt_http_date(*modified);
                put(&mut out, &["if-modified-since: ", &date, "\r\n"]);
            }
            Wanted::Unless(_) => {}
        }
        if let Some(credentials) = upstream.credentials_for(&target.origin) {
            out.extend_from_slice(b"authorization: ");
            out.extend_from_slice(credentials.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The client's field, unless something in it looks like a token.
    fn pass_on(&self, out: &mut Vec<u8>, which: Field) {
        if let Some(value) = self.ask.fields.only(which)
            && let Some(text) = visible(value)
            && redact(text) == text
        {
            put(out, &[which.text(), ": ", text, "\r\n"]);
        }
    }
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
