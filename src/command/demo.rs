use crate::cli::{Demo, Global};
use crate::failure::Failure;
pub(super) fn run(_global: &Global, _options: &Demo) -> Result<(), Failure> {
    Ok(())
}
