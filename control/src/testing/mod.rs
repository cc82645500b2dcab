//! For tests, of this crate and of those above it: steps at which a change can be held, and
//! throw-away databases of both kinds.

mod hooks;

pub use hooks::{Hooks, Pause, Step};
