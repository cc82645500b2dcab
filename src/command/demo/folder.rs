//! The demo's folder and the files in it.
//!
//! | file | what |
//! | --- | --- |
//! | `demo.json` | login, URLs and token, mode 0600 |
//! | `condagate.toml` | what the demo runs with, written at each start |
//! | `condagate.db` | the database |
//! | `channels/demo/` | the packages |
//! | `access.log` | who fetched what |
//! | `ca.pem`, `server.pem`, `server-key.pem` | with `--tls` |
//! | `.new/` | what a first start is making |

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use config::Config;

use super::channel;
use super::credentials::Credentials;
use crate::cli::Demo;
use crate::failure::Failure;
use crate::private_file;

/// The demo's channel, and where it lies in its storage.
pub(super) const CHANNEL: &str = "demo";
/// The configured storage.
pub(super) const STORAGE: &str = "demo";

const CREDENTIALS: &str = "demo.json";
const DATABASE: &str = "condagate.db";
const SETTINGS: &str = "condagate.toml";
const NEW: &str = ".new";

/// The folder, locked as long as this value lives.
pub(super) struct Folder {
    /// As the command line names it, for texts.
    name: PathBuf,
    path: PathBuf,
    locked: Option<File>,
}

impl Folder {
    /// Makes the folder if it isn't there, and locks it unless another demo runs in it. What is
    /// made from here on is readable by its owner alone.
    pub(super) fn create(name: &Path) -> Result<Self, Failure> {
        rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
        fs::create_dir_all(name).map_err(Failure::file(name, "make the demo's folder"))?;
        let path = name.canonicalize().map_err(Failure::file(name, "open"))?;
        let handle = File::open(&path).map_err(Failure::file(name, "open"))?;
        let locked = match handle.try_lock() {
            Ok(()) => Some(handle),
            Err(fs::TryLockError::WouldBlock) => None,
            Err(fs::TryLockError::Error(cause)) => return Err(Failure::file(name, "lock")(cause)),
        };
        Ok(Self { name: name.to_owned(), path, locked })
    }

    /// Whether no other demo runs in it.
    pub(super) fn is_ours_alone(&self) -> bool {
        self.locked.is_some()
    }

    /// Its path from the root.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it, as the command line would name it.
    pub(super) fn shown(&self, file: &str) -> String {
        self.name.join(file).display().to_string()
    }

