//! Samples of vendors' feeds against what others read out of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use boltseal_feed::{Tally, read_bytes};
use boltseal_model::Status;
use serde_json::Value;

use crate::Collected;

/// The files of one archive of samples, by path.
pub fn samples(archive: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let path = boltseal_testkit::shared(&format!("data/vulns/native/feed-samples/{archive}"))?;
    let plain = zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(plain).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(name, bytes);
        }
    }
    Some(files)
}

pub fn read(name: &str, bytes: &[u8]) -> (Vec<Tally>, Collected) {
    let mut said = Collected::default();
    let tallies = read_bytes(name, bytes, &mut said).unwrap();
    (tallies, said)
}

/// What is said, as (name space, advisory, package, first good version or the status).
type Said = BTreeSet<(String, String, String, String)>;

fn ours(said: &Collected) -> Said {
    let mut all = Said::new();
    for advisory in &said.advisories {
        for affected in &advisory.affected {
            let fixes: Vec<&str> =
                affected.ranges.iter().filter_map(|range| range.fixed.as_deref()).collect();
            let word = if affected.status == Status::Affected { "none" } else { affected.status.word() };
            for fix in if fixes.is_empty() { vec![word] } else { fixes } {
                all.insert((
                    affected.space.clone(),
                    advisory.id.clone(),
                    affected.package.clone(),
                    fix.to_owned(),
                ));
            }
        }
    }
    all
}

/// What vunnel reads, from its snapshots in `folder`.
fn vunnels(files: &BTreeMap<String, Vec<u8>>, folder: &str) -> Said {
    let mut all = Said::new();
    for (_, bytes) in files.iter().filter(|(name, _)| name.contains(folder)) {
        let record: Value = serde_json::from_slice(bytes).unwrap();
        let vulnerability = &record["item"]["Vulnerability"];
        for fixed in vulnerability["FixedIn"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (family, release) = fixed["NamespaceName"].as_str().unwrap().split_once(':').unwrap();
            let family = match family {
                "ol" => "oracle",
                "sles" => "suse",
                other => other,
            };
            let release = if family == "suse" { release } else { release.trim_end_matches(".0") };
            let space = match (family, release) {
                ("arch" | "archlinux", _) => "arch".to_owned(),
                ("mariner", release) => format!("azurelinux:{release}"),
                (family, release) => format!("{family}:{release}"),
            };
            let version = text(&fixed["Version"]);
            // The version 0 is how it writes `not affected`.
            let version = match version.as_str() {
                "None" => "none",
                "0" => "not-affected",
                other => other.trim_start_matches("0:"),
            };
            all.insert((space, text(&vulnerability["Name"]), text(&fixed["Name"]), version.to_owned()));
        }
    }
    all
}

/// Provider, its input, its snapshots, and where we read more (`+`) or something else (`-`), on purpose: what is not
/// affected, vulnerabilities without a CVE, a fix that is not said.
const VUNNEL: &[(&str, &[&str], &[&str])] = &[
    ("oracle", &["mock_data"], &[]),
    (
        "sles",
        &["suse_truncated.xml"],
        &[
            "+ suse:15 CVE-1999-0524 kernel-default not-affected",
            "+ suse:15 CVE-1999-0524 kernel-source not-affected",
            // Support that has a price is in name spaces of its own.
            "+ suse:bcl:15.1 CVE-2021-29154 kernel-default 4.12.14-197.89.2",
            "+ suse:ltss:15 CVE-2021-29154 kernel-default 4.12.14-150.72.1",
            "+ suse:ltss:15.1 CVE-2021-29154 kernel-default 4.12.14-197.89.2",
            "- suse:15 CVE-2021-29154 kernel-default 4.12.14-150.72.1",
            "- suse:15.1 CVE-2021-29154 kernel-default 4.12.14-197.89.2",
        ],
    ),
    (
        "photon",
        &["input/cve_data_photon1.0.json", "input/cve_data_photon4.0.json"],
        &[
            "+ photon:4 BDSA-2025-0719 krb5-devel 1.17-15.ph4",
            "+ photon:4 CVE-2023-44487 httpd not-affected",
            "+ photon:4 CVE-2023-50447 python3 under-investigation",
            "- photon:4 CVE-2023-50447 python3 none",
        ],
    ),
    ("mariner", &["mariner-truncated-2.0-oval.xml"], &["+ azurelinux:2 CVE-2023-0687 glibc none"]),
    ("arch", &["input/arch-advisories/all.json"], &[]),
];

