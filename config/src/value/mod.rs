//! The types that a setting can have.

mod choice;
mod database_url;
mod mount_prefix;
mod secret;
mod size;
mod url;

pub(crate) use choice::choice;
pub use database_url::{DatabaseKind, DatabaseUrl};
pub use mount_prefix::{MountPrefix, MountPrefixError};
pub use secret::Secret;
pub use size::Size;
pub use url::{BaseUrl, BaseUrlError};
