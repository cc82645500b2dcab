//! Durations in requests: `90d`, `24h`, `10s`.

use std::time::Duration;

/// Reads a whole number with one unit.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let secs_per_unit: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(secs_per_unit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        assert_eq!(parse_duration("90d"), Some(Duration::from_secs(90 * 86_400)));
        assert_eq!(parse_duration("24h"), Some(Duration::from_secs(86_400)));
        assert_eq!(parse_duration("0s"), Some(Duration::ZERO));
        for text in
            ["", "d", "90", "-1d", "+1d", "1.5h", "1 d", "1y", "1ä", "99999999999999999999d"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
