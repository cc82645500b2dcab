//! Which core a process runs on.
//!
//! The server under test has one to itself; the load generator, and what the server asks, have
//! the other.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The two cores, where there are two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pair: Option<(usize, usize)>,
}

impl Cores {
    /// The first two that this process may use, and moves this process to the second.
    pub(crate) fn take() -> std::io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let cores = Self { pair: usable.next().zip(usable.next()) };
        cores.pin(|(_, load)| vec![load])?;
        Ok(cores)
    }

    /// Starts a process with `start` on the core of the server under test; one with more threads
    /// on both cores.
    pub(crate) fn under_test<T>(
        self,
        threads: usize,
        start: impl FnOnce() -> T,
    ) -> std::io::Result<T> {
        // A process begins on the cores of the thread that starts it.
        match threads {
            1 => self.pin(|(server, _)| vec![server])?,
            _ => self.pin(|(server, load)| vec![server, load])?,
        }
        let started = start();
        self.pin(|(_, load)| vec![load])?;
        Ok(started)
    }

    /// For people.
    pub(crate) fn described(self) -> String {
        match self.pair {
            Some((server, load)) => format!("server on core {server}, load and origin on {load}"),
            None => "everything on the one core that there is".to_owned(),
        }
    }

    fn pin(self, which: impl FnOnce((usize, usize)) -> Vec<usize>) -> std::io::Result<()> {
        let Some(pair) = self.pair else { return Ok(()) };
        let mut set = CpuSet::new();
        which(pair).into_iter().for_each(|core| set.set(core));
        sched_setaffinity(None, &set)?;
        Ok(())
    }
}
