//! The file and the environment as one tree of written values, each with its place.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Origin, Problem};
use crate::value::Raw;

/// What the variables that set something begin with.
const PREFIX: &str = "CONDAGATE_";
/// What stands between the segments of a key in a variable's name.
const SEPARATOR: &str = "__";

/// A section as written.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) origin: Origin,
    pub(crate) entries: BTreeMap<String, Node>,
}

/// What a key stands for.
#[derive(Debug)]
pub(crate) enum Node {
    Table(Table),
    Value(Written),
}

/// A value as written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) origin: Origin,
    pub(crate) raw: Raw,
}

impl Table {
    pub(crate) fn empty(origin: Origin) -> Self {
        Self { origin, entries: BTreeMap::new() }
    }
}

impl Node {
    pub(crate) fn origin(&self) -> &Origin {
        match self {
            Self::Table(table) => &table.origin,
            Self::Value(written) => &written.origin,
        }
    }
}

/// The tree that stands in the TOML `text` of the file `path`.
///
/// # Errors
/// Every place where `text` is not TOML.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Table, Vec<Problem>> {
    let lines = Lines::new(text, path);
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(lines.table(root.get_ref(), 0));
    }
    // Only the message: the error's own text would repeat the line, which may hold a secret.
    let problem = |error: &toml::de::Error| Problem {
        origin: lines.origin(error.span().map_or(0, |span| span.start)),
        key: String::new(),
        message: format!("not TOML: {}", error.message().lines().collect::<Vec<_>>().join(", ")),
    };
    let mut problems: Vec<Problem> = errors.iter().map(problem).collect();
    problems.sort_by(|a, b| a.origin.cmp(&b.origin));
    Err(problems)
}

/// Turns places in a text into lines.
struct Lines<'a> {
    path: &'a Path,
    /// Where each line but the first begins.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &str, path: &'a Path) -> Self {
        Self { path, starts: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    fn origin(&self, offset: usize) -> Origin {
        let line = 1 + self.starts.partition_point(|start| *start <= offset);
        Origin::File { path: self.path.to_owned(), line }
    }

    fn table(&self, table: &DeTable<'_>, offset: usize) -> Table {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            entries.insert(key.get_ref().to_string(), self.node(key.span().start, value));
        }
        Table { origin: self.origin(offset), entries }
    }

    fn node(&self, offset: usize, value: &Spanned<DeValue<'_>>) -> Node {
        match value.get_ref() {
            DeValue::Table(table) => Node::Table(self.table(table, offset)),
            other => Node::Value(Written { origin: self.origin(offset), raw: raw(other) }),
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(flag) => Raw::Other(flag.to_string()),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(small) => Raw::Integer(small),
            Err(_) => Raw::Other(number.to_string()),
        },
        DeValue::Float(number) => Raw::Other(number.as_str().to_owned()),
        DeValue::Datetime(date) => Raw::Other(date.to_string()),
        DeValue::Table(_) => Raw::Other("a section".to_owned()),
    }
}

/// Writes `text`, the value of the environment's `variable`, over what the file says. Variables
/// that are no settings are left alone.
pub(crate) fn overlay(root: &mut Table, variable: &str, text: &str) {
    let Some(name) = variable.strip_prefix(PREFIX) else { return };
    if !name.contains(SEPARATOR) {
        return;
    }
    let name = name.to_ascii_lowercase();
    let origin = Origin::Environment { variable: variable.to_owned() };
    let mut segments: Vec<&str> = name.split(SEPARATOR).collect();
    let Some(last) = segments.pop() else { return };
    let mut table = root;
    for segment in segments {
        let key = table.written_key(segment);
        let node =
            table.entries.entry(key).or_insert_with(|| Node::Table(Table::empty(origin.clone())));
        match node {
            Node::Table(inner) => table = inner,
            // The file has a value where a section belongs, which is an error of its own.
            Node::Value(_) => return,
        }
    }
    let written = Written { origin, raw: Raw::Variable(text.to_owned()) };
    table.entries.insert(last.to_owned(), Node::Value(written));
}

/// The variable that sets `key`.
pub(crate) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', SEPARATOR).replace('-', "_").to_ascii_uppercase())
}

impl Table {
    /// The key that a variable's `segment` means: variables have no `-`, storages' names may.
    fn written_key(&self, segment: &str) -> String {
        let same = |key: &&String| key.replace('-', "_") == segment;
        self.entries.keys().find(same).cloned().unwrap_or_else(|| segment.to_owned())
    }
}
