//! What was found, and how it is written.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Works, but somebody should look at it.
    Warn,
    /// Would not work.
    Error,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What it is about: a setting's key, a channel, a file.
    pub(super) about: String,
    /// A sentence, with what to do. Never holds a secret.
    pub(super) message: String,
}

impl Finding {
    pub(super) fn ok(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Ok, about, message)
    }

    pub(super) fn warn(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Warn, about, message)
    }

    pub(super) fn error(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Error, about, message)
    }

    fn new(level: Level, about: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level, about: about.into(), message: message.into() }
    }

    fn line(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok   ",
            Level::Warn => "warn ",
            Level::Error => "error",
        };
        // One line each, also where a server's or a file's text is in it.
        format!("{level}  {}: {}", self.about, self.message).replace(['\n', '\r'], " ")
    }
}

/// For people.
pub(super) fn lines(findings: &[Finding]) -> String {
    findings.iter().map(Finding::line).collect::<Vec<_>>().join("\n")
}

/// For programs: `{"findings": [{"level", "about", "message"}]}`.
pub(super) fn json(findings: &[Finding]) -> String {
    serde_json::json!({ "findings": findings }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_and_an_object() {
        let findings = [Finding::ok("a", "good"), Finding::error("b.c", "two\nlines")];
        assert_eq!(lines(&findings), "ok     a: good\nerror  b.c: two lines");
        let json: serde_json::Value = serde_json::from_str(&json(&findings)).unwrap();
        assert_eq!(json["findings"][0]["level"], "ok");
        assert_eq!(json["findings"][1]["about"], "b.c");
        assert_eq!(json["findings"][1]["message"], "two\nlines");
    }
}