#[test]
fn as_vunnel_reads_them() {
    let Some(files) = samples("vunnel-provider-fixtures.tar.zst") else { return };
    let mut wrong = Vec::new();
    for (provider, inputs, differs) in VUNNEL {
        let mut all = Said::new();
        for input in *inputs {
            let name = format!("vunnel/tests/unit/providers/{provider}/test-fixtures/{input}");
            let (_, said) = read(&name, &files[&name]);
            assert!(said.rejected.is_empty(), "{name}: {:?}", said.rejected);
            all.extend(ours(&said));
        }
        let theirs = vunnels(&files, &format!("{provider}/test-fixtures/snapshots/"));
        println!("{provider}: {} facts, vunnel has {}", all.len(), theirs.len());
        let line = |sign: char, (space, id, package, version): &(String, String, String, String)| {
            format!("{sign} {space} {id} {package} {version}")
        };
        let more = all.difference(&theirs).map(|fact| line('+', fact));
        let other = theirs.difference(&all).map(|fact| line('-', fact));
        let found: Vec<String> = more.chain(other).collect();
        if found != *differs {
            wrong.push(format!("{provider}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where a golden says which packages of which versions: each of ours must be one of theirs, and the other way round.
fn packages(value: &Value, found: &mut BTreeSet<(String, String)>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let (Some(name), Some(version)) = (value["name"].as_str(), value["version"].as_str()) {
        let epoch = Some(text(&value["epoch"])).filter(|epoch| epoch != "0" && !epoch.is_empty());
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        found.insert((name.to_owned(), format!("{epoch}{version}-{}", text(&value["release"]))));
    }
    if let Some(comment) =
        value["Comment"].as_str().and_then(|comment| comment.split_once(" is earlier than "))
    {
        found.insert((comment.0.to_owned(), comment.1.trim_start_matches("0:").to_owned()));
    }
    match value {
        Value::Array(all) => all.iter().for_each(|one| packages(one, found)),
        Value::Object(all) => all.values().for_each(|one| packages(one, found)),
        _ => {}
    }
}

/// Inputs, and the golden of each advisory in them.
const GOLDENS: &[(&str, &[&str])] = &[
    ("amazon/testdata/fixtures/updateinfo_1_item.xml.gz", &["amazon/testdata/ALAS2-2018-939.json.golden"]),
    (
        "amazon/testdata/fixtures/updateinfo_2_items.xml.gz",
        &["amazon/testdata/ALAS2-2018-942.json.golden", "amazon/testdata/ALAS2-2018-949.json.golden"],
    ),
    ("amazon/testdata/fixtures/updateinfo_AL2022.xml.gz", &["amazon/testdata/ALAS2022-2021-001.json.golden"]),
    ("amazon/testdata/fixtures/updateinfo_AL2023.xml.gz", &["amazon/testdata/ALAS2023-2023-001.json.golden"]),
    (
        "bottlerocket/testdata/updateinfo.xml.gz",
        &[
            "bottlerocket/testdata/golden/BRSA-1bwujdrkn6nc.json",
            "bottlerocket/testdata/golden/BRSA-kdg8bd1th2gb.json",
        ],
    ),
    (
        "rocky/testdata/fixtures/happy/updateinfo.xml",
        &[
            "rocky/testdata/golden/2021/RLSA-2021:2575.json",
            "rocky/testdata/golden/2021/RLSA-2021:3057.json",
            "rocky/testdata/golden/2019/RLSA-2019:1972.json",
        ],
    ),
    ("oracle/oval/testdata/ELSA-2007-0057.xml", &["oracle/oval/testdata/golden/ELSA-2007-0057.json"]),
    ("oracle/oval/testdata/elsa-2018-1196-1.xml.bz2", &["oracle/oval/testdata/golden/ELSA-2018-1196-1.json"]),
    (
        "oracle/oval/testdata/all-positive-data.xml.bz2",
        &[
            "oracle/oval/testdata/golden/ELSA-200",
            "oracle/oval/testdata/golden/ELSA-2010",
            "oracle/oval/testdata/golden/ELSA-2011",
            "oracle/oval/testdata/golden/ELSA-2012",
            "oracle/oval/testdata/golden/ELSA-2013",
            "oracle/oval/testdata/golden/ELSA-2014",
            "oracle/oval/testdata/golden/ELSA-2015",
            "oracle/oval/testdata/golden/ELSA-2016",
            "oracle/oval/testdata/golden/ELSA-2017",
            "oracle/oval/testdata/golden/ELSA-2018-3",
            "oracle/oval/testdata/golden/ELSA-2019",
        ],
    ),
    (
        "redhat/oval/testdata/happy/RHEL8/ansible-2-including-unpatched.oval.xml.bz2",
        &["redhat/oval/testdata/golden/8/ansible-2-including-unpatched/definitions/"],
    ),
    (
        "redhat/oval/testdata/happy/RHEL7/dotnet-3.1-including-unpatched.oval.xml.bz2",
        &["redhat/oval/testdata/golden/7/dotnet-3.1-including-unpatched/definitions/"],
    ),
];

/// With a release: no module, no status.
fn versioned(version: &str) -> bool {
    version.contains('-') && version.contains(|c: char| c.is_ascii_digit()) && !version.ends_with('-')
}

#[test]
fn as_vuln_list_update_reads_them() {
    let Some(files) = samples("vuln-list-update-fixtures.tar.zst") else { return };
    let mut wrong = Vec::new();
    for (input, goldens) in GOLDENS {
        let name = format!("vuln-list-update/{input}");
        let (_, said) = read(&name, &files[&name]);
        assert!(said.rejected.is_empty(), "{name}: {:?}", said.rejected);
        let plain = |package: String| package.rsplit('/').next().unwrap_or_default().to_owned(); // without its module
        let facts = ours(&said).into_iter().map(|(_, _, package, version)| (plain(package), version));
        let facts: BTreeSet<_> = facts.filter(|(_, version)| versioned(version)).collect();
        let (mut theirs, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for golden in *goldens {
            let prefix = format!("vuln-list-update/{golden}");
            for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with(&prefix)) {
                packages(&serde_json::from_slice(bytes).unwrap(), &mut theirs);
                ids.insert(path.rsplit('/').next().unwrap().split('.').next().unwrap().replace(':', "-"));
            }
        }
        // Symbols of debuggers are no reason to update anything.
        theirs.retain(|(name, version)| {
            !name.ends_with("-debuginfo") && !name.ends_with("-debugsource") && versioned(version)
        });
        let own: BTreeSet<_> = said.advisories.iter().map(|advisory| advisory.id.replace(':', "-")).collect();
        println!("{input}: {} advisories, {} packages", own.len(), facts.len());
        if facts != theirs || !own.is_subset(&ids) {
            let (missing, more): (Vec<_>, Vec<_>) =
                (theirs.difference(&facts).collect(), facts.difference(&theirs).collect());
            wrong.push(format!("{input}: missing {missing:?}, besides {more:?}; {own:?} of {ids:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
