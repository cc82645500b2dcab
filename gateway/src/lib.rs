//! gateway
mod credential;
pub mod table;
pub mod target;
mod listener {
    mod framing;
}
