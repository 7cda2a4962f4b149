//! The language of the project as its users meet it: files in, values and exact messages out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests may fail loudly"
)]

mod cases;
mod example;
mod inventory;
mod support;
mod template;
mod yaml;
