//! A line of the access log, as JSON or as text. Its fields are documented in docs/operating.md.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use access::{ChannelName, Timestamp, TokenHint, TokenId};

use crate::answer::Blame;
use crate::each_second::EachSecond;
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
    pub(super) fn write_json(&self, times: &Times, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write(&mut Fields::<true>(out), times);
        out.push(b'}');
    }

    /// Writes it as `key=value` pairs; values with spaces or quotes are quoted.
    pub(super) fn write_text(&self, times: &Times, out: &mut Vec<u8>) {
        self.write(&mut Fields::<false>(out), times);
    }

    /// Piece by piece and without the machinery of formatting, which would cost as much as the rest
    /// of the request.
    fn write<const JSON: bool>(&self, fields: &mut Fields<'_, JSON>, times: &Times) {
        fields.shown(key!("time").first(), |out| out.extend_from_slice(&times.at(self.time)));
        fields.shown(key!("request_id"), |out| out.extend_from_slice(self.request_id.as_bytes()));
        fields.shown(key!("client"), |out| address(out, self.client));
        fields.word(key!("protocol"), Some(self.protocol));
        match &self.method {
            Cow::Borrowed(known) => fields.word(key!("method"), Some(known)),
            Cow::Owned(other) => fields.text(key!("method"), Some(other)),
        }
        fields.word(key!("channel"), self.channel.as_ref().map(ChannelName::as_str));
        fields.text(key!("file"), self.file.as_deref());
        fields.number(key!("status"), Some(self.status.into()));
        fields.number(key!("bytes"), Some(self.bytes));
        fields.millis(key!("head_ms"), self.head);
        fields.millis(key!("total_ms"), self.total);
        fields.number(key!("token"), self.token.and_then(|token| token.0.try_into().ok()));
        if let Some(hint) = &self.hint {
            fields.shown(key!("hint"), |out| {
                hint.parts().iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
            });
        }
        fields.word(key!("error"), self.error);
        fields.word(key!("fault"), self.fault.map(Blame::as_str));
        fields.text(key!("detail"), self.detail.as_deref());
        fields.text(key!("user_agent"), self.user_agent.as_deref());
        fields.word(key!("end"), Some(self.end));
    }
}

/// A field's name as it stands in front of its value, in either form.
struct Key {
    text: &'static str,
    json: &'static str,
}

impl Key {
    /// The first has nothing in front of it.
    fn first(self) -> Self {
        Self { text: &self.text[1..], json: &self.json[1..] }
    }
}

/// The [`Key`] of a name.
macro_rules! key {
    ($name:literal) => {
        Key { text: concat!(" ", $name, "="), json: concat!(",\"", $name, "\":") }
    };
}
use key;

/// The fields of a line on their way, as JSON or as text; what has no value is left out. Inlined, so
/// that the length of a name is known where it is copied.
struct Fields<'o, const JSON: bool>(&'o mut Vec<u8>);

impl<const JSON: bool> Fields<'_, JSON> {
    fn text(&mut self, key: Key, value: Option<&str>) {
        let Some(value) = value else { return };
        self.key(key);
        if !JSON && is_plain(value) {
            self.0.extend_from_slice(value.as_bytes());
        } else {
            quote(self.0, value);
        }
    }

    /// One of our own words, or a name: without a space, a quote, a backslash or an equals sign.
    #[inline(always)]
    fn word(&mut self, key: Key, value: Option<&str>) {
        let Some(value) = value else { return };
        self.shown(key, |out| out.extend_from_slice(value.as_bytes()));
    }

    /// A value that is shown as such a word.
    #[inline(always)]
    fn shown(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>)) {
        let quote: &[u8] = if JSON { b"\"" } else { b"" };
        self.key(key);
        self.0.extend_from_slice(quote);
        write(self.0);
        self.0.extend_from_slice(quote);
    }

    #[inline(always)]
    fn number(&mut self, key: Key, value: Option<u64>) {
        let Some(value) = value else { return };
        self.key(key);
        number(self.0, value);
    }

    /// In milliseconds, to the microsecond: more digits are noise.
    #[inline(always)]
    fn millis(&mut self, key: Key, value: Duration) {
        self.key(key);
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        number(self.0, micros / 1000);
        let rest = (micros % 1000) as u16;
        let digit = |of: u16| b'0' + (rest / of % 10) as u8;
        self.0.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
    }

    #[inline(always)]
    fn key(&mut self, key: Key) {
        self.0.extend_from_slice(if JSON { key.json } else { key.text }.as_bytes());
    }
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            for (at, octet) in v4.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
                let zeros = usize::from(octet < 100) + usize::from(octet < 10);
                out.extend_from_slice(&digits[zeros..]);
            }
        }
        IpAddr::V6(v6) => {
            let _ = write!(out, "{v6}");
        }
    }
}

/// A JSON string.
fn quote(out: &mut Vec<u8>, text: &str) {
    let is_special = |b: u8| (b < b' ') | (b == b'"') | (b == b'\\');
    // Without leaving early, so that many bytes are looked at in one step.
    if text.bytes().fold(false, |found, b| found | is_special(b)) {
        let _ = serde_json::to_writer(out, text);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn is_plain(text: &str) -> bool {
    let is_odd = |b: u8| (b <= b' ') | (b > b'~') | (b == b'"') | (b == b'=');
    !text.is_empty() && !text.bytes().fold(false, |found, b| found | is_odd(b))
}

/// The times of lines; each is made once a second but for its milliseconds.
#[derive(Default)]
pub(super) struct Times(EachSecond<24>);

/// As in `2026-11-01T12:00:00.123Z`.
type Time = [u8; 24];

impl Times {
    fn at(&self, time: Timestamp) -> Time {
        let mut text = self.0.at(time, |second| second.to_string());
        let rest = time.as_millis().rem_euclid(1000);
        let digit = |of: i64| b'0' + (rest / of % 10) as u8;
        text[20..23].copy_from_slice(&[digit(100), digit(10), digit(1)]);
        text
    }
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
            hint: Some(TokenHint::from_stored("AbCd")),
            error: None,
            fault: Some(Blame::Client),
            detail: Some("\"x\" = \u{7}".to_owned()),
            user_agent: Some("conda/26".to_owned()),
            end: "left",
        }
    }

    fn written(line: &Line) -> (serde_json::Value, String) {
        let (times, mut json, mut text) = (Times::default(), Vec::new(), Vec::new());
        line.write_json(&times, &mut json);
        line.write_text(&times, &mut text);
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
    fn an_address_is_written_as_usual() {
        for text in ["0.9.10.99", "100.255.1.200", "2001:db8::1"] {
            let mut out = Vec::new();
            address(&mut out, text.parse().unwrap());
            assert_eq!(str::from_utf8(&out).unwrap(), text);
        }
    }

    #[test]
    fn a_time_is_of_its_millisecond() {
        let times = Times::default();
        for millis in [0, 1, 999, 1000, 1_793_534_400_123, 1_793_534_400_045, 1_793_534_401_000] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(str::from_utf8(&times.at(time)).unwrap(), time.to_string());
        }
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
