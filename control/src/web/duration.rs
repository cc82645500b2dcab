//! How long something lasts, in its two greatest units.

use std::time::Duration;

/// `2 min 34 s`, `3 min`, `38 ms`.
pub(super) fn duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    let two = |(first, one), (second, other)| match second {
        0 => format!("{first}\u{a0}{one}"),
        _ => format!("{first}\u{a0}{one} {second}\u{a0}{other}"),
    };
    match secs {
        0 => format!("{}\u{a0}ms", duration.as_millis()),
        1..60 => format!("{secs}\u{a0}s"),
        60..3_600 => two((secs / 60, "min"), (secs % 60, "s")),
        3_600..86_400 => two((secs / 3_600, "h"), (secs % 3_600 / 60, "min")),
        _ => two((secs / 86_400, "d"), (secs % 86_400 / 3_600, "h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_two_units() {
        for (millis, words) in [
            (38, "38 ms"),
            (28_900, "28 s"),
            (154_000, "2 min 34 s"),
            (180_000, "3 min"),
            (3_900_000, "1 h 5 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)).replace('\u{a0}', " "), words);
        }
    }
}
