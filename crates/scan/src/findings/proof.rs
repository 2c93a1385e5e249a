//! A hit in words: what was compared with what, and what to do.

use boltseal_ecosystem::Ecosystem;
use boltseal_model::{Digest, Finding, Fix, Package, Proof, Severity};

use super::versions::Hit;
use crate::{
    Error,
    snapshot::{Notice, Versions, View},
};

/// References a finding shows; the whole list is in the advisory.
const REFERENCES: usize = 5;

/// Where a package was found.
pub(crate) struct Place<'a> {
    /// The layer that first brought it.
    pub layer: Option<&'a Digest>,
    /// The file that says so.
    pub path: &'a str,
}

/// The name under which an advisory speaks about a package.
pub(crate) struct Matched<'a> {
    /// The name space.
    pub space: &'a str,
    /// The name in it.
    pub name: &'a str,
    /// What its ranges compare with.
    pub version: &'a str,
}

/// Everything that is said about `hit` in `package`.
pub(crate) fn finding(
    view: &View<'_>,
    hit: &Hit<'_>,
    package: &Package,
    place: &Place<'_>,
    matched: &Matched<'_>,
    ecosystem: &dyn Ecosystem,
) -> Result<Finding, Error> {
    let line = &hit.line;
    let notice = view.notice(line.advisory)?;
    let (about, worst) = view.about(line.group)?;
    let described =
        about.filter(|about| *about != line.advisory).map(|about| view.notice(about)).transpose()?;
    let (id, aliases) = ids(view.ids_of(line.group)?, &notice);
    let said = |severity: &Severity| *severity != Severity::Unknown;
    Ok(Finding {
        id,
        aliases,
        package: package.name.clone(),
        purl: package.purl.clone(),
        installed: package.version.clone(),
        fixed: hit.fixed.map(str::to_owned),
        fixed_on: hit.fixed_on,
        severity: line.severity.filter(said).or(notice.severity.filter(said)).or(worst).unwrap_or_default(),
        cvss: view.cvss_of(line.group)?,
        kev: view.kev_of(line.group)?,
        epss: view.epss_of(line.group)?,
        status: line.status,
        fix: hit
            .fixed
            .map(|fixed| Fix { version: fixed.to_owned(), command: ecosystem.fix_command(package, fixed) }),
        title: Some(notice.title)
            .filter(|title| !title.is_empty())
            .or(described.as_ref().map(|described| described.title))
            .unwrap_or_default()
            .to_owned(),
        published: notice.published.or(described.as_ref().and_then(|described| described.published)),
        references: references(&notice, described.as_ref()),
        proof: Proof {
            layer: place.layer.cloned(),
            path: place.path.to_owned(),
            advisory: notice.id.to_owned(),
            feed: notice.feed.to_owned(),
            matched: format!("{}/{}", matched.space, matched.name),
            range: range(&line.versions),
            comparison: comparison(&line.versions, matched.version, ecosystem.order_name()),
        },
        statements: Vec::new(),
    })
}

/// The CVE where there is one, otherwise the advisory's own id; and all others, sorted.
fn ids<'a>(mut all: Vec<&'a str>, notice: &Notice<'a>) -> (String, Vec<String>) {
    let first = all.iter().copied().find(|id| id.starts_with("CVE-")).unwrap_or(notice.id);
    all.push(notice.id);
    all.retain(|id| *id != first);
    all.sort_unstable();
    all.dedup();
    (first.to_owned(), all.into_iter().map(str::to_owned).collect())
}

fn references(notice: &Notice<'_>, described: Option<&Notice<'_>>) -> Vec<String> {
    let mut references: Vec<String> = Vec::new();
    for reference in
        notice.references.iter().chain(described.iter().flat_map(|described| &described.references))
    {
        if references.len() < REFERENCES && !references.iter().any(|known| known == reference) {
            references.push((*reference).to_owned());
        }
    }
    references
}

/// `>= 1.0, < 1.2.3`
fn range(versions: &Versions<'_>) -> String {
    match versions {
        Versions::Listed(listed) => match listed.as_slice() {
            [one] => format!("exactly {one}"),
            [first, .., last] => format!("one of {} listed versions, {first} to {last}", listed.len()),
            [] => "no version".to_owned(),
        },
        Versions::Range { introduced, fixed, last, .. } => {
            let bound = |sign: &str, bound: &Option<crate::snapshot::Bound<'_>>| {
                bound.map(|bound| format!("{sign} {}", bound.text))
            };
            let bounds = [bound(">=", introduced), bound("<", fixed), bound("<=", last)];
            let bounds: Vec<String> = bounds.into_iter().flatten().collect();
            if bounds.is_empty() { "every version".to_owned() } else { bounds.join(", ") }
        }
    }
}

/// `1.0 <= 1.1 < 1.2.3 (dpkg order)`
fn comparison(versions: &Versions<'_>, installed: &str, order: &str) -> String {
    match versions {
        Versions::Listed(_) => format!("{installed} is listed"),
        Versions::Range { introduced: None, fixed: None, last: None, .. } => {
            format!("{installed} is a version, and every version is affected")
        }
        Versions::Range { introduced, fixed, last, .. } => {
            let from = introduced.map(|bound| format!("{} <= ", bound.text)).unwrap_or_default();
            let until = fixed.map(|bound| format!(" < {}", bound.text)).unwrap_or_default();
            let upto = last.map(|bound| format!(" <= {}", bound.text)).unwrap_or_default();
            format!("{from}{installed}{until}{upto} ({order})")
        }
    }
}
