//! Two servers in turns, and the ratio of what a request costs them.

use std::fmt::Write as _;

use access::Clock;
use serde::Serialize;

use crate::error::Error;
use crate::report::{Context, Run};
use crate::run::Outcome;

/// Rounds of the same load on the server and on a peer.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    context: Context,
    rounds: Vec<Round>,
    /// The middle of the rounds' ratios; with an even count the lower of the two.
    cpu_ratio: f64,
}

/// The same load on each, one after the other, so that what the machine does meanwhile meets both.
#[derive(Debug, Serialize)]
struct Round {
    server: Run,
    peer: Run,
    /// The server's processor time per request by the peer's: below 1 the server is cheaper.
    cpu_ratio: f64,
}

impl Comparison {
    pub(crate) fn new(clock: &impl Clock) -> Self {
        Self { context: Context::here(clock), rounds: Vec::new(), cpu_ratio: f64::NAN }
    }

    /// Adds a round.
    ///
    /// # Errors
    /// [`Error::NoCpuTime`] when there is no ratio.
    pub(crate) fn add(&mut self, server: &Outcome, peer: &Outcome) -> Result<(), Error> {
        let (server, peer) = (Run::from(server), Run::from(peer));
        let ours = server.server_cpu_micros_per_request.filter(|micros| *micros > 0.0);
        let theirs = peer.server_cpu_micros_per_request.filter(|micros| *micros > 0.0);
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Err(Error::NoCpuTime) };
        self.rounds.push(Round { server, peer, cpu_ratio: ours / theirs });
        let ratios = self.ratios();
        self.cpu_ratio = ratios[(ratios.len() - 1) / 2];
        Ok(())
    }

    /// Whether every answer of both was right.
    pub(crate) fn is_right(&self) -> bool {
        self.rounds.iter().all(|round| round.server.is_right() && round.peer.is_right())
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut table = self.context.line();
        table.push_str("round   server µs/request   peer µs/request   ratio   failures\n");
        for (number, round) in (1..).zip(&self.rounds) {
            let micros = |run: &Run| run.server_cpu_micros_per_request.unwrap_or_default();
            let (server, peer) = (micros(&round.server), micros(&round.peer));
            let failed: u64 =
                [&round.server, &round.peer].iter().flat_map(|run| run.failures.values()).sum();
            let _ = writeln!(
                table,
                "{number:>5} {server:>19.1} {peer:>17.1} {:>7.2} {failed:>10}",
                round.cpu_ratio
            );
        }
        let ratios = self.ratios();
        if let (Some(least), Some(most)) = (ratios.first(), ratios.last()) {
            let middle = self.cpu_ratio;
            let _ = writeln!(table, "ratio {middle:.2} (from {least:.2} to {most:.2})");
        }
        table
    }

    /// The rounds' ratios in ascending order.
    fn ratios(&self) -> Vec<f64> {
        let mut ratios: Vec<f64> = self.rounds.iter().map(|round| round.cpu_ratio).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use access::{ManualClock, Timestamp};

    use super::*;
    use crate::report::tests::outcome;

    #[test]
    fn the_middle_ratio_is_told_with_its_range() {
        let mut comparison = Comparison::new(&ManualClock::at(Timestamp::from_millis(0)));
        let peer = outcome(Duration::from_millis(100));
        for millis in [60, 50, 90] {
            comparison.add(&outcome(Duration::from_millis(millis)), &peer).unwrap();
        }
        let table = comparison.table();
        assert!(table.ends_with("ratio 0.60 (from 0.50 to 0.90)\n"), "{table}");
        assert!(table.contains("    3                90.0             100.0    0.90          0\n"));
        assert!(comparison.is_right());
    }

    #[test]
    fn a_server_that_used_no_time_gives_no_ratio() {
        let mut comparison = Comparison::new(&ManualClock::at(Timestamp::from_millis(0)));
        let idle = outcome(Duration::ZERO);
        let busy = outcome(Duration::from_millis(100));
        assert!(matches!(comparison.add(&busy, &idle), Err(Error::NoCpuTime)));
    }
}
