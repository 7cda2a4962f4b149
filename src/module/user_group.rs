//! `user_group`: an account is in a supplementary group.

use super::argument::needed;
use super::refusal::{NEEDS_LOGIN, NO_ACCOUNT, refuse};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Advice, Class, Decision, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::user::User;
use crate::probe::{Answers, Need, Seen};

/// A membership of a group.
#[derive(Clone, Debug)]
pub struct UserGroup {
    host: HostName,
    user: String,
    group: String,
}

impl Module for UserGroup {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "user_group",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed("user", ArgKind::Text, "The account; it must exist."),
            needed("group", ArgKind::Text, "The group."),
        ],
    };

    type State = Seen<Option<User>>;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.$".contains(c);
        for name in ["user", "group"] {
            let text = args.required(name)?;
            if text.is_empty() || text.starts_with('-') || !text.chars().all(plain) {
                return Err(args.wrong_at(name, format!("`{text}` is no name of a {name}")));
            }
        }
        Ok(Self {
            host: context.host.clone(),
            user: args.required("user")?,
            group: args.required("group")?,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let user = seen.user(&self.host, &*self.user);
        seen.settle(user)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let user = match state {
            Seen::Unknown(_) => return Decision::default(),
            Seen::Is(None) => return self.nobody(),
            Seen::Is(Some(user)) => user,
        };
        let mut decision = Decision::default();
        if user.groups.contains(&self.group) {
            return decision;
        }
        let act = Act::AddToGroup {
            user: self.user.clone(),
            group: self.group.clone(),
        };
        let why = format!("{} is in {} only", self.user, user.groups.join(", "));
        let id = StepId::new(&["user_group", &self.group, &self.user]);
        decision
            .steps
            .push(Step::new(id, &self.host, Class::Repair, why, act));
        decision.advice.push(Advice {
            code: NEEDS_LOGIN.to_owned(),
            host: Some(self.host.clone()),
            text: format!(
                "sessions of {} that are open now get the group {} only after a new login",
                self.user, self.group
            ),
        });
        decision
    }
}

impl UserGroup {
    fn nobody(&self) -> Decision {
        refuse(
            &self.host,
            NO_ACCOUNT,
            format!("there is no account {} on {}", self.user, self.host),
            vec![format!(
                "{}: getent passwd {}: nothing",
                self.host, self.user
            )],
            "correct the name, or make the account first",
        )
        .into()
    }
}
