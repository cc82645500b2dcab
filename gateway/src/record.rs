//! The one exit: every request, refused or served, leaves through its record, which becomes a line
//! of the access log and a step of the metrics. The token's id and hint are in it, never its value.

mod log;

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use access::{Channel, Grant, Moment, Timestamp, redact};
use http::{Method, StatusCode, Version};
use serde::Serialize;

pub use self::log::LogError;
pub(crate) use self::log::{AccessLog, LogLines};
use crate::answer::Blame;
use crate::target::FilePath;
use crate::usage::Meter;
use crate::worker::Worker;

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every byte was handed to the connection.
    Complete,
    /// It could not be sent to its end.
    Cut { by: Blame, detail: String },
}

/// What is recorded of a request.
pub(crate) struct Record {
    worker: Rc<Worker>,
    started: Moment,
    line: Line,
    end: Option<End>,
    /// Where the answer's bytes are counted, if they are.
    meter: Option<Meter>,
}

/// A line of the access log. Its fields are documented in docs/operating.md.
#[derive(Default, Serialize)]
struct Line {
    time: String,
    request_id: String,
    client: String,
    protocol: &'static str,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    status: u16,
    bytes: u64,
    /// From the request's head to its answer's head, in milliseconds.
    head_ms: f64,
    /// From the request's head to the end of its answer, in milliseconds.
    total_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Blame>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// `complete`, `cut` (by us) or `left` (by the client).
    end: &'static str,
}

impl Record {
    pub(crate) fn begin(worker: Rc<Worker>, client: IpAddr, request_id: &str) -> Self {
        let mut line = Line { protocol: "-", ..Line::default() };
        if worker.log.is_on() {
            line.request_id = request_id.to_owned();
            line.client = client.to_canonical().to_string();
            line.method = "-".to_owned();
        }
        Self { started: worker.clock.moment(), line, end: None, meter: None, worker }
    }

    /// What the request is, once its head is known to be readable.
    pub(crate) fn request(&mut self, method: &Method, version: Version, user_agent: Option<&str>) {
        if !self.worker.log.is_on() {
            return;
        }
        // Everything that a client writes freely goes through `redact`.
        self.line.method = redact(method.as_str()).into_owned();
        self.line.protocol = if version == Version::HTTP_2 { "h2" } else { "http/1" };
        self.line.user_agent = user_agent.map(|text| redact(text).chars().take(128).collect());
    }

    /// What was asked for of a registered channel: what else stands in a path may be somebody's
    /// token.
    pub(crate) fn asked(&mut self, channel: &Channel, file: Option<&FilePath<'_>>) {
        if self.worker.log.is_on() {
            self.line.channel = Some(channel.name.to_string());
            self.line.file = file.map(|file| redact(&file.decoded()).into_owned());
        }
    }

    pub(crate) fn token(&mut self, grant: &Grant) {
        if !self.worker.log.is_on() {
            return;
        }
        self.line.token = Some(grant.token.0);
        self.line.hint = Some(grant.hint.to_string());
    }

    pub(crate) fn refused(&mut self, error: &'static str, blame: Blame, detail: Option<String>) {
        self.line.error = Some(error);
        self.line.fault = Some(blame);
        self.line.detail = detail;
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.line.status = status.as_u16();
        self.line.head_ms = millis(self.elapsed());
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
    pub(crate) fn write(&mut self) {
        let elapsed = self.elapsed();
        self.line.total_ms = millis(elapsed);
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
        worker.metrics.answered(self.line.status, self.line.error, self.line.bytes, elapsed);
        if worker.log.is_on() {
            self.line.time = worker.clock.now().to_string();
            worker.log.write(&self.line);
        }
    }

    fn elapsed(&self) -> Duration {
        self.worker.clock.moment().since(self.started)
    }
}

fn millis(elapsed: Duration) -> f64 {
    // Whole microseconds: more digits are noise.
    f64::from(u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX)) / 1000.0
}

/// The date on which a token ends, when that is near (wire.md W17).
pub(crate) fn expiry_to_warn_of(grant: &Grant, now: Timestamp, within: Duration) -> Option<String> {
    (grant.expires_at.since(now) <= within).then(|| grant.expires_at.date())
}
