//! What people said about matches in 44 real images: true or false positive.

use std::collections::BTreeSet;

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
    ("npm", "handlebars", "another ecosystem"),
    ("npm", "npm", "another ecosystem"),
    ("pypi", "protobuf", "another ecosystem"),
    ("pypi", "swift", "another ecosystem"),
];

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
    let mut reviewed = BTreeSet::new();
    let (mut right, mut rpm, mut wrong) = (0, 0, Vec::new());
    for line in std::str::from_utf8(&labels).unwrap().lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let (Some(name), Some(version)) =
            (label["package"]["name"].as_str(), label["package"]["version"].as_str())
        else {
            continue;
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
            if !says(&snapshot, &catalog, &ids) {
                continue;
            }
            match label["label"].as_str() {
                Some("TP") => {
                    right += 1;
                    rpm += usize::from(ecosystem == "rpm");
                }
                Some("FP") => {
                    match REVIEWED.iter().find(|(kind, known, _)| *kind == ecosystem && *known == name) {
                        Some((kind, known, _)) => drop(reviewed.insert((*kind, *known))),
                        None => {
                            wrong.push(format!("{ecosystem} {name} {version} {} {}", ids[0], label["image"]));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(reviewed.len(), REVIEWED.len(), "a reviewed match is gone: {reviewed:?}");
    assert!(right > 200, "only {right} matches that people call true");
    // Of 270 on AlmaLinux, 146 have no erratum (it speaks about fixes only) and 13 one that leaves the package out.
    assert!(rpm >= 111, "only {rpm} of AlmaLinux");
}

fn says(snapshot: &Snapshot, catalog: &Catalog, ids: &[&str]) -> bool {
    let found = findings(catalog, snapshot, NOW).findings;
    found.iter().any(|f| ids.iter().any(|id| f.id == **id || f.aliases.iter().any(|alias| alias == id)))
}
