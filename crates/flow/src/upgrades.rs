//! Findings grouped by what removes them: "upgrade X to Y removes 14".

use std::{cmp::Ordering, collections::BTreeMap};

use boltseal_ecosystem::of_space;
use boltseal_model::{Finding, Severity};

/// One thing to do, and the findings that it removes.
#[derive(Clone, Debug, PartialEq)]
pub struct Upgrade<'a> {
    /// What to upgrade: the name that vendors publish under, which may be the source of several packages.
    pub name: String,
    /// The installed packages this is about, sorted.
    pub packages: Vec<&'a str>,
    /// Their version now.
    pub installed: &'a str,
    /// The lowest version that removes all of `findings`; `None` where nobody has fixed them.
    pub version: Option<&'a str>,
    /// What to type, one for each package.
    pub commands: Vec<&'a str>,
    /// Worst first.
    pub findings: Vec<&'a Finding>,
}

impl Upgrade<'_> {
    /// Different vulnerabilities, however many packages each hits.
    pub fn vulnerabilities(&self) -> usize {
        let mut ids: Vec<&str> = self.findings.iter().map(|finding| finding.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }

    /// The worst severity of its findings.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or_default()
    }
}

/// Groups findings by package and whether a fix exists. Fixable first, then those that remove the worst and the most.
pub fn upgrades(findings: &[Finding]) -> Vec<Upgrade<'_>> {
    let mut groups: BTreeMap<(&str, &str, bool), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let key = (finding.proof.matched.as_str(), finding.installed.as_str(), finding.fix.is_some());
        groups.entry(key).or_default().push(finding);
    }
    let mut upgrades: Vec<Upgrade<'_>> = groups
        .into_iter()
        .map(|((matched, installed, _), findings)| upgrade(matched, installed, findings))
        .collect();
    upgrades.sort_by(|a, b| urgency(b).cmp(&urgency(a)).then_with(|| a.name.cmp(&b.name)));
    upgrades
}

fn urgency(upgrade: &Upgrade<'_>) -> (bool, bool, Severity, usize) {
    let exploited = upgrade.findings.iter().any(|finding| finding.kev.is_some());
    (upgrade.version.is_some(), exploited, upgrade.severity(), upgrade.vulnerabilities())
}

fn upgrade<'a>(matched: &'a str, installed: &'a str, mut findings: Vec<&'a Finding>) -> Upgrade<'a> {
    let (space, name) = matched.split_once('/').unwrap_or(("", matched));
    findings.sort_by(|a, b| a.rank(b));
    let version = findings.iter().filter_map(|f| f.fix.as_ref()).map(|fix| fix.version.as_str());
    let version = version.reduce(|a, b| if newer(space, b, a) { b } else { a });
    let mut commands: Vec<&str> = findings
        .iter()
        .filter_map(|finding| finding.fix.as_ref())
        .filter(|fix| Some(fix.version.as_str()) == version)
        .map(|fix| fix.command.as_str())
        .collect();
    commands.sort_unstable();
    commands.dedup();
    let mut packages: Vec<&str> = findings.iter().map(|finding| finding.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    Upgrade { name: name.to_owned(), packages, installed, version, commands, findings }
}

/// Versions that no grammar orders are compared as text, so that the answer is at least always the same.
fn newer(space: &str, a: &str, b: &str) -> bool {
    let order =
        of_space(space).and_then(|ecosystem| ecosystem.compare(a, b).ok()).unwrap_or_else(|| a.cmp(b));
    order == Ordering::Greater
}
