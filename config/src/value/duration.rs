//! Durations: `30s`.

use std::path::Path;
use std::time::Duration;

use super::{Raw, Refusal, Value, quote};

/// The units, largest first: name, milliseconds, and from how many of it a duration is written
/// in it.
const UNITS: [(&str, u128, u128); 5] = [
    ("d", 24 * 60 * 60 * 1000, 2),
    ("h", 60 * 60 * 1000, 1),
    ("m", 60 * 1000, 10),
    ("s", 1000, 1),
    ("ms", 1, 1),
];

impl Value for Duration {
    fn accepted() -> String {
        "a duration (ms, s, m, h or d)".to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let parsed = raw.text().and_then(parse);
        parsed.ok_or_else(|| Refusal::new("is not a duration"))
    }

    fn render(&self) -> Option<String> {
        Some(quote(&write(*self)))
    }
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let (_, milliseconds, _) = UNITS.iter().find(|(name, ..)| *name == unit)?;
    let total = count.parse::<u64>().ok()?.checked_mul(u64::try_from(*milliseconds).ok()?)?;
    Some(Duration::from_millis(total))
}

/// In the largest unit that divides it, but with small counts in the next one: `24h`, `180s`.
fn write(duration: Duration) -> String {
    let total = duration.as_millis();
    for (name, milliseconds, least) in UNITS {
        if total.is_multiple_of(milliseconds) && total / milliseconds >= least {
            return format!("{}{name}", total / milliseconds);
        }
    }
    "0s".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        for (text, seconds) in [
            ("0s", 0),
            ("30s", 30),
            ("180s", 180),
            ("15m", 900),
            ("24h", 86_400),
            ("365d", 31_536_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
            assert_eq!(write(Duration::from_secs(seconds)), text);
        }
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
    }

    #[test]
    fn not_durations() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "30S",
            "30sec",
            "99999999999999999999s",
            "9999999999999999999d",
            "１s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(milliseconds in any::<u32>()) {
            let duration = Duration::from_millis(u64::from(milliseconds));
            prop_assert_eq!(parse(&write(duration)), Some(duration));
        }
    }
}
