//! How long an upstream's answer may be given to others (RFC 9111; performance.md, "Object cache
//! rules").

use std::time::{Duration, SystemTime};

use super::super::client::UpstreamField::{Age, CacheControl, Date, Expires, Vary};
use super::super::client::{UpstreamField, UpstreamFields};
use crate::listener::visible;

/// How long an answer is as good as a new one. By default, not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Freshness {
    /// How old it was when it came.
    pub(super) age: Duration,
    /// How long from then on it need not be asked for again.
    pub(super) fresh_for: Duration,
    /// Whether it may be given although it is stale and the server doesn't answer.
    pub(super) may_bridge: bool,
}

impl Freshness {
    /// What the fields of an answer say, or else `ttl`. None: it is not for others.
    ///
    /// The gateway asks for everybody in the same words but `Accept` and `User-Agent`, so that an
    /// answer that varies with any of those is none that another client may be given.
    pub(super) fn of(fields: &UpstreamFields, ttl: Duration) -> Option<Self> {
        let varies = words(fields, Vary).any(|name| !name.eq_ignore_ascii_case("accept-encoding"));
        if varies {
            return None;
        }
        let (mut lifetime, mut shared) = (None, None);
        let (mut asks_always, mut may_bridge) = (false, true);
        for directive in words(fields, CacheControl) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "private" => return None,
                "no-cache" => asks_always = true,
                "must-revalidate" | "proxy-revalidate" => may_bridge = false,
                "max-age" => lifetime = Some(seconds(value)),
                "s-maxage" => {
                    shared = Some(seconds(value));
                    may_bridge = false;
                }
                _ => {}
            }
        }
        let age = fields.text(Age).map_or(Duration::ZERO, seconds);
        let lifetime = shared.or(lifetime).or_else(|| until_expiry(fields)).unwrap_or(ttl);
        let fresh_for = if asks_always { Duration::ZERO } else { lifetime.saturating_sub(age) };
        Some(Self { age, fresh_for, may_bridge: may_bridge && !asks_always })
    }
}

/// From `Date` to `Expires`; nothing where one of them can't be read, as RFC 9111, section 5.3 has
/// it for `Expires: 0`.
fn until_expiry(fields: &UpstreamFields) -> Option<Duration> {
    let date =
        |field| -> Option<SystemTime> { httpdate::parse_http_date(fields.text(field)?).ok() };
    fields.get(Expires)?;
    let lifetime = date(Expires).zip(date(Date)).map(|(end, from)| end.duration_since(from));
    Some(lifetime.and_then(Result::ok).unwrap_or_default())
}

/// A number of seconds; what can't be read is none.
fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.trim().trim_matches('"').parse().unwrap_or(0))
}

/// The items of a field that is a list.
fn words(fields: &UpstreamFields, field: UpstreamField) -> impl Iterator<Item = &str> {
    let values = fields.all(field).filter_map(visible);
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: u64 = 60;

    /// How many seconds an answer with these fields is fresh; none if it isn't kept.
    fn fresh_for(fields: &[(UpstreamField, &str)]) -> Option<u64> {
        let fields: UpstreamFields = fields.iter().copied().collect();
        let found = Freshness::of(&fields, Duration::from_secs(TTL))?;
        Some(found.fresh_for.as_secs())
    }

    #[test]
    fn the_storage_says_how_long_an_answer_is_fresh() {
        let control = CacheControl;
        let date = (Date, "Sun, 01 Nov 2026 12:00:00 GMT");
        for (fields, expected) in [
            (&[][..], Some(TTL)),
            (&[(control, "public, max-age=5")], Some(5)),
            (&[(control, "max-age=5, S-MaxAge=\"7\"")], Some(7)),
            (&[(control, "max-age=5"), (Age, "2")], Some(3)),
            (&[(control, "max-age=5"), (Age, "9")], Some(0)),
            (&[(control, "max-age=soon")], Some(0)),
            (&[(control, "no-cache, max-age=5")], Some(0)),
            (&[(control, "no-store")], None),
            (&[(control, "max-age=5, private")], None),
            (&[(Vary, "Accept-Encoding")], Some(TTL)),
            (&[(Vary, "Accept-Encoding, User-Agent")], None),
            (&[(Vary, "*")], None),
            (&[date, (Expires, "Sun, 01 Nov 2026 12:00:09 GMT")], Some(9)),
            (&[date, (Expires, "Sun, 01 Nov 2026 11:00:00 GMT")], Some(0)),
            (&[(Expires, "0")], Some(0)),
        ] {
            assert_eq!(fresh_for(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_must_be_asked_for_again_is_not_given_stale() {
        for (control, expected) in [
            ("max-age=5", true),
            ("max-age=5, must-revalidate", false),
            ("no-cache", false),
            ("s-maxage=5", false),
        ] {
            let fields = UpstreamFields::from_iter([(CacheControl, control)]);
            let found = Freshness::of(&fields, Duration::ZERO).unwrap();
            assert_eq!(found.may_bridge, expected, "{control}");
        }
    }
}
