//! What happened each day, as bars that can also be heard and read: a picture with a title and a
//! description, and the same numbers in a table.

use access::Day;
use maud::{Markup, html};

use super::number::Unit;

/// The chart's height, in units of its picture; a day is [`DAY`] wide.
const HEIGHT: f64 = 176.0;
const DAY: usize = 10;
/// Lines across, above the lowest.
const LINES: usize = 4;
/// Numbers that have four round parts: the smallest of all, and those of one, ten and a hundred of a
/// unit.
const SMALL: [f64; 2] = [4.0, 8.0];
const ONES: [f64; 5] = [1.0, 2.0, 4.0, 6.0, 8.0];
const TENS: [f64; 5] = [12.0, 20.0, 40.0, 60.0, 80.0];
const UNITS: i32 = 7;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The first of January 1970 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A number for each of some days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chart<'a> {
    /// The chart's name in the page, of letters: other parts of it refer to one another by it.
    pub(super) id: &'a str,
    /// What the numbers are: `Bytes per day`.
    pub(super) title: &'a str,
    /// In what.
    pub(super) unit: Unit,
    /// One after the other, without gaps, the last of which may not be over yet.
    pub(super) days: &'a [(Day, u64)],
    /// Which of them is not over yet.
    pub(super) today: Day,
}

/// Every day from one to another with its number; 0 for a day that `found` doesn't have.
pub(super) fn each_day(
    (from, to): (Day, Day),
    found: impl IntoIterator<Item = (Day, u64)>,
) -> Vec<(Day, u64)> {
    let mut days: Vec<_> =
        (from.number()..=to.number()).map(|number| (Day::from_number(number), 0)).collect();
    for (day, number) in found {
        let at = usize::try_from(day.number() - from.number());
        if let Some(slot) = at.ok().and_then(|at| days.get_mut(at)) {
            slot.1 = number;
        }
    }
    days
}

/// `26 Oct`.
pub(super) fn short_day(day: Day) -> String {
    let date = day.to_string();
    let mut parts = date.rsplit('-').map(|part| part.parse::<usize>().unwrap_or(1));
    let (number, month) = (parts.next().unwrap_or(1), parts.next().unwrap_or(1));
    format!("{number} {}", MONTHS.get(month - 1).copied().unwrap_or_default())
}

/// `Mon 26 Oct`.
pub(super) fn long_day(day: Day) -> String {
    let weekday = usize::try_from(day.number().rem_euclid(7)).unwrap_or(0);
    format!("{} {}", WEEKDAYS.get(weekday).copied().unwrap_or_default(), short_day(day))
}

/// Which days' names fit below: six or seven of them.
fn every(days: usize) -> usize {
    match days {
        0..=7 => 1,
        8..=30 => 5,
        more => more.div_ceil(6),
    }
}

impl Chart<'_> {
    /// The picture with its axes. The same numbers belong into a table below it.
    pub(super) fn render(&self) -> Markup {
        let Self { id, title, unit, days, today } = self;
        let scale = Scale::of(*unit, days.iter().map(|day| day.1).max().unwrap_or(0));
        let width = days.len() * DAY;
        let box_ = format!("0 0 {width} {HEIGHT}");
        let lines = (0..=LINES).map(|line| HEIGHT / LINES as f64 * line as f64);
        html! {
            div.chart {
                ol.y aria-hidden="true" { @for name in scale.names() { li { (name) } } }
                svg viewBox=(box_) preserveAspectRatio="none" role="img"
                    aria-labelledby=(format!("{id}-title {id}-description")) {
                    title id=(format!("{id}-title")) { (title) }
                    desc id=(format!("{id}-description")) { (self.description()) }
                    @for y in lines { line x1="0" x2=(width) y1=(y) y2=(y) {} }
                    @for (at, &(day, number)) in days.iter().enumerate() {
                        @let height = scale.height(number);
                        g {
                            title { (long_day(day)) ": " (unit.short(number)) }
                            rect.hit x=(at * DAY) y="0" width=(DAY) height=(HEIGHT) {}
                            rect class=[(day == *today).then_some("today")] x=(at * DAY + 2) width=(DAY - 4)
                                y=(format!("{:.1}", HEIGHT - height)) height=(format!("{height:.1}")) {}
                        }
                    }
                }
                @let every = every(days.len());
                ol.x.week[every == 1] aria-hidden="true" {
                    @for (day, _) in days.iter().step_by(every) { li { (short_day(*day)) } }
                }
            }
        }
    }

    /// What the bars show, in a sentence.
    fn description(&self) -> String {
        let Self { unit, days, .. } = self;
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return "No days".to_owned();
        };
        let between = format!("From {} to {}", short_day(first.0), short_day(last.0));
        let least = days.iter().map(|day| day.1).min().unwrap_or(0);
        // Of two that are equal the first.
        let most = days.iter().rev().max_by_key(|day| day.1).unwrap_or(first);
        if most.1 == 0 {
            return format!("{between}: nothing.");
        }
        format!(
            "{between}: between {} and {}, most on {}. The same numbers are in the table below.",
            unit.short(least),
            unit.short(most.1),
            short_day(most.0)
        )
    }
}

