//! Reading and listing one setting of a section.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::document::Written;
use crate::listing::{SectionListing, SettingListing};
use crate::reader::{Reader, Reported};
use crate::section::{Field, Spec};
use crate::value::{FromFile, Refusal, Value};

/// The most bytes of a secret's file.
const SECRET_FILE_MAX: u64 = 64 * 1024;

impl<T: Value> Field for T {
    fn read(reader: &mut Reader<'_>, spec: Spec<Self>) -> Option<Self> {
        read(reader, spec).ok()
    }

    fn list(value: Option<&Self>, spec: Spec<Self>, into: &mut SectionListing) {
        into.settings.push(SettingListing {
            key: spec.key,
            doc: spec.doc,
            accepted: spec.accepted(),
            required: spec.default.is_none(),
            default: spec.default.as_ref().and_then(T::render),
            example: spec.example.map(|raw| raw.describe()),
            value: value.and_then(T::render),
            file: value.and_then(T::file).map(Path::to_path_buf),
            has_file_form: T::from_file().is_some(),
        });
    }
}

fn read<T: Value>(reader: &mut Reader<'_>, spec: Spec<T>) -> Result<T, Reported> {
    let file_key = format!("{}_file", spec.key);
    let plain = reader.written(spec.key);
    let file = T::from_file().map(|make| (make, reader.written(&file_key)));
    let file = match file {
        Some((make, written)) => written?.map(|written| (make, written)),
        None => None,
    };
    // What the environment says is written over what the file says, in whichever form.
    match (plain?, file) {
        (Some(value), Some((_, file)))
            if value.origin.is_environment() == file.origin.is_environment() =>
        {
            let message = format!("{} is set too; set only one of the two", spec.key);
            reader.refuse(&file.origin, &file_key, message);
            Err(Reported)
        }
        (Some(value), Some((make, file))) if file.origin.is_environment() => {
            drop(value);
            read_file(reader, &spec, &file_key, make, &file)
        }
        (Some(value), _) => read_plain(reader, &spec, &value),
        (None, Some((make, file))) => read_file(reader, &spec, &file_key, make, &file),
        (None, None) => {
            let message = format!("is missing; accepted: {}", spec.accepted());
            let default = spec.default.map(|default| default.in_folder(&reader.report.folder));
            default.ok_or_else(|| {
                reader.refuse(&reader.origin().clone(), spec.key, message);
                Reported
            })
        }
    }
}

fn read_plain<T: Value>(
    reader: &mut Reader<'_>,
    spec: &Spec<T>,
    written: &Written,
) -> Result<T, Reported> {
    let parsed = T::parse(&written.raw, written.origin.folder());
    parsed.and_then(|value| spec.check(value)).map_err(|refusal| {
        let whole = || if T::SENSITIVE { "the value".to_owned() } else { written.raw.describe() };
        let subject = refusal.part.unwrap_or_else(whole);
        let message = format!("{subject} {}; accepted: {}", refusal.reason, spec.accepted());
        reader.refuse(&written.origin, spec.key, message);
        Reported
    })
}

fn read_file<T: Value>(
    reader: &mut Reader<'_>,
    spec: &Spec<T>,
    file_key: &str,
    make: FromFile<T>,
    written: &Written,
) -> Result<T, Reported> {
    let folder = written.origin.folder();
    let value = PathBuf::parse(&written.raw, folder)
        .map_err(|Refusal { reason, .. }| format!("{} {reason}", written.raw.describe()))
        .and_then(|path| {
            let in_file = |what: &str| format!("the file {} {what}", path.display());
            let content = content(&path).map_err(|why| in_file(&why))?;
            make(&content, path.clone(), folder)
                .map_err(|Refusal { reason, .. }| in_file(&format!("holds what {reason}")))
        });
    value.map_err(|message| {
        let message = format!("{message}; accepted: a file that holds {}", spec.accepted());
        reader.refuse(&written.origin, file_key, message);
        Reported
    })
}

/// The text in the file `path`, without the line's end that editors leave.
fn content(path: &Path) -> Result<String, String> {
    let mut content = String::new();
    let read = File::open(path).and_then(|file| {
        file.take(SECRET_FILE_MAX + 1).read_to_string(&mut content)?;
        Ok(())
    });
    read.map_err(|cause| format!("can't be read: {cause}"))?;
    if content.len() as u64 > SECRET_FILE_MAX {
        return Err("is larger than 64 KiB".to_owned());
    }
    Ok(content.trim_end_matches(['\r', '\n']).to_owned())
}
