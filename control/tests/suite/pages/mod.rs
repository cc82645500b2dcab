//! The pages, by a browser without scripts.

mod audit;
mod browser;
mod frame;
mod lists;
mod offered;
mod people;
mod sizes;
mod taking;
mod tokens;
