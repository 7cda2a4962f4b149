//! The `provision` program.
fn main() {}
