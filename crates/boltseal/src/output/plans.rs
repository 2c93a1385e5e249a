//! A plan, for people: what is run, what holds, what is open, and why it will not be run at all.

use std::fmt::Write as _;

use boltseal_runtime::{
    Container, Opening, Plan, State,
    plan::{Changes, Source},
    seccomp,
};

use super::paint::{Paint, clean, count, wrap};

/// Width of the names of controls.
const NAME: usize = 26;

/// The whole plan.
pub fn people(plan: &Plan, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.bold(&format!("group {}", clean(&plan.name))));
    for opening in plan.network.openings() {
        let _ = writeln!(out, "  {}", opened(&opening));
    }
    for one in &plan.containers {
        out.push('\n');
        container(one, paint, &mut out);
    }
    if !plan.refusals.is_empty() {
        let _ = writeln!(out, "\n{}", paint.alarm("it will not be run:"));
    }
    for refusal in &plan.refusals {
        let place = format!("{} (line {})", clean(&refusal.path), refusal.line);
        let _ = writeln!(out, "  {place}\n    {}", wrap(&clean(&refusal.why), paint.width, 4));
    }
    if !plan.gaps.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("not known:"));
    }
    for gap in &plan.gaps {
        let _ = writeln!(out, "  {}", wrap(&clean(gap), paint.width, 2));
    }
    out
}

/// What is different from how it runs.
pub fn changes(changes: &Changes, paint: Paint) -> String {
    let group = clean(&changes.group);
    if changes.changes.is_empty() {
        return format!("{group} runs as it is planned\n");
    }
    let head = format!("{group}: {} to how it runs", count(changes.changes.len(), "change"));
    let mut out = format!("{}\n", paint.bold(&head));
    for change in &changes.changes {
        let _ = writeln!(out, "\n  {}", clean(&change.path));
        for (name, value) in [("runs", &change.runs), ("planned", &change.planned)] {
            let text = match value {
                None => "nothing".to_owned(),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
            };
            let _ = writeln!(out, "    {name:<9}{}", wrap(&clean(&text), paint.width, 13));
        }
    }
    out
}

fn container(one: &Container, paint: Paint, out: &mut String) {
    let first = if one.initialises { ", before the others" } else { "" };
    let _ = writeln!(out, "{} {}{first}", paint.bold("container"), paint.bold(&clean(&one.name)));
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "  {name:<12}{}", wrap(&clean(text), paint.width, 14));
    };
    line("image", &one.image);
    if let Some(digest) = &one.digest {
        line("digest", &digest.to_string());
    }
    line("runs", &if one.command.is_empty() { "not known".to_owned() } else { one.command.join(" ") });
    line("in", &one.working_dir);
    let user = one.user.map_or_else(|| "not known".to_owned(), |(user, group)| outside(one, user, group));
    line("as", &user);
    if one.terminal || one.input {
        let what = if one.terminal { "a terminal of its own" } else { "no terminal" };
        let typed = if one.input { "what is typed goes to it" } else { "nothing is typed" };
        line("sits at it", &format!("{what}; {typed}"));
    }
    let limits = &one.limits;
    let share = format!(
        "{}.{:03} processors, {} of memory",
        limits.cpu / 1_000,
        limits.cpu % 1_000,
        bytes(limits.memory)
    );
    line("limits", &format!("{share}, {} processes, {} open files each", limits.processes, limits.files));
    line("calls", &format!("{} of the kernel's, everything else is refused", seccomp::number()));
    let writable = one.mounts.iter().filter(|mount| !mount.options.contains(&"ro"));
    let writable = writable.filter_map(|mount| match &mount.what {
        Source::Kernel(_) => None,
        Source::Memory(size) => Some(format!("{} (memory, {})", mount.target, bytes(*size))),
        Source::Volume(name) => Some(format!("{} (volume {name})", mount.target)),
    });
    line("writes to", &format!("{}; nothing there can be executed", writable.collect::<Vec<_>>().join(", ")));
    if !one.secrets.is_empty() {
        line(
            "secrets",
            &format!("{}: in its environment, which all its processes can read", one.secrets.join(", ")),
        );
    }
    controls(one, paint, out);
}

fn controls(one: &Container, paint: Paint, out: &mut String) {
    for control in &one.controls {
        let word = match &control.state {
            State::Enforced => control.state.word().to_owned(),
            State::Partial(_) | State::Opened(_) => paint.bold(control.state.word()),
            State::Unavailable(_) => paint.alarm(control.state.word()),
        };
        let _ = writeln!(out, "  {:<NAME$}{word}  {}", control.name, paint.dim(control.keeps));
        if let Some(why) = control.state.why() {
            let _ = writeln!(out, "  {:<NAME$}{}", "", wrap(&clean(why), paint.width, NAME + 2));
        }
    }
    if !one.openings.is_empty() {
        let _ = writeln!(out, "  {}", count(one.openings.len(), "opening"));
    }
    for opening in &one.openings {
        let _ = writeln!(out, "    {}", opened(opening));
    }
}

fn opened(opening: &Opening) -> String {
    format!("{}, by line {} ({})", clean(&opening.what), opening.line, clean(&opening.path))
}

fn outside(one: &Container, user: u32, group: u32) -> String {
    let who = |number: u32| one.users.first.saturating_add(number);
    format!("user {user}, group {group}; outside {} and {}", who(user), who(group))
}

fn bytes(number: u64) -> String {
    let (unit, name) = if number >= 1 << 30 { (1 << 30, "GiB") } else { (1 << 20, "MiB") };
    match (number / unit, number % unit * 10 / unit) {
        (0, _) => format!("{} KiB", number >> 10),
        (whole, 0) => format!("{whole} {name}"),
        (whole, tenth) => format!("{whole}.{tenth} {name}"),
    }
}
