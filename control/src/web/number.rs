//! Counts and sizes in human units, with the exact value on hover.

use maud::{Markup, html};

/// What a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Things that are counted: `642 k`.
    Things,
    /// Bytes: `1.20 GiB`, as on the command line and in settings.
    Bytes,
}

impl Unit {
    fn names(self) -> &'static [&'static str; 7] {
        match self {
            Self::Things => &["", "k", "M", "G", "T", "P", "E"],
            Self::Bytes => &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"],
        }
    }

    /// How many of one unit are one of the next.
    pub(super) fn step(self) -> f64 {
        match self {
            Self::Things => 1000.0,
            Self::Bytes => 1024.0,
        }
    }

    /// The number in three digits.
    pub(super) fn short(self, number: u64) -> String {
        short(number, self.step(), self.names())
    }

    /// A round number, without zeros behind its point: `1.5 k`, `20 GiB`.
    pub(super) fn round(self, number: u64) -> String {
        let short = self.short(number);
        let (digits, unit) = short.split_once(' ').unwrap_or((&short, ""));
        let digits = match digits.contains('.') {
            true => digits.trim_end_matches('0').trim_end_matches('.'),
            false => digits,
        };
        format!("{digits} {unit}").trim_end().to_owned()
    }
}

/// A count of things: `642 k`, and on hover `641,872 downloads`.
pub(super) fn count(count: u64, things: &str) -> Markup {
    html! { span title={ (exact(count)) " " (things) } { (Unit::Things.short(count)) } }
}

/// A size: `1.2 GiB`, and on hover all its bytes.
pub(super) fn bytes(bytes: u64) -> Markup {
    html! { span title={ (exact(bytes)) " bytes" } { (Unit::Bytes.short(bytes)) } }
}

/// Three digits that say how many, with their unit.
fn short(number: u64, step: f64, units: &[&str]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut shown = number as f64;
    let mut unit = 0;
    // 999.5 would be shown as 1000: a thousand KiB are 0.98 MiB.
    while shown >= 999.5 && unit + 1 < units.len() {
        shown /= step;
        unit += 1;
    }
    let digits = match shown {
        _ if unit == 0 => 0,
        under_ten if under_ten < 9.995 => 2,
        under_hundred if under_hundred < 99.95 => 1,
        _ => 0,
    };
    format!("{shown:.digits$} {}", units.get(unit).unwrap_or(&"")).trim_end().to_owned()
}

/// Digits in groups of three.
pub(super) fn exact(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_say_how_many() {
        let told = |n| count(n, "downloads").into_string();
        assert!(told(1_283_904).contains(">1.28 M<"), "{}", told(1_283_904));
        assert!(told(641_872).contains("title=\"641,872 downloads\">642 k<"), "{}", told(641_872));
        for (n, words) in [(0, "0"), (999, "999"), (1000, "1.00 k"), (38_411, "38.4 k")] {
            assert!(told(n).contains(&format!(">{words}<")), "{}", told(n));
        }
        assert!(told(999_999).contains(">1.00 M<") && told(9_999).contains(">10.0 k<"));
        assert!(bytes(0).into_string().contains(">0 B<"));
        for (n, words) in [
            (1023, "1.00 KiB"),
            (1 << 20, "1.00 MiB"),
            (1_048_064_000, "0.98 GiB"),
            (3 << 29, "1.50 GiB"),
        ] {
            assert!(
                bytes(n).into_string().contains(&format!(">{words}<")),
                "{}",
                bytes(n).into_string()
            );
        }
        assert!(bytes(u64::MAX).into_string().contains(">16.0 EiB<"));
        assert_eq!(exact(1_234_567), "1,234,567");
    }
}
