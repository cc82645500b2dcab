//! Times: how long ago or ahead in words, with the exact time on hover. The script puts that into
//! the viewer's zone; without it, it is UTC.

use access::Timestamp;
use maud::{Markup, html};

/// A time as seen at `now`: `3 days ago`, `in 6 days`.
pub(super) fn moment(now: Timestamp, at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(exact(at)) { (relative(now, at)) } }
}

/// `2026-03-19 09:14:22 UTC`
pub(super) fn exact(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.split('.').next().unwrap_or_default())
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The words alone.
pub(super) fn relative(now: Timestamp, at: Timestamp) -> String {
    let ahead = at > now;
    let secs = if ahead { at.since(now) } else { now.since(at) }.as_secs();
    let (number, unit) = match secs {
        // What was made while the page was: clocks are read one after the other.
        5..MINUTE if ahead => return "in less than a minute".to_owned(),
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (secs / MINUTE, "minute"),
        HOUR..DAY => (secs / HOUR, "hour"),
        // What was issued a moment ago for 90 days is told as that.
        _ => match (secs + if ahead { DAY / 2 } else { 0 }) / DAY {
            // Tokens are issued for days: 90 of them are told as 90.
            days @ 0..=120 => (days, "day"),
            // And a year as 365, which is told as one.
            days @ 121..=364 => ((days + 15) / 30, "month"),
            days => (days / 365, "year"),
        },
    };
    let s = if number == 1 { "" } else { "s" };
    if ahead { format!("in {number} {unit}{s}") } else { format!("{number} {unit}{s} ago") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_told_from_now() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let ago = |secs| relative(now, now.minus(Duration::from_secs(secs)));
        let ahead = |secs| relative(now, now.plus(Duration::from_secs(secs)));
        assert_eq!((&*ago(0), &*ago(61)), ("just now", "1 minute ago"));
        assert_eq!((&*ago(2 * HOUR), &*ago(DAY)), ("2 hours ago", "1 day ago"));
        assert_eq!((&*ago(35 * DAY), &*ago(240 * DAY)), ("35 days ago", "8 months ago"));
        assert_eq!(ahead(1), "just now");
        assert_eq!((&*ahead(30), &*ahead(6 * DAY)), ("in less than a minute", "in 6 days"));
        assert_eq!((&*ahead(90 * DAY), &*ahead(180 * DAY)), ("in 90 days", "in 6 months"));
        assert_eq!((&*ahead(90 * DAY - 1), &*ahead(180 * DAY - 1)), ("in 90 days", "in 6 months"));
        assert_eq!((&*ahead(365 * DAY), &*ahead(365 * DAY - 1)), ("in 1 year", "in 1 year"));
    }

    #[test]
    fn the_exact_time_is_there_for_people_and_programs() {
        let at: Timestamp = "2026-03-19T09:14:22.5Z".parse().unwrap();
        let shown = moment(at, at).into_string();
        let expected = "<time datetime=\"2026-03-19T09:14:22.500Z\" \
            title=\"2026-03-19 09:14:22 UTC\">just now</time>";
        assert_eq!(shown, expected);
    }
}
