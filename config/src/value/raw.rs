//! A value as written, before it has a type.

/// A value as written, before it has a type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    List(Vec<Raw>),
    /// What no setting is: a flag, a float, a date, a huge number, a section in a list. As
    /// written.
    Other(String),
    /// The text of an environment variable: a text, a number, or a list with commas.
    Variable(String),
}

impl Raw {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Variable(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Variable(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Variable(text) if text.trim().is_empty() => Some(Vec::new()),
            Self::Variable(text) => {
                Some(text.split(',').map(|item| Self::Variable(item.trim().to_owned())).collect())
            }
            _ => None,
        }
    }

    /// The value for an error's text, cut where it is long.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(text) | Self::Variable(text) => match text.char_indices().nth(60) {
                Some((end, _)) => quote(&format!("{}…", &text[..end])),
                None => quote(text),
            },
            Self::Integer(number) => number.to_string(),
            Self::List(_) => "a list".to_owned(),
            Self::Other(written) => written.chars().take(60).collect(),
        }
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Raw {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// `text` as a TOML basic string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
