//! Rules in words.

use boltseal_model::{Confidence, Decision, Severity};

use crate::{
    Policy,
    rule::{
        Attestations, Check, EndOfLife, Feeds, Images, Licenses, Misconfigurations, PackageBan, Secrets,
        Severities, Vulnerabilities, Whose,
    },
    text::{count, listed},
};

/// More than this many names in one sentence are counted instead.
const SHOWN: usize = 6;

/// A rule in words, for people who look at a policy without its file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RuleDoc {
    /// Its name in the file.
    pub name: String,
    /// What it decides when it applies: deny, warn or unknown.
    pub effect: Decision,
    /// What it is about: `vulnerabilities`, `coverage`, `feeds`, `images`, `packages`, `licenses`, `secrets`,
    /// `misconfigurations`, `malware`, `unowned`, `end_of_life`, `signatures`, `attestations`, `base_images`,
    /// `cel`, `unscanned`.
    pub kind: &'static str,
    /// What it wants, in one sentence.
    pub wants: String,
    /// Why it is there, in the words of its author.
    pub why: Option<String>,
}

/// An exception in words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ExceptionDoc {
    /// Its name in the file.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it was granted.
    pub reason: String,
    /// Its last day.
    pub expires: boltseal_model::Date,
    /// What it pardons, in words.
    pub scope: String,
    /// Of all that it says: what people approve. A changed one has another.
    pub digest: boltseal_model::Digest,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// How many more must approve it before it counts.
    pub missing_approvals: usize,
}

/// Every rule of `policy`, in the order of the file.
pub fn describe(policy: &Policy) -> Vec<RuleDoc> {
    let doc = |rule: &crate::rule::Rule| RuleDoc {
        name: rule.name.clone(),
        effect: rule.effect,
        kind: kind(&rule.check),
        wants: rule.wants.clone(),
        why: rule.why.clone(),
    };
    policy.rules.iter().map(doc).collect()
}

/// Whom `policy` believes: each authority, and whose VEX documents count; a name and a sentence.
pub fn believed(policy: &Policy) -> Vec<(String, String)> {
    let authorities = policy.authorities().iter().map(|one| (one.name.clone(), one.words()));
    let vex = policy.vex().map(|vex| ("vex".to_owned(), vex.words()));
    authorities.chain(vex).collect()
}

/// Every exception of `policy`, expired ones too, in the order of the file.
pub fn exceptions(policy: &Policy) -> Vec<ExceptionDoc> {
    let doc = |exception: &crate::exception::Exception| ExceptionDoc {
        name: exception.name.clone(),
        owner: exception.owner.clone(),
        reason: exception.reason.clone(),
        expires: exception.last_day(),
        scope: exception.scope(),
        digest: exception.digest.clone(),
        approved_by: exception.approved_by.clone(),
        missing_approvals: policy.approvals.saturating_sub(exception.approved_by.len()),
    };
    policy.exceptions.iter().map(doc).collect()
}

const fn kind(check: &Check) -> &'static str {
    match check {
        Check::Vulnerabilities(_) => "vulnerabilities",
        Check::Coverage(_) => "coverage",
        Check::Feeds(_) => "feeds",
        Check::Images(_) => "images",
        Check::Packages(_) => "packages",
        Check::Licenses(_) => "licenses",
        Check::Secrets(_) => "secrets",
        Check::Misconfigurations(_) => "misconfigurations",
        Check::Malware(_) => "malware",
        Check::Unowned(_) => "unowned",
        Check::EndOfLife(_) => "end_of_life",
        Check::Signatures(_) => "signatures",
        Check::Attestations(_) => "attestations",
        Check::BaseImages(_) => "base_images",
        Check::Expression(_) => "cel",
        Check::Unscanned => "unscanned",
    }
}

