//! Rules about what may be installed, and under which licence.

use std::collections::BTreeMap;

use boltseal_model::{Decision, Package};

use crate::{
    exception::Hit,
    judge::{Case, Judge},
    rule::{Licenses, PackageBan, Packages, Rule},
    text::{count, listed},
};

/// More packages than this in one reason are counted instead.
const SHOWN: usize = 5;

impl PackageBan {
    fn hits(&self, package: &Package) -> bool {
        let name = |pattern: &crate::pattern::PackagePattern| {
            pattern.fits(&package.name, &package.purl) || pattern.fits(package.source_name(), &package.purl)
        };
        self.ecosystem.as_ref().is_none_or(|pattern| pattern.fits(&package.ecosystem))
            && self.name.as_ref().is_none_or(name)
            && self.purl.as_ref().is_none_or(|pattern| pattern.fits(&package.name, &package.purl))
            && self.version.as_ref().is_none_or(|pattern| pattern.fits(&package.version))
    }
}

fn hit(package: &Package) -> Hit<'_> {
    Hit { package: Some((&package.name, &package.purl)), ..Hit::default() }
}

/// One reason per banned package, however often it is installed.
pub(crate) fn packages<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Packages, packages: &[Package]) {
    let mut last: Option<&str> = None;
    for package in packages {
        let Some(ban) = check.ban.iter().find(|ban| ban.hits(package)) else { continue };
        if last.replace(&package.purl) == Some(&package.purl) {
            continue;
        }
        let pardon = judge.pardon(rule, hit(package));
        let path = package.paths.first().map(|path| format!(" in {path}")).unwrap_or_default();
        let found = format!("{} {} ({}){path}", package.name, package.version, package.ecosystem);
        let fix = ban.instead.as_ref().map_or_else(|| format!("remove {}", package.name), Clone::clone);
        judge.add(rule, Case { decision: rule.effect, pardon, found, wanted: None, fix: Some(fix) });
    }
}

/// One reason per declared licence.
pub(crate) fn licenses<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Licenses, packages: &[Package]) {
    let mut groups: BTreeMap<(Decision, Option<usize>, &str), Vec<String>> = BTreeMap::new();
    for package in packages {
        let banned = package.licenses.iter().find(|license| check.ban.iter().any(|ban| ban.bans(license)));
        let (decision, license) = match banned {
            Some(license) => (rule.effect, license.as_str()),
            None if package.licenses.is_empty() && check.undeclared != Decision::Allow => {
                (check.undeclared, "")
            }
            None => continue,
        };
        let pardon = judge.pardon(rule, hit(package));
        let name = format!("{} {}", package.name, package.version);
        groups.entry((decision, pardon, license)).or_default().push(name);
    }
    for ((decision, pardon, license), mut names) in groups {
        names.dedup();
        let number = count(names.len(), "package", "packages");
        let (found, fix) = if license.is_empty() {
            (format!("{number} without a declared licence"), "ask its publisher, or except the package")
        } else {
            (format!("{number} under {license}"), "replace it, or have the licence reviewed and except it")
        };
        let found = format!("{found}: {}", listed(&names, SHOWN));
        judge.add(rule, Case { decision, pardon, found, wanted: None, fix: Some(fix.to_owned()) });
    }
}
