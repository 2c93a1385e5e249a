//! Version orders against vectors that others made with the original tools.

use std::cmp::Ordering;

use boltseal_ecosystem::{Ecosystem, by_id};

use crate::shared;

const VECTORS: &str = "data/fixtures/version-vectors.tar.zst";

/// Lines that do not hold, each with the reason. Reviewed.
const EXCEPTIONS: &str = include_str!("data/version-exceptions.txt");

#[test]
fn vectors_hold_both_ways() {
    let Some(files) = shared::archive(VECTORS) else { return };
    for (file, ecosystem, least) in [
        ("debian-versions.txt", "debian", 15),
        ("debian-versions-generated.txt", "debian", 7_200),
        ("alpine-versions.txt", "alpine", 300),
        ("alpine-versions-generated.txt", "alpine", 6_900),
        ("pypi-versions.txt", "pypi", 18),
        ("pypi-versions-generated.txt", "pypi", 6_100),
        ("redhat-versions.txt", "rpm", 83),
        ("claircore-rpmvercmp.txt", "rpm", 113),
        ("maven-versions.txt", "maven", 30),
        ("maven-versions-generated.txt", "maven", 7_300),
        ("packagist-versions.txt", "packagist", 45),
        ("packagist-versions-generated.txt", "packagist", 5_300),
        ("rubygems-versions.txt", "rubygems", 13),
        ("rubygems-versions-generated.txt", "rubygems", 2_000),
        ("nuget-versions.txt", "nuget", 15),
        ("pub-versions.txt", "pub", 15),
        ("cran-versions.txt", "cran", 10),
        ("cran-versions-generated.txt", "cran", 25),
        ("hackage-versions.txt", "hackage", 5),
        ("semver-versions.txt", "npm", 40),
        ("semver-versions.txt", "golang", 40),
        ("semver-versions.txt", "cargo", 20),
    ] {
        let (_, content) = files.iter().find(|(path, _)| path.ends_with(&format!("/{file}"))).expect(file);
        let (held, broken) = check(by_id(ecosystem).unwrap(), &String::from_utf8_lossy(content));
        assert!(broken.is_empty(), "{ecosystem} against {file}:\n{}", broken.join("\n"));
        assert!(held >= least, "{ecosystem}: only {held} lines of {file} were read");
    }
}

/// How many lines hold, and those that do not.
fn check(ecosystem: &dyn Ecosystem, text: &str) -> (usize, Vec<String>) {
    let mut held = 0;
    let mut broken = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [a, relation, b] = words[..] else { panic!("{line:?}") };
        let expected = match relation {
            "<" => Ordering::Less,
            "=" | "==" => Ordering::Equal,
            ">" => Ordering::Greater,
            other => panic!("{other:?} in {line:?}"),
        };
        let excepted = EXCEPTIONS.lines().any(|exception| {
            let mut fields = exception.split('\t');
            fields.next() == Some(ecosystem.id()) && fields.next() == Some(line)
        });
        let found = (ecosystem.compare(a, b), ecosystem.compare(b, a));
        match (found == (Ok(expected), Ok(expected.reverse())), excepted) {
            (true, false) => held += 1,
            (false, true) => {}
            (true, true) => broken.push(format!("{line}: holds, remove the exception")),
            (false, false) => broken.push(format!("{line}: {found:?}")),
        }
    }
    (held, broken)
}
