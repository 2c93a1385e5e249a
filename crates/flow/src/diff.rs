//! What differs between two images: packages, files, how they run, what is wrong with them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{Config, Finding, Package, Report, Severity};
use serde::{Deserialize, Serialize};

use crate::contents::{Contents, Entry};

/// One of two images.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What is installed, and what is wrong with it.
    pub report: &'a Report,
    /// How it runs, and its files.
    pub contents: &'a Contents,
}

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diff {
    /// By kind and name.
    pub packages: Vec<Change<PackageName, String>>,
    /// By path; `None` where files were not compared.
    pub files: Option<Vec<Change<String, Entry>>>,
    /// In the order in which a configuration is read.
    pub config: Vec<Change<String, String>>,
    /// `None` where there was nothing to match with.
    pub findings: Option<Findings>,
}

/// One difference. What is only in the second was added; what is only in the first, removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change<K, V> {
    /// What it is about.
    pub name: K,
    /// In the first image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<V>,
    /// In the second image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<V>,
}

/// A package, whatever its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageName {
    /// `debian`, `npm`, …
    pub ecosystem: String,
    /// Its name there.
    pub package: String,
}

/// Findings of one image that the other does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Of the first only, worst first.
    pub fixed: Vec<Hit>,
    /// Of the second only, worst first.
    pub new: Vec<Hit>,
    /// How many both have.
    pub same: usize,
}

/// A vulnerability in a package of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Of the vulnerability.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// In which package.
    pub package: String,
    /// In which version of it.
    pub installed: String,
    /// In which version it is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
}

impl<K, V> Change<K, V> {
    fn new(name: K, before: Option<V>, after: Option<V>) -> Self {
        Self { name, before, after }
    }
}

impl Diff {
    /// Whether nothing that was compared differs.
    pub fn is_empty(&self) -> bool {
        let findings = self.findings.as_ref();
        self.packages.is_empty()
            && self.config.is_empty()
            && self.files.as_ref().is_none_or(Vec::is_empty)
            && findings.is_none_or(|findings| findings.fixed.is_empty() && findings.new.is_empty())
    }
}

/// Holds two images against each other.
pub fn diff(before: Side<'_>, after: Side<'_>) -> Diff {
    let matched = before.report.snapshot.is_some() && after.report.snapshot.is_some();
    let files = before.contents.files.as_ref().zip(after.contents.files.as_ref());
    Diff {
        packages: packages(&before.report.packages, &after.report.packages),
        files: files.map(|(before, after)| entries(before, after)),
        config: config(&before.contents.config, &after.contents.config),
        findings: matched.then(|| findings(&before.report.findings, &after.report.findings)),
    }
}

/// A package may be there in several versions. Those of both images are left out; of the rest, the lowest of the one
/// became the lowest of the other, and so on.
fn packages(before: &[Package], after: &[Package]) -> Vec<Change<PackageName, String>> {
    let (before, after) = (versions(before), versions(after));
    let names: BTreeSet<&PackageName> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let none = BTreeSet::new();
        let (before, after) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
        let (mut gone, mut come) = (before.difference(after), after.difference(before));
        loop {
            let (old, new) = (gone.next(), come.next());
            if old.is_none() && new.is_none() {
                break;
            }
            let text = |version: Option<&&str>| version.map(|version| (*version).to_owned());
            changes.push(Change::new(name.clone(), text(old), text(new)));
        }
    }
    changes
}

fn versions(packages: &[Package]) -> BTreeMap<PackageName, BTreeSet<&str>> {
    let mut by_name: BTreeMap<PackageName, BTreeSet<&str>> = BTreeMap::new();
    for one in packages {
        let name = PackageName { ecosystem: one.ecosystem.clone(), package: one.name.clone() };
        by_name.entry(name).or_default().insert(&one.version);
    }
    by_name
}

fn entries(
    before: &BTreeMap<Box<str>, Entry>,
    after: &BTreeMap<Box<str>, Entry>,
) -> Vec<Change<String, Entry>> {
    keyed(before, after, ToString::to_string)
}

/// What of two maps differs, by key.
fn keyed<K: Ord, V: PartialEq + Clone, N>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    name: impl Fn(&K) -> N,
) -> Vec<Change<N, V>> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    let both = keys.into_iter().map(|key| (key, before.get(key), after.get(key)));
    both.filter(|(_, before, after)| before != after)
        .map(|(key, before, after)| Change::new(name(key), before.cloned(), after.cloned()))
        .collect()
}

fn config(before: &Config, after: &Config) -> Vec<Change<String, String>> {
    let words = |words: &[String]| Some(words.join(" ")).filter(|text| !text.is_empty());
    let user = |config: &Config| Some(config.user.clone()).filter(|user| !user.is_empty());
    let plain = [
        ("created", before.created.clone(), after.created.clone()),
        ("user", user(before), user(after)),
        ("entrypoint", words(&before.entrypoint), words(&after.entrypoint)),
        ("command", words(&before.command), words(&after.command)),
    ];
    let mut changes: Vec<Change<String, String>> = plain
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| Change::new(name.to_owned(), before, after))
        .collect();
    changes.extend(keyed(&variables(&before.env), &variables(&after.env), |name| format!("env {name}")));
    changes.extend(keyed(&before.labels, &after.labels, |name| format!("label {name}")));
    changes
}

/// By name; the last of a name counts, as for the process.
fn variables(env: &[String]) -> BTreeMap<String, String> {
    let parts = env.iter().map(|line| line.split_once('=').unwrap_or((line, "")));
    parts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The same vulnerability in the same package is the same, whatever the version.
fn findings(before: &[Finding], after: &[Finding]) -> Findings {
    let key = |finding: &Finding| (finding.id.clone(), finding.package.clone());
    let keys = |of: &[Finding]| -> BTreeSet<(String, String)> { of.iter().map(key).collect() };
    let (old, new) = (keys(before), keys(after));
    let only = |of: &[Finding], other: &BTreeSet<(String, String)>| {
        let mut seen = BTreeSet::new();
        let those = of.iter().filter(|finding| !other.contains(&key(finding)) && seen.insert(key(finding)));
        those.map(hit).collect()
    };
    Findings { fixed: only(before, &new), new: only(after, &old), same: old.intersection(&new).count() }
}

pub(crate) fn hit(finding: &Finding) -> Hit {
    Hit {
        id: finding.id.clone(),
        severity: finding.severity,
        package: finding.package.clone(),
        installed: finding.installed.clone(),
        fixed: finding.fixed.clone(),
    }
}
