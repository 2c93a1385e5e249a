//! Distributions that get no security fixes any more, or soon.
//!
//! Their vendors say a last day. A rolling one has none, and of one that we do not know a gap in coverage says so.

use boltseal_model::{Date, Decision, Distro, Timestamp};

use crate::{
    exception::{Hit, pardoned},
    judge::{Case, Judge},
    rule::{EndOfLife, Rule},
    text::end_of,
};

/// One reason at most: an image has one distribution.
pub(crate) fn judge<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: EndOfLife, distro: Option<&Distro>) {
    let Some((distro, last)) = distro.and_then(|distro| Some((distro, distro.end_of_life?))) else { return };
    let Some((decision, note)) = stage(judge, rule, check, last) else { return };
    let subject = format!("{} {}", distro.id, distro.version);
    let pardon = judge.pardon(rule, Hit { gap: Some(subject.trim_end()), ..Hit::default() });
    let found = format!("security support of {} {note}", distro.name);
    let fix = Some("build the image on a release that its vendor supports".to_owned());
    judge.add(rule, Case { decision, pardon, found, wanted: None, fix });
}

/// What to decide now and in which words; nothing while the end is far.
fn stage(judge: &mut Judge<'_>, rule: &Rule, check: EndOfLife, last: Date) -> Option<(Decision, String)> {
    let end = end_of(last)?;
    // Days beyond the calendar never come.
    let days = |days: i64| last.checked_add(jiff::Span::new().days(days)).ok();
    if judge.now < end {
        // Notice begins that many days before the last day.
        let begins = days(-i64::from(check.notice_days) - 1).and_then(end_of);
        match begins.filter(|_| check.notice_days > 0) {
            Some(begins) if judge.now >= begins => {
                judge.changes_at(end);
                return Some((pardoned(rule.effect), format!("ends on {last}")));
            }
            Some(begins) => judge.changes_at(begins),
            None => judge.changes_at(end),
        }
        return None;
    }
    let over: Option<(Date, Timestamp)> =
        days(i64::from(check.grace_days)).and_then(|day| Some((day, end_of(day)?)));
    match over.filter(|(_, over)| judge.now < *over) {
        Some((day, over)) => {
            judge.changes_at(over);
            Some((pardoned(rule.effect), format!("ended on {last}; days of grace last until {day}")))
        }
        None => Some((rule.effect, format!("ended on {last}"))),
    }
}
