//! The access log: lines are gathered per worker thread and written by a thread of its own, so
//! that a slow disk or a full pipe delays no byte.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use config::AccessLog as Form;
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

/// How many bytes a worker gathers before it hands them on; it does so at every tick too.
const GATHERED_BYTES: usize = 16 * 1024;
/// How many such buffers may wait for the writer; beyond it lines are lost, and counted.
const WAITING_BUFFERS: usize = 256;

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
    lost: Counter,
    writer: JoinHandle<()>,
}

/// One worker thread's lines.
pub(crate) struct LogLines {
    form: Form,
    gathered: RefCell<Vec<u8>>,
    send: SyncSender<Vec<u8>>,
    lost: Counter,
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
        let writer = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn({
                let reopen = Arc::clone(&reopen);
                move || write_all(sink, &receive, &reopen)
            })
            .map_err(|why| LogError { path: PathBuf::from("-"), why })?;
        Ok(Self { form, send, reopen, lost, writer })
    }

    pub(crate) fn for_thread(&self) -> LogLines {
        LogLines {
            form: self.form,
            gathered: RefCell::default(),
            send: self.send.clone(),
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

fn write_all(mut sink: Sink, receive: &Receiver<Vec<u8>>, reopen: &AtomicBool) {
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
    }
}

impl LogLines {
    pub(crate) fn is_on(&self) -> bool {
        self.form != Form::Off
    }

    pub(crate) fn write(&self, line: &impl Serialize) {
        let mut gathered = self.gathered.borrow_mut();
        match self.form {
            Form::Json => {
                let _ = serde_json::to_writer(&mut *gathered, line);
            }
            Form::Text => write_text(&mut gathered, line),
            Form::Off => return,
        }
        gathered.push(b'\n');
        if gathered.len() >= GATHERED_BYTES {
            self.hand_on(std::mem::take(&mut *gathered));
        }
    }

    /// Hands on what is gathered.
    pub(crate) fn flush(&self) {
        let gathered = self.gathered.take();
        if !gathered.is_empty() {
            self.hand_on(gathered);
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

/// `key=value` pairs in the alphabetical order of the keys; values with spaces or quotes are quoted.
fn write_text(out: &mut Vec<u8>, line: &impl Serialize) {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(line) else {
        return;
    };
    for (at, (key, value)) in fields.iter().enumerate() {
        let space = if at == 0 { "" } else { " " };
        let text = match value {
            serde_json::Value::String(text) if is_plain(text) => text.clone(),
            other => other.to_string(),
        };
        let _ = write!(out, "{space}{key}={text}");
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'=')
}

impl Drop for LogLines {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_can_be_split_at_spaces() {
        let mut out = Vec::new();
        let line = serde_json::json!({ "status": 200, "client": "::1", "agent": "conda/26 \"x\"" });
        write_text(&mut out, &line);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("status=200") && text.contains("client=::1"), "{text}");
        assert!(text.contains(r#"agent="conda/26 \"x\"""#), "{text}");
    }

    #[test]
    fn lines_reach_the_file_and_it_is_opened_anew_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let log = AccessLog::open(Form::Json, path.clone(), Counter::default()).unwrap();
        let lines = log.for_thread();
        lines.write(&serde_json::json!({ "n": 1 }));
        lines.flush();
        while std::fs::read_to_string(&path).unwrap().is_empty() {
            std::thread::yield_now();
        }
        std::fs::rename(&path, folder.path().join("access.log.1")).unwrap();
        log.reopen();
        lines.write(&serde_json::json!({ "n": 2 }));
        drop(lines);
        log.close();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"n\":2}\n");
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_named() {
        let path = PathBuf::from("/no-such-folder/access.log");
        let why = AccessLog::open(Form::Json, path, Counter::default()).err().unwrap();
        assert!(why.to_string().contains("/no-such-folder/access.log"));
    }
}
