//! The files that one thread keeps open, so that whoever asks for one again needs no path resolved
//! and, for a small one, no disk.
//!
//! A kept file is used only while it is the one that was opened: each use looks at the file itself,
//! which shows at once that it was replaced, removed or written to. What only the path shows, a
//! folder renamed or a link turned elsewhere, is looked for every second.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use access::Moment;
use bytes::Bytes;
use foldhash::HashMap;
use rustix::process::{Resource, getrlimit};

use super::OpenFile;
use crate::answer_fields::AnswerFields;
use crate::storage::conditions::Validators;
use crate::storage::representation::{content_type, fields};

/// How long a path is taken to lead to the same file.
const RESOLVED_FOR: Duration = Duration::from_secs(1);
/// How long a file is kept open that nobody asks for, at least; at most twice as long.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// How many files one storage keeps open on one thread, at most: a sixteenth of what the process
/// may have, for connections need more.
const FILES_MAX: u64 = 1024;

/// A file that is kept open.
pub(super) struct Known {
    pub(super) file: Arc<OpenFile>,
    pub(super) validators: Validators,
    /// What every answer with it says of it.
    pub(super) headers: AnswerFields,
    /// Its bytes, if it is small and was asked for.
    pub(super) content: RefCell<Option<Bytes>>,
}

impl Known {
    /// A file just opened; its media type goes by its name.
    pub(super) fn new(file: OpenFile, path: &str) -> Self {
        let validators = file.validators();
        let headers = fields(content_type(path), &validators);
        Self { file: Arc::new(file), validators, headers, content: RefCell::default() }
    }
}

/// The files of a storage that one thread keeps open, by their paths.
pub(super) struct KnownFiles(RefCell<Generations>);

/// What isn't asked for from one turn to the next is let go with the older generation.
struct Generations {
    young: HashMap<Box<str>, Entry>,
    old: HashMap<Box<str>, Entry>,
    turned: Moment,
    /// How many files a generation may have.
    max: usize,
}

struct Entry {
    known: Rc<Known>,
    resolved: Moment,
}

/// What is known of a path.
pub(super) enum Lookup {
    /// It leads to this file.
    Fresh(Rc<Known>),
    /// It led to this one a while ago.
    Resolve(Rc<Known>),
    /// Nothing.
    Unknown,
}

impl KnownFiles {
    pub(super) fn new(now: Moment) -> Self {
        let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 16;
        let max = usize::try_from(allowed.min(FILES_MAX) / 2).unwrap_or(1).max(1);
        let (young, old) = Default::default();
        Self(RefCell::new(Generations { young, old, turned: now, max }))
    }

    pub(super) fn find(&self, path: &str, now: Moment) -> Lookup {
        let mut files = self.0.borrow_mut();
        let Some(entry) = files.young(path) else {
            return Lookup::Unknown;
        };
        if !entry.known.file.is_current() {
            files.young.remove(path);
            return Lookup::Unknown;
        }
        match now.since(entry.resolved) < RESOLVED_FOR {
            true => Lookup::Fresh(Rc::clone(&entry.known)),
            false => Lookup::Resolve(Rc::clone(&entry.known)),
        }
    }

    /// Keeps what a path was just found to lead to.
    pub(super) fn keep(&self, path: &str, known: Rc<Known>, now: Moment) {
        let mut files = self.0.borrow_mut();
        if files.young.len() >= files.max {
            files.turn(now);
        }
        files.young.insert(path.into(), Entry { known, resolved: now });
    }

    /// Forgets a path that leads to no file any more.
    pub(super) fn forget(&self, path: &str) {
        self.0.borrow_mut().young.remove(path);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let files = self.0.borrow();
        files.young.is_empty() && files.old.is_empty()
    }

    /// Lets go what nobody has asked for of late: a removed file takes up its disk until then.
    pub(super) fn let_go(&self, now: Moment) {
        let mut files = self.0.borrow_mut();
        if now.since(files.turned) >= KEPT_FOR {
            files.turn(now);
        }
    }
}

impl Generations {
    fn turn(&mut self, now: Moment) {
        self.old = std::mem::take(&mut self.young);
        self.turned = now;
    }

    /// The entry, which is asked for and so is young again.
    fn young(&mut self, path: &str) -> Option<&Entry> {
        if !self.old.is_empty()
            && let Some((path, entry)) = self.old.remove_entry(path)
        {
            self.young.insert(path, entry);
        }
        self.young.get(path)
    }
}
