//! A plan is data: steps, waits, refusals and advice that can be printed, saved, compared and interpreted.

mod act;
mod allow;
mod claim;
mod command;
mod decision;
mod document;
mod pgpool;
mod scope;
mod step;

pub use act::{Act, Content, FirewallChange, FirewallItem, Package, SwarmAct, UnitVerb, Via};
pub use act::{GlusterAct, Member, MountAct};
pub use act::{Password, PostgresAct, RoleSpec};
pub use act::{Reload, Request, StackAct, Subject};
pub use allow::{Allow, VERBS};
pub use claim::{Claim, Expect, GlusterExpect, PostgresExpect, StackExpect, is_loaded};
pub(crate) use claim::{is_mounted, no_swarm};
pub use command::{CHANGED, Late, Phase};
pub use decision::{Advice, Decision, Reach, Refusal, Wait};
pub use document::{Plan, Planned, Unknown};
pub use pgpool::{PgpoolAct, PgpoolExpect};
pub use scope::Scope;
pub use step::{Class, Step, StepId};
