//! Records of the log, for people: one sentence each, and why.

use std::fmt::Write as _;

use boltseal_api::audit::Recorded;
use boltseal_audit::{
    Record,
    record::{Outcome, Why, canonical},
};
use boltseal_model::Decision;

use super::paint::{Paint, clean, wrap};

/// Where the sentence begins: number, time and outcome stand before it.
const INDENT: usize = 39;
/// On narrow terminals it begins here, on a line of its own.
const NARROW: usize = 4;
/// Characters of an assignment's id.
const SHORT: usize = 8;
/// A sentence needs this many columns.
const NARROWEST: usize = 40;

/// The record of an entry, if it is one.
pub fn parsed(one: &Recorded) -> Option<Record> {
    Record::parse(&canonical(&one.record)).ok()
}

/// One record.
pub fn line(one: &Recorded, paint: Paint, out: &mut String) {
    let Some(record) = parsed(one) else {
        let _ = writeln!(out, "{:>7}  {}", one.index, paint.dim("an entry that this version cannot read"));
        return;
    };
    let time = record.time.strftime("%Y-%m-%d %H:%M:%S");
    let word = record.outcome.name();
    let coloured = paint.decision(colour(record.outcome), word);
    let _ = write!(
        out,
        "{:>7}  {time}  {coloured}{:pad$}  ",
        one.index,
        "",
        pad = 7usize.saturating_sub(word.len())
    );
    let wide = paint.width >= INDENT + NARROWEST;
    let indent = if wide { INDENT } else { NARROW };
    if !wide {
        let _ = write!(out, "\n{:indent$}", "");
    }
    let alert = if record.alert { paint.alarm("ALERT ") } else { String::new() };
    let _ = writeln!(out, "{alert}{}", wrap(&record.sentence(), paint.width, indent));
    let reason = reason(one, &record);
    if !reason.is_empty() {
        let _ = writeln!(out, "{:indent$}{}", "", paint.dim(&wrap(&reason, paint.width, indent)));
    }
}

/// Why, from where, and about which bytes.
fn reason(one: &Recorded, record: &Record) -> String {
    let mut parts = Vec::new();
    match &record.why {
        Why::Unstated => {}
        Why::Granted { assignment, role, scope } => {
            // Its beginning is enough to recognise it by.
            let short: String = assignment.chars().take(SHORT).collect();
            parts.push(format!("by {role} at {scope} (assignment {short})"));
        }
        Why::Rule(words) => parts.push(format!("by rule: {words}")),
        Why::Missing(words) => {
            if !record.status.as_ref().is_some_and(|status| status.contains(words.as_str())) {
                parts.push(words.clone());
            }
        }
    }
    parts.extend(record.source.address.map(|address| format!("from {address}")));
    parts.extend(record.source.host.as_ref().map(|host| format!("reported by {host}")));
    parts.extend(record.subject.digest.as_ref().map(ToString::to_string));
    if !one.sealed {
        parts.push("not sealed yet".to_owned());
    }
    clean(&parts.join(" · "))
}

const fn colour(outcome: Outcome) -> Decision {
    match outcome {
        Outcome::Success => Decision::Allow,
        Outcome::Denied => Decision::Deny,
        Outcome::Failure => Decision::Warn,
        Outcome::Unknown => Decision::Unknown,
    }
}
