//! From what is typed to what is sent.

use std::time::Duration;

use access::{ChannelName, Clock as _, SystemClock, Timestamp};
use clap::builder::{PossibleValuesParser, TypedValueParser as _, ValueParser};
use serde_json::{Value, json};

use super::verb::Kind;

/// How every service account's name begins (product.md S4).
const ACCOUNT: &str = "service-account-channel-";
/// What takes a limit away.
const NONE: &str = "none";

/// How `clap` reads an input of this kind: into what is sent.
pub(super) fn parser(kind: Kind) -> ValueParser {
    let read: fn(&str) -> Result<Value, String> = match kind {
        Kind::Word(_, words) => return PossibleValuesParser::new(words).map(Value::from).into(),
        Kind::Truth => {
            let words = PossibleValuesParser::new(["true", "false"]);
            return words.map(|word| Value::Bool(word == "true")).into();
        }
        Kind::Text(_) | Kind::Lines => |text| Ok(text.into()),
        Kind::Flag | Kind::Password | Kind::OwnPassword => |text| Ok(text.into()),
        Kind::Number => number,
        Kind::Size => size,
        Kind::Channel => |text| channel(text).map(|name| name.as_str().into()),
        Kind::ServiceAccount => service_account,
        Kind::Time => |text| time(text, SystemClock.now()).map(|time| time.to_string().into()),
        Kind::Day => |text| time(text, SystemClock.now()).map(|time| time.date().into()),
        Kind::Expiry => expiry,
    };
    ValueParser::new(read)
}

/// The name of a channel's service account (product.md S4).
pub(crate) fn account_of(channel: &str) -> String {
    format!("{ACCOUNT}{}", channel.replace('/', ":"))
}

fn channel(text: &str) -> Result<ChannelName, String> {
    text.parse().map_err(|error: access::ChannelNameError| error.to_string())
}

fn service_account(text: &str) -> Result<Value, String> {
    if text.starts_with(ACCOUNT) {
        return Ok(text.into());
    }
    channel(text).map(|name| account_of(name.as_str()).into())
}

fn number(text: &str) -> Result<Value, String> {
    match text {
        NONE => Ok(Value::Null),
        _ => text.parse::<u64>().map(Value::from).map_err(|_why| "is no whole number".into()),
    }
}

fn size(text: &str) -> Result<Value, String> {
    const UNITS: [(&str, u32); 5] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("", 0)];
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift =
        UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..]).map(|(_, shift)| shift);
    let bytes = || digits.parse::<u64>().ok()?.checked_mul(1 << shift?);
    match text {
        NONE => Ok(Value::Null),
        _ => bytes().map(Value::from).ok_or_else(|| "is no size like 500MiB or 10GiB".into()),
    }
}

/// A number with one unit: `90d`, `24h`, `10m`, `5s`.
fn duration(text: &str) -> Option<Duration> {
    let secs_per_unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let count: u64 = text[..text.len() - 1].parse().ok()?;
    count.checked_mul(secs_per_unit).map(Duration::from_secs)
}

/// A date is its first moment in UTC.
fn point(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_a_date| format!("{text}T00:00:00Z").parse()).ok()
}

fn time(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let ago = |by: Duration| {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.as_millis().saturating_sub(by))
    };
    let time = duration(text).map(ago).or_else(|| point(text));
    time.ok_or_else(|| "is neither 24h (ago), 2026-11-01 nor 2026-11-01T12:00:00Z".into())
}

fn expiry(text: &str) -> Result<Value, String> {
    match (duration(text), point(text)) {
        (Some(_), _) => Ok(json!({ "expires_in": text })),
        (None, Some(time)) => Ok(json!({ "expires_at": time.to_string() })),
        (None, None) => Err("is neither 90d, 2027-01-31 nor 2027-01-31T12:00:00Z".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_may_be_none() {
        assert_eq!(size("10GiB"), Ok(json!(10_u64 << 30)));
        assert_eq!(size("1024"), Ok(json!(1024)));
        assert_eq!(size("none"), Ok(Value::Null));
        for wrong in ["", "GiB", "10GB", "-1MiB", "1.5GiB", "99999999TiB", "ä"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_dates_times_or_how_long_ago() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let read = |text: &str| time(text, now).map(|time| time.to_string());
        assert_eq!(read("24h").unwrap(), "2026-11-23T12:00:00.000Z");
        assert_eq!(read("2026-11-01").unwrap(), "2026-11-01T00:00:00.000Z");
        assert_eq!(read("2026-11-01T12:30:00+01:00").unwrap(), "2026-11-01T11:30:00.000Z");
        for wrong in ["", "now", "2026-13-01", "24", "d", "1y", "ä"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_end_is_a_duration_or_a_time() {
        assert_eq!(expiry("90d"), Ok(json!({ "expires_in": "90d" })));
        assert_eq!(expiry("2027-01-31"), Ok(json!({ "expires_at": "2027-01-31T00:00:00.000Z" })));
        assert!(expiry("tomorrow").is_err());
    }

    #[test]
    fn a_service_account_is_named_by_itself_or_by_its_channel() {
        let name = json!("service-account-channel-a:b");
        assert_eq!(service_account("a/b"), Ok(name.clone()));
        assert_eq!(service_account("service-account-channel-a:b"), Ok(name));
        assert!(service_account("No Channel").is_err());
    }
}
