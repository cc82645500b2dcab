//! The page of the API's description, written from the description itself.

use std::fmt::Write as _;

use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole page.
pub(super) fn page(api: &Value) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width\">");
    html.raw("<link rel=\"stylesheet\" href=\"/api/docs/style.css\">");
    html.element("title", text(&api["info"]["title"]));
    html.element("h1", text(&api["info"]["title"]));
    html.element("p", text(&api["info"]["description"]));
    html.raw("<p><a href=\"/api/v1/openapi.json\">The same as OpenAPI 3.1</a></p>");
    let operations = operations(api);
    let mut tags: Vec<&str> = operations.iter().map(|operation| operation.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    for tag in tags {
        html.element("h2", tag);
        for operation in operations.iter().filter(|operation| operation.tag == tag) {
            html.operation(operation);
        }
    }
    html.raw("<h2>Schemas</h2>");
    for (name, schema) in members(&api["components"]["schemas"]) {
        html.schema(name, schema);
    }
    html.raw("</html>\n");
    html.0
}

struct Operation<'a> {
    tag: &'a str,
    method: &'a str,
    path: &'a str,
    declared: &'a Value,
}

fn operations(api: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in members(&api["paths"]) {
        for method in METHODS {
            if let Some(declared) = item.get(method) {
                found.push(Operation { tag: text(&declared["tags"][0]), method, path, declared });
            }
        }
    }
    found
}

/// Markup; whatever comes from the description is escaped.
#[derive(Default)]
struct Html(String);

impl Html {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                other => self.0.push(other),
            }
        }
    }

    fn element(&mut self, name: &str, text: &str) {
        // Writing to a string can't fail.
        let _infallible = write!(self.0, "<{name}>");
        self.text(text);
        let _infallible = write!(self.0, "</{name}>");
    }

    fn row(&mut self, cells: [&str; 3]) {
        self.raw("<tr><td><code>");
        self.text(cells[0]);
        self.raw("</code></td><td>");
        self.reference(cells[1]);
        self.raw("</td><td>");
        self.text(cells[2]);
        self.raw("</td></tr>");
    }

    /// A type; one with a name is a link to it.
    fn reference(&mut self, kind: &str) {
        let Some(name) = kind.strip_prefix("#/components/schemas/") else {
            return self.element("code", kind);
        };
        self.raw("<a href=\"#");
        self.text(name);
        self.raw("\">");
        self.element("code", name);
        self.raw("</a>");
    }

    fn operation(&mut self, operation: &Operation<'_>) {
        let declared = operation.declared;
        self.raw("<details><summary>");
        self.element("b", &operation.method.to_uppercase());
        self.element("code", operation.path);
        self.raw(" ");
        self.text(text(&declared["summary"]));
        self.raw("</summary>");
        if let Some(description) = declared["description"].as_str() {
            self.element("p", description);
        }
        self.raw("<table>");
        for parameter in declared["parameters"].as_array().into_iter().flatten() {
            let kind = kind(&parameter["schema"]);
            let note = format!("{}: {}", text(&parameter["in"]), text(&parameter["description"]));
            self.row([text(&parameter["name"]), &kind, &note]);
        }
        for (media_type, content) in members(&declared["requestBody"]["content"]) {
            self.row(["body", &kind(&content["schema"]), media_type]);
        }
        for (status, response) in members(&declared["responses"]) {
            let content = members(&response["content"]).next();
            let kind = content.map(|(_, content)| kind(&content["schema"])).unwrap_or_default();
            self.row([status, &kind, text(&response["description"])]);
        }
        self.raw("</table></details>");
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        self.raw("<details id=\"");
        self.text(name);
        self.raw("\"><summary>");
        self.element("code", name);
        self.raw(" ");
        self.text(text(&schema["description"]));
        self.raw("</summary><table>");
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in parts.chain([schema]) {
            if part["$ref"].is_string() {
                self.row(["…", &kind(part), "all of this"]);
            }
            for (field, schema) in members(&part["properties"]) {
                self.row([field, &kind(schema), text(&schema["description"])]);
            }
        }
        self.raw("</table></details>");
    }
}

/// A schema's type in a few words, or the reference to it.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.to_owned();
    }
    let either = schema["oneOf"].as_array().into_iter().flatten();
    if let Some(named) = either.map(kind).find(|kind| kind.starts_with('#')) {
        return named;
    }
    if let Some(items) = schema.get("items") {
        let items = kind(items);
        return format!("list of {}", items.rsplit('/').next().unwrap_or_default());
    }
    let words = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        other => text(other).to_owned(),
    };
    match schema["format"].as_str() {
        Some(format) => format!("{words} ({format})"),
        None => words,
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
