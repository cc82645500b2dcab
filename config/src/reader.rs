//! Reading a section out of the written tree, collecting everything that is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::document::{Node, Table, Written};
use crate::nearest::nearest;
use crate::problem::{Origin, Problem};
use crate::section::{Field, Section, Spec};

/// What the keys of storages begin with; the segment after it is a name.
const STORAGE: &str = "storage.";

/// What reading found out beside the settings themselves.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) problems: Vec<Problem>,
    /// Where each setting that is not a default was written.
    pub(crate) sources: BTreeMap<String, Origin>,
    /// The configuration file's folder, to which the relative paths of defaults belong.
    pub(crate) folder: PathBuf,
    /// Every known key but those of storages.
    known: Vec<String>,
}

impl Report {
    pub(crate) fn new(folder: PathBuf, mut known: Vec<String>) -> Self {
        known.retain(|key| !key.starts_with(STORAGE));
        Self { folder, known, ..Self::default() }
    }

    pub(crate) fn add(&mut self, origin: &Origin, key: String, message: impl Into<String>) {
        self.problems.push(Problem { origin: origin.clone(), key, message: message.into() });
    }

    fn unknown(&mut self, key: String, node: &Node, siblings: &[String]) {
        if let Node::Table(table) = node
            && table.origin.is_environment()
        {
            for (name, inner) in &table.entries {
                self.unknown(format!("{key}.{name}"), inner, &[]);
            }
            return;
        }
        // What one kind of storage has can't be written anywhere else.
        let elsewhere = self.known.iter().filter(|_| !key.starts_with(STORAGE));
        let candidates = siblings.iter().chain(elsewhere).map(String::as_str);
        let message = match nearest(&key, candidates) {
            Some(near) => format!("unknown key; did you mean {}?", node.origin().spell(near)),
            None if siblings.is_empty() => "unknown key".to_owned(),
            None => format!("unknown key; known here: {}", siblings.join(", ")),
        };
        self.add(node.origin(), key, message);
    }
}

/// A problem that is already in the report.
#[derive(Debug)]
pub(crate) struct Reported;

/// A section that is being read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    /// The section's key, empty for the whole.
    path: String,
    table: Table,
    pub(crate) report: &'a mut Report,
}

/// `key` within the section `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(path: String, table: Table, report: &'a mut Report) -> Self {
        Self { path, table, report }
    }

    pub(crate) fn key(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The keys that no setting has taken yet.
    pub(crate) fn names(&self) -> Vec<String> {
        self.table.entries.keys().cloned().collect()
    }

    /// What no setting has taken yet.
    pub(crate) fn into_table(self) -> Table {
        self.table
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        self.table.entries.remove(key)
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.table.origin
    }

    /// Reads one line of the section's table.
    pub(crate) fn field<T: Field>(&mut self, spec: Spec<T>) -> Option<T> {
        T::read(self, spec)
    }

    /// Reports what no setting has taken.
    pub(crate) fn finish(self, known: &[String]) {
        for (name, node) in &self.table.entries {
            self.report.unknown(join(&self.path, name), node, known);
        }
    }

    pub(crate) fn refuse(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        self.report.add(origin, self.key(key), message);
    }

    /// The value written for `key`, its place noted.
    ///
    /// # Errors
    /// A section is written there instead.
    pub(crate) fn written(&mut self, key: &str) -> Result<Option<Written>, Reported> {
        match self.take(key) {
            None => Ok(None),
            Some(Node::Value(written)) => {
                self.report.sources.insert(self.key(key), written.origin.clone());
                Ok(Some(written))
            }
            Some(Node::Table(table)) => {
                self.refuse(&table.origin, key, "is one value, not a section");
                Err(Reported)
            }
        }
    }

    /// The subsection `key`, if it is written.
    ///
    /// # Errors
    /// A value is written there instead.
    pub(crate) fn subsection(&mut self, key: &str) -> Result<Option<Table>, Reported> {
        match self.take(key) {
            None => Ok(None),
            Some(Node::Table(table)) => Ok(Some(table)),
            Some(Node::Value(written)) => {
                let message = format!("is a section, written [{}]", self.key(key));
                self.refuse(&written.origin, key, message);
                Err(Reported)
            }
        }
    }
}

impl Reader<'_> {
    /// Reads the subsection `S` at `key` out of `table`, or all defaults without one.
    pub(crate) fn read_subsection<S: Section>(
        &mut self,
        key: &str,
        table: Option<Table>,
    ) -> Option<S> {
        let table = table.unwrap_or_else(|| Table::empty(self.origin().clone()));
        read_section(self.key(key), table, self.report)
    }

    /// Reports what a check of the whole section found: key and message each.
    pub(crate) fn refuse_each(&mut self, found: Vec<(&'static str, String)>) {
        for (key, message) in found {
            let known = self.report.sources.get(&self.key(key)).cloned();
            let origin = known.unwrap_or_else(|| self.origin().clone());
            self.refuse(&origin, key, message);
        }
    }
}

/// Reads the section `S` at `path` out of `table`. `None`: its problems are in the report.
pub(crate) fn read_section<S: Section>(
    path: String,
    table: Table,
    report: &mut Report,
) -> Option<S> {
    let mut reader = Reader::new(path, table, report);
    let section = S::read(&mut reader);
    let known = S::listing(None, &reader.path).keys();
    reader.finish(&known);
    section
}
