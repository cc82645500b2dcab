//! Programs that count what a server does: it is started under one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::process::Launch;
use crate::error::Error;

/// What a server runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracer {
    /// Writes each system call to a file of its thread.
    Strace,
    /// Counts instructions, by thread.
    Callgrind,
}

impl Tracer {
    /// For people.
    pub(crate) fn counts(self) -> &'static str {
        match self {
            Self::Strace => "system calls",
            Self::Callgrind => "instructions",
        }
    }

    /// The same, started under this.
    pub(super) fn over(self, launch: Launch) -> Launch {
        let (program, own) = match self {
            Self::Strace => ("strace", &["-ff", "-qq", "-o", "calls"][..]),
            Self::Callgrind => (
                "valgrind",
                &[
                    "--tool=callgrind",
                    "--separate-threads=yes",
                    "--callgrind-out-file=instructions",
                ][..],
            ),
        };
        let own = own.iter().map(OsString::from).chain([launch.program.into()]);
        let arguments = own.chain(launch.arguments).collect();
        Launch { program: program.into(), arguments, folder: launch.folder }
    }

    /// How much each thread of the server, whose first process is `pid`, has done so far.
    pub(super) fn count(self, folder: &Path, pid: u32) -> Result<Counts, Error> {
        if self == Self::Callgrind {
            let program = || "callgrind_control".into();
            let failed = |cause| Error::Program { program: program(), cause };
            let asked =
                Command::new("callgrind_control").arg("--dump").arg(pid.to_string()).output();
            let said = asked.map_err(failed)?;
            if !said.status.success() {
                let why = String::from_utf8_lossy(&said.stderr).into_owned();
                return Err(Error::Setup(format!("callgrind_control: {why}")));
            }
        }
        let mut counts = Counts::default();
        let unreadable = |cause| Error::file(folder, cause);
        for file in std::fs::read_dir(folder).map_err(unreadable)? {
            let file = file.map_err(unreadable)?;
            let name = file.file_name().into_string().unwrap_or_default();
            let Some(thread) = self.thread(&name) else { continue };
            let text = std::fs::read(file.path()).map_err(unreadable)?;
            *counts.0.entry(thread.to_owned()).or_default() += self.read(&text);
        }
        Ok(counts)
    }

    /// Of which thread a file of that name tells.
    fn thread(self, name: &str) -> Option<&str> {
        match self {
            Self::Strace => name.strip_prefix("calls."),
            // instructions.DUMP-THREAD
            Self::Callgrind => Some(name.strip_prefix("instructions.")?.split_once('-')?.1),
        }
    }

    fn read(self, text: &[u8]) -> u64 {
        match self {
            Self::Strace => text.iter().filter(|byte| **byte == b'\n').count() as u64,
            Self::Callgrind => {
                let text = String::from_utf8_lossy(text);
                let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
                totals.and_then(|totals| totals.trim().parse().ok()).unwrap_or(0)
            }
        }
    }
}

/// How much each thread has done.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// How much the busiest thread has done since `before`: the one that serves.
    pub(crate) fn since(&self, before: &Self) -> u64 {
        let since = self
            .0
            .iter()
            .map(|(thread, now)| now.saturating_sub(before.0.get(thread).copied().unwrap_or(0)));
        since.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_counted_by_thread() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("calls.7", "epoll_wait(3)\nread(4)\n");
        write("calls.8", "futex(1)\n");
        write("access.log", "x\n");
        let before = Tracer::Strace.count(folder.path(), 0).unwrap();
        write("calls.7", "epoll_wait(3)\nread(4)\nwritev(4)\nread(4)\n");
        let after = Tracer::Strace.count(folder.path(), 0).unwrap();
        assert_eq!(after.since(&before), 2);
        assert_eq!(Tracer::Callgrind.thread("instructions.12-03"), Some("03"));
        assert_eq!(Tracer::Callgrind.thread("instructions"), None);
        assert_eq!(Tracer::Callgrind.read(b"events: Ir\n0 4\ntotals: 4231\n"), 4231);
    }
}
