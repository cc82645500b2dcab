//! Points in time as the control database keeps them.

use std::fmt;
use std::time::Duration;

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A point in time from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This point moved on by `by`, or the last one that can be told.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This point moved back by `by`, or the first one that can be told.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this point is; nothing when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// The calendar day in UTC: `2026-11-01`.
    pub fn date(self) -> String {
        self.jiff().strftime("%Y-%m-%d").to_string()
    }

    /// The day in UTC.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(MILLIS_PER_DAY))
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }
}

/// RFC 3339 in UTC, with milliseconds: `2026-11-01T12:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.jiff())
    }
}

/// A text that is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no RFC 3339 time; write one like 2026-11-01T12:00:00Z")]
pub struct TimestampError(String);

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_millisecond()))
            .map_err(|_why| TimestampError(text.to_owned()))
    }
}

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day so many days after 1970-01-01.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// How many days after 1970-01-01 it is.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// When the day ends: the first moment of the next one.
    pub const fn end(self) -> Timestamp {
        Timestamp(self.0.saturating_add(1).saturating_mul(MILLIS_PER_DAY))
    }

    /// The day so many days before.
    #[must_use]
    pub const fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days as i64))
    }
}

/// As in RFC 3339: `2026-11-01`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Timestamp(self.0.saturating_mul(MILLIS_PER_DAY)).date())
    }
}

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day; write one like 2026-11-01")]
pub struct DayError(String);

impl std::str::FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let begins = format!("{text}T00:00:00Z").parse::<Timestamp>();
        begins.map(Timestamp::day).map_err(|_why| DayError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_3339_and_read_back() {
        let t = Timestamp::from_millis(1_793_534_400_123);
        assert_eq!(t.to_string(), "2026-11-01T12:00:00.123Z");
        assert_eq!(t.to_string().parse(), Ok(t));
        assert_eq!(t.date(), "2026-11-01");
    }

    #[test]
    fn a_day_is_written_as_a_date_and_read_back() {
        let t = Timestamp::from_millis(1_793_534_400_123);
        assert_eq!(t.day().to_string(), "2026-11-01");
        assert_eq!("2026-11-01".parse(), Ok(t.day()));
        assert_eq!(t.day().end().to_string(), "2026-11-02T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(-1).day().to_string(), "1969-12-31");
        for text in ["", "2026-13-01", "2026-11-01T00:00:00Z", "1 November"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn is_never_out_of_range() {
        let last = Timestamp::from_millis(i64::MAX);
        assert!(!last.to_string().is_empty());
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(Timestamp::from_millis(0).since(last), Duration::ZERO);
    }
}
