//! Answers as people read them: tables, records, sentences.

use serde_json::{Map, Value};

/// The column of a table that tells an event's `before` from its `after`.
const CHANGE: &str = "change";
/// What is told of something larger that was made or removed.
const MADE_AS: [&str; 5] = ["principal", "permission", "channels", "privacy", "role"];
/// How many parts something has that is shown whole.
const FEW: usize = 2;

/// A row for each item, of these fields, below their names. A field that no item has is left out.
pub(super) fn table(fields: &[&str], items: &[Value]) -> String {
    let has = |field: &str, item: &Value| field == CHANGE || item.get(field).is_some();
    let there = |field: &&&str| items.is_empty() || items.iter().any(|item| has(field, item));
    let fields: Vec<&str> = fields.iter().filter(there).copied().collect();
    let head = fields.iter().map(|field| heading(field).to_uppercase()).collect();
    let shown = |field: &str, item: &Value| match field {
        CHANGE => change(&item["before"], &item["after"]),
        field => cell(field, &item[field]),
    };
    let row = |item: &Value| fields.iter().map(|field| shown(field, item)).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(items.iter().map(row)).collect();
    aligned(&rows)
}

/// A line for each of these fields that has a value.
pub(super) fn record(fields: &[&str], item: &Value) -> String {
    let has_value = |field: &&&str| !matches!(cell(field, &item[**field]).as_str(), "-" | "");
    let row = |field: &&str| vec![heading(field), cell(field, &item[*field])];
    let rows: Vec<Vec<String>> = fields.iter().filter(has_value).map(row).collect();
    aligned(&rows)
}

/// The items, a line of JSON each.
pub(super) fn lines(items: &[Value]) -> String {
    items.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

/// `text` with the value of each `{name}` in it.
pub(super) fn sentence(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = text.split('{');
    let mut sentence = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        sentence.push_str(&value(name));
        sentence.push_str(rest);
    }
    sentence
}

/// What people call a field.
fn heading(field: &str) -> String {
    field.strip_suffix("_at").unwrap_or(field).replace('_', " ")
}

/// What is shown of a value.
pub(super) fn cell(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => short_time(field, text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => {
            items.iter().map(|item| cell(field, item)).collect::<Vec<_>>().join(",")
        }
        Value::Object(parts) => named(parts),
        Value::Number(bytes) if field.starts_with("bytes") => {
            bytes.as_u64().map_or_else(|| bytes.to_string(), size)
        }
        Value::Number(number) => number.to_string(),
    }
}

/// A thing within a thing, by its name; where something is held on it: `analytics:read`.
fn named(parts: &Map<String, Value>) -> String {
    let text = |part: &str| parts.get(part).filter(|value| !value.is_null()).map(|v| cell(part, v));
    let name = ["name", "channel", "id"].into_iter().find_map(text).unwrap_or_else(|| "-".into());
    match (text("permission"), text("principal").and_then(|_of_a_token| text("id"))) {
        (Some(permission), _) => format!("{name}:{permission}"),
        (None, Some(id)) => format!("{id} {name}"),
        (None, None) => name,
    }
}

/// What an event changed: the parts that differ, with their old values and their new ones. Of what
/// was made or removed, all parts where they are few.
fn change(before: &Value, after: &Value) -> String {
    let part = |name: &str, value: &Value| format!("{} {}", heading(name), cell(name, value));
    let told =
        |parts: &Map<String, Value>, name: &str| parts.len() <= FEW || MADE_AS.contains(&name);
    let few = |parts: &Map<String, Value>| {
        let told = parts.iter().filter(|(name, value)| *value != "" && told(parts, name));
        told.map(|(name, value)| part(name, value)).collect::<Vec<_>>()
    };
    let parts: Vec<String> = match (before, after) {
        (Value::Object(before), Value::Object(after)) => after
            .iter()
            .filter_map(|(name, new)| match before.get(name) {
                Some(old) if old == new => (after.len() <= FEW).then(|| part(name, new)),
                old => {
                    Some(format!("{} → {}", part(name, old.unwrap_or_default()), cell(name, new)))
                }
            })
            .collect(),
        (Value::Null, Value::Object(made)) => few(made),
        (Value::Object(gone), Value::Null) => {
            let gone = few(gone).join(", ");
            if gone.is_empty() { Vec::new() } else { vec![format!("was {gone}")] }
        }
        _ => Vec::new(),
    };
    parts.join(", ")
}

