//! Patterns of a policy file: `*` stands for any run of characters, `?` for one; case does not matter.

use boltseal_model::{Digest, Reference, Subject};
use serde::Deserialize;

/// Longer patterns are mistakes, and matching costs pattern times text.
const MAX_PATTERN: usize = 512;

/// A pattern over one text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Wild(Box<str>);

impl Wild {
    /// Whether the whole of `text` fits.
    pub(crate) fn fits(&self, text: &str) -> bool {
        fits(
            self.0.as_bytes(),
            text.as_bytes(),
            |p| *p == b'*',
            |p, t| *p == b'?' || p.eq_ignore_ascii_case(t),
        )
    }

    /// As written.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it stands for exactly one text.
    pub(crate) fn is_exact(&self) -> bool {
        !self.0.contains(['*', '?'])
    }
}

impl TryFrom<String> for Wild {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_PATTERN || text.chars().any(char::is_control) {
            return Err(format!("a pattern has 1 to {MAX_PATTERN} characters and no control characters"));
        }
        Ok(Self(text.into()))
    }
}

/// A package by its name, or by its purl when the pattern starts with `pkg:`.
///
/// A purl pattern without `@` speaks about every version, one without `?` about every qualifier.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PackagePattern {
    pattern: Wild,
    purl: Option<PurlParts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PurlParts {
    Name,
    Version,
    All,
}

impl PackagePattern {
    pub(crate) fn fits(&self, name: &str, purl: &str) -> bool {
        let Some(parts) = self.purl else { return self.pattern.fits(name) };
        let plain = purl.split(['?', '#']).next().unwrap_or(purl);
        self.pattern.fits(match parts {
            PurlParts::All => purl,
            PurlParts::Version => plain,
            PurlParts::Name => plain.rsplit_once('@').map_or(plain, |(name, _)| name),
        })
    }

    pub(crate) fn text(&self) -> &str {
        self.pattern.text()
    }
}

impl TryFrom<String> for PackagePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_purl = text.trim_start().starts_with("pkg:");
        // A scope is written `%40` in a purl, so that a bare `@` always starts the version.
        let pattern = Wild::try_from(if is_purl { text.replace("/@", "/%40") } else { text })?;
        let purl = is_purl.then_some(match pattern.text().split_once('@') {
            None => PurlParts::Name,
            Some((_, rest)) if rest.contains('=') => PurlParts::All,
            Some(_) => PurlParts::Version,
        });
        Ok(Self { pattern, purl })
    }
}

/// A registry, a folder of repositories, one repository, or one manifest digest.
///
/// Names are normalised as references are, and match whole path segments: `ghcr.io/acme` covers
/// `ghcr.io/acme/app` and not `ghcr.io/acme-mirror/app`. `*` stays inside a segment, `**` crosses them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ImagePattern {
    text: Box<str>,
    means: Means,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Means {
    Name(Vec<Segment>),
    Digest(Digest),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Any,
    One(Wild),
}

impl ImagePattern {
    /// Whether it covers `subject`; a subject without a name is covered by its digest only.
    pub(crate) fn covers(&self, subject: &Subject) -> bool {
        match &self.means {
            Means::Digest(digest) => subject.digest.as_ref() == Some(digest),
            Means::Name(segments) => subject.name.as_ref().is_some_and(|name| covers(segments, name)),
        }
    }

    /// Whether it is this digest.
    pub(crate) fn is(&self, digest: &Digest) -> bool {
        matches!(&self.means, Means::Digest(wanted) if wanted == digest)
    }

    /// Whether it covers a name.
    pub(crate) fn covers_name(&self, name: &Reference) -> bool {
        matches!(&self.means, Means::Name(segments) if covers(segments, name))
    }

    /// A list that covers no image.
    pub(crate) fn none() -> Vec<Self> {
        vec![Self { text: "".into(), means: Means::Name(Vec::new()) }]
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn covers(pattern: &[Segment], reference: &Reference) -> bool {
    let host = plain_host(reference.registry());
    let segments: Vec<&str> =
        std::iter::once(host.as_str()).chain(reference.repository().split('/')).collect();
    fits(
        pattern,
        &segments,
        |segment| *segment == Segment::Any,
        |segment, text| matches!(segment, Segment::One(wild) if wild.fits(text)),
    )
}

/// One spelling per registry: no case, no root dot, no default port, so that no other spelling slips past.
fn plain_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let host = host.strip_suffix('.').unwrap_or(host);
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        other => other.to_owned(),
    }
}

