//! Writing to the standard streams. `println!` would panic when a reader goes away.

use std::io::{self, Write as _};

use crate::failure::Failure;

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

/// Tells why the command failed, on the standard error.
pub(crate) fn complain(failure: &Failure) {
    let text = failure.to_string();
    if !text.is_empty() {
        // Where the standard error is gone too, the exit status has to do.
        let _ = writeln!(io::stderr(), "error: {text}");
    }
}
