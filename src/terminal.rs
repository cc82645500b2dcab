//! The standard streams. `println!` would panic when a reader goes away.

use std::io::{self, BufRead, IsTerminal as _, Read as _, Write as _};

use serde_json::Value;

use crate::failure::Failure;

/// The most bytes of a line that is read.
const LINE_MAX: u64 = 1024;

/// Writes `text` and a line's end to the standard output. A reader that went away has what it
/// wanted (`condagate config | head`).
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(cause)),
        _ => Ok(()),
    }
}

/// Writes `value` as JSON.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}"))
}

/// Asks a question that `y` says yes to. Where nobody sits at a terminal there is nobody to ask,
/// and the command was meant.
pub(crate) fn confirmed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().take(LINE_MAX).read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The first line of the standard input, for what may not stand on a command line; `what` names it.
pub(crate) fn first_line(input: impl BufRead, what: &str) -> Result<String, Failure> {
    let mut line = String::new();
    let read = input.take(LINE_MAX).read_line(&mut line);
    read.map_err(|cause| Failure::Usage(format!("can't read the {what}: {cause}")))?;
    given(line.trim_end_matches(['\n', '\r']).to_owned(), what)
}

/// Asks for something on the terminal that isn't shown as it is typed; `hint` says what to do
/// where there is none.
pub(crate) fn hidden(prompt: &str, what: &str, hint: &str) -> Result<String, Failure> {
    let typed = rpassword::prompt_password(prompt)
        .map_err(|cause| Failure::Usage(format!("can't ask for a {what} ({cause}); {hint}")))?;
    given(typed, what)
}

fn given(text: String, what: &str) -> Result<String, Failure> {
    if text.is_empty() {
        return Err(Failure::Usage(format!("the {what} is empty; nothing was changed")));
    }
    Ok(text)
}

/// Tells why the command failed, on the standard error.
pub(crate) fn complain(failure: &Failure) {
    let text = failure.to_string();
    if !text.is_empty() {
        // Where the standard error is gone too, the exit status has to do.
        let _ = writeln!(io::stderr(), "error: {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_first_line() {
        let read = |text: &[u8]| first_line(text, "password");
        assert_eq!(read(b"secret word\r\nmore").unwrap(), "secret word");
        assert_eq!(read(b" spaces stay ").unwrap(), " spaces stay ");
        assert!(matches!(read(b"\n"), Err(Failure::Usage(_))));
        assert!(matches!(read(b""), Err(Failure::Usage(_))));
    }
}
