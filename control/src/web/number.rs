//! Counts and sizes in human units, with the exact value on hover.

use maud::{Markup, html};

/// A count of things: `642 k`, and on hover `641,872 downloads`.
pub(super) fn count(count: u64, things: &str) -> Markup {
    let words = short(count, 1000.0, &["", "k", "M", "G", "T", "P", "E"]);
    html! { span title={ (exact(count)) " " (things) } { (words) } }
}

/// A size: `1.2 GB`, and on hover all its bytes.
pub(super) fn bytes(bytes: u64) -> Markup {
    let words = short(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"]);
    html! { span title={ (exact(bytes)) " bytes" } { (words) } }
}

/// Three digits that say how many, with their unit.
fn short(number: u64, step: f64, units: &[&str]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut shown = number as f64;
    let mut unit = 0;
    // 999.5 would be shown as 1000.
    while shown >= step - 0.5 && unit + 1 < units.len() {
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
        assert!(bytes(u64::MAX).into_string().contains(">18.4 EB<"));
        assert_eq!(exact(1_234_567), "1,234,567");
    }
}
