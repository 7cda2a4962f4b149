//! `provision`: converges EL9 hosts to a working cluster.
fn main() {}
