//! The kinds of load that the table has a column for.

use std::rc::Rc;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::error::Error;
use crate::lab::{Lab, Running, Subject};
use crate::run::Plan;
use crate::target::Target;
use crate::workload::{Order, Workload};

/// The sizes of the packages of an install, in KB, five of each: half are below 150 KB, a few make
/// up most of the bytes, as in an environment for data analysis.
const INSTALL_KB: [u64; 12] = [8, 14, 24, 40, 70, 120, 200, 350, 700, 1500, 4000, 15000];
const OF_EACH: usize = 5;
const INDEX_BYTES: u64 = 2_000_000;

/// What is asked for. All of it comes with 10,000 tokens by Zipf's law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// 100 packages of 20 KB
    Small,
    /// 16 packages of 1 MB
    Medium,
    /// 2 packages of 64 MB
    Large,
    /// The index, by who has it: 304
    NotModified,
    /// As 20 KB, with a tenth of the requests by tokens that nobody knows
    Unknown,
    /// Cold installs: the index, then 60 packages over 5 new connections
    Install,
    /// Over HTTP/2: 200 shards, on 2 connections with 100 streams each
    Shards,
}

impl Load {
    pub(crate) const ALL: [Self; 7] = [
        Self::Small,
        Self::Medium,
        Self::Large,
        Self::NotModified,
        Self::Unknown,
        Self::Install,
        Self::Shards,
    ];

    /// The column's head.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Small => "20 KB",
            Self::Medium => "1 MB",
            Self::Large => "64 MB",
            Self::NotModified => "304",
            Self::Unknown => "unknown",
            Self::Install => "install",
            Self::Shards => "shards",
        }
    }

    /// Whether `subject` gets it.
    pub(crate) fn suits(self, subject: &Subject) -> bool {
        match self {
            Self::Shards => subject.tls,
            Self::Unknown => !subject.tls,
            _ => true,
        }
    }

    /// Whether it is given at a rate too: an install has no rate, its requests wait for another.
    pub(crate) fn is_paced(self) -> bool {
        self != Self::Install
    }

    /// Where it goes.
    pub(crate) fn target(self, running: &Running) -> Rc<Target> {
        match (&running.http2, self) {
            (Some(http2), Self::Shards) => Rc::clone(http2),
            _ => Rc::clone(&running.target),
        }
    }

    /// Makes the files that are asked for.
    pub(crate) fn workload(self, lab: &Lab) -> Result<Workload, Error> {
        let channel = &lab.channel;
        let files = match self {
            Self::Small | Self::Unknown => channel.packages("small", 100, 20 << 10)?,
            Self::Medium => channel.packages("medium", 16, 1 << 20)?,
            Self::Large => channel.packages("large", 2, 64 << 20)?,
            Self::NotModified => vec![channel.index(INDEX_BYTES)?],
            Self::Install => {
                let mut files = vec![channel.index(INDEX_BYTES)?];
                for kb in INSTALL_KB {
                    files.extend(channel.packages(&format!("of-{kb}kb"), OF_EACH, kb * 1000)?);
                }
                files
            }
            Self::Shards => channel.shards(200)?,
        };
        let tokens = match self {
            Self::Unknown => Rc::new(lab.with_unknown()),
            _ => Rc::clone(&lab.tokens.known),
        };
        let order = if self == Self::Install { Order::Installs } else { Order::Drawn };
        let held = self == Self::NotModified;
        Ok(Workload { files, tokens, order, held, hash: false, seed: 1 })
    }

    /// As many connections as keep the server busy.
    pub(crate) fn plan(self, time: Duration) -> Plan {
        let (connections, streams) = match self {
            Self::Small | Self::NotModified | Self::Unknown => (16, 1),
            Self::Medium => (8, 1),
            Self::Large => (4, 1),
            // As many as conda downloads at a time.
            Self::Install => (5, 1),
            Self::Shards => (2, 100),
        };
        let stays_awake = match self {
            Self::Small | Self::NotModified | Self::Unknown | Self::Shards => true,
            Self::Medium | Self::Large | Self::Install => false,
        };
        let requests = 10_000_000;
        Plan { connections, streams, requests, time, per_second: None, stays_awake }
    }
}
