//! What condagate is held to.

use super::Load;

/// A ratio of processor time per request, and the most that it may be.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) subject: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) at_most: &'static [(Load, f64)],
}

use Load::{Large, Medium, NotModified, Shards, Small};

/// All of them, a row each.
pub(crate) const GOALS: [Goal; 5] = [
    Goal {
        subject: "directory",
        peer: "nginx-static",
        at_most: &[(Small, 0.70), (Medium, 0.90), (Large, 1.10), (NotModified, 0.70)],
    },
    Goal {
        subject: "http",
        peer: "nginx-map-16x64k",
        at_most: &[(Small, 0.55), (NotModified, 0.55)],
    },
    Goal {
        subject: "http-uncached",
        peer: "nginx-map-16x64k",
        at_most: &[(Small, 1.0), (Medium, 0.60), (Large, 0.55), (NotModified, 1.05)],
    },
    Goal {
        subject: "http-uncached",
        peer: "haproxy-map-splice",
        at_most: &[(Medium, 0.90), (Large, 0.90)],
    },
    Goal {
        subject: "directory-tls",
        peer: "nginx-static-tls",
        at_most: &[(Small, 1.0), (Medium, 1.0), (Large, 1.0), (NotModified, 1.0), (Shards, 1.0)],
    },
];

/// The most that `subject`'s time may be of `peer`'s under `load`, if anything is said of it.
pub(crate) fn at_most(subject: &str, peer: &str, load: Load) -> Option<f64> {
    let goal = GOALS.iter().find(|goal| goal.subject == subject && goal.peer == peer)?;
    goal.at_most.iter().find(|(of, _)| *of == load).map(|(_, most)| *most)
}