/// What a rule wants: the opposite of what it hits.
pub(crate) fn wants(check: &Check) -> String {
    match check {
        Check::Vulnerabilities(rule) => vulnerabilities(rule),
        Check::Coverage(rule) => match &rule.gaps {
            None => "nothing in the image left unexamined".to_owned(),
            Some(kinds) => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
                format!("no gap in coverage of kind {}", words.join(", "))
            }
        },
        Check::Feeds(rule) => feeds(rule),
        Check::Images(rule) => images(rule),
        Check::Packages(rule) => {
            let names: Vec<&str> = rule.ban.iter().map(ban_text).collect();
            format!("none of these packages: {}", listed(&names, SHOWN))
        }
        Check::Licenses(rule) => licenses(rule),
        Check::Secrets(rule) => secrets(rule),
        Check::Misconfigurations(rule) => misconfigurations(rule),
        Check::Malware(_) => "no file that is known to be malicious".to_owned(),
        Check::Unowned(rule) => {
            let list: Vec<&str> = rule.except.iter().map(crate::pattern::Wild::text).collect();
            let except =
                if list.is_empty() { String::new() } else { format!(", except {}", listed(&list, SHOWN)) };
            format!("no executable that belongs to no package{except}")
        }
        Check::EndOfLife(rule) => support(*rule),
        Check::Signatures(rule) => {
            format!("{}{}", whose(&rule.whose, "a signature", "signatures"), on(&rule.images))
        }
        Check::Attestations(rule) => {
            let words: Vec<&str> = rule.types.iter().map(crate::kind::StatementKind::word).collect();
            format!("{}{}", attestation(rule, &words.join(" and ")), on(&rule.images))
        }
        Check::BaseImages(rule) => {
            format!("an image built on {}{}", images_text(&rule.allow), on(&rule.images))
        }
        Check::Expression(rule) => rule.wants(),
        Check::Unscanned => "every image scanned before it is used".to_owned(),
    }
}

fn support(rule: EndOfLife) -> String {
    let days = |days: u16| count(usize::from(days), "day", "days");
    let grace = match rule.grace_days {
        0 => String::new(),
        grace => format!(", or not for longer than {}", days(grace)),
    };
    let notice = match rule.notice_days {
        0 => String::new(),
        notice => format!("; a warning {} before", days(notice)),
    };
    format!("a distribution that still gets security fixes{grace}{notice}")
}

fn vulnerabilities(rule: &Vulnerabilities) -> String {
    let mut words = vec!["no".to_owned()];
    match rule.fixable {
        Some(true) => words.push("fixable".to_owned()),
        Some(false) => words.push("unfixed".to_owned()),
        None => {}
    }
    match &rule.severity {
        None | Some(Severities::AtLeast(Severity::Unknown)) => {}
        Some(Severities::AtLeast(Severity::Critical)) => words.push("critical".to_owned()),
        Some(Severities::AtLeast(least)) => words.push(format!("{least} or worse")),
        Some(Severities::Exactly(list)) => {
            let list: Vec<&str> = list.iter().map(|severity| rating(*severity)).collect();
            words.push(list.join(" or "));
        }
    }
    words.push("vulnerability".to_owned());
    match rule.kev {
        Some(true) => words.push("that is known to be exploited".to_owned()),
        Some(false) => words.push("that is not known to be exploited".to_owned()),
        None => {}
    }
    if let Some(epss) = rule.epss {
        let score = epss.score.map(|score| format!("an EPSS score of {score} or more"));
        let percentile =
            epss.percentile.map(|percentile| format!("an EPSS percentile of {percentile} or more"));
        let both: Vec<String> = score.into_iter().chain(percentile).collect();
        words.push(format!("with {}", both.join(" and ")));
    }
    if let Some(statuses) = &rule.statuses {
        let list: Vec<&str> = statuses.iter().map(|status| status.word()).collect();
        words.push(format!("of status {}", list.join(" or ")));
    }
    if let Some(packages) = &rule.packages {
        let list: Vec<&str> = packages.iter().map(crate::pattern::PackagePattern::text).collect();
        words.push(format!("in {}", listed(&list, SHOWN)));
    }
    if let Some(days) = rule.grace_days {
        words.push(format!("later than {} after its fix came out", count(days.into(), "day", "days")));
    }
    words.join(" ")
}

/// Of whom signatures or statements are wanted.
fn whose(whose: &Whose, one: &str, many: &str) -> String {
    let names = listed(&whose.by, SHOWN);
    match (whose.at_least, whose.by.len()) {
        (1, 1) => format!("{one} by {names}"),
        (1, _) => format!("{one} by one of {names}"),
        (least, all) if usize::from(least) == all => format!("{many} by all of {names}"),
        (least, _) => format!("{many} by {least} of {names}"),
    }
}

