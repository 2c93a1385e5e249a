//! What people said about matches in 44 real images: true or false positive.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_ecosystem::ALL;
use boltseal_model::{Catalog, Package};
use boltseal_scan::{Snapshot, findings};
use serde_json::Value;

use crate::support::{NOW, catalog, imported};

/// Images whose release their packages give away; the labels do not say.
const RELEASES: [(&str, &str); 9] = [
    ("docker.io+postgres@sha256:1a67ab96", "debian 10"),
    ("docker.io+python@sha256:5e96e03a", "debian 10"),
    ("docker.io+node@sha256:af31633b", "debian 8"),
    ("docker.io+anchore+test_images@sha256:c27b02c6", "alpine 3.12"),
    ("docker.io+anchore+test_images@sha256:ff80ae5d", "alpine 3.12"),
    ("docker.io+anchore+test_images@sha256:55c9ba4e", "alpine 3.12"),
    ("docker.io+anchore+test_images@sha256:e25a9a17", "alpine 3.18"),
    ("docker.io+hashicorp+vault@sha256:09354ca0", "alpine 3.15"),
    ("docker.io+almalinux@sha256:cd49d725", "almalinux 8"),
];

/// Matches that people call false and we make, reviewed: what is matched, and why it stays.
const REVIEWED: [(&str, &str, &str); 5] = [
    (
        "golang",
        "github.com/docker/docker",
        "the advisory's range contains it; people judged that this program calls no Swarm",
    ),
    // The labels do not say what kind of package they are about, and these are none of ours: Ruby gems and templates
    // of GitLab that share their names with packages of npm and PyPI.
    ("npm", "handlebars", ELSEWHERE),
    ("npm", "npm", ELSEWHERE),
    ("pypi", "protobuf", ELSEWHERE),
    ("pypi", "swift", ELSEWHERE),
];

/// The package of the label is another one than that of the match, so nothing is said of the match.
const ELSEWHERE: &str = "another ecosystem";

/// Images of distributions that we have no data of yet. Their vendors patch Python packages in place.
const RPM: [&str; 5] = [
    "anchore+test_images@",
    "docker.io+anchore+test_images@sha256:746d3124",
    "docker.io+anchore+test_images@sha256:808f6cf3",
    "docker.io+cloudbees+cloudbees-core-mm@",
    "docker.io+sonatype+nexus3@",
];

/// What a package can be, by its version and its image: ecosystem and release.
fn kinds(version: &str, image: &str) -> Vec<(&'static str, &'static str)> {
    let release =
        RELEASES.iter().find(|(start, _)| image.starts_with(start)).map_or("", |(_, release)| release);
    let revision =
        version.rsplit_once("-r").is_some_and(|(_, digits)| digits.bytes().all(|b| b.is_ascii_digit()));
    match (revision, release) {
        (true, release) if release.starts_with("alpine") => vec![("alpine", release)],
        (true, _) => Vec::new(),
        // Others of that image are files of Python that say `rpm 4.14.3`.
        (false, release) if release.starts_with("almalinux") && version.contains(".el8") => {
            vec![("rpm", release)]
        }
        (false, release) if release.starts_with("debian") => {
            vec![("debian", release), ("npm", ""), ("pypi", "")]
        }
        _ if [".el", "amzn", "ubuntu", "deb"].iter().any(|os| version.contains(os)) => Vec::new(),
        _ if RPM.iter().any(|start| image.starts_with(start)) => Vec::new(),
        _ => vec![("pypi", ""), ("npm", ""), ("golang", ""), ("cargo", "")],
    }
}

