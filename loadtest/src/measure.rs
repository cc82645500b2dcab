//! What processes have used, from /proc (proc(5)).

use std::time::Duration;

use serde::Serialize;

use crate::error::Error;

/// What a group of processes has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    /// Processor time, user and system, in seconds, to a hundredth.
    #[serde(rename = "cpu_seconds", serialize_with = "as_seconds")]
    pub(crate) cpu: Duration,
    /// The most memory that was resident at a time since each process began, summed.
    pub(crate) peak_resident_bytes: u64,
}

impl Usage {
    /// What `pids` have used since they began.
    pub(crate) fn of(pids: &[u32]) -> Result<Self, Error> {
        let mut all = Self::default();
        for &pid in pids {
            let unreadable = |what: String| Error::Process { pid, what };
            let read = |file: &str| {
                std::fs::read_to_string(format!("/proc/{pid}/{file}"))
                    .map_err(|cause| unreadable(cause.to_string()))
            };
            let ticks = cpu_ticks(&read("stat")?);
            let ticks = ticks.ok_or_else(|| unreadable("no times in its stat".into()))?;
            let peak = peak_resident_bytes(&read("status")?);
            let peak = peak.ok_or_else(|| unreadable("no VmHWM in its status".into()))?;
            all.cpu += Duration::from_secs(ticks) / ticks_per_second();
            all.peak_resident_bytes += peak;
        }
        Ok(all)
    }

    /// What was used after `earlier`; the peak is the whole one.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(earlier.cpu), ..self }
    }
}

/// `utime` + `stime`, the fields 14 and 15 of /proc/PID/stat.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// `VmHWM` of /proc/PID/status.
fn peak_resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn ticks_per_second() -> u32 {
    u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100).max(1)
}

pub(crate) fn as_seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "42 (a (b) 1 2) S 1 42 42 0 -1 4194560 900 0 0 0 120 34 5 6 20 0 3 0 77 1 2";
        assert_eq!(cpu_ticks(stat), Some(154));
        for broken in ["", "42 name S 1", "42 (name) S 1 2 3"] {
            assert_eq!(cpu_ticks(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t  12 kB\nVmRSS:\t   8 kB\n";
        assert_eq!(peak_resident_bytes(status), Some(12 * 1024));
        assert_eq!(peak_resident_bytes("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn this_process_has_used_something_and_a_gone_one_is_named() {
        let pid = std::process::id();
        let one = Usage::of(&[pid]).unwrap();
        assert!(one.peak_resident_bytes > 100_000, "{one:?}");
        // Counted per core and added up roughly (proc(5)), a second reading may be a little lower.
        let twice = Usage::of(&[pid, pid]).unwrap();
        assert!(twice.peak_resident_bytes > one.peak_resident_bytes * 3 / 2, "{one:?} {twice:?}");
        let gone = Usage::of(&[u32::MAX]).unwrap_err().to_string();
        assert!(gone.contains("4294967295"), "{gone}");
    }
}
