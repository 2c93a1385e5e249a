//! Rules about who is told, for people.

use boltseal_api::notifications::{Rule, RuleStatus};

use super::{access::moment, packages::grid, paint::Paint};

/// Rules, one a line.
pub fn rules(all: &[RuleStatus], paint: Paint) -> String {
    let rows = all.iter().map(|status| {
        let one = &status.rule;
        let how = match &status.last {
            _ if one.disabled => "off".to_owned(),
            None => "nothing sent yet".to_owned(),
            Some(last) => {
                let error = last.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
                format!("{} {}{error}", last.state, moment(last.created))
            }
        };
        [one.name.clone(), one.to.word().to_owned(), one.to.who(), conditions(one), how]
    });
    grid(&["name", "by", "to", "when", "last"], rows, paint)
}

fn conditions(rule: &Rule) -> String {
    let mut all = Vec::new();
    all.extend(rule.severity.clone());
    all.extend(rule.exploited.then(|| "exploited".to_owned()));
    all.extend(rule.epss.map(|score| format!("epss {score}")));
    all.extend(rule.fixable.then(|| "fixable".to_owned()));
    all.extend((rule.repositories != "*").then(|| rule.repositories.clone()));
    all.extend(rule.tagged.then(|| "tagged".to_owned()));
    all.extend(rule.pulled_within_days.map(|days| format!("pulled within {days}d")));
    if all.is_empty() { "anything".to_owned() } else { all.join(" ") }
}
