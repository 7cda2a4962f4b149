//! `lab`: EL9-like hosts on one Linux machine.
fn main() {}
