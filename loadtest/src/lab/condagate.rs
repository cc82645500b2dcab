//! A database with the channel and the tokens, made as an operator makes it: by the commands.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::template::Template;
use super::{Binaries, Channel, SUBJECTS, Software, Subject, Tokens};
use crate::error::Error;

/// Of an admin that exists for as long as the lab does, on this machine only.
const PASSWORD: &str = "loadtest-on-this-machine";
/// How many tokens an import takes at once.
const IMPORT_MAX: usize = 10_000;

/// Databases that are ready to be copied, one for each binary: an earlier one can't read what a
/// later one wrote.
pub(super) struct Databases {
    channels: usize,
    made: Vec<(Software, PathBuf)>,
}

impl Databases {
    /// Each with so many channels.
    pub(super) fn new(channels: usize) -> Self {
        Self { channels, made: Vec::new() }
    }

    /// Puts a database into the folder of `subject`.
    pub(super) fn copy_for(
        &mut self,
        subject: &Subject,
        binaries: &Binaries,
        tokens: &Tokens,
        template: &mut Template,
    ) -> Result<(), Error> {
        let made = self.made.iter().find(|(software, _)| *software == subject.software);
        let folder = match made {
            Some((_, folder)) => folder.clone(),
            None => {
                let folder = make(subject.software, binaries, self.channels, tokens, template)?;
                self.made.push((subject.software, folder.clone()));
                folder
            }
        };
        let to = template.folder(subject.name)?;
        let failed = |cause| Error::file(&folder, cause);
        for file in std::fs::read_dir(&folder).map_err(failed)? {
            let file = file.map_err(failed)?;
            // SQLite's log belongs to its database.
            if file.file_name().to_string_lossy().starts_with("condagate.db") {
                std::fs::copy(file.path(), to.join(file.file_name())).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Makes a database with the channel and `tokens`; the folder that it is in.
fn make(
    software: Software,
    binaries: &Binaries,
    channels: usize,
    tokens: &Tokens,
    template: &mut Template,
) -> Result<PathBuf, Error> {
    let name = if software == Software::Baseline { "setup-baseline" } else { "setup" };
    let plain = &SUBJECTS[0];
    let subject = Subject { name, software, configuration: plain.configuration, tls: false };
    let launch = template.configure(&subject, binaries)?;
    let operator = Operator { program: &launch.program, folder: &launch.folder };
    operator.run(&["admin", "create", "admin", "--password-stdin"], PASSWORD)?;
    let mut serving = launch.start()?;
    let control = template.address("CONTROL");
    serving.wait_to_listen(name, &control)?;
    let url = format!("http://{control}");
    operator.run(&["login", &url, "--username", "admin", "--password-stdin"], PASSWORD)?;
    operator.run(&["channel", "create", Channel::NAME], "")?;
    operator.run(&["service-account", "create", Channel::NAME], "")?;
    for (number, some) in tokens.known.tokens().chunks(IMPORT_MAX).enumerate() {
        let lines = Tokens::import(some, number * IMPORT_MAX);
        operator.run(&["token", "import", "-", "--atomic"], &lines)?;
    }
    for number in 1..channels {
        let name = Channel::name_of(number);
        let open = ["--prefix", Channel::NAME, "--privacy", "authenticated", "--wait", "0s"];
        operator.run(&[&["channel", "create", &name], &open[..]].concat(), "")?;
    }
    Ok(launch.folder)
}

/// Who types commands.
struct Operator<'a> {
    program: &'a Path,
    folder: &'a Path,
}

impl Operator<'_> {
    fn run(&self, arguments: &[&str], input: &str) -> Result<(), Error> {
        let failed = |cause| Error::Program { program: self.program.to_owned(), cause };
        let mut child = Command::new(self.program)
            .args(arguments)
            .args(["--config", "condagate.toml"])
            .current_dir(self.folder)
            .env("XDG_CONFIG_HOME", self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // What it says when it does not read is better than that it does not.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = access::redact(said.trim()).into_owned();
        Err(Error::Setup(format!("condagate {}: {said}", arguments.join(" "))))
    }
}
