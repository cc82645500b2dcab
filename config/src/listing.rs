//! The settings as a list, and the two files written from it: the commented default and the
//! effective configuration.

use std::path::PathBuf;

use crate::reader::join;
use crate::section::Section;
use crate::value::{MASK, quote};

/// The settings of a section.
#[derive(Clone, Debug)]
pub struct SectionListing {
    /// The section's key, `gateway.cache`; empty for the whole configuration.
    pub path: String,
    /// What the section is about, line by line.
    pub about: Vec<&'static str>,
    /// Its settings.
    pub settings: Vec<SettingListing>,
    /// The sections in it.
    pub sections: Vec<Self>,
}

/// One setting.
#[derive(Clone, Debug)]
pub struct SettingListing {
    /// Its key in its section.
    pub key: &'static str,
    /// What it means, line by line.
    pub doc: &'static [&'static str],
    /// What may be written.
    pub accepted: String,
    /// Whether its section is incomplete without it.
    pub required: bool,
    /// The default as TOML; `None`: unset or required.
    pub default: Option<String>,
    /// An example as TOML, where there is no default.
    pub example: Option<String>,
    /// Whether it can be set by a file that holds it, with the key and `_file`.
    pub has_file_form: bool,
    /// The value as TOML, secrets masked, in a listing of a configuration; `None`: unset.
    pub(crate) value: Option<String>,
    /// The file that the value was read from.
    pub(crate) file: Option<PathBuf>,
}

impl SectionListing {
    pub(crate) fn new(path: &str, about: &[&'static str]) -> Self {
        Self {
            path: path.to_owned(),
            about: about.to_vec(),
            settings: Vec::new(),
            sections: Vec::new(),
        }
    }

    pub(crate) fn nest<S: Section>(&mut self, value: Option<&S>, key: &str) {
        self.sections.push(S::listing(value, &join(&self.path, key)));
    }

    /// The keys of the settings and sections directly in it.
    pub(crate) fn keys(&self) -> Vec<String> {
        let settings = self.settings.iter().flat_map(|setting| {
            let file_form = setting.has_file_form.then(|| format!("{}_file", setting.key));
            [Some(setting.key.to_owned()), file_form].into_iter().flatten()
        });
        let settings = settings.map(|key| join(&self.path, &key));
        settings.chain(self.sections.iter().map(|section| section.path.clone())).collect()
    }

    /// The keys of all settings and sections within it.
    pub(crate) fn all_keys(&self) -> Vec<String> {
        let mut keys = self.keys();
        keys.extend(self.sections.iter().flat_map(Self::all_keys));
        keys
    }

    /// The settings within it that hold a secret, each with the file that it was read from.
    pub(crate) fn secrets(&self) -> Vec<(String, Option<PathBuf>)> {
        let secret = |setting: &SettingListing| match (&setting.file, &setting.value) {
            (Some(file), _) => Some((format!("{}_file", setting.key), Some(file.clone()))),
            (None, Some(value)) if value.contains(MASK) => Some((setting.key.to_owned(), None)),
            _ => None,
        };
        let own = self.settings.iter().filter_map(secret);
        let own = own.map(|(key, file)| (join(&self.path, &key), file));
        own.chain(self.sections.iter().flat_map(Self::secrets)).collect()
    }

    fn is_set(&self) -> bool {
        self.settings.iter().any(|setting| setting.value.is_some())
    }

    /// Adds the section to the effective configuration.
    pub(crate) fn write_effective(&self, out: &mut Vec<String>) {
        if self.is_set() || self.settings.iter().any(|setting| !setting.required) {
            self.write_values(out);
        }
        for section in &self.sections {
            section.write_effective(out);
        }
    }

    fn write_values(&self, out: &mut Vec<String>) {
        out.extend([String::new(), format!("[{}]", self.path)]);
        for SettingListing { key, value, file, .. } in &self.settings {
            out.push(match (value, file) {
                (_, Some(file)) => format!("{key}_file = {}", quote(&file.to_string_lossy())),
                (Some(value), None) => format!("{key} = {value}"),
                (None, None) => format!("# {key} is not set"),
            });
        }
    }

    /// Adds the section to the commented default file. What the operator may set stands behind
    /// `#`, explanations behind `# `.
    pub(crate) fn write_default(&self, out: &mut Vec<String>) {
        if !self.path.is_empty() {
            out.push(String::new());
            out.extend(self.about.iter().map(|line| format!("#{line}")));
            let optional = self.settings.iter().any(|setting| setting.required);
            out.push(format!("{}[{}]", if optional { "#" } else { "" }, self.path));
        }
        for setting in &self.settings {
            setting.write_default(out);
        }
        for section in &self.sections {
            section.write_default(out);
        }
    }
}

impl SettingListing {
    fn write_default(&self, out: &mut Vec<String>) {
        let Self { key, default, example, .. } = self;
        out.push(String::new());
        out.extend(self.doc.iter().map(|line| format!("#{line}")));
        out.push(format!("# Accepted: {}.", self.accepted));
        if self.has_file_form {
            out.push(format!("# `{key}_file` names a file that holds it."));
        }
        match (default, example) {
            (Some(default), _) => out.push(format!("#{key} = {default}")),
            (None, Some(example)) if self.has_file_form => {
                out.push(format!("#{key}_file = {example}  # example"));
            }
            (None, Some(example)) => out.push(format!("#{key} = {example}  # example")),
            // An example would contradict another one.
            (None, None) => out.push(format!("# Not set by default: {key}.")),
        }
    }
}
