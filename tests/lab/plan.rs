//! Steps as planned and as done, compared by id, subject and class.

use super::provision::Ended;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a reviewer approves: id, subject, class.
pub type Step = (String, String, String);

/// A step as it is written in a test.
pub fn step(id: &str, host: usize, class: &str) -> Step {
    (id.to_owned(), super::lab::name_of(host), class.to_owned())
}

fn text(value: &Value, key: &str) -> String {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
        .to_owned()
}

/// The steps of a plan document.
pub fn steps(plan: &Value) -> BTreeSet<Step> {
    let list = plan["steps"].as_array().unwrap();
    let steps: BTreeSet<Step> = list
        .iter()
        .map(|step| (text(step, "id"), text(step, "subject"), text(step, "class")))
        .collect();
    assert_eq!(steps.len(), list.len(), "a step is planned twice: {plan:#}");
    steps
}

impl Ended {
    /// The plan among the events of `--output json`.
    #[track_caller]
    pub fn plan(&self) -> Value {
        let events = self.events();
        let plan = events.iter().find(|event| event["event"] == "plan");
        plan.unwrap_or_else(|| panic!("no plan in\n{}\n{}", self.out, self.err))["plan"].clone()
    }

    /// The steps that were done.
    #[track_caller]
    pub fn done(&self) -> BTreeSet<Step> {
        let events = self.events();
        let done: Vec<Step> = events
            .iter()
            .filter(|event| event["event"] == "step_done")
            .map(|event| (text(event, "id"), text(event, "host"), text(event, "class")))
            .collect();
        let set: BTreeSet<Step> = done.iter().cloned().collect();
        assert_eq!(set.len(), done.len(), "a step was done twice: {done:#?}");
        set
    }
}
