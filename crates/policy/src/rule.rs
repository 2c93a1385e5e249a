//! The typed rules of a policy file. The YAML shape *is* the type: what parses can be judged with.

use std::fmt;

use boltseal_model::{Confidence, Decision, Finding, GapKind, Severity, Status, Subject};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use crate::{
    exception::{Exception, Pardons},
    expression::Expression,
    kind::StatementKind,
    license::LicensePattern,
    pattern::{ImagePattern, PackagePattern, Wild},
};

/// A rule that is ready to judge with.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) effect: Decision,
    pub(crate) why: Option<String>,
    pub(crate) check: Check,
    /// What the rule wants, in one sentence; written once, shown in every reason.
    pub(crate) wants: String,
    /// Which exceptions of the policy speak about this rule.
    pub(crate) exceptions: Pardons,
}

impl Rule {
    /// Stands in where a policy looks inside images and says nothing about what could not be looked at.
    pub(crate) fn guard(exceptions: &[Exception]) -> Self {
        let wants = "a rule of the policy that says what gaps in coverage mean (unknown is never allow)";
        Self::built_in("built-in:coverage", Check::Coverage(Coverage { gaps: None }), wants, exceptions)
    }

    /// Stands in where a policy says nothing about images that were not scanned.
    pub(crate) fn unscanned(exceptions: &[Exception]) -> Self {
        let wants = "every image scanned before it is used (unknown is never allow)";
        Self::built_in("built-in:unscanned", Check::Unscanned, wants, exceptions)
    }

    /// Whether no file says it.
    pub(crate) fn is_built_in(&self) -> bool {
        self.name.contains(':')
    }

    /// The name has a colon, which no name in a file has; exceptions that name rules do not speak about it.
    fn built_in(name: &str, check: Check, wants: &str, exceptions: &[Exception]) -> Self {
        let any_rule = exceptions.iter().enumerate().filter(|(_, exception)| exception.rules.is_none());
        Self {
            name: name.to_owned(),
            effect: Decision::Unknown,
            why: None,
            wants: wants.to_owned(),
            check,
            exceptions: Pardons::of(any_rule),
        }
    }

    /// Refuses every image: stands in for a policy that cannot be read.
    pub(crate) fn everything() -> Self {
        let images = Images { allow: Vec::new(), deny: Vec::new(), unnamed: Decision::Deny };
        Self {
            name: "no-policy".to_owned(),
            effect: Decision::Deny,
            why: None,
            wants: "a policy that can be read".to_owned(),
            check: Check::Images(Images { allow: ImagePattern::none(), ..images }),
            exceptions: Pardons::default(),
        }
    }
}

/// What a rule looks at.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Vulnerabilities(Vulnerabilities),
    Coverage(Coverage),
    Feeds(Feeds),
    Images(Images),
    Packages(Packages),
    Licenses(Licenses),
    Secrets(Secrets),
    Misconfigurations(Misconfigurations),
    Malware(Malware),
    Unowned(Unowned),
    EndOfLife(EndOfLife),
    Signatures(Signatures),
    Attestations(Attestations),
    BaseImages(BaseImages),
    Expression(Expression),
    Unscanned,
}

impl Check {
    /// All that it says, for a comparison.
    pub(crate) fn whole(&self) -> String {
        match self {
            Self::Expression(rule) => rule.whole(),
            other => format!("{other:?}"),
        }
    }
}

/// `vulnerabilities:` hits a finding that fits every line given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vulnerabilities {
    pub(crate) severity: Option<Severities>,
    pub(crate) fixable: Option<bool>,
    pub(crate) kev: Option<bool>,
    pub(crate) epss: Option<EpssAtLeast>,
    pub(crate) statuses: Option<Vec<Status>>,
    pub(crate) packages: Option<Vec<PackagePattern>>,
    pub(crate) grace_days: Option<u16>,
}

/// `epss:` hits a prediction that reaches every number given.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpssAtLeast {
    pub(crate) score: Option<f64>,
    pub(crate) percentile: Option<f64>,
}

/// A word means "this or worse", a list means exactly these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Severities {
    AtLeast(Severity),
    Exactly(Vec<Severity>),
}

/// `coverage:` hits a gap of these kinds; of every kind when none is named.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coverage {
    pub(crate) gaps: Option<Vec<GapKind>>,
}

/// `feeds:` hits data that is old or absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feeds {
    pub(crate) only: Option<Vec<Wild>>,
    pub(crate) max_age_days: Option<u16>,
    pub(crate) max_unchanged_days: Option<u16>,
    #[serde(default)]
    pub(crate) require: Vec<Wild>,
}

/// `images:` hits an image that is denied, or not among the allowed ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Images {
    #[serde(default)]
    pub(crate) allow: Vec<ImagePattern>,
    #[serde(default)]
    pub(crate) deny: Vec<ImagePattern>,
    /// What to decide about an image without a name, such as a folder or an archive.
    #[serde(default = "unknown")]
    pub(crate) unnamed: Decision,
}

/// `packages:` hits an installed package that is banned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Packages {
    pub(crate) ban: Vec<PackageBan>,
}

/// One banned package: every line given must fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackageBan {
    pub(crate) ecosystem: Option<Wild>,
    pub(crate) name: Option<PackagePattern>,
    pub(crate) version: Option<Wild>,
    pub(crate) purl: Option<PackagePattern>,
    /// What to use instead.
    pub(crate) instead: Option<String>,
}

/// `licenses:` hits a package that leaves no choice but a banned licence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Licenses {
    #[serde(default)]
    pub(crate) ban: Vec<LicensePattern>,
    /// What to decide about a package that declares none.
    #[serde(default = "allow")]
    pub(crate) undeclared: Decision,
}

