//! The access log: lines are gathered per worker thread and written by a thread of its own, so
//! that a slow disk or a full pipe delays no byte.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use config::AccessLog as Form;
use prometheus_client::metrics::counter::Counter;

use super::line::{Line, Times};

/// How many bytes a worker gathers before it hands them on; it does so at every tick too.
const GATHERED_BYTES: usize = 64 * 1024;
/// How many such buffers may wait for the writer; beyond it lines are lost, and counted.
const WAITING_BUFFERS: usize = 64;
/// How many written buffers are kept to be filled again.
const KEPT_BUFFERS: usize = 4;
/// Longer than most lines.
const LINE_BYTES: usize = 1024;

/// The access log can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("the access log {} can't be opened: {why}", path.display())]
pub struct LogError {
    /// The file of `gateway.access_log_file`.
    pub path: PathBuf,
    /// The system's reason.
    pub why: std::io::Error,
}

/// The writer of the access log.
pub(crate) struct AccessLog {
    form: Form,
    send: SyncSender<Vec<u8>>,
    reopen: Arc<AtomicBool>,
    written: Arc<Written>,
    lost: Counter,
    writer: JoinHandle<()>,
}

/// One worker thread's lines.
pub(crate) struct LogLines {
    form: Form,
    gathered: RefCell<Vec<u8>>,
    times: Times,
    send: SyncSender<Vec<u8>>,
    written: Arc<Written>,
    lost: Counter,
}

/// Buffers that are written and can be filled again: to have the allocator make and take back such
/// large ones costs as much as the lines.
#[derive(Default)]
struct Written(Mutex<Vec<Vec<u8>>>);

impl Written {
    fn keep(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_BUFFERS {
            kept.push(buffer);
        }
    }

    fn take(&self) -> Vec<u8> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Vec::with_capacity(GATHERED_BYTES + LINE_BYTES))
    }
}

enum Sink {
    Stdout,
    File(PathBuf, File),
}

impl AccessLog {
    /// Opens the log, `-` for the standard output.
    pub(crate) fn open(form: Form, path: PathBuf, lost: Counter) -> Result<Self, LogError> {
        let sink = match (form, path.as_os_str() == "-") {
            (Form::Off, _) | (_, true) => Sink::Stdout,
            _ => match append_to(&path) {
                Ok(file) => Sink::File(path, file),
                Err(why) => return Err(LogError { path, why }),
            },
        };
        let (send, receive) = sync_channel(WAITING_BUFFERS);
        let reopen = Arc::new(AtomicBool::new(false));
        let written = Arc::<Written>::default();
        let writer = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn({
                let (reopen, written) = (Arc::clone(&reopen), Arc::clone(&written));
                move || write_all(sink, &receive, &reopen, &written)
            })
            .map_err(|why| LogError { path: PathBuf::from("-"), why })?;
        Ok(Self { form, send, reopen, written, lost, writer })
    }

    pub(crate) fn for_thread(&self) -> LogLines {
        LogLines {
            form: self.form,
            gathered: RefCell::default(),
            times: Times::default(),
            send: self.send.clone(),
            written: Arc::clone(&self.written),
            lost: self.lost.clone(),
        }
    }

    /// Opens the file anew before the next line, for whoever rotates logs.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::SeqCst);
    }

    /// Writes what is waiting; every [`LogLines`] must be gone.
    pub(crate) fn close(self) {
        drop(self.send);
        let _ = self.writer.join();
    }
}

fn append_to(path: &PathBuf) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn write_all(mut sink: Sink, receive: &Receiver<Vec<u8>>, reopen: &AtomicBool, buffers: &Written) {
    for lines in receive {
        if reopen.swap(false, Ordering::SeqCst)
            && let Sink::File(path, file) = &mut sink
        {
            match append_to(path) {
                Ok(opened) => *file = opened,
                Err(why) => {
                    tracing::error!(path = %path.display(), %why, "the access log can't be reopened");
                }
            }
        }
        let written = match &mut sink {
            Sink::Stdout => std::io::stdout().lock().write_all(&lines),
            Sink::File(_, file) => file.write_all(&lines),
        };
        if let Err(why) = written {
            tracing::error!(%why, "lines of the access log could not be written");
        }
        buffers.keep(lines);
    }
}

impl LogLines {
    pub(crate) fn is_on(&self) -> bool {
        self.form != Form::Off
    }

    pub(super) fn write(&self, line: &Line) {
        let mut gathered = self.gathered.borrow_mut();
        match self.form {
            Form::Json => line.write_json(&self.times, &mut gathered),
            Form::Text => line.write_text(&self.times, &mut gathered),
            Form::Off => return,
        }
        gathered.push(b'\n');
        if gathered.len() >= GATHERED_BYTES {
            self.hand_on(std::mem::replace(&mut *gathered, self.written.take()));
        }
    }

    /// Hands on what is gathered.
    pub(crate) fn flush(&self) {
        let mut gathered = self.gathered.borrow_mut();
        if !gathered.is_empty() {
            self.hand_on(std::mem::replace(&mut *gathered, self.written.take()));
        }
    }

    fn hand_on(&self, lines: Vec<u8>) {
        let (Err(TrySendError::Full(lines)) | Err(TrySendError::Disconnected(lines))) =
            self.send.try_send(lines)
        else {
            return;
        };
        self.lost.inc_by(memchr::memchr_iter(b'\n', &lines).count() as u64);
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::worker::RequestId;

    fn line(status: u16) -> Line {
        Line { status, ..Line::new(RequestId::new(0, 0), IpAddr::from([127, 0, 0, 1])) }
    }

    #[test]
    fn lines_reach_the_file_and_it_is_opened_anew_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let log = AccessLog::open(Form::Json, path.clone(), Counter::default()).unwrap();
        let lines = log.for_thread();
        lines.write(&line(1));
        lines.flush();
        while std::fs::read_to_string(&path).unwrap().is_empty() {
            std::thread::yield_now();
        }
        std::fs::rename(&path, folder.path().join("access.log.1")).unwrap();
        log.reopen();
        lines.write(&line(2));
        drop(lines);
        log.close();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("}\n") && text.contains("\"status\":2,"), "{text}");
        assert!(!text.contains("\"status\":1,"), "{text}");
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_named() {
        let path = PathBuf::from("/no-such-folder/access.log");
        let why = AccessLog::open(Form::Json, path, Counter::default()).err().unwrap();
        assert!(why.to_string().contains("/no-such-folder/access.log"));
    }
}
