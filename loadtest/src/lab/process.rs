//! A program that is running, and its end.

use std::ffi::OsString;
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::START_MAX;
use crate::error::Error;

/// How long a program may take to end when it is told to.
const END_MAX: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What to run, and where.
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) folder: PathBuf,
}

/// A running program; ends with this.
pub(super) struct Process {
    child: Child,
    folder: PathBuf,
}

impl Launch {
    /// Starts the program; its outputs go to files in the folder.
    pub(super) fn start(&self) -> Result<Process, Error> {
        let output = |name: &str| {
            let path = self.folder.join(name);
            File::create(&path).map_err(|cause| Error::file(&path, cause))
        };
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(output("stdout")?)
            .stderr(output("stderr")?)
            .spawn()
            .map_err(|cause| Error::Program { program: self.program.clone(), cause })?;
        Ok(Process { child, folder: self.folder.clone() })
    }
}

impl Process {
    /// Where it runs.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn has_ended(&mut self) -> std::io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits until it listens at `address`.
    pub(super) fn wait_to_listen(&mut self, name: &str, address: &str) -> Result<(), Error> {
        let mut waited = Duration::ZERO;
        while TcpStream::connect(address).is_err() {
            if waited >= START_MAX || self.has_ended()? {
                return Err(self.last_words(name, "it does not listen"));
            }
            std::thread::sleep(LOOK_AGAIN);
            waited += LOOK_AGAIN;
        }
        Ok(())
    }

    /// The process and those that it started: a master and its workers.
    pub(super) fn family(&self) -> std::io::Result<Vec<u32>> {
        let mut parents = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            // One that has ended meanwhile has no file any more.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            parents.extend(parent(&stat).map(|parent| (pid, parent)));
        }
        let mut family = vec![self.child.id()];
        let mut next = 0;
        while let Some(&one) = family.get(next) {
            let children = parents.iter().filter(|(_, parent)| *parent == one);
            family.extend(children.map(|(pid, _)| *pid));
            next += 1;
        }
        Ok(family)
    }

    /// An error with what the program said last.
    pub(super) fn last_words(&self, name: &str, why: &str) -> Error {
        let mut words = Vec::new();
        for file in ["stderr", "error.log", "access.log"] {
            let text = std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            words.extend(text.lines().rev().take(3).map(str::to_owned));
        }
        let said = access::redact(&words.join(" / ")).into_owned();
        Error::Server { name: name.to_owned(), why: why.to_owned(), said }
    }
}

/// The fourth field of /proc/PID/stat, behind the name, which may hold anything (proc(5)).
fn parent(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

impl Drop for Process {
    fn drop(&mut self) {
        // All of them: strace, told to end, lets go what it has started. Nothing can be done about a
        // program that can't be ended, and it may have ended already.
        let family = self.family().unwrap_or_else(|_| vec![self.child.id()]);
        let pids = family.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        for pid in pids {
            let _ = kill_process(pid, Signal::TERM);
        }
        let mut waited = Duration::ZERO;
        while waited < END_MAX && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK_AGAIN);
            waited += LOOK_AGAIN;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_family_is_found_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), "trap : TERM; sleep 60 & echo started; wait; wait".into()],
            folder: folder.path().to_owned(),
        };
        let process = launch.start().unwrap();
        let said = || std::fs::read_to_string(folder.path().join("stdout")).unwrap();
        while said().is_empty() {
            std::thread::sleep(LOOK_AGAIN);
        }
        let family = process.family().unwrap();
        assert_eq!(family.len(), 2, "{family:?}");
        assert_eq!(family[0], process.child.id());
        drop(process);
        // The shell ends only when the other has: it waits for that one.
        assert!(family.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
    }

    #[test]
    fn a_parent_is_read_behind_any_name() {
        assert_eq!(parent("42 (a (b) 1 2) S 7 42 42 0 -1"), Some(7));
        assert_eq!(parent("42 name"), None);
    }
}