/// An RFC 3339 time in UTC: to the minute, and to the second where it tells the order of events.
fn short_time(field: &str, text: &str) -> Option<String> {
    text.parse::<access::Timestamp>().ok()?;
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    // To the second where it soon is over, or follows on another.
    let length = if matches!(field, "at" | "lease_ends_at") { 8 } else { 5 };
    Some(format!("{day} {}Z", time.get(..length)?))
}

/// A number of bytes with the unit that leaves it short.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut scaled = bytes;
    let mut tenths = 0;
    let mut unit = "B";
    for larger in UNITS {
        if scaled < 1024 {
            break;
        }
        (tenths, scaled, unit) = ((scaled % 1024) * 10 / 1024, scaled / 1024, larger);
    }
    match tenths {
        0 => format!("{scaled} {unit}"),
        tenths => format!("{scaled}.{tenths} {unit}"),
    }
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned_below_their_names() {
        let items = [
            json!({ "id": 12, "name": "ci on main", "last_used_at": null }),
            json!({ "id": 3, "name": "ä", "last_used_at": "2026-11-24T10:32:27.000Z" }),
        ];
        assert_eq!(
            table(&["id", "name", "last_used_at"], &items),
            "ID  NAME        LAST USED\n12  ci on main  -\n3   ä           2026-11-24 10:32Z"
        );
        assert_eq!(table(&["id", "email", "name"], &items[1..]), "ID  NAME\n3   ä");
        assert_eq!(table(&["id", "name"], &[]), "ID  NAME");
    }

    #[test]
    fn a_record_has_the_fields_with_a_value() {
        let item = json!({ "name": "bob", "email": "", "role": null, "created_by": "alice" });
        assert_eq!(
            record(&["name", "email", "role", "created_by"], &item),
            "name        bob\ncreated by  alice"
        );
    }

    #[test]
    fn an_event_tells_what_it_changed() {
        let held = |permission: &str| json!({ "channel": "a", "permission": permission });
        let user = |role: &str| json!({ "name": "bob", "email": "", "role": role });
        for (before, after, told) in [
            (Value::Null, held("read"), "channel a, permission read"),
            (held("read"), held("write"), "channel a, permission read → write"),
            (held("read"), Value::Null, "was channel a, permission read"),
            (user("user"), user("admin"), "role user → admin"),
            (Value::Null, user("user"), "role user"),
        ] {
            assert_eq!(change(&before, &after), told);
        }
    }

    #[test]
    fn cells_are_short_texts() {
        let held = json!([{ "channel": "a/b", "permission": "read" }]);
        let token = json!({ "id": 7, "name": "ci", "principal": "bob" });
        for (field, value, shown) in [
            ("active", json!(true), "yes"),
            ("channels", json!(["a", "b"]), "a,b"),
            ("effective", held, "a/b:read"),
            ("members", json!([{ "name": "bob", "kind": "user" }]), "bob"),
            ("token", token, "7 ci"),
            ("token", json!({ "id": null, "name": null }), "-"),
            ("channel", json!({ "id": 3, "name": null }), "3"),
            ("id", json!(7), "7"),
            ("bytes", json!(1536), "1.5 KiB"),
            ("bytes_per_day", json!(10_u64 << 30), "10 GiB"),
            ("bytes", json!(0), "0 B"),
            ("name", json!("2026-11-24"), "2026-11-24"),
        ] {
            assert_eq!(cell(field, &value), shown);
        }
    }

    #[test]
    fn a_sentence_is_filled_in() {
        assert_eq!(
            sentence("made {name}, of {name}", |name| name.to_uppercase()),
            "made NAME, of NAME"
        );
    }
}