/// How high a number is.
#[derive(Clone, Copy, Debug)]
struct Scale {
    unit: Unit,
    /// The number at the upper edge.
    top: f64,
}

impl Scale {
    /// The smallest round one that has room for `most`, and whose lines are round too.
    fn of(unit: Unit, most: u64) -> Self {
        let in_unit = |power: i32| {
            let hundreds = [100.0].into_iter().chain(TENS.map(|ten| ten * 10.0));
            let numbers = ONES.into_iter().chain([10.0]).chain(TENS).chain(hundreds);
            numbers.map(move |number| number * unit.step().powi(power))
        };
        // Of things and bytes themselves there are no parts.
        let least = SMALL.into_iter().chain(in_unit(0).filter(|&top| top >= 12.0));
        let mut tops = least.chain((1..UNITS).flat_map(in_unit));
        let top = tops.find(|&top| top >= most as f64).unwrap_or(1e21);
        Self { unit, top }
    }

    fn height(self, number: u64) -> f64 {
        HEIGHT * number as f64 / self.top
    }

    /// From the top down.
    fn names(self) -> impl Iterator<Item = String> {
        (0..=LINES)
            .rev()
            .map(move |line| self.unit.round((self.top / LINES as f64 * line as f64) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn chart<'a>(days: &'a [(Day, u64)]) -> Chart<'a> {
        let today = day("2026-11-24");
        Chart { id: "bytes", title: "Bytes per day", unit: Unit::Bytes, days, today }
    }

    #[test]
    fn days_have_short_names() {
        assert_eq!(short_day(day("2026-10-26")), "26 Oct");
        assert_eq!(long_day(day("2026-10-26")), "Mon 26 Oct");
        assert_eq!(long_day(day("1970-01-01")), "Thu 1 Jan");
        assert_eq!(long_day(day("1969-12-31")), "Wed 31 Dec");
    }

    #[test]
    fn a_day_that_has_no_number_has_none() {
        let days = (day("2026-11-22"), day("2026-11-24"));
        let found = [(day("2026-11-23"), 7), (day("2026-11-25"), 9)];
        let numbers: Vec<u64> = each_day(days, found).into_iter().map(|day| day.1).collect();
        assert_eq!(numbers, [0, 7, 0]);
    }

    #[test]
    fn the_scale_is_round_and_has_room() {
        let names = |unit, most| Scale::of(unit, most).names().collect::<Vec<_>>().join(", ");
        assert_eq!(names(Unit::Bytes, 79 << 30), "80 GiB, 60 GiB, 40 GiB, 20 GiB, 0 B");
        assert_eq!(names(Unit::Bytes, 999 << 20), "1 GiB, 768 MiB, 512 MiB, 256 MiB, 0 B");
        assert_eq!(names(Unit::Bytes, 790 << 20), "800 MiB, 600 MiB, 400 MiB, 200 MiB, 0 B");
        assert_eq!(names(Unit::Things, 0), "4, 3, 2, 1, 0");
        assert_eq!(names(Unit::Things, 5), "8, 6, 4, 2, 0");
        assert_eq!(names(Unit::Things, 1_500), "2 k, 1.5 k, 1 k, 500, 0");
        for most in [1, 999, 1_000, 123_456, u64::MAX] {
            assert!(Scale::of(Unit::Things, most).height(most) <= HEIGHT, "{most}");
        }
    }

    #[test]
    fn a_chart_says_what_it_shows() {
        let days = each_day(
            (day("2026-11-22"), day("2026-11-24")),
            [
                (day("2026-11-22"), 3 << 30),
                (day("2026-11-23"), 5 << 30),
                (day("2026-11-24"), 1 << 30),
            ],
        );
        let shown = chart(&days).render().into_string();
        let description = "From 22 Nov to 24 Nov: between 1.00 GiB and 5.00 GiB, most on 23 Nov. \
                           The same numbers are in the table below.";
        assert!(shown.contains(description), "{shown}");
        assert!(shown.contains("<title>Mon 23 Nov: 5.00 GiB</title>"), "{shown}");
        assert_eq!(shown.matches("class=\"today\"").count(), 1, "{shown}");
        let nothing = each_day((day("2026-11-22"), day("2026-11-24")), []);
        assert!(chart(&nothing).render().into_string().contains("From 22 Nov to 24 Nov: nothing."));
    }
}
