//! The interpreter: asks, decides by the modules, and does the steps. The only code that changes a host.

mod drive;
mod engine;
mod fleet;
mod outline;
mod perform;
mod remote;
mod schedule;
mod wire;

pub use drive::{Drove, Mode};
pub use engine::{Built, Engine, LayerSpec, Options, Registers, Stage, Work};
pub use fleet::{Done, Fleet};
pub use remote::{AskKey, Remote};