    /// Takes up what a killed start left: moves what was finished into place, removes the rest.
    pub(super) fn finish_killed_start(&self) -> Result<(), Failure> {
        let new = self.path.join(NEW);
        let finished = new.join(CREDENTIALS);
        // They are written before the database is moved, so they are whole and belong to it.
        if self.has_database() && !self.path.join(CREDENTIALS).exists() && finished.exists() {
            self.rename(&finished, CREDENTIALS)?;
        }
        match fs::remove_dir_all(&new) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                Err(Failure::file(&new, "remove")(cause))
            }
            _ => Ok(()),
        }
    }

    /// Writes the packages, where there are none.
    pub(super) fn put_channel(&self) -> Result<(), Failure> {
        let channels = self.path.join("channels");
        if channels.join(CHANNEL).exists() {
            return Ok(());
        }
        let new = self.path.join(NEW).join("channel");
        channel::write(&new).map_err(Failure::file(&new, "write the channel"))?;
        fs::create_dir_all(&channels).map_err(Failure::file(&channels, "make the folder"))?;
        self.rename(&new, &format!("channels/{CHANNEL}"))
    }

    /// Writes the settings that `options` ask for, and reads them.
    pub(super) fn put_settings(&self, options: &Demo) -> Result<Config, Failure> {
        let text = settings(options);
        let config = parse(&text, &self.path.join(SETTINGS))?;
        self.write(SETTINGS, &text)?;
        Ok(config)
    }

    /// The settings of the demo that runs in it.
    pub(super) fn settings(&self) -> Result<Config, Failure> {
        let path = self.path.join(SETTINGS);
        let text = fs::read_to_string(&path).map_err(Failure::file(&path, "read"))?;
        parse(&text, &path)
    }

    /// The settings by which a first start makes the database.
    pub(super) fn settings_of_new(&self, options: &Demo) -> Result<Config, Failure> {
        let new = self.path.join(NEW);
        fs::create_dir_all(&new).map_err(Failure::file(&new, "make the folder"))?;
        parse(&settings(options), &new.join(SETTINGS))
    }

    /// Moves the finished database of a first start into place, and its credentials.
    pub(super) fn put_new(&self, credentials: &Credentials) -> Result<(), Failure> {
        let new = self.path.join(NEW);
        // Closed, SQLite has taken its log into the file; a move without it would lose changes.
        if new.join(format!("{DATABASE}-wal")).exists() {
            return Err(self.fault("the new database was not closed; start again"));
        }
        self.write(&format!("{NEW}/{CREDENTIALS}"), &credentials.to_json())?;
        self.rename(&new.join(DATABASE), DATABASE)?;
        self.finish_killed_start()
    }

    pub(super) fn has_database(&self) -> bool {
        self.path.join(DATABASE).exists()
    }

    /// What is in `demo.json`; none when it is gone.
    pub(super) fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let path = self.path.join(CREDENTIALS);
        match fs::read_to_string(&path) {
            Ok(text) => Credentials::from_json(&text).map(Some).map_err(|why| {
                self.fault(&format!(
                    "{CREDENTIALS} was changed ({why}); remove the folder to begin anew"
                ))
            }),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Failure::file(&path, "read")(cause)),
        }
    }

    /// Writes `demo.json`, where that changes it.
    pub(super) fn put_credentials(&self, credentials: &Credentials) -> Result<(), Failure> {
        let text = credentials.to_json();
        let same = fs::read_to_string(self.path.join(CREDENTIALS)).is_ok_and(|old| old == text);
        if same { Ok(()) } else { self.write(CREDENTIALS, &text) }
    }

    /// Another demo has it.
    pub(super) fn is_in_use(&self) -> Failure {
        self.fault(
            "another `condagate demo` runs in it; end that one, or name another folder (--dir)",
        )
    }

    /// `demo.json` is gone, and with it the admin's password.
    pub(super) fn without_credentials(&self) -> Failure {
        self.fault(&format!(
            "{CREDENTIALS} is gone, and with it the admin's password; remove the folder to begin anew"
        ))
    }

    fn fault(&self, reason: &str) -> Failure {
        Failure::Demo { dir: self.name.clone(), reason: reason.to_owned() }
    }

    fn rename(&self, from: &Path, to: &str) -> Result<(), Failure> {
        let to = self.path.join(to);
        fs::rename(from, &to).map_err(Failure::file(&to, "move into place"))
    }

    fn write(&self, file: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(file);
        private_file::write(&path, text).map_err(Failure::file(&path, "write"))
    }
}

fn parse(text: &str, path: &Path) -> Result<Config, Failure> {
    Ok(Config::from_text(text, path, std::iter::empty())?.config)
}

/// The settings of a demo. Paths are relative to the file.
fn settings(options: &Demo) -> String {
    let Demo { listen, control_listen, tls, .. } = options;
    let tls = if *tls {
        "\n[gateway.tls]\ncertificate = \"server.pem\"\nkey = \"server-key.pem\"\n"
    } else {
        ""
    };
    format!(
        "# What `condagate demo` runs with. It writes this file at each start.\n\
         \n\
         [database]\n\
         url = \"sqlite://{DATABASE}\"\n\
         \n\
         [gateway]\n\
         listen = [\"{listen}\"]\n\
         drain = \"5s\"\n\
         access_log = \"text\"\n\
         access_log_file = \"access.log\"\n\
         {tls}\n\
         [control]\n\
         listen = [\"{control_listen}\"]\n\
         \n\
         [storage.{STORAGE}]\n\
         kind = \"directory\"\n\
         path = \"channels\"\n\
         \n\
         [log]\n\
         level = \"warn\"\n"
    )
}
