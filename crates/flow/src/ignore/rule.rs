//! One entry of an ignore file of any kind: what a finding must be like, until when, and why.

use boltseal_model::{Date, Finding, Status};
use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};

/// Bytes of a compiled pattern: names of packages need a thousandth.
const MAX_PATTERN: usize = 1 << 20;

/// An entry. Ignores a finding that every condition fits; without any condition, none.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    /// What to call it when its time is over.
    pub(super) label: String,
    pub(super) conditions: Vec<Condition>,
    /// The last day on which it holds.
    pub(super) until: Option<Date>,
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// The vulnerability by any of its ids.
    Id(String),
    /// The vulnerability by the id it is listed under.
    ListedId(String),
    /// The file that says the package is installed.
    Path(Vec<GlobMatcher>),
    /// The package, by any of these.
    Purl(Vec<Purl>),
    /// What the package is called.
    Name(Name),
    /// What the package was built from.
    Source(Name),
    Version(String),
    /// The type within the package's purl.
    Type(&'static [&'static str]),
    Fix(FixState),
    Status(&'static [Status]),
}

/// A name, or a pattern over whole names.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Exact(String),
    Pattern(Regex),
}

/// As Grype says whether there is a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FixState {
    Fixed,
    NotFixed,
    WontFix,
    Unknown,
}

/// A package URL as a pattern: what it leaves out may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purl {
    /// Type, name space and name.
    package: String,
    version: Option<String>,
    qualifiers: Vec<String>,
}

impl Rule {
    pub(super) fn names(&self, finding: &Finding) -> bool {
        !self.conditions.is_empty() && self.conditions.iter().all(|condition| condition.fits(finding))
    }
}

impl Condition {
    fn fits(&self, finding: &Finding) -> bool {
        match self {
            Self::Id(id) => {
                std::iter::once(&finding.id).chain(&finding.aliases).any(|one| one.eq_ignore_ascii_case(id))
            }
            Self::ListedId(id) => finding.id.eq_ignore_ascii_case(id),
            Self::Path(globs) => {
                let path = finding.proof.path.trim_start_matches('/');
                globs.iter().any(|glob| glob.is_match(path))
            }
            Self::Purl(purls) => Purl::parse(&finding.purl)
                .is_some_and(|found| purls.iter().any(|wanted| wanted.covers(&found))),
            Self::Name(name) => name.fits(&finding.package),
            Self::Source(name) => {
                let matched = &finding.proof.matched;
                name.fits(matched.split_once('/').map_or(matched, |(_, name)| name))
            }
            Self::Version(version) => finding.installed == *version,
            Self::Type(types) => purl_type(&finding.purl).is_some_and(|found| types.contains(&found)),
            Self::Fix(state) => fix_state(finding) == *state,
            Self::Status(statuses) => statuses.contains(&finding.status),
        }
    }
}

impl Name {
    /// A name; one with signs that names of packages do not have is a pattern over the whole of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['*', '[', '(', '|', '^', '$', '?', '\\', '{']) {
            return Ok(Self::Exact(text.to_owned()));
        }
        let pattern = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(MAX_PATTERN).build();
        pattern.map(Self::Pattern).map_err(|_| format!("`{}` is not a pattern", shown(text)))
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

impl Purl {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        // An @ in front belongs to the name space, as in `pkg:npm/@scope/name`.
        let (package, version) = match rest.rfind('@') {
            Some(at) if !rest.get(..at).unwrap_or_default().ends_with('/') => {
                (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).map(decoded))
            }
            _ => (rest, None),
        };
        let qualifiers = qualifiers.split('&').filter(|one| !one.is_empty()).map(decoded).collect();
        Some(Self { package: decoded(package), version, qualifiers })
    }

    fn covers(&self, found: &Self) -> bool {
        self.package == found.package
            && self.version.as_ref().is_none_or(|version| found.version.as_ref() == Some(version))
            && self.qualifiers.iter().all(|wanted| found.qualifiers.contains(wanted))
    }
}

/// A pattern over paths: `*` stays within a folder, `**` does not.
pub(super) fn glob(text: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(text.trim_start_matches('/')).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|_| format!("`{}` is not a pattern of paths", shown(text)))
}

/// Messages go to terminals, and the file may be anybody's.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

fn purl_type(purl: &str) -> Option<&str> {
    purl.strip_prefix("pkg:")?.split('/').next()
}

const fn fix_state(finding: &Finding) -> FixState {
    if finding.fixed.is_some() || finding.fix.is_some() {
        return FixState::Fixed;
    }
    match finding.status {
        Status::WillNotFix | Status::EndOfLife => FixState::WontFix,
        Status::UnderInvestigation => FixState::Unknown,
        Status::Affected | Status::NotAffected => FixState::NotFixed,
    }
}

/// Percent-decoded; what is not valid stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped = digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| *first == b'%');
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_leave_open_what_they_do_not_say() {
        for (wanted, found, expected) in [
            ("pkg:npm/lodash", "pkg:npm/lodash@4.17.20", true),
            ("pkg:npm/lodash@4.17.20", "pkg:npm/lodash@4.17.20", true),
            ("pkg:npm/lodash@4.17.21", "pkg:npm/lodash@4.17.20", false),
            ("pkg:npm/%40babel/core", "pkg:npm/@babel/core@7", true),
            ("pkg:npm/@babel/core@7", "pkg:npm/%40babel/core@7", true),
            ("pkg:npm/lodas", "pkg:npm/lodash@4.17.20", false),
            ("pkg:deb/debian/zlib?arch=amd64", "pkg:deb/debian/zlib@1?arch=amd64&distro=debian-12", true),
            ("pkg:deb/debian/zlib?arch=arm64", "pkg:deb/debian/zlib@1?arch=amd64", false),
        ] {
            let (wanted, found) = (Purl::parse(wanted).unwrap(), Purl::parse(found).unwrap());
            assert_eq!(wanted.covers(&found), expected, "{wanted:?} {found:?}");
        }
        assert_eq!(Purl::parse("lodash"), None);
    }

    #[test]
    fn names_are_patterns_over_the_whole() {
        for (pattern, name, expected) in [
            ("libssl3", "libssl3", true),
            ("libssl", "libssl3", false),
            ("libssl.*|zlib", "libssl3", true),
            ("linux(-.*)?-headers-.*", "linux-azure-headers-6.2", true),
            ("c.", "cc", false),
        ] {
            assert_eq!(Name::parse(pattern).unwrap().fits(name), expected, "{pattern} {name}");
        }
        assert!(Name::parse("(").is_err());
        assert!(Name::parse("(a{1000}){1000}*").is_err());
    }

    #[test]
    fn globs_stay_in_folders() {
        for (pattern, path, expected) in [
            ("usr/lib/*", "usr/lib/a", true),
            ("/usr/lib/*", "usr/lib/a/b", false),
            ("usr/**/METADATA", "usr/lib/a/METADATA", true),
            ("**/package.json", "package.json", true),
        ] {
            assert_eq!(glob(pattern).unwrap().is_match(path), expected, "{pattern} {path}");
        }
    }
}
