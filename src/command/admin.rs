//! `condagate admin create NAME`.

use std::io::{self, BufRead as _};
use std::sync::Arc;

use access::SystemClock;
use control::Control;
use control::usecases::user;

use crate::cli::{Admin, Global};
use crate::failure::Failure;
use crate::terminal::print;
use crate::{process, settings};

/// The most bytes of a password.
const PASSWORD_MAX: u64 = 1024;

pub(super) fn run(global: &Global, admin: &Admin) -> Result<(), Failure> {
    let Admin::Create { name, password_stdin } = admin;
    let config = settings::load(global)?.config;
    process::block_on(async {
        // Before anybody types a password in vain. Often the first command there is: it makes the
        // database too.
        let database = process::Database::connect(&config.database).await?;
        database.migrate().await?;
        let password =
            if *password_stdin { from_input(io::stdin().lock())? } else { from_terminal(name)? };
        let store = database.store().clone();
        let control = Control::new(store, settings::for_control(&config), Arc::new(SystemClock));
        user::create_admin(&control, name, &password).await?;
        database.store().close().await;
        print(&format!("made `{name}` an admin"))
    })
}

/// A password from the standard input.
pub(super) fn from_input(input: impl io::BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let read = input.take(PASSWORD_MAX).read_line(&mut line);
    read.map_err(|cause| Failure::Usage(format!("can't read the password: {cause}")))?;
    accept(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// A password from the terminal, asked for once.
pub(super) fn from_terminal_once(name: &str) -> Result<String, Failure> {
    accept(ask(format!("Password of {name}: "))?)
}

fn from_terminal(name: &str) -> Result<String, Failure> {
    let password = accept(ask(format!("Password for {name}: "))?)?;
    if ask("Again: ".to_owned())? == password {
        Ok(password)
    } else {
        Err(Failure::Usage("the two passwords differ; nothing was changed".to_owned()))
    }
}

fn ask(prompt: String) -> Result<String, Failure> {
    rpassword::prompt_password(prompt).map_err(|cause| {
        let hint = "without a terminal use --password-stdin";
        Failure::Usage(format!("can't ask for a password ({cause}); {hint}"))
    })
}

fn accept(password: String) -> Result<String, Failure> {
    if password.is_empty() {
        return Err(Failure::Usage("the password is empty; nothing was changed".to_owned()));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line() {
        let read = |text: &[u8]| from_input(text);
        assert_eq!(read(b"secret word\r\nmore").unwrap(), "secret word");
        assert_eq!(read(b" spaces stay ").unwrap(), " spaces stay ");
        assert!(matches!(read(b"\n"), Err(Failure::Usage(_))));
        assert!(matches!(read(b""), Err(Failure::Usage(_))));
    }
}
