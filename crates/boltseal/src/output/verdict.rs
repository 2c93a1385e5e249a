//! A verdict for people: the answer, then why, what was wanted, and what to do.

use std::fmt::Write as _;

use boltseal_model::{Reason, Verdict};

use super::paint::{Paint, clean, count, wrap};

/// Reasons of one rule that a report shows; `gate` shows them all.
const BRIEF: usize = 3;

/// The answer and the first few reasons of each rule.
pub fn brief(verdict: &Verdict, paint: Paint, out: &mut String) {
    answer(verdict, paint, out);
    let mut rest = verdict.reasons.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|r| r.rule == first.rule && r.decision == first.decision).count();
        let (group, others) = rest.split_at(same);
        for one in group.iter().take(BRIEF) {
            reason(one, paint, out);
        }
        if same > BRIEF {
            let _ = writeln!(
                out,
                "  … and {} of rule {}",
                count(same - BRIEF, "more reason"),
                clean(&first.rule)
            );
        }
        rest = others;
    }
}

/// The answer and every reason.
pub fn full(verdict: &Verdict, paint: Paint, out: &mut String) {
    answer(verdict, paint, out);
    for one in &verdict.reasons {
        reason(one, paint, out);
    }
}

fn answer(verdict: &Verdict, paint: Paint, out: &mut String) {
    let word = verdict.decision.word().to_uppercase();
    let short: String = verdict.policy_digest.short();
    let _ = writeln!(
        out,
        "{} {} {}",
        paint.bold("verdict:"),
        paint.decision(verdict.decision, &word),
        paint.dim(&format!("by policy {} ({short})", clean(&verdict.policy)))
    );
    if let Some(expires) = verdict.expires {
        let _ = writeln!(out, "  may change after {}", expires.strftime("%Y-%m-%d %H:%M UTC"));
    }
}

fn reason(reason: &Reason, paint: Paint, out: &mut String) {
    let word = reason.decision.word();
    let pad = 7usize.saturating_sub(word.len());
    let what = format!("{}: {}", reason.rule, reason.found);
    let word = paint.decision(reason.decision, word);
    let _ = writeln!(out, "  {word}{:pad$} {}", "", wrap(&what, paint.width, 10));
    let _ = writeln!(
        out,
        "          {}",
        paint.dim(&wrap(&format!("wanted: {}", reason.wanted), paint.width, 18))
    );
    if let Some(fix) = &reason.fix {
        let _ = writeln!(out, "          fix: {}", clean(fix));
    }
    if let Some(exception) = &reason.exception {
        let _ = writeln!(out, "          {}", wrap(&format!("exception: {exception}"), paint.width, 21));
    }
}
