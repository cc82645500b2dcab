//! Where `condagate login` keeps the session: a file of its user's alone.

use std::io::ErrorKind;
use std::path::PathBuf;

use access::TokenSecret;
use config::BaseUrl;
use serde::Deserialize;
use serde_json::json;

use crate::failure::Failure;
use crate::private_file;

/// A sign-in at one control plane.
pub(crate) struct Login {
    /// The control plane.
    pub(crate) url: BaseUrl,
    /// The session.
    pub(crate) session: TokenSecret,
}

/// The file's form, for reading.
#[derive(Deserialize)]
struct Form {
    url: String,
    session: String,
}

impl Login {
    /// The last sign-in; none where there was none.
    pub(crate) fn read() -> Result<Option<Self>, Failure> {
        let Some(path) = path() else { return Ok(None) };
        let text = match std::fs::read_to_string(&path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(Failure::file(&path, "read"))?,
        };
        let form: Option<Form> = serde_json::from_str(&text).ok();
        let login = form.and_then(|form| {
            let session = TokenSecret::parse(&form.session).ok()?;
            Some(Self { url: form.url.parse().ok()?, session })
        });
        // Whatever it was: the next sign-in writes it anew.
        Ok(login)
    }

    /// Keeps it for the next commands; where, for people.
    pub(crate) fn keep(&self) -> Result<String, Failure> {
        let path = path().ok_or_else(|| {
            Failure::Usage("there is no place for the session: set HOME or XDG_CONFIG_HOME".into())
        })?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Failure::file(folder, "make the folder"))?;
        }
        let text = json!({ "url": self.url.as_str(), "session": self.session.reveal() });
        private_file::write(&path, &format!("{text:#}\n"))
            .map_err(Failure::file(&path, "write"))?;
        Ok(path.display().to_string())
    }

    /// Forgets the last sign-in.
    pub(crate) fn forget() -> Result<(), Failure> {
        match path().map(|path| (std::fs::remove_file(&path), path)) {
            Some((Err(cause), path)) if cause.kind() != ErrorKind::NotFound => {
                Err(Failure::file(&path, "remove")(cause))
            }
            _ => Ok(()),
        }
    }
}

/// `login.json` in the user's folder for settings (XDG Base Directory Specification).
fn path() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = match set("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(set("HOME")?).join(".config"),
    };
    Some(folder.join("condagate/login.json"))
}
