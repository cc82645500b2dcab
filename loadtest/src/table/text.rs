//! The table for people, in Markdown.

use std::fmt::Write as _;

use super::{Cell, Load, Table, goals};
use crate::report::Run;

impl Table {
    /// All that was measured.
    pub(crate) fn text(&self) -> String {
        let mut text = self.context.line();
        let _ =
            writeln!(text, "{}; {}; {} tokens", self.versions.join(", "), self.cores, self.tokens);
        let seconds = self.time.as_secs_f64();
        let _ = writeln!(text, "{} rounds of {seconds} s each, middle of all\n", self.rounds);
        let sections = [
            ("What is asked of it", self.goals()),
            (
                "Processor time per request, µs",
                self.cells(|cell| cell.cpu_micros().map(|micros| format!("{micros:.1}"))),
            ),
            ("Processor time per request, by the peer's (range of the rounds)", self.ratios()),
            ("Latency at the same rate for all, ms: p50 / p99", self.latencies()),
            (
                "Requests per second with nothing held back; the server's share of its core",
                self.cells(|cell| {
                    let per_second = super::middle(cell.rounds.iter().map(Run::per_second))?;
                    let busy = super::middle(cell.rounds.iter().filter_map(Run::busy))?;
                    Some(format!("{per_second:.0}; {:.0} %", busy * 100.0))
                }),
            ),
            (
                "Peak of resident memory, MiB",
                self.cells(|cell| {
                    let peak = cell.rounds.iter().filter_map(Run::peak_resident_bytes).max()?;
                    Some((peak >> 20).to_string())
                }),
            ),
        ];
        for (title, rows) in sections {
            let _ = writeln!(text, "{title}\n\n{rows}");
        }
        for (subject, load, what, count) in self.failures() {
            let _ = writeln!(text, "FAILED: {subject}, {}: {count} × {what}", load.title());
        }
        text
    }

    /// The ratios that something is asked of, each beside the most that it may be.
    fn goals(&self) -> String {
        let mut rows = Vec::new();
        for goal in &goals::GOALS {
            let cell = |load: Load| {
                let found = self.comparisons.iter().find(|found| {
                    (found.subject, found.peer, found.load) == (goal.subject, goal.peer, load)
                })?;
                let most = found.at_most?;
                let verdict = if found.cpu_ratio <= most { "met" } else { "**not met**" };
                let p99 = found.p99_ratio.map_or(String::new(), |p99| format!("; p99 {p99:.2}"));
                Some(format!("{:.2} of {most:.2} {verdict}{p99}", found.cpu_ratio))
            };
            rows.push((format!("{} / {}", goal.subject, goal.peer), self.row(cell)));
        }
        self.markdown(rows)
    }

    fn ratios(&self) -> String {
        let mut rows: Vec<(String, Vec<Option<String>>)> = Vec::new();
        for one in &self.comparisons {
            let name = format!("{} / {}", one.subject, one.peer);
            if rows.last().is_none_or(|(last, _)| *last != name) {
                let cell = |load: Load| {
                    let found = self.comparisons.iter().find(|found| {
                        (found.subject, found.peer, found.load) == (one.subject, one.peer, load)
                    })?;
                    Some(format!("{:.2} ({:.2}–{:.2})", found.cpu_ratio, found.least, found.most))
                };
                rows.push((name, self.row(cell)));
            }
        }
        self.markdown(rows)
    }

    fn latencies(&self) -> String {
        let cells = self.cells(|cell| {
            let p50 = cell.latency_micros(Run::p50_micros)?;
            let p99 = cell.latency_micros(Run::p99_micros)?;
            Some(format!("{:.2} / {:.2}", p50 / 1e3, p99 / 1e3))
        });
        // Plain and TLS have rates of their own.
        let rate = |tls: bool| {
            self.row(|load| {
                let mut cells = self.cells.iter().filter(|cell| cell.load == load);
                let cell = cells.find(|cell| cell.subject.ends_with("-tls") == tls)?;
                cell.per_second.map(|rate| format!("{rate:.0}/s"))
            })
        };
        let rates = [("rate", rate(false)), ("rate, TLS", rate(true))];
        let rates = rates.map(|(name, row)| line(name, &row)).concat();
        cells + &rates
    }

    /// A row for each server.
    fn cells(&self, show: impl Fn(&Cell) -> Option<String>) -> String {
        let rows = self.subjects.iter().map(|subject| {
            let cell = |load: Load| {
                let is_it = |cell: &&Cell| cell.subject == *subject && cell.load == load;
                self.cells.iter().find(is_it).and_then(&show)
            };
            ((*subject).to_owned(), self.row(cell))
        });
        self.markdown(rows.collect())
    }

    fn row(&self, cell: impl Fn(Load) -> Option<String>) -> Vec<Option<String>> {
        self.loads.iter().map(|load| cell(*load)).collect()
    }

    /// Rows without anything in them are left out.
    fn markdown(&self, rows: Vec<(String, Vec<Option<String>>)>) -> String {
        let heads: Vec<_> = self.loads.iter().map(|load| Some(load.title().to_owned())).collect();
        let mut text = line("", &heads);
        text.push_str(&line("---", &vec![Some("---".to_owned()); heads.len()]));
        for (name, cells) in rows {
            if cells.iter().any(Option::is_some) {
                text.push_str(&line(&name, &cells));
            }
        }
        text
    }

    fn failures(&self) -> impl Iterator<Item = (&str, Load, &String, u64)> {
        self.cells.iter().flat_map(|cell| {
            let runs = cell.rounds.iter().chain(&cell.paced);
            let failures = runs.flat_map(|run| &run.failures);
            failures.map(|(what, count)| (cell.subject, cell.load, what, *count))
        })
    }
}

fn line(name: &str, cells: &[Option<String>]) -> String {
    let cells = cells.iter().map(|cell| cell.as_deref().unwrap_or_default());
    let mut line = format!("| {name} |");
    for cell in cells {
        let _ = write!(line, " {cell} |");
    }
    line + "\n"
}
