//! Rules that keep secrets from being printed.

use crate::tree::{Tree, is_test, without_tests};

/// Where a secret may leave its type, and why it must. Test code may do so anywhere.
const REVEALS: &[(&str, &str)] = &[
    ("access/src/token.rs", "defines it"),
    ("config/src/value/secret.rs", "defines it"),
    ("config/src/value/database_url.rs", "defines it"),
    ("control/src/api/sessions.rs", "shows a session's token to whoever signed in, once"),
    ("control/src/web/tokens/notice.rs", "shows a token to whoever made it, once"),
    ("control/src/web/sign_in.rs", "has the browser keep the session's cookie"),
    ("control/src/api/tokens/form.rs", "shows a token to whoever made it, once"),
    ("src/process/database.rs", "connects to the database"),
    ("src/command/demo/accounts.rs", "gives the demo's admin its password"),
    ("src/remote/http.rs", "a client of the API: it signs its requests"),
    ("src/remote/login.rs", "keeps a session in a file of its user's alone"),
    ("src/command/demo/credentials.rs", "the named exception: the demo writes its token to a file"),
    ("gateway/src/storage/http/connect.rs", "sends the storage its credentials"),
    ("loadtest/src/lab/tokens.rs", "tells the servers that it starts the tokens that it made"),
    ("loadtest/src/target.rs", "a client: it puts the token in a request's path"),
];

/// Calls of `reveal()` that are not listed, and listed files that have none any more.
pub(crate) fn reveals(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.ending_in(".rs").filter(|(path, _)| !is_test(path)) {
        let listed = REVEALS.iter().any(|(file, _)| *file == path);
        let found =
            without_tests(text).lines().position(|l| !is_comment(l) && l.contains("reveal("));
        match found {
            Some(line) if !listed => faults.push(format!(
                "{path}:{}: a secret leaves its type here; list the file with its reason in {}",
                line + 1,
                file!()
            )),
            None if listed => faults.push(format!("{path}: reveals nothing; take it off the list")),
            _ => {}
        }
    }
    faults
}

/// Types that hold a secret and can be written out as text or JSON.
pub(crate) fn printable_holders(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.ending_in(".rs") {
        for holder in holders(text) {
            let name = holder.name;
            let derived = ["Serialize", "Display"]
                .iter()
                .find(|t| words(&holder.attributes).any(|w| w == **t));
            let written = ["Serialize", "Display", "LowerHex"]
                .iter()
                .find(|t| text.contains(&format!("{t} for {name} ")));
            if let Some(which) = derived.or(written) {
                faults.push(format!(
                    "{path}: `{name}` holds a secret and is {which}; make the answer's type apart"
                ));
            }
        }
    }
    faults
}

/// A type with a secret in it, or the secret's type itself.
struct Holder<'a> {
    name: &'a str,
    /// The attributes above it.
    attributes: String,
}

fn holders(text: &str) -> Vec<Holder<'_>> {
    const SECRETS: [&str; 4] = ["TokenSecret", "Secret", "DatabaseUrl", "PrivateKeyDer"];
    let mut found = Vec::new();
    for keyword in ["struct ", "enum "] {
        for (at, _) in text.match_indices(keyword) {
            let before = &text[..at];
            let opens_item = before.ends_with('\n')
                || before.ends_with("pub ")
                || before.ends_with("pub(crate) ");
            let rest = &text[at + keyword.len()..];
            let name = words(rest).next().unwrap_or_default();
            // A type ends at the first closing brace in the first column, or at its semicolon.
            let end = ["\n}", ";\n"]
                .iter()
                .filter_map(|mark| rest.find(mark))
                .min()
                .unwrap_or(rest.len());
            let holds = words(&rest[..end]).any(|word| SECRETS.contains(&word));
            if opens_item && holds {
                let above = before.rsplit("\n\n").next().unwrap_or_default();
                let attributes = above.lines().filter(|line| line.starts_with("#["));
                found.push(Holder { name, attributes: attributes.collect() });
            }
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Compiles only as long as the type has neither `Display` nor `Serialize`: each trait below would
/// otherwise be implemented twice for it, and the call could mean either.
#[test]
fn the_secrets_themselves_have_no_display() {
    trait Either<Which> {
        fn is_not_display(&self) {}
    }
    struct Always;
    struct IfDisplay;
    impl<T> Either<Always> for T {}
    impl<T: std::fmt::Display> Either<IfDisplay> for T {}

    let token = access::TokenSecret::generate().expect("the system has randomness");
    token.is_not_display();
}
