//! What processes have used, from /proc (proc(5)).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::error::Error;

/// What a group of processes has used between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    /// Processor time, user and system, in seconds.
    #[serde(rename = "cpu_seconds", serialize_with = "as_seconds")]
    pub(crate) cpu: Duration,
    /// The most memory that was resident at a time since each process began, summed.
    pub(crate) peak_resident_bytes: u64,
}

/// What a group of processes has used since they began.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Processor time of each thread, by its number: to the nanosecond, where the time of a whole
    /// process is told to a hundredth of a second.
    threads: BTreeMap<u32, Duration>,
    peak_resident_bytes: u64,
}

impl Reading {
    /// Reads it of `pids`.
    pub(crate) fn of(pids: &[u32]) -> Result<Self, Error> {
        let mut all = Self::default();
        for &pid in pids {
            let unreadable = |what: String| Error::Process { pid, what };
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
            let peak = peak_resident_bytes(&status.map_err(|e| unreadable(e.to_string()))?);
            all.peak_resident_bytes +=
                peak.ok_or_else(|| unreadable("no VmHWM in its status".into()))?;
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
            for task in tasks.map_err(|e| unreadable(e.to_string()))? {
                let task = task.map_err(|e| unreadable(e.to_string()))?;
                // One that has ended meanwhile has no file any more.
                let Ok(schedstat) = std::fs::read_to_string(task.path().join("schedstat")) else {
                    continue;
                };
                let thread = task.file_name().to_str().and_then(|name| name.parse().ok());
                if let (Some(thread), Some(time)) = (thread, time_on_cpu(&schedstat)) {
                    all.threads.insert(thread, time);
                }
            }
        }
        if all.threads.is_empty() && !pids.is_empty() {
            return Err(Error::NoSchedstat);
        }
        Ok(all)
    }

    /// What was used after `earlier`; the peak is the whole one. A thread that ended in between
    /// is not in it: those that do are the idle ones of a pool.
    pub(crate) fn since(&self, earlier: &Self) -> Usage {
        let used = |(thread, time): (&u32, &Duration)| {
            time.saturating_sub(earlier.threads.get(thread).copied().unwrap_or_default())
        };
        Usage {
            cpu: self.threads.iter().map(used).sum(),
            peak_resident_bytes: self.peak_resident_bytes,
        }
    }
}

/// The first field of schedstat: time spent on a processor, in nanoseconds.
fn time_on_cpu(schedstat: &str) -> Option<Duration> {
    Some(Duration::from_nanos(schedstat.split_whitespace().next()?.parse().ok()?))
}

/// `VmHWM` of /proc/PID/status.
fn peak_resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

pub(crate) fn as_seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_nanoseconds() {
        assert_eq!(time_on_cpu("22309 985533 2\n"), Some(Duration::from_nanos(22_309)));
        assert_eq!(time_on_cpu(""), None);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t  12 kB\nVmRSS:\t   8 kB\n";
        assert_eq!(peak_resident_bytes(status), Some(12 * 1024));
        assert_eq!(peak_resident_bytes("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn work_is_counted_and_a_gone_process_is_named() {
        let pid = std::process::id();
        let before = Reading::of(&[pid]).unwrap();
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum ^ number);
        }
        let usage = Reading::of(&[pid]).unwrap().since(&before);
        assert!(usage.cpu > Duration::from_millis(1), "{usage:?}");
        assert!(usage.peak_resident_bytes > 100_000, "{usage:?}");
        let gone = Reading::of(&[u32::MAX]).unwrap_err().to_string();
        assert!(gone.contains("4294967295"), "{gone}");
    }
}
