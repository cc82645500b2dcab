//! What people do in the browser (ui.md), on both databases.

mod company;
mod leaked;
mod org;
mod pictures;
mod stories;
mod tokens;
mod usage;
mod widths;
