//! A line of the access log, as JSON or as text. Its fields are documented in docs/operating.md.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use access::{ChannelName, Timestamp, TokenHint, TokenId};

use crate::answer::Blame;
use crate::worker::RequestId;

/// What a line tells.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) time: Timestamp,
    pub(super) request_id: RequestId,
    pub(super) client: IpAddr,
    pub(super) protocol: &'static str,
    pub(super) method: Cow<'static, str>,
    pub(super) channel: Option<ChannelName>,
    pub(super) file: Option<String>,
    pub(super) status: u16,
    pub(super) bytes: u64,
    /// From the request's head to its answer's head.
    pub(super) head: Duration,
    /// From the request's head to the end of its answer.
    pub(super) total: Duration,
    pub(super) token: Option<TokenId>,
    pub(super) hint: Option<TokenHint>,
    pub(super) error: Option<&'static str>,
    pub(super) fault: Option<Blame>,
    pub(super) detail: Option<String>,
    pub(super) user_agent: Option<String>,
    /// `complete`, `cut` (by us) or `left` (by the client).
    pub(super) end: &'static str,
}

impl Line {
    /// The line of a request of which nothing else is known yet.
    pub(super) fn new(request_id: RequestId, client: IpAddr) -> Self {
        Self {
            time: Timestamp::from_millis(0),
            request_id,
            client,
            protocol: "-",
            method: Cow::Borrowed("-"),
            channel: None,
            file: None,
            status: 0,
            bytes: 0,
            head: Duration::ZERO,
            total: Duration::ZERO,
            token: None,
            hint: None,
            error: None,
            fault: None,
            detail: None,
            user_agent: None,
            end: "",
        }
    }

    /// Writes it as a JSON object.
    pub(super) fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write(&mut Fields { out, form: Form::Json, any: false });
        out.push(b'}');
    }

    /// Writes it as `key=value` pairs; values with spaces or quotes are quoted.
    pub(super) fn write_text(&self, out: &mut Vec<u8>) {
        self.write(&mut Fields { out, form: Form::Text, any: false });
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.word("time", Some(&self.time));
        fields.text("request_id", Some(self.request_id.as_str()));
        fields.word("client", Some(&self.client));
        fields.text("protocol", Some(self.protocol));
        fields.text("method", Some(&self.method));
        fields.text("channel", self.channel.as_ref().map(ChannelName::as_str));
        fields.text("file", self.file.as_deref());
        fields.number("status", Some(self.status.into()));
        fields.number("bytes", Some(self.bytes));
        fields.millis("head_ms", self.head);
        fields.millis("total_ms", self.total);
        fields.number("token", self.token.and_then(|token| token.0.try_into().ok()));
        fields.word("hint", self.hint.as_ref());
        fields.text("error", self.error);
        fields.text("fault", self.fault.map(Blame::as_str));
        fields.text("detail", self.detail.as_deref());
        fields.text("user_agent", self.user_agent.as_deref());
        fields.text("end", Some(self.end));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
}

/// The fields of a line on their way; what has no value is left out.
struct Fields<'o> {
    out: &'o mut Vec<u8>,
    form: Form,
    any: bool,
}

impl Fields<'_> {
    fn text(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.name(name);
        if self.form == Form::Text && is_plain(value) {
            self.out.extend_from_slice(value.as_bytes());
        } else {
            let _ = serde_json::to_writer(&mut *self.out, value);
        }
    }

    /// A value that is shown without a space, a quote or a backslash.
    fn word(&mut self, name: &str, value: Option<&impl Display>) {
        let Some(value) = value else { return };
        self.name(name);
        let _ = match self.form {
            Form::Json => write!(self.out, "\"{value}\""),
            Form::Text => write!(self.out, "{value}"),
        };
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        let Some(value) = value else { return };
        self.name(name);
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }

    /// In milliseconds, to the microsecond: more digits are noise.
    fn millis(&mut self, name: &str, value: Duration) {
        self.name(name);
        let micros = value.as_micros();
        let _ = write!(self.out, "{}.{:03}", micros / 1000, micros % 1000);
    }

    fn name(&mut self, name: &str) {
        let (before, after) = match self.form {
            Form::Json => (",\"", "\":"),
            Form::Text => (" ", "="),
        };
        // The first has none in front of it.
        let before = if self.any { before } else { &before[1..] };
        self.any = true;
        for part in [before, name, after] {
            self.out.extend_from_slice(part.as_bytes());
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            time: Timestamp::from_millis(1_793_534_400_123),
            request_id: RequestId::new(0xab, 7),
            client: "2001:db8::1".parse().unwrap(),
            protocol: "h2",
            method: "GET".into(),
            channel: Some("team/prod".parse().unwrap()),
            file: Some("noarch/a b.conda".to_owned()),
            status: 200,
            bytes: 20_480,
            head: Duration::from_micros(12),
            total: Duration::from_micros(1_002_003),
            token: Some(TokenId(4)),
            hint: Some(TokenHint::from_stored("AbCd".to_owned())),
            error: None,
            fault: Some(Blame::Client),
            detail: Some("\"x\" = \u{7}".to_owned()),
            user_agent: Some("conda/26".to_owned()),
            end: "left",
        }
    }

    fn written(line: &Line) -> (serde_json::Value, String) {
        let (mut json, mut text) = (Vec::new(), Vec::new());
        line.write_json(&mut json);
        line.write_text(&mut text);
        (serde_json::from_slice(&json).unwrap(), String::from_utf8(text).unwrap())
    }

    #[test]
    fn json_has_every_value_and_no_field_without_one() {
        let (json, _) = written(&line());
        let expected = serde_json::json!({
            "time": "2026-11-01T12:00:00.123Z", "request_id": "0000000000ab00000007",
            "client": "2001:db8::1", "protocol": "h2", "method": "GET", "channel": "team/prod",
            "file": "noarch/a b.conda", "status": 200, "bytes": 20480, "head_ms": 0.012,
            "total_ms": 1002.003, "token": 4, "hint": "cg-AbCd…", "fault": "client",
            "detail": "\"x\" = \u{7}", "user_agent": "conda/26", "end": "left",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn text_can_be_split_at_spaces_outside_of_quotes() {
        let plain = Line { file: Some("noarch/a.conda".to_owned()), detail: None, ..line() };
        let (json, text) = written(&plain);
        let mut names: Vec<_> =
            text.split(' ').map(|pair| pair.split_once('=').unwrap().0).collect();
        names.sort_unstable();
        assert!(names.iter().eq(json.as_object().unwrap().keys()), "{text}");
        let (_, text) = written(&line());
        assert!(text.contains(r#" file="noarch/a b.conda" status=200 bytes=20480 "#), "{text}");
        assert!(text.contains(r#" detail="\"x\" = \u0007" "#), "{text}");
    }
}
