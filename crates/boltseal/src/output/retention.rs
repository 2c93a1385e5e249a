//! Rules about deleting, and what they would delete, for people.

use std::fmt::Write as _;

use boltseal_api::retention::{Plan, Rule};

use super::{
    packages::grid,
    paint::{Paint, clean, count},
};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// Rules, one a line.
pub fn rules(all: &[Rule], paint: Paint) -> String {
    let rows = all.iter().map(|rule| {
        let deletes =
            if rule.disabled { format!("nothing for now ({})", deletes(rule)) } else { deletes(rule) };
        [rule.name.clone(), rule.repositories.clone(), deletes, rule.keep.join(" ")]
    });
    grid(&["name", "repositories", "deletes", "keeps"], rows, paint)
}

fn deletes(rule: &Rule) -> String {
    let mut parts = Vec::new();
    if rule.untagged {
        parts.push("without tags".to_owned());
    }
    if !rule.tags.is_empty() {
        parts.push(format!("tagged {}", rule.tags.join(" or ")));
    }
    if let Some(days) = rule.older_than_days {
        parts.push(format!("older than {days}d"));
    }
    if let Some(newest) = rule.beyond_newest {
        parts.push(format!("all but the newest {newest}"));
    }
    if let Some(days) = rule.not_pulled_days {
        parts.push(format!("not pulled for {days}d"));
    }
    if let Some(days) = rule.denied_days {
        parts.push(format!("denied for {days}d"));
    }
    if rule.deletes() { parts.join(", ") } else { "nothing".to_owned() }
}

/// What would be deleted: an image a line, and why below it.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    let mut last = "";
    for going in &plan.images {
        if going.repository != last {
            let _ = writeln!(out, "{}", paint.bold(&clean(&going.repository)));
            last = &going.repository;
        }
        let digest: String = going.digest.chars().take(SHORT).collect();
        let tags = if going.tags.is_empty() { "(no tag)".to_owned() } else { going.tags.join(" ") };
        let _ = writeln!(out, "  {digest}  {}", clean(&tags));
        let _ = writeln!(out, "    {}", paint.dim(&clean(&format!("{}: {}", going.rule, going.why))));
    }
    let listed = plan.images.len() as u64;
    if plan.total > listed {
        let _ = writeln!(out, "and {} more", plan.total - listed);
    }
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let _ = writeln!(
        out,
        "{} would be deleted, {} would stay, in {}",
        count(number(plan.total), "manifest"),
        plan.kept,
        count(number(plan.repositories), "repository")
    );
    out
}
