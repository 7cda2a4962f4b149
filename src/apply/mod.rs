//! The interpreter: asks, decides by the modules, and does the steps. The only code that changes a host.

mod before;
mod certify;
mod drive;
mod engine;
mod evaluate;
mod fleet;
mod forget;
mod gate;
mod outline;
mod perform;
mod registers;
mod remote;
mod schedule;
mod ties;
mod turn;
mod wire;

pub use drive::{Drove, Mode};
pub use engine::{Built, Engine, LayerSpec, Options, Stage, Work};
pub use fleet::{Done, Fleet};
pub use registers::Registers;
pub use remote::{AskKey, Remote};