/// What is wanted to be said, of one kind or of all.
pub(crate) fn attestation(rule: &Attestations, kinds: &str) -> String {
    let texts = |list: &[crate::pattern::Wild]| {
        let list: Vec<&str> = list.iter().map(crate::pattern::Wild::text).collect();
        listed(&list, SHOWN)
    };
    let mut text = whose(&rule.whose, &format!("{kinds} signed"), &format!("{kinds} signed"));
    if !rule.builders.is_empty() {
        text = format!("{text}, built by {}", texts(&rule.builders));
    }
    if !rule.sources.is_empty() {
        text = format!("{text}, from {}", texts(&rule.sources));
    }
    text
}

/// Which images a rule is about, where not about all.
fn on(images: &[crate::pattern::ImagePattern]) -> String {
    if images.is_empty() { String::new() } else { format!(", on images of {}", images_text(images)) }
}

/// Patterns in a sentence.
pub(crate) fn images_text(list: &[crate::pattern::ImagePattern]) -> String {
    let list: Vec<&str> = list.iter().map(crate::pattern::ImagePattern::text).collect();
    listed(&list, SHOWN)
}

/// `unrated` says what `unknown` means of a severity.
pub(crate) const fn rating(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "unrated",
        other => other.word(),
    }
}

fn feeds(rule: &Feeds) -> String {
    let which = rule.only.as_ref().map_or_else(
        || "every feed that speaks about the image".to_owned(),
        |list| {
            let list: Vec<&str> = list.iter().map(crate::pattern::Wild::text).collect();
            format!("feeds {}", listed(&list, SHOWN))
        },
    );
    let days = |days: u16| count(days.into(), "day", "days");
    let mut parts = Vec::new();
    if let Some(max) = rule.max_age_days {
        parts.push(format!("{which} fetched within the last {}", days(max)));
    }
    if let Some(max) = rule.max_unchanged_days {
        parts.push(format!("{which} changed by its publisher within the last {}", days(max)));
    }
    if !rule.require.is_empty() {
        let list: Vec<&str> = rule.require.iter().map(crate::pattern::Wild::text).collect();
        parts.push(format!("feed {} present", list.join(", ")));
    }
    parts.join("; ")
}

fn images(rule: &Images) -> String {
    let texts = images_text;
    match (rule.allow.is_empty(), rule.deny.is_empty()) {
        (false, true) => format!("images from {} only", texts(&rule.allow)),
        (true, _) => format!("no image from {}", texts(&rule.deny)),
        (false, false) => {
            format!("images from {} only, and none from {}", texts(&rule.allow), texts(&rule.deny))
        }
    }
}

fn licenses(rule: &Licenses) -> String {
    let list: Vec<&str> = rule.ban.iter().map(crate::license::LicensePattern::text).collect();
    let banned = (!list.is_empty()).then(|| format!("no package under {}", listed(&list, SHOWN)));
    let declared =
        (rule.undeclared != Decision::Allow).then(|| "a licence declared by every package".to_owned());
    banned.into_iter().chain(declared).collect::<Vec<_>>().join("; ")
}

fn misconfigurations(rule: &Misconfigurations) -> String {
    let severity = match &rule.severity {
        None => String::new(),
        Some(Severities::AtLeast(least)) => format!(" of severity {least} or worse"),
        Some(Severities::Exactly(list)) => {
            let list: Vec<&str> = list.iter().map(|severity| rating(*severity)).collect();
            format!(" of severity {}", list.join(" or "))
        }
    };
    let checks = rule.checks.as_ref().map(|checks| {
        let list: Vec<&str> = checks.iter().map(crate::pattern::Wild::text).collect();
        format!(" by {}", listed(&list, SHOWN))
    });
    format!("no misconfiguration{severity}{}", checks.unwrap_or_default())
}

fn secrets(rule: &Secrets) -> String {
    let sure = match rule.confidence {
        Confidence::Low => "nothing in the image that may be a credential",
        Confidence::Medium => "no credential in the image",
        Confidence::High => "no credential in the image that is surely one",
        Confidence::Verified => "no credential in the image whose checksum fits",
    };
    let list = |rules: &Vec<crate::pattern::Wild>| {
        let list: Vec<&str> = rules.iter().map(crate::pattern::Wild::text).collect();
        format!(" by {}", listed(&list, SHOWN))
    };
    let rules = rule.rules.as_ref().map(list).unwrap_or_default();
    let published = if rule.published { ", published packages included" } else { "" };
    format!("{sure}{rules}{published}")
}

fn ban_text(ban: &PackageBan) -> &str {
    let pattern = ban.purl.as_ref().or(ban.name.as_ref());
    pattern.map_or("*", crate::pattern::PackagePattern::text)
}
