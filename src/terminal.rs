//! Writing to the standard streams. `println!` would panic when a reader goes away.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::failure::Failure;

/// Writes `text` and a line's end to the standard output. A reader that went away has what it
/// wanted (`condagate config | head`).
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(cause)),
        _ => Ok(()),
    }
}

/// Writes `value` as JSON.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}"))
}

/// Writes a table for people, its columns aligned.
pub(crate) fn print_table<'a, const N: usize>(
    head: &[&str; N],
    rows: impl Iterator<Item = [&'a Value; N]>,
) -> Result<(), Failure> {
    let head = head.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(rows.map(|row| row.map(cell))).collect();
    print(&aligned(&rows))
}

fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a table shows of a value.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Tells why the command failed, on the standard error.
pub(crate) fn complain(failure: &Failure) {
    let text = failure.to_string();
    if !text.is_empty() {
        // Where the standard error is gone too, the exit status has to do.
        let _ = writeln!(io::stderr(), "error: {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        let rows = [row("ID", "NAME", "USED"), row("12", "ci on main", "-"), row("3", "ä", "")];
        assert_eq!(aligned(&rows), "ID  NAME        USED\n12  ci on main  -\n3   ä");
    }

    #[test]
    fn cells_are_short_texts() {
        let value = serde_json::json!([null, "a", ["b", "c"], 7]);
        let cells: Vec<_> = value.as_array().unwrap().iter().map(cell).collect();
        assert_eq!(cells, ["-", "a", "b,c", "7"]);
    }
}
