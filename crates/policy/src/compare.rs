//! What differs between two policies, in words.

use std::fmt;

use serde::Serialize;

use crate::{Policy, describe, exceptions};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What became of it.
    pub what: What,
    /// `rule`, `exception`, `authority`, `name`, `vex` or `approvals`.
    pub part: &'static str,
    /// Its name.
    pub name: String,
    /// Before, in words; absent of what is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// After, in words; absent of what is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What became of a part of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        })
    }
}

/// A part of a policy: its name, what it says in words, and all that it says.
struct Part {
    name: String,
    words: String,
    whole: String,
}

/// What `after` says that `before` does not, and the other way round: rules first, in the order of the files.
pub fn compare(before: &Policy, after: &Policy) -> Vec<Change> {
    let mut all = Vec::new();
    if before.name() != after.name() {
        all.push(changed("name", before.name(), before.name(), after.name()));
    }
    let asked = |policy: &Policy| match policy.approvals {
        0 => "nobody approves exceptions".to_owned(),
        number => format!("{} for an exception", crate::text::count(number, "approval", "approvals")),
    };
    if before.approvals != after.approvals {
        all.push(changed("approvals", "approvals", &asked(before), &asked(after)));
    }
    let who = |policy: &Policy| match policy.approvers() {
        [] => "nobody whose signatures approve exceptions".to_owned(),
        names => format!("exceptions approved by {}", names.join(", ")),
    };
    if before.approvers() != after.approvers() {
        all.push(changed("approvals", "approvers", &who(before), &who(after)));
    }
    parts("rule", &rules(before), &rules(after), &mut all);
    parts("exception", &pardons(before), &pardons(after), &mut all);
    parts("authority", &authorities(before), &authorities(after), &mut all);
    parts("vex", &vex(before), &vex(after), &mut all);
    all
}

fn changed(part: &'static str, name: &str, before: &str, after: &str) -> Change {
    Change {
        what: What::Changed,
        part,
        name: name.to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
    }
}

fn parts(part: &'static str, before: &[Part], after: &[Part], all: &mut Vec<Change>) {
    for old in before {
        match after.iter().find(|new| new.name == old.name) {
            None => all.push(Change {
                what: What::Removed,
                part,
                name: old.name.clone(),
                before: Some(old.words.clone()),
                after: None,
            }),
            Some(new) if new.words != old.words => {
                all.push(changed(part, &old.name, &old.words, &new.words));
            }
            // A sentence shows the first names of a long list.
            Some(new) if new.whole != old.whole => {
                let more = format!("{} (differs in what this sentence does not show)", new.words);
                all.push(changed(part, &old.name, &old.words, &more));
            }
            Some(_) => {}
        }
    }
    for new in after.iter().filter(|new| !before.iter().any(|old| old.name == new.name)) {
        all.push(Change {
            what: What::Added,
            part,
            name: new.name.clone(),
            before: None,
            after: Some(new.words.clone()),
        });
    }
}

fn rules(policy: &Policy) -> Vec<Part> {
    let docs = describe(policy);
    let part = |(doc, rule): (crate::RuleDoc, &crate::rule::Rule)| {
        let why = doc.why.map(|why| format!(" ({why})")).unwrap_or_default();
        Part {
            name: doc.name,
            words: format!("{}: {}{why}", doc.effect.word(), doc.wants),
            whole: rule.check.whole(),
        }
    };
    docs.into_iter().zip(&policy.rules).map(part).collect()
}

fn pardons(policy: &Policy) -> Vec<Part> {
    let docs = exceptions(policy);
    let part = |(doc, exception): (crate::ExceptionDoc, &crate::exception::Exception)| Part {
        name: doc.name,
        words: format!("{}: {} (until {}, {})", doc.scope, doc.reason, doc.expires, doc.owner),
        whole: exception.whole(),
    };
    docs.into_iter().zip(&policy.exceptions).map(part).collect()
}

fn authorities(policy: &Policy) -> Vec<Part> {
    let part = |authority: &crate::Authority| Part {
        name: authority.name.clone(),
        words: authority.words(),
        whole: format!("{authority:?}"),
    };
    policy.authorities().iter().map(part).collect()
}

fn vex(policy: &Policy) -> Vec<Part> {
    let part = |vex: &crate::VexAuthors| Part {
        name: "vex".to_owned(),
        words: vex.words(),
        whole: format!("{vex:?}"),
    };
    policy.vex().map(part).into_iter().collect()
}
