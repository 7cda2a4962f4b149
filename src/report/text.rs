//! The plan as text for people.

use crate::inventory::HostName;
use crate::plan::{Act, Content, Plan, Planned, StackAct};
use console::Style;
use similar::TextDiff;
use std::fmt::Write;

/// How many lines of a diff are shown.
const DIFF_LINES: usize = 60;

/// The plan, whole. `styled` adds colours.
pub fn plan(plan: &Plan, hosts: usize, styled: bool) -> String {
    let mut out = String::new();
    let style = |style: Style| style.force_styling(styled);
    let bold = style(Style::new().bold());
    let red = style(Style::new().red().bold());
    let dim = style(Style::new().dim());
    if let Some(assumed) = super::rehearsal::assumed(plan) {
        let _ = writeln!(out, "{}", bold.apply_to(assumed));
    }
    for (host, why) in &plan.unreachable {
        let _ = writeln!(
            out,
            "{}",
            red.apply_to(format!("{host} cannot be reached: {why}"))
        );
    }
    let mut current = String::new();
    for group in grouped(&plan.steps) {
        let first = &group[0];
        if first.layer != current {
            current.clone_from(&first.layer);
            let _ = writeln!(out, "\n{}", bold.apply_to(&current));
        }
        step(&mut out, &group, styled);
    }
    for (layer, wait) in &plan.waits {
        let _ = writeln!(
            out,
            "\n{} {}: {} (up to {} s)",
            bold.apply_to("wait"),
            layer,
            wait.what,
            wait.deadline_s
        );
    }
    if !plan.unknown.is_empty() {
        let _ = writeln!(out, "\n{}", bold.apply_to("cannot be known yet"));
        for unknown in &plan.unknown {
            let _ = writeln!(
                out,
                "  {}, {} ({}): {}",
                unknown.layer,
                unknown.task,
                names(&unknown.hosts),
                unknown.why
            );
        }
    }
    for (code, hosts, text) in advice(plan) {
        let hosts = if hosts.is_empty() {
            String::new()
        } else {
            format!("{}: ", names(&hosts))
        };
        let _ = writeln!(out, "\n{} {code}: {hosts}{text}", bold.apply_to("advice"));
    }
    for (layer, refusal) in &plan.refusals {
        let _ = writeln!(
            out,
            "\n{} {}",
            red.apply_to(format!("refused {} ({layer}):", refusal.code)),
            refusal.because
        );
        for line in &refusal.evidence {
            let _ = writeln!(out, "  {line}");
        }
        let _ = writeln!(out, "  {} {}", dim.apply_to("what decides:"), refusal.hint);
        let more = format!("more: provision explain {}", refusal.code);
        let _ = writeln!(out, "  {}", dim.apply_to(more));
    }
    let _ = writeln!(out, "\n{}", bold.apply_to(headline(plan, hosts)));
    out
}

/// The advice, each text once with the hosts that it is about.
fn advice(plan: &Plan) -> Vec<(&str, Vec<HostName>, &str)> {
    let mut all: Vec<(&str, Vec<HostName>, &str)> = Vec::new();
    for advice in &plan.advice {
        match all
            .iter_mut()
            .find(|(code, _, text)| *code == advice.code && *text == advice.text)
        {
            Some((_, hosts, _)) => hosts.extend(advice.host.clone()),
            None => all.push((
                &advice.code,
                advice.host.clone().into_iter().collect(),
                &advice.text,
            )),
        }
    }
    all
}

/// One line that says what the plan comes to.
pub fn headline(plan: &Plan, hosts: usize) -> String {
    let counts = plan.counts();
    let total: usize = counts.values().sum();
    let mut parts = Vec::new();
    if total == 0 {
        parts.push("nothing to do".to_owned());
    } else {
        let classes = ["create", "found", "repair", "restart", "destroy"]
            .iter()
            .filter_map(|class| {
                let count = counts.get(class)?;
                Some(format!("{count} {class}"))
            });
        parts.push(format!(
            "{total} to do ({})",
            classes.collect::<Vec<_>>().join(", ")
        ));
    }
    let blocked = plan.steps.len() - total;
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    count(blocked, "blocked");
    count(plan.left_out, "left out by --limit");
    count(plan.waits.len(), "to wait for");
    count(plan.refusals.len(), "refused");
    count(plan.unknown.len(), "not known yet");
    count(plan.unreachable.len(), "unreachable");
    let after = match &plan.assumes_lost[..] {
        [] => String::new(),
        lost => format!(" after the loss of {}", names(lost)),
    };
    format!(
        "Plan for {hosts} host{}{after}: {}",
        if hosts == 1 { "" } else { "s" },
        parts.join(", ")
    )
}