/// `secrets:` hits a credential that lies in the image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secrets {
    /// How sure it must be at least.
    #[serde(default = "medium")]
    pub(crate) confidence: Confidence,
    /// Only what these rules found.
    pub(crate) rules: Option<Vec<Wild>>,
    /// Also what belongs to published packages, such as their test keys.
    #[serde(default)]
    pub(crate) published: bool,
}

/// `misconfigurations:` hits what should be otherwise about how the image is made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Misconfigurations {
    /// This or worse.
    pub(crate) severity: Option<Severities>,
    /// Only these checks.
    pub(crate) checks: Option<Vec<Wild>>,
}

/// `malware:` hits files that are known to be malicious.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Malware {}

/// `unowned:` hits executables that belong to no package.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unowned {
    /// Paths at which they may lie.
    #[serde(default)]
    pub(crate) except: Vec<Wild>,
}

/// `end_of_life:` hits a distribution that gets no security fixes any more, or soon.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndOfLife {
    /// Days after its last day during which it is a warning.
    #[serde(default)]
    pub(crate) grace_days: u16,
    /// Days before its last day during which it is a warning.
    #[serde(default)]
    pub(crate) notice_days: u16,
}

/// Of whom a rule wants signatures, and how many.
#[derive(Clone, Debug)]
pub(crate) struct Whose {
    /// Names of authorities, in the order of the policy.
    pub(crate) by: Vec<String>,
    /// How many of them; each must have signed.
    pub(crate) at_least: u16,
}

/// `signatures:` hits an image that is not signed by whom the rule names.
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    pub(crate) images: Vec<ImagePattern>,
    pub(crate) unnamed: Decision,
    pub(crate) whose: Whose,
}

/// `attestations:` hits an image about which those whom the rule names do not say what it wants said.
#[derive(Clone, Debug)]
pub(crate) struct Attestations {
    pub(crate) images: Vec<ImagePattern>,
    pub(crate) unnamed: Decision,
    pub(crate) whose: Whose,
    /// All of these.
    pub(crate) types: Vec<StatementKind>,
    /// Who may have built it, where provenance is asked for.
    pub(crate) builders: Vec<Wild>,
    /// From where its sources may come.
    pub(crate) sources: Vec<Wild>,
}

/// `base_images:` hits an image that is built on something else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaseImages {
    #[serde(default)]
    pub(crate) images: Vec<ImagePattern>,
    #[serde(default = "unknown")]
    pub(crate) unnamed: Decision,
    #[serde(default)]
    pub(crate) allow: Vec<ImagePattern>,
}

const fn medium() -> Confidence {
    Confidence::Medium
}

pub(crate) const fn unknown() -> Decision {
    Decision::Unknown
}

const fn allow() -> Decision {
    Decision::Allow
}

impl Severities {
    pub(crate) fn hit(&self, severity: Severity) -> bool {
        match self {
            Self::AtLeast(least) => severity >= *least,
            Self::Exactly(list) => list.contains(&severity),
        }
    }
}

impl EpssAtLeast {
    fn hit(self, finding: &Finding) -> bool {
        finding.epss.is_some_and(|epss| {
            self.score.is_none_or(|least| epss.score >= least)
                && self.percentile.is_none_or(|least| epss.percentile >= least)
        })
    }
}

impl Vulnerabilities {
    /// Whether `finding` is what the rule speaks about. What the vendor calls not affected never is, unless asked.
    pub(crate) fn hit(&self, finding: &Finding) -> bool {
        let status = match &self.statuses {
            None => finding.status != Status::NotAffected,
            Some(list) => list.contains(&finding.status),
        };
        status
            && self.severity.as_ref().is_none_or(|severities| severities.hit(finding.severity))
            && self.fixable.is_none_or(|fixable| fixable == is_fixable(finding))
            && self.kev.is_none_or(|kev| kev == finding.kev.is_some())
            && self.epss.is_none_or(|epss| epss.hit(finding))
            && self
                .packages
                .as_ref()
                .is_none_or(|list| list.iter().any(|p| p.fits(&finding.package, &finding.purl)))
    }
}

/// Whether there is a version to upgrade to.
pub(crate) const fn is_fixable(finding: &Finding) -> bool {
    finding.fixed.is_some() || finding.fix.is_some()
}

impl Coverage {
    pub(crate) fn speaks_of(&self, kind: GapKind) -> bool {
        self.gaps.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

impl Images {
    /// `None` when the rule is content, otherwise what to decide (`effect` when the image is the problem).
    pub(crate) fn judge(&self, subject: &Subject, effect: Decision) -> Option<Decision> {
        if self.deny.iter().any(|pattern| pattern.covers(subject)) {
            return Some(effect);
        }
        if self.allow.iter().any(|pattern| pattern.covers(subject)) {
            return None;
        }
        match (&subject.name, self.allow.is_empty()) {
            (None, _) => Some(self.unnamed).filter(|decision| *decision != Decision::Allow),
            (Some(_), true) => None,
            (Some(_), false) => Some(effect),
        }
    }
}

impl<'de> Deserialize<'de> for Severities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrList;
        impl<'de> Visitor<'de> for WordOrList {
            type Value = Severities;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a severity such as `high` (this or worse), or a list such as `[high, unknown]`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Severities, E> {
                word.parse().map(Severities::AtLeast).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Severities, A::Error> {
                let words = Vec::<String>::deserialize(SeqAccessDeserializer::new(list))?;
                let list: Result<Vec<Severity>, _> = words.iter().map(|word| word.parse()).collect();
                list.map(Severities::Exactly).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(WordOrList)
    }
}
