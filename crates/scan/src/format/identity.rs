//! Names that a document needs beyond the report, all derived from the report: no clock, no chance.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use boltseal_model::{Algorithm, Digest, Finding, Hasher, Package, Report, Subject, Timestamp};

/// What made the document.
pub(super) const TOOL: &str = "boltseal";
/// Which version of it.
pub(super) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A UUID of the report's content (RFC 9562, version 8: the bits come from a SHA-256), so that a document's identity
/// changes exactly when what it says does.
pub(super) fn uuid(report: &Report) -> io::Result<String> {
    struct Hashing(Hasher);
    impl Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Hasher::new(Algorithm::Sha256));
    serde_json::to_writer(&mut hashing, report)?;
    let mut hash = hashing.0.finish().hex();
    hash.replace_range(12..13, "8");
    hash.replace_range(16..17, "8");
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hash.get(part).unwrap_or_default().to_owned());
    Ok(parts.join("-"))
}

/// When the document was made: when the feeds it was matched with were built. Without feeds there is no honest moment
/// that is the same tomorrow; then it is the epoch, as reproducible builds do.
/// Whole seconds, because SPDX allows no less.
pub(super) fn created(report: &Report) -> Timestamp {
    let built = report.snapshot.as_ref().map(|snapshot| snapshot.built.as_second());
    built.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or_default()
}

/// What to call the image: its repository where it has one, otherwise as the user named it.
pub(super) fn image_name(subject: &Subject) -> String {
    subject.name.as_ref().map_or_else(|| subject.reference.clone(), boltseal_model::Reference::name)
}

/// `pkg:oci/debian@sha256%3A…?repository_url=docker.io/library/debian&tag=12` (purl type `oci`).
pub(crate) fn image_purl(subject: &Subject) -> Option<String> {
    let name = subject.name.as_ref()?;
    let digest = subject.digest.as_ref()?;
    let short = name.repository().rsplit('/').next()?;
    let mut purl = format!("pkg:oci/{short}@{}%3A{}", digest.algorithm().name(), digest.hex());
    let arch = subject.platform.as_ref().map(|platform| platform.architecture.as_str());
    let repository = name.name().to_lowercase().replace(':', "%3A");
    let qualifiers = [("arch", arch), ("repository_url", Some(repository.as_str())), ("tag", name.tag())];
    for (index, (key, value)) in
        qualifiers.into_iter().filter_map(|(key, value)| Some((key, value?))).enumerate()
    {
        let separator = if index == 0 { '?' } else { '&' };
        purl = format!("{purl}{separator}{key}={value}");
    }
    Some(purl)
}

/// A name per package that is unique in the document: its purl, numbered where the same is installed again.
pub(super) fn package_refs(packages: &[Package]) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refs = Vec::with_capacity(packages.len());
    for package in packages {
        let number = seen.entry(&package.purl).or_default();
        *number += 1;
        // A purl has no spaces and is never empty, so what stands in for a missing one clashes with none.
        let name = if package.purl.is_empty() { "package without purl" } else { &package.purl };
        refs.push(if *number == 1 { name.to_owned() } else { format!("{name}#{number}") });
    }
    refs
}

/// The same for the same vulnerability of the same package at the same place, whatever its version: an upgrade that does
/// not help is not a new alert.
pub(super) fn fingerprint(finding: &Finding) -> String {
    let purl = finding.purl.split(['?', '#']).next().unwrap_or_default();
    let name = purl.rsplit_once('@').map_or(purl, |(name, _)| name);
    Digest::of(format!("{}\n{name}\n{}", finding.id, finding.proof.path).as_bytes()).hex()
}

/// Whether `text` can stand where a format wants a URL.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b);
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && !host.contains(['[', ']', '%'])
            && rest.bytes().all(plain)
            && !is_badly_escaped(rest)
            && !rest.get(host.len()..).unwrap_or_default().contains(['[', ']'])
            && rest.matches('#').count() <= 1
    })
}

fn is_badly_escaped(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        !after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, expected) in [
            ("https://example.com/a?b=c#d", true),
            ("https://example.com/a%20b", true),
            ("http://example.com", true),
            ("https://", false),
            ("ftp://example.com", false),
            ("https://example.com/a b", false),
            ("https://example.com/a%zz", false),
            ("https://example.com/<script>", false),
            ("https://example.com/é", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_url(text), expected, "{text}");
        }
    }
}
