//! A picture of a few lines, as SVG: small, readable as text, the same for the same numbers.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// Told apart by who can't tell all colours apart (Okabe and Ito).
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

/// Lines over what grows, each step of it as wide as the others.
pub(super) struct Plot {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    /// Whether the values grow by powers too.
    pub(super) is_steep: bool,
    pub(super) lines: Vec<Line>,
}

/// A server's values, in microseconds.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(u64, f64)>,
}

impl Plot {
    pub(super) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        text(&mut svg, (LEFT, 22.0), "start", self.title);
        let values = || self.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
        let scale = match self.is_steep {
            true => Scale::powers(values()),
            false => Scale::even(values()),
        };
        for (value, label) in scale.ticks() {
            let y = scale.y(value);
            let _ =
                writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#ddd\"/>", WIDTH - RIGHT);
            text(&mut svg, (LEFT - 8.0, y + 4.0), "end", &label);
        }
        let steps = self.steps();
        for (number, at) in steps.iter().enumerate() {
            let x = Self::x(number, steps.len());
            text(&mut svg, (x, HEIGHT - BOTTOM + 18.0), "middle", &super::short(*at));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        text(&mut svg, (middle, HEIGHT - 12.0), "middle", self.unit);
        text(&mut svg, (LEFT - 8.0, TOP - 8.0), "end", "µs");
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            line.draw(&mut svg, colour, &steps, &scale);
        }
        for (y, colour, name) in self.names(&scale) {
            let _ = write!(svg, "<g fill=\"{colour}\">");
            text(&mut svg, (WIDTH - RIGHT + 10.0, y + 4.0), "start", name);
            svg.push_str("</g>\n");
        }
        svg + "</svg>\n"
    }

    /// All that some line has a value at.
    fn steps(&self) -> Vec<u64> {
        let mut steps: Vec<u64> =
            self.lines.iter().flat_map(|line| &line.points).map(|point| point.0).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of steps")]
    fn x(number: usize, of: usize) -> f64 {
        let between = of.saturating_sub(1).max(1) as f64;
        LEFT + 15.0 + (WIDTH - LEFT - RIGHT - 30.0) * number as f64 / between
    }

    /// Each line's name beside its end, moved down where it would cover another.
    fn names(&self, scale: &Scale) -> Vec<(f64, &'static str, &'static str)> {
        let named = self.lines.iter().zip(COLOURS.iter().cycle());
        let mut names: Vec<_> = named
            .filter_map(|(line, colour)| Some((scale.y(line.points.last()?.1), *colour, line.name)))
            .collect();
        names.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut free = 0.0_f64;
        for name in &mut names {
            name.0 = name.0.max(free);
            free = name.0 + 15.0;
        }
        names
    }
}

impl Line {
    fn draw(&self, svg: &mut String, colour: &str, steps: &[u64], scale: &Scale) {
        let place = |(at, value): &(u64, f64)| {
            let number = steps.iter().position(|step| step == at).unwrap_or(0);
            (Plot::x(number, steps.len()), scale.y(*value))
        };
        let places: Vec<_> = self.points.iter().map(place).collect();
        let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let path = path.join("L");
        let _ = writeln!(
            svg,
            "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        );
        for (x, y) in places {
            let _ =
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
    }
}

/// Where a value stands.
enum Scale {
    /// From nothing to this.
    Even(f64),
    /// From one power of ten to another.
    Powers(f64, f64),
}

impl Scale {
    fn even(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(1.0, f64::max);
        let power = 10_f64.powf(most.log10().floor());
        let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0].map(|step| step * power);
        Self::Even(steps.into_iter().find(|step| *step >= most).unwrap_or(most))
    }

    fn powers(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values.fold((f64::INFINITY, 1.0_f64), |(least, most), value| {
            (least.min(value.max(1e-3)), most.max(value))
        });
        let least = if least.is_finite() { least.log10().floor() } else { 0.0 };
        Self::Powers(least, most.log10().ceil().max(least + 1.0))
    }

    fn y(&self, value: f64) -> f64 {
        let share = match self {
            Self::Even(most) => value / most,
            Self::Powers(least, most) => (value.max(1e-3).log10() - least) / (most - least),
        };
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        match self {
            Self::Even(most) => (0..=4)
                .map(|quarter| most * f64::from(quarter) / 4.0)
                .map(|value| (value, format!("{value}")))
                .collect(),
            Self::Powers(least, most) => {
                let powers = std::iter::successors(Some(*least), |power| Some(power + 1.0));
                let powers = powers.take_while(|power| power <= most);
                powers.map(|power| (10_f64.powf(power), power_label(power))).collect()
            }
        }
    }
}

/// Ten to the power of a whole number.
fn power_label(power: f64) -> String {
    match power {
        3.0..6.0 => format!("{} k", 10_f64.powf(power - 3.0)),
        6.0.. => format!("{} M", 10_f64.powf(power - 6.0)),
        _ => format!("{}", 10_f64.powf(power)),
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_belong_and_names_do_not_cover_each_other() {
        let plot = Plot {
            title: "Title",
            unit: "tokens",
            is_steep: false,
            lines: vec![
                Line { name: "one", points: vec![(10, 20.0), (1000, 40.0)] },
                Line { name: "other", points: vec![(10, 40.0), (1000, 40.0)] },
            ],
        };
        let svg = plot.svg();
        // 40 is the top of the scale, 20 its middle.
        assert!(svg.contains("<circle cx=\"85.0\" cy=\"175.0\""), "{svg}");
        assert!(svg.contains("<circle cx=\"475.0\" cy=\"40.0\""), "{svg}");
        assert!(svg.contains(">10</text>") && svg.contains(">1 k</text>"), "{svg}");
        assert!(svg.contains("y=\"44.0\" text-anchor=\"start\">one"), "{svg}");
        assert!(svg.contains("y=\"59.0\" text-anchor=\"start\">other"), "{svg}");
    }

    #[test]
    fn powers_of_ten_are_even_steps() {
        let scale = Scale::powers([50.0, 5_000.0].into_iter());
        let ys: Vec<_> = [10.0, 100.0, 1_000.0, 10_000.0].map(|v| scale.y(v)).to_vec();
        assert!((ys[0] - ys[1] - (ys[2] - ys[3])).abs() < 1e-9, "{ys:?}");
        assert_eq!(scale.ticks().len(), 4);
        // Nothing measured draws nothing, and panics at nothing.
        let empty = Plot { title: "", unit: "", is_steep: true, lines: Vec::new() };
        assert!(empty.svg().ends_with("</svg>\n"));
    }
}
