//! A plan is data: steps, waits, refusals and advice that can be printed, saved, compared and interpreted.

mod act;
mod claim;
mod command;
mod decision;
mod document;
mod scope;
mod step;

pub use act::{Act, Content, FirewallChange, FirewallItem, Package, SwarmAct, UnitVerb, Via};
pub use act::{GlusterAct, MountAct};
pub use act::{Password, PostgresAct, RoleSpec};
pub use claim::{Claim, Expect, GlusterExpect};
pub use claim::{PostgresExpect, is_loaded};
pub use command::{CHANGED, Late, Phase};
pub use decision::{Advice, Decision, Reach, Refusal, Wait};
pub use document::{Plan, Planned, Unknown};
pub use scope::Scope;
pub use step::{Class, Step, StepId};
