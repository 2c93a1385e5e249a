//! What one package URL means of another, and the cases of the specification.

use serde_json::Value;

use super::*;

#[test]
fn one_means_another() {
    for (said, installed, expected) in [
        ("pkg:deb/debian/bash", "pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12", true),
        ("pkg:deb/debian/bash@5.2", "pkg:deb/debian/bash@5.2?arch=amd64", true),
        ("pkg:deb/debian/bash@5.1", "pkg:deb/debian/bash@5.2?arch=amd64", false),
        ("pkg:deb/debian/bash?arch=arm64", "pkg:deb/debian/bash@5.2?arch=amd64", false),
        ("pkg:deb/debian/bash?distro=debian-12.4", "pkg:deb/debian/bash@5.2?distro=debian-12", true),
        ("pkg:deb/debian/bash?distro=debian-1", "pkg:deb/debian/bash@5.2?distro=debian-12", false),
        ("pkg:deb/ubuntu/bash", "pkg:deb/debian/bash@5.2", false),
        ("pkg:golang/example.com/x@2.0.0", "pkg:golang/example.com/x@v2.0.0", true),
        ("pkg:npm/%40a/b@1", "pkg:npm/%40a/b@1", true),
        ("pkg:npm/@a/b", "pkg:npm/%40a/b@1", true),
        ("pkg:pypi/Django_Allauth", "pkg:pypi/django-allauth@1", true),
        ("pkg:nodejs/node@v4.2.3", "pkg:generic/node@4.2.3", true),
        // Slashes before the type are to be stripped (purl specification, "How to parse").
        ("pkg:/deb/debian/bash", "pkg:deb/debian/bash@5.2", true),
        ("pkg:rpm/redhat/a@1%2B2", "pkg:rpm/redhat/a@1%2B2?epoch=1", true),
    ] {
        let (said, installed) = (Purl::parse(said).unwrap(), Purl::parse(installed).unwrap());
        assert_eq!(said.means(&installed), expected, "{said:?} {installed:?}");
    }
    for text in ["", "pkg:", "pkg:deb", "pkg:deb/", "CVE-1", &format!("pkg:a/{}", "b".repeat(5000))] {
        assert_eq!(Purl::parse(text), None, "{text}");
    }
}

/// Cases that are read otherwise: description, tab, reason.
const PARSED: &str = include_str!("parse-exceptions.tsv");
/// Cases that are written otherwise once they were read: what is written, tab, reason.
const WRITTEN: &str = include_str!("validate-exceptions.tsv");

/// The cases of one kind: the file, and the case.
fn cases(kind: &str) -> Option<Vec<(String, Value)>> {
    let path = boltseal_testkit::shared("data/fixtures/purl-types.tar.zst")?;
    let archive = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let mut found = Vec::new();
    for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        if !path.contains("/tests/") || !entry.header().entry_type().is_file() {
            continue;
        }
        let content: Value = serde_json::from_reader(&mut entry).unwrap();
        let cases = content["tests"].as_array().unwrap().iter().filter(|case| case["test_type"] == kind);
        found.extend(cases.map(|case| (path.clone(), case.clone())));
    }
    Some(found)
}

/// Holds every case of a kind, known by what `key` says, or has it in `exceptions`; `check` gives what is wrong.
fn all(kind: &str, key: &str, exceptions: &str, check: impl Fn(&Value) -> Result<(), String>) {
    let Some(cases) = cases(kind) else { return };
    let (mut held, mut excepted, mut problems) = (0, Vec::new(), Vec::new());
    for (path, case) in cases {
        let known = case[key].as_str().unwrap();
        let exception = exceptions.lines().any(|line| line.split('\t').next() == Some(known));
        match (check(&case), exception) {
            (Ok(()), _) => held += 1,
            (Err(_), true) => excepted.push(known.to_owned()),
            (Err(wrong), false) => problems.push(format!("{path}: {}: {wrong}", case["description"])),
        }
    }
    eprintln!("package URLs: {held} {kind} cases hold, {} are exceptions with a reason", excepted.len());
    assert!(held > 0 && problems.is_empty(), "{}", problems.join("\n"));
    let is_used = |line: &&str| excepted.iter().any(|used| line.split('\t').next() == Some(used));
    assert_eq!(exceptions.lines().find(|line| !is_used(line)), None, "of no use");
}

/// What is written, and its parts.
#[test]
fn parse_cases() {
    all("parse", "description", PARSED, |case| {
        let found = Purl::parse(case["input"].as_str().unwrap());
        let out = &case["expected_output"];
        let text = |key: &str| out[key].as_str().unwrap_or_default();
        let right = match &found {
            None => case["expected_failure"] == true,
            Some(found) => {
                let listed = out["qualifiers"].as_object().into_iter().flatten();
                let mut qualifiers: Vec<_> =
                    listed.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
                qualifiers.sort();
                case["expected_failure"] == false
                    && (found.kind(), found.namespace(), found.name(), found.version())
                        == (text("type"), text("namespace"), text("name"), text("version"))
                    && found.qualifiers == qualifiers
            }
        };
        if right { Ok(()) } else { Err(format!("{} {found:?}", case["input"])) }
    });
}

/// What is written, and how the same is written canonically: read here, and written by the builder of our own.
#[test]
fn validate_cases() {
    all("validate", "input", WRITTEN, |case| {
        let input = case["input"].as_str().unwrap();
        let found = Purl::parse(input).ok_or_else(|| format!("{input} is not read"))?;
        let mut built = boltseal_ecosystem::purl::Purl::new(found.kind(), found.name())
            .namespace(found.namespace())
            .version(found.version());
        for (key, value) in &found.qualifiers {
            built = built.qualifier(key, value);
        }
        let (built, expected) = (built.to_string(), case["expected_output"].as_str().unwrap());
        if built == expected { Ok(()) } else { Err(format!("{built}, not {expected}")) }
    });
}