impl TryFrom<String> for ImagePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = Wild::try_from(text)?.0;
        if text.starts_with("sha256:") || text.starts_with("sha512:") {
            let digest = text.parse().map_err(|error| format!("{error}"))?;
            return Ok(Self { text, means: Means::Digest(digest) });
        }
        let mut parts: Vec<&str> = text.trim_end_matches('/').split('/').collect();
        let last = parts.last().copied().unwrap_or_default();
        let tagged = if parts.len() > 1 { last.contains(':') } else { is_tagged(last) };
        if tagged || text.contains('@') {
            return Err(format!(
                "`{text}`: a pattern names registries and repositories, because tags move; leave the tag away, \
                 or write a manifest digest (sha256:…) alone"
            ));
        }
        if parts.iter().any(|part| part.is_empty()) {
            return Err(format!("`{text}`: two slashes follow each other"));
        }
        let first = parts.first().copied().unwrap_or_default();
        let hosted = first.contains(['.', ':', '[']) || first == "localhost" || first == "*" || first == "**";
        let host = if hosted { plain_host(parts.remove(0)) } else { "docker.io".to_owned() };
        let official = match parts.as_slice() {
            [one] if hosted && host == "docker.io" && *one != "library" && *one != "**" => {
                return Err(format!(
                    "`{text}` could mean two things: write docker.io/library/{one} for the official image, or \
                     docker.io/{one}/** for everything of that account"
                ));
            }
            [_] => !hosted,
            _ => false,
        };
        let words = std::iter::once(host.as_str()).chain(official.then_some("library")).chain(parts);
        let mut segments = words
            .map(|word| match word {
                "**" => Ok(Segment::Any),
                word => Wild::try_from(word.to_owned()).map(Segment::One),
            })
            .collect::<Result<Vec<_>, _>>()?;
        segments.push(Segment::Any);
        Ok(Self { text, means: Means::Name(segments) })
    }
}

/// Whether a lone word is an image with a tag rather than a registry with a port.
fn is_tagged(word: &str) -> bool {
    word.split_once(':').is_some_and(|(host, _)| !host.contains(['.', '[', '*']) && host != "localhost")
}

/// Glob matching without recursion: on a mismatch the last star takes one item more.
fn fits<P, T>(pattern: &[P], text: &[T], star: impl Fn(&P) -> bool, one: impl Fn(&P, &T) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star = None;
    while let Some(item) = text.get(t) {
        match pattern.get(p) {
            Some(part) if star(part) => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(part) if one(part, item) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = last_star else { return false };
                last_star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern.iter().skip(p).all(star)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wild(text: &str) -> Wild {
        Wild::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn wild_fits() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("*b*b*", "abab", true),
            ("*", "", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("@babel/*", "@babel/core", true),
        ] {
            assert_eq!(wild(pattern).fits(text), expected, "{pattern} against {text}");
        }
    }

    #[test]
    fn image_patterns_cover_whole_segments() {
        for (pattern, image, expected) in [
            ("debian", "debian:12", true),
            ("debian", "docker.io/library/debian", true),
            ("debian", "team/debian", false),
            ("team/app", "team/app:1", true),
            ("docker.io/library/*", "alpine", true),
            ("docker.io/library", "alpine", true),
            ("docker.io", "team/app", true),
            ("docker.io/team/**", "team/app", true),
            ("docker.io/**", "debian", true),
            ("localhost", "localhost/app", true),
            ("ghcr.io/acme", "ghcr.io/acme/app", true),
            ("ghcr.io/acme", "ghcr.io/acme-mirror/app", false),
            ("ghcr.io/acme", "ghcr.io.evil.example/acme/app", false),
            ("ghcr.io/*/app", "ghcr.io/acme/app", true),
            ("ghcr.io/*/app", "ghcr.io/a/b/app", false),
            ("ghcr.io/**/app", "ghcr.io/a/b/app", true),
            ("*.example.com", "eu.example.com/x", true),
            ("*.example.com", "example.com/x", false),
            ("**/app", "quay.io/a/app", true),
            ("localhost:5000", "localhost:5000/x", true),
            ("localhost:5000", "localhost:5001/x", false),
            ("ghcr.io", "GHCR.io:443/x", true),
            ("ghcr.io", "ghcr.io./x", true),
        ] {
            let subject = Subject {
                reference: image.to_owned(),
                name: Some(image.parse().unwrap()),
                digest: None,
                config: None,
                platform: None,
            };
            let pattern = ImagePattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(pattern.covers(&subject), expected, "{} against {image}", pattern.text());
        }
        for bad in ["debian:12", "docker.io/acme", "ghcr.io/a/b:v1", "a//b", "", "x@sha256:00", "sha256:00"] {
            assert!(ImagePattern::try_from(bad.to_owned()).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn package_patterns() {
        let scoped = PackagePattern::try_from("pkg:npm/@babel/core".to_owned()).unwrap();
        assert!(scoped.fits("@babel/core", "pkg:npm/%40babel/core@7.0.0"));
        let purl = "pkg:deb/debian/openssl@3.0.11-1?arch=amd64";
        for (pattern, expected) in [
            ("openssl", true),
            ("open*", true),
            ("ssl", false),
            ("pkg:deb/debian/openssl", true),
            ("pkg:deb/*", true),
            ("pkg:deb/debian/openssl@3.0.*", true),
            ("pkg:deb/debian/openssl@3.1*", false),
            ("pkg:deb/debian/openssl@*?arch=amd64", true),
            ("pkg:deb/debian/openssl@*?arch=arm64", false),
            ("pkg:deb/debian/opens", false),
        ] {
            let pattern = PackagePattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(pattern.fits("openssl", purl), expected, "{}", pattern.text());
        }
    }
}
