//! `condagate admin create NAME`.

use std::sync::Arc;

use access::SystemClock;
use control::Control;
use control::usecases::user;

use crate::cli::{Admin, Global};
use crate::failure::Failure;
use crate::terminal::{first_line, hidden, print};
use crate::{process, settings};

const PASSWORD: &str = "password";
const HINT: &str = "without a terminal use --password-stdin";

pub(super) fn run(global: &Global, admin: &Admin) -> Result<(), Failure> {
    let Admin::Create { name, password_stdin } = admin;
    let config = settings::load(global)?.config;
    process::block_on(async {
        // Before anybody types a password in vain. Often the first command there is: it makes the
        // database too.
        let database = process::Database::connect(&config).await?;
        database.migrate().await?;
        let password = new_password(*password_stdin, name)?;
        let store = database.store().clone();
        let control = Control::new(store, settings::for_control(&config), Arc::new(SystemClock));
        user::create_admin(&control, name, &password).await?;
        database.store().close().await;
        print(&format!("made `{name}` an admin"))
    })
}

/// A password from the standard input, or asked for twice on the terminal.
pub(super) fn new_password(stdin: bool, name: &str) -> Result<String, Failure> {
    if stdin {
        return first_line(std::io::stdin().lock(), PASSWORD);
    }
    let password = hidden(&format!("Password for {name}: "), PASSWORD, HINT)?;
    if hidden("Again: ", PASSWORD, HINT)? == password {
        Ok(password)
    } else {
        Err(Failure::Usage("the two passwords differ; nothing was changed".to_owned()))
    }
}

/// A password from the standard input, or asked for once on the terminal.
pub(super) fn known_password(stdin: bool, name: &str) -> Result<String, Failure> {
    match stdin {
        true => first_line(std::io::stdin().lock(), PASSWORD),
        false => hidden(&format!("Password of {name}: "), PASSWORD, HINT),
    }
}
