//! Reaches hosts: one ssh connection each, with one long-lived privileged shell.
//!
//! This layer moves bytes. It knows nothing of modules, queries or plans, prints nothing and asks
//! nobody: what a person must decide comes back as a [`ConnectError`].
//!
//! ```text
//! Connector ─connect→ Session ─send→ driver ─→ Shell (framed, pipelined)  ┐
//!                        ├─upload, hold_lock→ channels of their own       ├ one ssh master
//!                        └─check_fresh_login→ a connection of its own     ┘
//! ```

mod channel;
mod config;
mod connector;
mod diagnose;
mod driver;
mod error;
mod frame;
mod fresh;
mod link;
mod lock;
mod lost;
mod master;
mod opening;
mod recover;
mod script;
mod secret;
mod session;
mod shell;
mod target;
mod upload;

pub use connector::Connector;
pub use error::{ConnectError, ConnectFailure, SetupError};
pub use lock::Held;
pub use lost::{LockError, Lost};
pub use secret::Secret;
pub use session::{Answering, Output, Request, Session};
pub use target::{Become, Settings, Target};
