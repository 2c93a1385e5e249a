//! Alpine's security database: which package versions of a branch fixed which vulnerability.
//!
//! Source: <https://secdb.alpinelinux.org/license.txt> and the `secfixes` rules of Alpine's package builders,
//! <https://gitlab.alpinelinux.org/alpine/infra/docker/secdb>. The version `0` means: never was vulnerable.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_ecosystem::{of_space, space_of_osv};
use boltseal_model::{Advisory, Affected, Range, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Document, Format, Tally};
use crate::{Error, Sink, limits};

/// The format.
pub struct AlpineSecdb;

const ID: &str = "alpine-secdb";

#[derive(Deserialize)]
struct Branch<'a> {
    distroversion: String,
    reponame: String,
    #[serde(borrow)]
    packages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: Option<BTreeMap<String, Option<Vec<String>>>>,
}

impl Format for AlpineSecdb {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Alpine security database: main.json and community.json of each branch"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        head.trim_ascii_start().starts_with(b"{") && has(b"\"reponame\"") && has(b"\"distroversion\"")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let bytes = document.whole(limits::MAX_RECORD_BYTES, ID)?;
        let branch: Branch<'_> =
            serde_json::from_slice(&bytes).map_err(|error| Error::broken(document.name, ID, error))?;
        let mut tally = Tally {
            feed: Some(branch.distroversion.clone()),
            part: Some(branch.reponame.clone()),
            ..Tally::default()
        };
        let osv = format!("Alpine:{}", branch.distroversion);
        let Some(space) = space_of_osv(&osv) else {
            for _ in &branch.packages {
                tally.unsupported(&osv);
            }
            return Ok(tally);
        };
        tally.spaces.insert(space.clone());
        let mut facts = Facts::default();
        for package in branch.packages {
            match serde_json::from_str::<Entry>(package.get()) {
                Ok(Entry { pkg }) => facts.add(pkg, sink, &mut tally),
                Err(error) => tally.reject(sink, document.name, &error.to_string()),
            }
        }
        facts.tell(&space, feed, sink);
        Ok(tally)
    }
}

/// What one file says, by vulnerability.
#[derive(Default)]
struct Facts {
    /// Vulnerability, package: the versions that fixed it.
    fixed: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Further ids, and the vulnerabilities they stand beside.
    beside: BTreeMap<String, BTreeSet<String>>,
}

impl Facts {
    fn add(&mut self, package: Package, sink: &mut dyn Sink, tally: &mut Tally) {
        if package.name.is_empty() {
            return tally.reject(sink, "package", "no name");
        }
        for (version, entries) in package.secfixes.unwrap_or_default() {
            for entry in entries.unwrap_or_default() {
                let (ids, others) = ids(&entry);
                if ids.is_empty() {
                    tally.reject(
                        sink,
                        &format!("{} {version}", package.name),
                        &format!("no id in `{}`", super::cut(&entry, 80)),
                    );
                    continue;
                }
                tally.records += 1;
                for id in ids {
                    for other in &others {
                        self.beside.entry(other.clone()).or_default().insert(id.clone());
                    }
                    let packages = self.fixed.entry(id).or_default();
                    packages.entry(package.name.clone()).or_default().insert(version.clone());
                }
            }
        }
    }

    fn tell(self, space: &str, feed: &str, sink: &mut dyn Sink) {
        let mut aliases: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (other, ids) in &self.beside {
            // An id beside several CVEs (one Xen advisory about three) is none of them.
            if let (Some(id), 1) = (ids.first(), ids.len()) {
                aliases.entry(id).or_default().push(other.clone());
            }
        }
        for (id, packages) in &self.fixed {
            let affected = packages.iter().map(|(name, versions)| affected(space, name, versions)).collect();
            sink.advisory(Advisory {
                id: id.clone(),
                aliases: aliases.remove(id.as_str()).unwrap_or_default(),
                feed: feed.to_owned(),
                references: vec![format!("https://security.alpinelinux.org/vuln/{id}")],
                affected,
                ..Advisory::default()
            });
        }
    }
}

fn affected(space: &str, name: &str, versions: &BTreeSet<String>) -> Affected {
    // A version besides `0` says that some release was hit after all.
    let fixed = |version: &String| Range { fixed: Some(version.clone()), ..Range::default() };
    let ranges: Vec<Range> = versions.iter().filter(|version| *version != "0").map(fixed).collect();
    Affected {
        space: space.to_owned(),
        package: of_space(space).map_or_else(|| name.to_owned(), |ecosystem| ecosystem.normalise(name)),
        status: if ranges.is_empty() { Status::NotAffected } else { Status::Affected },
        ranges,
        ..Affected::default()
    }
}

/// The vulnerabilities an entry names, and further ids of theirs: `CVE-2016-9377 XSA-196`, `CVE-2020-1 / GHSA-…`,
/// `CVE-2017-1 (SMB)`. Without a CVE, the first id is the vulnerability.
fn ids(entry: &str) -> (Vec<String>, Vec<String>) {
    let text = entry.split('(').next().unwrap_or_default().replace("CVE ", "CVE-").replace("CVE_", "CVE-");
    let mut cves: Vec<String> = super::cves(&text).into_iter().map(str::to_owned).collect();
    let looks_like_id = |word: &&str| {
        word.len() > 3
            && !word.starts_with("CVE")
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.contains(|c: char| c.is_ascii_digit())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | ';' | '#'));
    let mut others: Vec<String> = words.filter(looks_like_id).map(str::to_owned).collect();
    others.dedup();
    if cves.is_empty() && !others.is_empty() {
        cves.push(others.remove(0));
    }
    others.retain(|other| !cves.contains(other));
    (cves, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_ids() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("CVE-2020-1234", &["CVE-2020-1234"], &[]),
            ("CVE-2016-9377   XSA-196", &["CVE-2016-9377"], &["XSA-196"]),
            ("CVE-2017-1 CVE-2017-2 XSA-9", &["CVE-2017-1", "CVE-2017-2"], &["XSA-9"]),
            ("CVE-2020-15169 / GHSA-cfjv-5498-mph5", &["CVE-2020-15169"], &["GHSA-cfjv-5498-mph5"]),
            (
                "ELEMENTSEC-2021-1633, GHSA-fpg6-4rg2-h22v",
                &["ELEMENTSEC-2021-1633"],
                &["GHSA-fpg6-4rg2-h22v"],
            ),
            ("CVE-2018-16300 (BGP)", &["CVE-2018-16300"], &[]),
            ("CVE-????-????? TS-2018-001", &["TS-2018-001"], &[]),
            ("CVE-2022-XXXXX VSV00009", &["VSV00009"], &[]),
            ("CVE N/A ZBX-11023", &["ZBX-11023"], &[]),
            ("CVE 2019-1234", &["CVE-2019-1234"], &[]),
            ("CVE_2019-1234", &["CVE-2019-1234"], &[]),
            ("CVE-2017-17434-1", &["CVE-2017-17434"], &[]),
            ("CVE-46838", &[], &[]),
            ("CVE-2019-1234.patch", &["CVE-2019-1234"], &[]),
            ("# CVE-2019-1234", &["CVE-2019-1234"], &[]),
            ("see upstream", &[], &[]),
        ];
        for (entry, cves, others) in cases {
            let (found, beside) = ids(entry);
            assert_eq!(
                (&found[..], &beside[..]),
                (&cves.map_owned()[..], &others.map_owned()[..]),
                "{entry}"
            );
        }
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }
}
