//! condagate
fn main() {}
