//! The page of the settings is written from the code.

use std::fmt::Write as _;

use config::{SectionListing, SettingListing};

use crate::tree::{Tree, root};

const PAGE: &str = "docs/configuration.md";
const BEGIN: &str = "<!-- Written from the code: UPDATE_DOCS=1 cargo test --test tidy -->\n";
const END: &str = "<!-- End of what is written from the code. -->";

/// A page that lacks a setting, has one too many or tells it differently than the code does.
pub(crate) fn undocumented(tree: &Tree) -> Vec<String> {
    let written = reference();
    let page = tree.get(PAGE).unwrap_or_default();
    let Some((before, rest)) = page.split_once(BEGIN) else {
        return vec![format!("{PAGE}: add {BEGIN}")];
    };
    let Some((shown, after)) = rest.split_once(END) else {
        return vec![format!("{PAGE}: add {END}")];
    };
    if shown == written {
        return Vec::new();
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = format!("{before}{BEGIN}{written}{END}{after}");
        std::fs::write(root().join(PAGE), page).expect("the page can be written");
        return Vec::new();
    }
    let differs = written.lines().zip(shown.lines()).find(|(code, page)| code != page);
    let (code, _) = differs.unwrap_or(("the end of it", ""));
    vec![format!(
        "{PAGE}: not what the code says at `{code}`; run UPDATE_DOCS=1 cargo test --test tidy"
    )]
}

/// The tables of the page.
fn reference() -> String {
    let mut page = String::new();
    write_section(&mut page, &config::reference());
    page
}

fn write_section(page: &mut String, section: &SectionListing) {
    let SectionListing { path, about, settings, sections } = section;
    if !settings.is_empty() {
        let about = about.join("").trim().to_owned();
        let _ = write!(page, "\n### `[{path}]`\n{about}\n\n");
        page.push_str("| setting | meaning | accepted | default |\n| --- | --- | --- | --- |\n");
        for setting in settings {
            write_setting(page, setting);
        }
    }
    for section in sections {
        write_section(page, section);
    }
    if path.is_empty() {
        page.push('\n');
    }
}

fn write_setting(page: &mut String, setting: &SettingListing) {
    let SettingListing { key, doc, accepted, required, default, example, has_file_form, .. } =
        setting;
    let meaning = doc.join("").trim().to_owned();
    let file_form = if *has_file_form {
        format!(" `{key}_file` names a file that holds it.")
    } else {
        String::new()
    };
    let default = match (default, example) {
        (Some(default), _) => format!("`{default}`"),
        (None, _) if *required => "required".to_owned(),
        (None, Some(file)) if *has_file_form => format!("unset; example `{key}_file = {file}`"),
        (None, Some(example)) => format!("unset; example `{example}`"),
        (None, None) => "unset".to_owned(),
    };
    let cells = [format!("`{key}`"), meaning + &file_form, accepted.clone(), default];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}