/// Steps that are the same for several hosts, next to each other.
fn grouped(steps: &[Planned]) -> Vec<Vec<Planned>> {
    let mut groups: Vec<Vec<Planned>> = Vec::new();
    for planned in steps {
        let same = |group: &Vec<Planned>| {
            let first = &group[0];
            (&first.layer, &first.task, &first.step.id)
                == (&planned.layer, &planned.task, &planned.step.id)
                && first.step.act == planned.step.act
                && first.step.why == planned.step.why
                && first.step.class == planned.step.class
                && first.step.assumes == planned.step.assumes
                && first.blocked == planned.blocked
        };
        // Only within one task, so that the order stays that of the playbook.
        let task = groups
            .iter()
            .rposition(|group| group[0].task != planned.task)
            .map_or(0, |at| at + 1);
        match groups[task..].iter_mut().find(|group| same(group)) {
            Some(group) => group.push(planned.clone()),
            None => groups.push(vec![planned.clone()]),
        }
    }
    groups
}

fn step(out: &mut String, group: &[Planned], styled: bool) {
    let style = |style: Style| style.force_styling(styled);
    let dim = style(Style::new().dim());
    let Planned { step, blocked, .. } = &group[0];
    let subjects: Vec<HostName> = group
        .iter()
        .map(|planned| planned.step.subject.clone())
        .collect();
    let colour = match (blocked, step.class.name()) {
        (Some(_), _) => Style::new().dim(),
        (None, "create" | "found") => Style::new().green(),
        (None, "destroy") => Style::new().red().bold(),
        (None, "restart") => Style::new().magenta(),
        (None, _) => Style::new().yellow(),
    };
    let class = style(colour).apply_to(format!("{:<7}", step.class.name()));
    let _ = writeln!(
        out,
        "  {class} {}  {}",
        step.id,
        dim.apply_to(names(&subjects))
    );
    let _ = writeln!(out, "          {}", step.act.show());
    let _ = writeln!(out, "          {} {}", dim.apply_to("because"), step.why);
    for assumed in &step.assumes {
        let _ = writeln!(out, "          {} {assumed}", dim.apply_to("assuming"));
    }
    if let Some(why) = blocked {
        let _ = writeln!(out, "          {} {why}", dim.apply_to("not done:"));
    }
    for line in diff(&step.act) {
        let coloured = match line.as_bytes().first() {
            Some(b'+') => style(Style::new().green()),
            Some(b'-') => style(Style::new().red()),
            _ => dim.clone(),
        };
        let _ = writeln!(out, "          {}", coloured.apply_to(line));
    }
}

/// A unified diff of the file that an act writes; nothing for other acts and for secrets.
pub fn diff(act: &Act) -> Vec<String> {
    if let Some(block) = act.block() {
        return block.lines().map(|line| format!("+{line}")).collect();
    }
    let (content, before) = match act {
        Act::WriteFile {
            content, before, ..
        } => (content, before),
        Act::Stack(act) => return stack(act),
        _ => return Vec::new(),
    };
    if content.secret || before.as_ref().is_some_and(|before| before.secret) {
        return vec!["(the content is not shown)".to_owned()];
    }
    let text = |content: &Content| std::str::from_utf8(&content.bytes).map(str::to_owned);
    let old = before.as_ref().map_or(Ok(String::new()), text);
    let (Ok(old), Ok(new)) = (old, text(content)) else {
        return vec!["(binary)".to_owned()];
    };
    let diff = TextDiff::from_lines(&*old, &*new);
    let unified = diff.unified_diff().context_radius(2).to_string();
    let mut lines: Vec<String> = unified.lines().map(str::to_owned).collect();
    if lines.len() > DIFF_LINES {
        let more = lines.len() - DIFF_LINES;
        lines.truncate(DIFF_LINES);
        lines.push(format!("… {more} more lines"));
    }
    lines
}

/// The document of a stack with its secrets masked, and the files beside it.
fn stack(act: &StackAct) -> Vec<String> {
    let StackAct::Deploy { shown, files, .. } = act else {
        return Vec::new();
    };
    let document = ("docker-swarm.yml", shown.as_str());
    let files = files.iter().map(|(name, text)| (&**name, &**text));
    let mut lines = Vec::new();
    for (name, text) in std::iter::once(document).chain(files) {
        lines.push(format!("@@ {name} @@"));
        lines.extend(text.lines().map(|line| format!("+{line}")));
    }
    lines
}

/// `a, b, c`
pub fn names(hosts: &[HostName]) -> String {
    hosts
        .iter()
        .map(HostName::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
