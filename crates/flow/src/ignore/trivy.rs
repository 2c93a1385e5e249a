//! `.trivyignore.yaml`: lists by what they are about; only vulnerabilities have ids that mean the same here.

use boltseal_model::Date;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    IgnoreError, IgnoreFile,
    plain::day_before,
    rule::{Condition, Purl, Rule, glob, shown},
    yaml,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    vulnerabilities: Option<Vec<Entry>>,
    #[serde(default)]
    misconfigurations: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    secrets: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    licenses: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    #[serde(default)]
    paths: Option<Vec<String>>,
    #[serde(default)]
    purls: Option<Vec<String>>,
    #[serde(default)]
    expired_at: Option<String>,
    #[serde(default)]
    statement: Option<String>,
}

pub(super) fn read(text: &str) -> Result<IgnoreFile, IgnoreError> {
    let file: File = yaml::read(text)?;
    let others = [
        ("misconfigurations", file.misconfigurations),
        ("secrets", file.secrets),
        ("licenses", file.licenses),
    ];
    let unread = others.into_iter().filter_map(|(what, list)| {
        let number = list.map_or(0, |list| list.len());
        (number > 0).then(|| {
            format!(
                "{number} of `{what}`: those are rules of another program; write an exception in the policy"
            )
        })
    });
    let rules = file.vulnerabilities.unwrap_or_default().into_iter().map(rule);
    Ok(IgnoreFile { unread: unread.collect(), rules: rules.collect::<Result<_, _>>()? })
}

fn rule(entry: Entry) -> Result<Rule, IgnoreError> {
    let wrong = |problem: String| IgnoreError::Value(format!("{}: {problem}", shown(&entry.id)));
    let mut conditions = vec![Condition::Id(entry.id.clone())];
    if let Some(paths) = entry.paths.filter(|paths| !paths.is_empty()) {
        let globs: Result<Vec<_>, _> = paths.iter().map(|path| glob(path)).collect();
        conditions.push(Condition::Path(globs.map_err(wrong)?));
    }
    if let Some(purls) = entry.purls.filter(|purls| !purls.is_empty()) {
        let parse = |text: &String| {
            Purl::parse(text).ok_or_else(|| wrong(format!("`{}` is not a package URL", shown(text))))
        };
        conditions.push(Condition::Purl(purls.iter().map(parse).collect::<Result<_, _>>()?));
    }
    let until = entry.expired_at.map(|text| {
        day(&text)
            .ok_or_else(|| wrong(format!("`{}` is not a date: write expired_at: YYYY-MM-DD", shown(&text))))
    });
    let reason = entry.statement.filter(|text| !text.trim().is_empty());
    Ok(Rule { label: entry.id.clone(), conditions, until: until.transpose()?, reason })
}

/// A day, perhaps with a time behind it: the entry no longer holds from then on.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    day_before(text.get(..10)?)
        .filter(|_| text.len() == 10 || text.get(10..11).is_some_and(|sign| "Tt ".contains(sign)))
}
