//! What a request's head says, whichever version of HTTP it came in.

use http::{Method, Version};

use super::Fields;

/// A request's head. HTTP/1 has refused one with content before it comes here.
pub(crate) struct Head<'r> {
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// The target's path, without its query.
    pub(crate) path: &'r str,
    /// Whether it says once, and clearly, which host it is for.
    pub(crate) is_host_clear: bool,
    pub(crate) has_content: bool,
    pub(crate) fields: &'r Fields<'r>,
}
