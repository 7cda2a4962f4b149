//! The connection layer against a real sshd.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail"
)]

mod framing;
mod keys;
mod locking;
mod losing;
mod sshd;
mod uploading;
