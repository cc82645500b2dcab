//! What may grow.

use std::rc::Rc;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::error::Error;
use crate::lab::{Channel, Lab, Size};
use crate::run::Plan;
use crate::workload::{File, Order, Population, Workload};

/// The tokens where it is not they that grow.
const TOKENS: usize = 10_000;
const SMALL_BYTES: u64 = 20 << 10;

/// What a run takes at least for each connection.
const EACH_CONNECTION: Duration = Duration::from_micros(400);

/// One thing that grows while everything else stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Axis {
    /// Tokens in use, each as often as any other
    Tokens,
    /// Channels in use
    Channels,
    /// Connections, with a request at a time on each
    Connections,
    /// Bytes of the file that is asked for
    Size,
    /// Threads of the server
    Threads,
}

impl Axis {
    pub(crate) const ALL: [Self; 5] =
        [Self::Tokens, Self::Channels, Self::Connections, Self::Size, Self::Threads];

    /// The steps that it grows in.
    pub(crate) fn steps(self) -> impl Iterator<Item = u64> {
        let (first, last): (u64, u64) = match self {
            Self::Tokens => (10, 1_000_000),
            Self::Channels => (1, 1_000),
            Self::Connections => (1, 10_000),
            Self::Size => (1_000, 1_000_000_000),
            Self::Threads => (1, 2),
        };
        let factor = if self == Self::Threads { 2 } else { 10 };
        std::iter::successors(Some(first), move |at| Some(at * factor))
            .take_while(move |at| *at <= last)
    }

    /// The servers that are compared.
    pub(crate) fn subjects(self) -> &'static [&'static str] {
        match self {
            Self::Tokens | Self::Connections | Self::Threads => &["directory", "nginx-static"],
            // The others know no channels.
            Self::Channels => &["directory"],
            Self::Size => &[
                "directory",
                "http-uncached",
                "nginx-static",
                "nginx-map-16x64k",
                "haproxy-map-splice",
            ],
        }
    }

    /// Whether the servers are set up anew for each step.
    pub(crate) fn is_of_the_server(self) -> bool {
        !matches!(self, Self::Connections | Self::Size)
    }

    pub(crate) fn size(self, at: u64) -> Size {
        let all = Size { tokens: TOKENS, channels: 1, threads: 1 };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        match self {
            Self::Tokens => Size { tokens: at, ..all },
            Self::Channels => Size { channels: at, tokens: 100, ..all },
            Self::Threads => Size { threads: at, ..all },
            Self::Connections | Self::Size => all,
        }
    }

    /// What is asked for, by paths from the server's root.
    pub(crate) fn workload(self, lab: &Lab, at: u64) -> Result<Workload, Error> {
        let files = match self {
            Self::Size => lab.channel.packages(&format!("of-{at}"), 1, at)?,
            _ => lab.channel.packages("small", 20, SMALL_BYTES)?,
        };
        let channels = if self == Self::Channels { self.size(at).channels } else { 1 };
        let in_each = (0..channels).zip(files.iter().cycle());
        let files = if channels > 1 {
            in_each.map(|(number, file)| in_channel(number, file)).collect()
        } else {
            files.iter().map(|file| in_channel(0, file)).collect()
        };
        let tokens = match self {
            // So that all are met, not only the few that come often.
            Self::Tokens => Rc::new(Population::even(lab.tokens.known.tokens().to_vec())),
            _ => Rc::clone(&lab.tokens.known),
        };
        Ok(Workload { files, tokens, order: Order::Drawn, held: false, hash: false, seed: 1 })
    }

    pub(crate) fn plan(self, at: u64, time: Duration) -> Plan {
        let connections = match self {
            Self::Connections => u32::try_from(at).unwrap_or(u32::MAX),
            Self::Size if at > 10_000_000 => 4,
            _ => 16,
        };
        // Long enough for some requests on each of many connections.
        let time = time.max(EACH_CONNECTION * connections);
        Plan {
            connections,
            streams: 1,
            requests: 10_000_000,
            time,
            per_second: None,
            stays_awake: false,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Channels => "channels",
            Self::Connections => "connections",
            Self::Size => "size",
            Self::Threads => "threads",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Size => "bytes",
            _ => self.name(),
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Tokens => "Processor time per request of 20 KB, by tokens in use",
            Self::Channels => "Processor time per request of 20 KB, by channels in use",
            Self::Connections => "Processor time per request of 20 KB, by busy connections",
            Self::Size => "Processor time per request, by the file's size",
            Self::Threads => "Processor time per request of 20 KB, by threads",
        }
    }
}

fn in_channel(number: usize, file: &File) -> File {
    File { path: format!("{}/{}", Channel::name_of(number), file.path), ..file.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::SUBJECTS;

    #[test]
    fn steps_are_as_documented_and_servers_exist() {
        let steps = |axis: Axis| axis.steps().collect::<Vec<_>>();
        assert_eq!(steps(Axis::Threads), [1, 2]);
        assert_eq!(steps(Axis::Connections), [1, 10, 100, 1_000, 10_000]);
        assert_eq!(steps(Axis::Tokens).last(), Some(&1_000_000));
        for axis in Axis::ALL {
            for name in axis.subjects() {
                assert!(SUBJECTS.iter().any(|subject| subject.name == *name), "{name}");
            }
        }
    }
}
