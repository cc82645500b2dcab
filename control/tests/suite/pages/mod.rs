//! The pages, by a browser without scripts.

mod browser;
mod frame;
mod people;
mod lists;
mod tokens;