#[test]
fn no_match_is_one_that_people_call_false() {
    let Some(labels) = boltseal_testkit::unzstd("data/fixtures/match-labels-44-images.ndjson.zst") else {
        return;
    };
    let Some(vulns) = boltseal_testkit::shared("data/vulns") else { return };
    let Some(secdb) = boltseal_testkit::unpacked("data/vulns/native/alpine/secdb.tar.zst") else { return };
    let mut feeds = ["PyPI", "npm", "Go", "crates.io", "AlmaLinux"]
        .map(|name| vulns.join("osv").join(name).join("all.zip"))
        .to_vec();
    feeds.push(vulns.join("native/debian/tracker-from-dsa-dla.json.zst"));
    feeds.push(secdb.root().to_owned());
    let snapshot = imported(&feeds);
    let mut score = Score::default();
    for line in std::str::from_utf8(&labels).unwrap().lines() {
        score.judge(&snapshot, &serde_json::from_str(line).unwrap());
    }
    let Score { right, rpm, called_false, wrong, missed, reviewed, .. } = score;
    let share = |other: u32| f64::from(right) / f64::from(right + other);
    let (precision, recall) = (share(called_false), share(u32::try_from(missed.len()).unwrap()));
    println!(
        "precision {precision:.3}, recall {recall:.3}: {right} true, {called_false} called false, missed {missed:#?}"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(precision >= 0.98 && recall >= 0.98, "{called_false} called false, missed {missed:#?}");
    assert_eq!(reviewed.len(), REVIEWED.len(), "a reviewed match is gone: {reviewed:?}");
    assert!(right > 200, "only {right} matches that people call true");
    // Of 270 on AlmaLinux, 146 have no erratum (it speaks about fixes only) and 13 one that leaves the package out.
    assert!(rpm >= 111, "only {rpm} of AlmaLinux");
}

#[derive(Default)]
struct Score {
    right: u32,
    rpm: u32,
    called_false: u32,
    wrong: Vec<String>,
    missed: Vec<String>,
    reviewed: BTreeSet<(&'static str, &'static str)>,
    held: Held,
}

impl Score {
    fn judge(&mut self, snapshot: &Snapshot, label: &Value) {
        let package = &label["package"];
        let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str()) else {
            return;
        };
        let ids: Vec<&str> =
            [&label["vuln"], &label["effective_cve"]].iter().filter_map(|id| id.as_str()).collect();
        for (ecosystem, distro) in kinds(version, label["image"].as_str().unwrap()) {
            let catalog = catalog(
                distro,
                vec![Package {
                    ecosystem: ecosystem.to_owned(),
                    name: name.to_owned(),
                    version: version.to_owned(),
                    purl: format!("pkg:{ecosystem}/{}/{name}", distro.split(' ').next().unwrap_or_default()),
                    ..Package::default()
                }],
            );
            let told = || format!("{ecosystem} {name} {version} {} {}", ids[0], label["image"]);
            match (says(snapshot, &catalog, &ids), label["label"].as_str()) {
                (true, Some("TP")) => {
                    self.right += 1;
                    self.rpm += u32::from(ecosystem == "rpm");
                }
                (false, Some("TP")) if self.held.knows(snapshot, &catalog, &ids) => self.missed.push(told()),
                (true, Some("FP")) => {
                    match REVIEWED.iter().find(|(kind, known, _)| *kind == ecosystem && *known == name) {
                        Some((kind, known, why)) => {
                            self.reviewed.insert((*kind, *known));
                            self.called_false += u32::from(*why != ELSEWHERE);
                        }
                        None => self.wrong.push(told()),
                    }
                }
                _ => {}
            }
        }
    }
}

fn says(snapshot: &Snapshot, catalog: &Catalog, ids: &[&str]) -> bool {
    let found = findings(catalog, snapshot, NOW).findings;
    found.iter().any(|f| ids.iter().any(|id| f.id == **id || f.aliases.iter().any(|alias| alias == id)))
}

/// What feeds say something about: of a vulnerability, the spaces and packages.
#[derive(Default)]
struct Held(BTreeMap<String, Vec<(String, String)>>);

impl Held {
    /// Whether a feed says of one of the vulnerabilities `ids` which versions of the package it is in. Of others nobody
    /// could find out from these feeds.
    fn knows(&mut self, snapshot: &Snapshot, catalog: &Catalog, ids: &[&str]) -> bool {
        let package = &catalog.packages[0];
        let family = ALL.iter().find(|family| family.id() == package.ecosystem).unwrap();
        let Some(space) = family.space(package, catalog.distro.as_ref()) else { return false };
        let wanted = (space, family.normalise(&package.name));
        ids.iter().any(|id| self.of(snapshot, id).contains(&wanted))
    }

    fn of(&mut self, snapshot: &Snapshot, id: &str) -> &[(String, String)] {
        self.0.entry(id.to_owned()).or_insert_with(|| {
            let known = snapshot.vulnerability(id).unwrap().into_iter();
            let affected = known.flat_map(|known| known.advisories).flat_map(|advisory| advisory.affected);
            affected.map(|affected| (affected.space, affected.package)).collect()
        })
    }
}
