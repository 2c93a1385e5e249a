//! Upgrades that help most over all images: the hits of the store, put together by what one upgrade removes.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet},
};

use boltseal_ecosystem::{Ecosystem, by_id};
use boltseal_model::{Package, Severity};
use boltseal_store::FixRow;
use serde::Serialize;

/// One upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Remedy {
    /// Packages that it upgrades; several when they are built from one source and so move together.
    pub packages: Vec<String>,
    /// The lowest version that removes all of it.
    pub version: String,
    /// Hits that it removes.
    pub findings: u64,
    /// Images that it helps. Filled in for those that are shown.
    pub images: u64,
    /// The worst hit.
    pub severity: Severity,
    /// Whether a known exploited one is among them.
    pub kev: bool,
    /// What to type.
    pub command: Option<String>,
    /// Package URLs that it replaces.
    #[serde(skip)]
    pub purls: Vec<String>,
}

/// The `limit` upgrades that remove the worst and the most.
pub(crate) fn remedies(rows: &[FixRow], limit: usize) -> Vec<Remedy> {
    let mut by_package: BTreeMap<(String, &str), Vec<&FixRow>> = BTreeMap::new();
    for row in rows {
        by_package.entry((family(&row.purl), &row.package)).or_default().push(row);
    }
    // Packages of one source have the same versions, before and after; that is how the store's rows show it.
    let mut by_source: BTreeMap<(String, String, Vec<&str>), Vec<Remedy>> = BTreeMap::new();
    for ((family, package), rows) in by_package {
        let Some(remedy) = remedy(&family, package, &rows) else { continue };
        let installed: BTreeSet<&str> = rows.iter().map(|row| row.installed.as_str()).collect();
        let system = kind(&family).and_then(by_id).is_some_and(Ecosystem::is_system);
        let apart = if system { String::new() } else { package.to_owned() };
        let key = (family + &apart, remedy.version.clone(), installed.into_iter().collect());
        by_source.entry(key).or_default().push(remedy);
    }
    let mut all: Vec<Remedy> =
        by_source.into_values().filter_map(|group| group.into_iter().reduce(together)).collect();
    all.sort_by_key(|remedy| Reverse((remedy.kev, remedy.severity, remedy.findings)));
    all.truncate(limit);
    all
}

fn remedy(family: &str, package: &str, rows: &[&FixRow]) -> Option<Remedy> {
    let ecosystem = kind(family).and_then(by_id);
    let last =
        rows.iter().copied().reduce(|a, b| if later(ecosystem, &b.fixed, &a.fixed) { b } else { a })?;
    let command = ecosystem.map(|ecosystem| ecosystem.fix_command(&as_package(ecosystem, last), &last.fixed));
    let purls: BTreeSet<&str> = rows.iter().map(|row| row.purl.as_str()).collect();
    Some(Remedy {
        packages: vec![package.to_owned()],
        version: last.fixed.clone(),
        findings: rows.iter().map(|row| row.findings).sum(),
        images: 0,
        severity: rows.iter().map(|row| row.severity).max().unwrap_or_default(),
        kev: rows.iter().any(|row| row.kev),
        command,
        purls: purls.into_iter().map(str::to_owned).collect(),
    })
}

fn together(mut a: Remedy, b: Remedy) -> Remedy {
    a.packages.extend(b.packages);
    a.purls.extend(b.purls);
    a.findings += b.findings;
    a.severity = a.severity.max(b.severity);
    a.kev |= b.kev;
    // `apt-get … --only-upgrade a b`: the last word names the package in every system package manager.
    a.command = match (a.command, b.command) {
        (Some(a), Some(b)) => b.rsplit_once(' ').map(|(_, name)| format!("{a} {name}")).or(Some(a)),
        (a, b) => a.or(b),
    };
    a
}

/// A package URL without its version and its qualifiers but the distribution: what one upgrade is for. The name is
/// left out where it follows from the package.
fn family(purl: &str) -> String {
    let (base, qualifiers) = purl.split_once('?').unwrap_or((purl, ""));
    let base = base.rsplit_once('@').map_or(base, |(name, _)| name);
    let base = base.rsplit_once('/').map_or(base, |(space, _)| space);
    let distro = qualifiers.split('&').find(|pair| pair.starts_with("distro=")).unwrap_or_default();
    format!("{base}?{distro}")
}

/// The ecosystem of a package URL's type.
fn kind(family: &str) -> Option<&'static str> {
    let name = family.strip_prefix("pkg:")?.split(['/', '?']).next()?;
    let id = match name {
        "deb" => "debian",
        "apk" => "alpine",
        "alpm" => "arch",
        "ebuild" => "gentoo",
        other => other,
    };
    by_id(id).map(Ecosystem::id)
}

fn later(ecosystem: Option<&dyn Ecosystem>, a: &str, b: &str) -> bool {
    let order = ecosystem.and_then(|ecosystem| ecosystem.compare(a, b).ok()).unwrap_or_else(|| a.cmp(b));
    order == Ordering::Greater
}

fn as_package(ecosystem: &dyn Ecosystem, row: &FixRow) -> Package {
    Package {
        ecosystem: ecosystem.id().to_owned(),
        name: row.package.clone(),
        version: row.installed.clone(),
        purl: row.purl.clone(),
        source: None,
        architecture: None,
        licenses: Vec::new(),
        paths: Vec::new(),
        layer: None,
        owner: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(
        purl: &str,
        package: &str,
        installed: &str,
        fixed: &str,
        findings: u64,
        severity: Severity,
    ) -> FixRow {
        FixRow {
            purl: purl.to_owned(),
            package: package.to_owned(),
            installed: installed.to_owned(),
            fixed: fixed.to_owned(),
            findings,
            severity,
            kev: false,
        }
    }

    #[test]
    fn one_upgrade_removes_what_older_fixes_would() {
        let deb = |name: &str, distro: &str| {
            format!("pkg:deb/debian/{name}@3.0.9-1?arch=amd64&distro=debian-{distro}")
        };
        let rows = [
            row(&deb("libssl3", "12"), "libssl3", "3.0.9-1", "3.0.11-1~deb12u2", 3, Severity::High),
            row(&deb("libssl3", "12"), "libssl3", "3.0.9-1", "3.0.13-1~deb12u1", 2, Severity::Critical),
            row(&deb("openssl", "12"), "openssl", "3.0.9-1", "3.0.13-1~deb12u1", 5, Severity::High),
            row(&deb("openssl", "11"), "openssl", "3.0.9-1", "1.1.1w-0+deb11u2", 1, Severity::Low),
            row("pkg:npm/%40scope/a@1.0.0", "@scope/a", "1.0.0", "1.0.9", 1, Severity::High),
            row("pkg:npm/%40scope/a@1.0.0", "@scope/a", "1.0.0", "1.0.10", 1, Severity::High),
        ];
        let found = remedies(&rows, 10);
        let short: Vec<_> = found
            .iter()
            .map(|r| (r.packages.join(" "), r.version.as_str(), r.findings, r.severity))
            .collect();
        assert_eq!(
            short,
            [
                ("libssl3 openssl".to_owned(), "3.0.13-1~deb12u1", 10, Severity::Critical),
                ("@scope/a".to_owned(), "1.0.10", 2, Severity::High),
                ("openssl".to_owned(), "1.1.1w-0+deb11u2", 1, Severity::Low),
            ]
        );
        assert!(found[0].command.as_ref().unwrap().ends_with("libssl3 openssl"));
        assert_eq!(remedies(&rows, 1).len(), 1);
    }
}
