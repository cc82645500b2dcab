//! The one exit: every request, refused or served, leaves through its record, which becomes a line
//! of the access log and a step of the metrics. The token's id and hint are in it, never its value.

mod line;
mod log;

use std::borrow::Cow;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use access::{Channel, Grant, Moment, Timestamp, redact};
use http::{Method, StatusCode, Version};

use self::line::Line;
pub use self::log::LogError;
pub(crate) use self::log::{AccessLog, LogLines};
use crate::answer::Blame;
use crate::target::FilePath;
use crate::usage::Meter;
use crate::worker::{RequestId, Worker};

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every byte was handed to the connection.
    Complete,
    /// It could not be sent to its end.
    Cut { by: Blame, detail: String },
}

/// What is told as the status of a request whose client left before it was answered, as other servers
/// do.
const CLIENT_LEFT: u16 = 499;

/// What is recorded of a request. It is written when it is dropped.
pub(crate) struct Record {
    worker: Rc<Worker>,
    started: Moment,
    line: Line,
    end: Option<End>,
    /// Where the answer's bytes are counted, if they are.
    meter: Option<Meter>,
}

impl Record {
    /// In a place of its own, for it goes through many hands.
    pub(crate) fn begin(worker: Rc<Worker>, client: IpAddr, request_id: RequestId) -> Box<Self> {
        let line = Line::new(request_id, client.to_canonical());
        Box::new(Self { started: worker.clock.moment(), line, end: None, meter: None, worker })
    }

    /// What the request is, once its head is known to be readable.
    pub(crate) fn request(&mut self, method: &Method, version: Version, user_agent: Option<&str>) {
        if !self.worker.log.is_on() {
            return;
        }
        // Everything that a client writes freely goes through `redact`.
        self.line.method = match *method {
            Method::GET => Cow::Borrowed("GET"),
            Method::HEAD => Cow::Borrowed("HEAD"),
            _ => redact(method.as_str()).into_owned().into(),
        };
        self.line.protocol = if version == Version::HTTP_2 { "h2" } else { "http/1" };
        self.line.user_agent = user_agent.map(|text| beginning(&redact(text)).to_owned());
    }

    /// What was asked for of a registered channel: what else stands in a path may be somebody's
    /// token.
    pub(crate) fn asked(&mut self, channel: &Channel, file: Option<&FilePath<'_>>) {
        if self.worker.log.is_on() {
            self.line.channel = Some(channel.name.clone());
            self.line.file = file.map(|file| redacted(file.decoded()));
        }
    }

    pub(crate) fn token(&mut self, grant: &Grant) {
        if self.worker.log.is_on() {
            self.line.token = Some(grant.token);
            self.line.hint = Some(grant.hint);
        }
    }

    pub(crate) fn refused(&mut self, error: &'static str, blame: Blame, detail: Option<String>) {
        self.line.error = Some(error);
        self.line.fault = Some(blame);
        self.line.detail = detail;
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.line.status = status.as_u16();
        self.line.head = self.elapsed();
    }

    pub(crate) fn add_bytes(&mut self, count: usize) {
        self.line.bytes += count as u64;
        if let Some(meter) = &self.meter {
            self.worker.usage.sent(meter, count as u64);
        }
    }

    /// Counts the answer's bytes from here on.
    pub(crate) fn meter(&mut self, meter: Meter) {
        self.meter = Some(meter);
    }

    /// Says how the answer ended; the first word counts.
    pub(crate) fn end(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Writes the record. Without an [`End`] the client has left.
    fn write(&mut self) {
        self.line.total = self.elapsed();
        if self.line.status == 0 {
            self.line.status = CLIENT_LEFT;
            self.line.head = self.line.total;
        }
        self.line.end = match self.end.take() {
            Some(End::Complete) => "complete",
            Some(End::Cut { by, detail }) => {
                self.line.fault = Some(by);
                self.line.detail = Some(detail);
                "cut"
            }
            None if self.worker.drained.get() => {
                self.line.fault = Some(Blame::Gateway);
                self.line.detail = Some("the gateway was stopped".to_owned());
                "cut"
            }
            None => "left",
        };
        let worker = &self.worker;
        worker.metrics.answered(
            self.line.status,
            self.line.error,
            self.line.bytes,
            self.line.total,
        );
        if worker.log.is_on() {
            self.line.time = worker.clock.now();
            worker.log.write(&self.line);
        }
    }

    fn elapsed(&self) -> Duration {
        self.worker.clock.moment().since(self.started)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.write();
    }
}

/// How much is told of the client's own description of itself, in characters.
const USER_AGENT_MAX: usize = 128;

fn beginning(text: &str) -> &str {
    if text.len() <= USER_AGENT_MAX {
        return text;
    }
    text.char_indices().nth(USER_AGENT_MAX).map_or(text, |(end, _)| &text[..end])
}

fn redacted(text: String) -> String {
    match redact(&text) {
        Cow::Borrowed(_unchanged) => text,
        Cow::Owned(redacted) => redacted,
    }
}

/// The date on which a token ends, when that is near (wire.md W17).
pub(crate) fn expiry_to_warn_of(grant: &Grant, now: Timestamp, within: Duration) -> Option<String> {
    (grant.expires_at.since(now) <= within).then(|| grant.expires_at.date())
}
