//! Kinds of statements that a rule may ask for: short words for what predicate types say, or a predicate type itself.

use serde::Deserialize;

use crate::text::Line;

/// One kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Line")]
pub(crate) enum StatementKind {
    /// Known by a word.
    Word(&'static Word),
    /// Exactly this predicate type.
    Uri(String),
}

/// What a word stands for. A type stands for its versions, too (`…/v2.3` behind it).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// In a policy.
    name: &'static str,
    /// What cosign calls it.
    cosign: &'static str,
    /// One, in a sentence.
    thing: &'static str,
    /// Many.
    things: &'static str,
    /// Predicate types.
    types: &'static [&'static str],
}

const SLSA_1: &str = "https://slsa.dev/provenance/v1";
const SLSA_02: &str = "https://slsa.dev/provenance/v0.2";
const SPDX: &str = "https://spdx.dev/Document";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";

const fn word(
    name: &'static str,
    cosign: &'static str,
    thing: &'static str,
    things: &'static str,
    types: &'static [&'static str],
) -> Word {
    Word { name, cosign, thing, things, types }
}

/// Every word. Where cosign has a word for one type, it is the same.
static WORDS: &[Word] = &[
    word("provenance", "slsaprovenance1", "provenance", "provenances", &[SLSA_1, SLSA_02]),
    word("slsaprovenance1", "slsaprovenance1", "SLSA provenance 1", "provenances", &[SLSA_1]),
    word("slsaprovenance", "slsaprovenance", "SLSA provenance 0.2", "provenances", &[SLSA_02]),
    word("sbom", "spdxjson", "SBOM", "SBOMs", &[SPDX, CYCLONEDX]),
    word("spdxjson", "spdxjson", "SBOM in SPDX", "SBOMs", &[SPDX]),
    word("cyclonedx", "cyclonedx", "SBOM in CycloneDX", "SBOMs", &[CYCLONEDX]),
    word(
        "vuln",
        "vuln",
        "vulnerability scan",
        "vulnerability scans",
        &["https://cosign.sigstore.dev/attestation/vuln", "https://in-toto.io/attestation/vulns"],
    ),
    word("openvex", "openvex", "VEX document", "VEX documents", &["https://openvex.dev/ns"]),
];

impl StatementKind {
    /// Whether a predicate type is of this kind.
    pub(crate) fn is(&self, predicate_type: &str) -> bool {
        match self {
            Self::Uri(uri) => uri == predicate_type,
            Self::Word(word) => word.types.iter().any(|kind| {
                predicate_type
                    .strip_prefix(kind)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("/v"))
            }),
        }
    }

    /// Whether it says how an image was built.
    pub(crate) fn is_provenance(&self) -> bool {
        self.is(SLSA_1) || self.is(SLSA_02)
    }

    /// As written.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Word(word) => word.name,
            Self::Uri(uri) => uri,
        }
    }

    /// What cosign calls it.
    pub(crate) fn for_cosign(&self) -> &str {
        match self {
            Self::Word(word) => word.cosign,
            Self::Uri(uri) => uri,
        }
    }

    /// One, in a sentence.
    pub(crate) fn thing(&self) -> &str {
        match self {
            Self::Word(word) => word.thing,
            Self::Uri(_) => "statement of the type",
        }
    }

    /// Many, in a sentence.
    pub(crate) fn things(&self) -> &str {
        match self {
            Self::Word(word) => word.things,
            Self::Uri(_) => "statements of the type",
        }
    }
}

impl TryFrom<Line> for StatementKind {
    type Error = String;

    fn try_from(Line(text): Line) -> Result<Self, String> {
        if let Some(word) = WORDS.iter().find(|word| word.name == text) {
            return Ok(Self::Word(word));
        }
        if text.contains("://") && !text.contains(' ') {
            return Ok(Self::Uri(text));
        }
        let words: Vec<&str> = WORDS.iter().map(|word| word.name).collect();
        Err(format!(
            "`{text}` is no kind of statement: write {}, or a predicate type (a URI)",
            words.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_types_with_their_versions() {
        let kind = |text: &str| StatementKind::try_from(Line(text.to_owned()));
        for (word, predicate_type, expected) in [
            ("provenance", SLSA_1, true),
            ("provenance", SLSA_02, true),
            ("slsaprovenance1", SLSA_02, false),
            ("provenance", "https://slsa.dev/provenance/v1.1", false),
            ("sbom", "https://spdx.dev/Document/v2.3", true),
            ("sbom", "https://spdx.dev/Documents", false),
            ("sbom", "https://cyclonedx.org/bom/v1.6", true),
            ("vuln", "https://in-toto.io/attestation/vulns/v0.2", true),
            ("https://example.com/review/v1", "https://example.com/review/v1", true),
            ("https://example.com/review", "https://example.com/review/v1", false),
        ] {
            assert_eq!(kind(word).unwrap().is(predicate_type), expected, "{word} {predicate_type}");
        }
        assert!(kind("slsa").unwrap_err().contains("provenance"));
    }
}
