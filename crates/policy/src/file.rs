//! The shape of a policy file, and what a right shape may still get wrong.

use std::collections::HashSet;

use boltseal_model::{Decision, Digest};
use serde::Deserialize;
use serde_saphyr::{Spanned, options};

use crate::{
    Authority, Error,
    approval::{self, Written},
    authority::{Authorities, AuthorityFile, Files},
    describe::wants,
    exception::{Exception, Known, Pardons},
    expression::ExpressionFile,
    pattern::{ImagePattern, PackagePattern, Wild},
    rule::{
        BaseImages, Check, Coverage, EndOfLife, Feeds, Images, Licenses, Malware, Misconfigurations,
        Packages, Rule, Secrets, Severities, Unowned, Vulnerabilities,
    },
    signing::{AttestationsFile, SignaturesFile},
    text::{Day, Line, Name},
    vex::{VexAuthors, VexFile},
};

/// A policy of a whole company fits into a tenth of this.
const MAX_TEXT: usize = 1 << 20;
/// People cannot read more, and every image is judged by each.
const MAX_RULES: usize = 200;
/// Every hit is compared with each.
const MAX_EXCEPTIONS: usize = 2_000;
/// Ten years: a longer grace is no grace.
pub(crate) const MAX_GRACE: u16 = 3_650;
/// The file has four levels; more is an attempt to exhaust the stack.
const MAX_DEPTH: usize = 16;
/// Anchors save typing, not more; the rest is an alias bomb.
const MAX_ALIASES: usize = 100;
/// Nodes of a file with every rule and exception allowed.
const MAX_NODES: usize = 200_000;

/// What a policy file says.
pub(crate) struct Said {
    pub(crate) name: String,
    pub(crate) authorities: Vec<Authority>,
    pub(crate) vex: Option<VexAuthors>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) approvals: usize,
    pub(crate) approvers: Vec<String>,
    pub(crate) revision: Option<u64>,
    /// Files beside it that it names, with their texts.
    pub(crate) read: Vec<(String, String)>,
}

/// Reads a policy file, and what it names with `files`.
pub(crate) fn read(yaml: &str, files: Files<'_>) -> Result<Said, Error> {
    if yaml.len() > MAX_TEXT {
        return Err(Error::TooLarge { found: yaml.len(), limit: MAX_TEXT });
    }
    let file: PolicyFile = serde_saphyr::from_str_with_options(yaml, strict())?;
    if file.version.value != 1 {
        let problem = format!("version {} is not known: write `version: 1`", file.version.value);
        return Err(Error::Value { line: file.version.referenced.line(), problem });
    }
    let mut authorities = Authorities::new(file.authorities, files)?;
    let vex = file.vex.map(|section| section_of(section, &mut authorities)).transpose()?;
    let compile = |rule| compile(rule, &mut authorities);
    let rules = file.rules.into_iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    let rules = unique(rules, MAX_RULES, "rules", |rule| &rule.name)?;
    let approvals = approval::number(file.approvals)?;
    let approvers = approval::approvers(file.approvers, &mut authorities)?;
    let grant = |exception| grant(exception, &rules, &file.name.0);
    let exceptions = file.exceptions.into_iter().map(grant).collect::<Result<Vec<_>, _>>()?;
    let exceptions = unique(exceptions, MAX_EXCEPTIONS, "exceptions", |exception| &exception.name)?;
    let Authorities { all: authorities, read, .. } = authorities;
    Ok(Said {
        revision: file.revision,
        name: file.name.0,
        authorities,
        vex,
        rules,
        exceptions,
        approvals,
        approvers,
        read,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: Spanned<u32>,
    name: Name,
    /// Counted up by its author with every change, so that an older one is known for what it is.
    revision: Option<u64>,
    #[serde(default)]
    authorities: Vec<Spanned<AuthorityFile>>,
    vex: Option<Spanned<VexFile>>,
    #[serde(default)]
    rules: Vec<Spanned<RuleFile>>,
    /// How many people must have approved an exception before it counts.
    approvals: Option<Spanned<u8>>,
    /// Names of authorities whose signed approvals count where there is no server.
    approvers: Option<Spanned<Vec<Name>>>,
    #[serde(default)]
    exceptions: Vec<Spanned<ExceptionFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    name: Name,
    effect: Effect,
    why: Option<Line>,
    vulnerabilities: Option<Vulnerabilities>,
    coverage: Option<Coverage>,
    feeds: Option<Feeds>,
    images: Option<Images>,
    packages: Option<Packages>,
    licenses: Option<Licenses>,
    secrets: Option<Secrets>,
    misconfigurations: Option<Misconfigurations>,
    malware: Option<Malware>,
    unowned: Option<Unowned>,
    end_of_life: Option<EndOfLife>,
    signatures: Option<SignaturesFile>,
    attestations: Option<AttestationsFile>,
    base_images: Option<BaseImages>,
    cel: Option<ExpressionFile>,
    unscanned: Option<bool>,
}

/// The fields that must be there are asked for by name, with the line of the exception.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionFile {
    name: Name,
    rules: Option<Vec<Name>>,
    findings: Option<Vec<Wild>>,
    packages: Option<Vec<PackagePattern>>,
    images: Option<Vec<ImagePattern>>,
    gaps: Option<Vec<Wild>>,
    paths: Option<Vec<Wild>>,
    owner: Option<Line>,
    reason: Option<Line>,
    expires: Option<Day>,
    #[serde(default)]
    approved_by: Written,
    known: Option<Known>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effect {
    Deny,
    Warn,
    Unknown,
}

pub(crate) fn strict() -> serde_saphyr::Options {
    options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_documents: 1,
            max_total_scalar_bytes: MAX_TEXT,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: MAX_DEPTH,
        },
    }
}

fn section_of(file: Spanned<VexFile>, authorities: &mut Authorities<'_>) -> Result<VexAuthors, Error> {
    let line = file.referenced.line();
    let compiled = file.value.compile(authorities);
    compiled.map_err(|problem| Error::Value { line, problem: format!("vex: {problem}") })
}

fn compile(file: Spanned<RuleFile>, authorities: &mut Authorities<'_>) -> Result<(u64, Rule), Error> {
    let line = file.referenced.line();
    let file = file.value;
    let name = file.name.0;
    let wrong = |problem: String| Error::Value { line, problem: format!("rule `{name}`: {problem}") };
    if file.unscanned == Some(false) {
        return Err(wrong(
            "`unscanned: false` says nothing: write `unscanned: true` or remove the rule".into(),
        ));
    }
    let signatures = file.signatures.map(|rule| rule.compile(authorities)).transpose().map_err(wrong)?;
    let attestations = file.attestations.map(|rule| rule.compile(authorities)).transpose().map_err(wrong)?;
    let expression = file.cel.map(ExpressionFile::compile).transpose().map_err(wrong)?;
    let mut checks: Vec<Check> = [
        file.vulnerabilities.map(Check::Vulnerabilities),
        file.coverage.map(Check::Coverage),
        file.feeds.map(Check::Feeds),
        file.images.map(Check::Images),
        file.packages.map(Check::Packages),
        file.licenses.map(Check::Licenses),
        file.secrets.map(Check::Secrets),
        file.misconfigurations.map(Check::Misconfigurations),
        file.malware.map(Check::Malware),
        file.unowned.map(Check::Unowned),
        file.end_of_life.map(Check::EndOfLife),
        signatures.map(Check::Signatures),
        attestations.map(Check::Attestations),
        file.base_images.map(Check::BaseImages),
        expression.map(Check::Expression),
        file.unscanned.map(|_| Check::Unscanned),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (Some(check), true) = (checks.pop(), checks.is_empty()) else {
        return Err(wrong(
            "a rule looks at exactly one thing: vulnerabilities, coverage, feeds, images, packages, licenses, secrets, \
             misconfigurations, malware, unowned, end_of_life, signatures, attestations, base_images, cel or unscanned (an empty one is written `coverage: {}`)"
                .into(),
        ));
    };
    problem(&check).map_or(Ok(()), |text| Err(wrong(text.to_owned())))?;
    let effect = match file.effect {
        Effect::Deny => Decision::Deny,
        Effect::Warn => Decision::Warn,
        Effect::Unknown => Decision::Unknown,
    };
    let wants = wants(&check);
    let why = file.why.map(|why| why.0);
    Ok((line, Rule { name, effect, why, check, wants, exceptions: Pardons::default() }))
}

/// What makes a rule meaningless although its shape is right.
fn problem(check: &Check) -> Option<&'static str> {
    match check {
        Check::Vulnerabilities(rule) => vulnerabilities_problem(rule),
        Check::Coverage(rule) if rule.gaps.as_ref().is_some_and(Vec::is_empty) => {
            Some("`gaps: []` names none: remove the line to mean every kind")
        }
        Check::Feeds(rule)
            if rule.max_age_days.is_none()
                && rule.max_unchanged_days.is_none()
                && rule.require.is_empty() =>
        {
            Some("write max_age_days, max_unchanged_days or require")
        }
        Check::Feeds(rule) if rule.only.as_ref().is_some_and(Vec::is_empty) => {
            Some("`only: []` names none: remove the line to mean every feed")
        }
        Check::Images(rule) if rule.allow.is_empty() && rule.deny.is_empty() => {
            Some("write allow, deny or both, with at least one pattern")
        }
        Check::Packages(rule) if rule.ban.is_empty() => Some("ban at least one package"),
        Check::Packages(rule) if rule.ban.iter().any(|ban| ban.name.is_none() && ban.purl.is_none()) => {
            Some("each banned package needs a name or a purl (`name: \"*\"` means every package)")
        }
        Check::Secrets(rule) if rule.rules.as_ref().is_some_and(Vec::is_empty) => {
            Some("`rules: []` names none: remove the line to mean every rule")
        }
        Check::Misconfigurations(rule) if rule.checks.as_ref().is_some_and(Vec::is_empty) => {
            Some("`checks: []` names none: remove the line to mean every check")
        }
        Check::EndOfLife(rule) if rule.grace_days > MAX_GRACE || rule.notice_days > MAX_GRACE => {
            Some("grace_days and notice_days are at most 3650")
        }
        Check::BaseImages(rule) if rule.allow.is_empty() => {
            Some("allow at least one base: a repository, or a manifest digest")
        }
        Check::Licenses(rule) if rule.ban.is_empty() && rule.undeclared == Decision::Allow => {
            Some("ban at least one licence, or say what to decide about undeclared ones")
        }
        _ => None,
    }
}

fn vulnerabilities_problem(rule: &Vulnerabilities) -> Option<&'static str> {
    let share = |number: Option<f64>| number.is_none_or(|number| (0.0..=1.0).contains(&number));
    if rule.grace_days.is_some_and(|days| days > MAX_GRACE) {
        return Some("grace_days is at most 3650");
    }
    if rule.grace_days.is_some() && rule.fixable != Some(true) {
        return Some("grace_days counts from the day of the fix: add `fixable: true`");
    }
    if matches!(&rule.severity, Some(Severities::Exactly(list)) if list.is_empty()) {
        return Some("`severity: []` names none");
    }
    if rule.statuses.as_ref().is_some_and(Vec::is_empty) {
        return Some("`statuses: []` names none");
    }
    if rule.packages.as_ref().is_some_and(Vec::is_empty) {
        return Some("`packages: []` names none");
    }
    match rule.epss {
        Some(epss) if epss.score.is_none() && epss.percentile.is_none() => {
            Some("epss needs a score or a percentile")
        }
        Some(epss) if !share(epss.score) || !share(epss.percentile) => {
            Some("epss numbers are between 0 and 1 (a percentile of 95 % is 0.95)")
        }
        _ => None,
    }
}

fn grant(file: Spanned<ExceptionFile>, rules: &[Rule], policy: &str) -> Result<(u64, Exception), Error> {
    let line = file.referenced.line();
    let file = file.value;
    let name = file.name.0.clone();
    let wrong = |text: String| Error::Value { line, problem: format!("exception `{name}`: {text}") };
    let missing = |field: &str, why: &str| wrong(format!("`{field}` is missing: {why}"));
    if file.approved_by.0 {
        return Err(wrong(format!(
            "`approved_by` is nobody's word: anybody who writes this file could name anybody. Remove the line and have people \
             approve it: `boltseal exception approve {name}`"
        )));
    }
    let mut exception = Exception {
        name: file.name.0,
        rules: file.rules.map(|rules| rules.into_iter().map(|rule| rule.0).collect()),
        findings: file.findings,
        packages: file.packages,
        images: file.images,
        gaps: file.gaps,
        paths: file.paths,
        owner: file.owner.ok_or_else(|| missing("owner", "somebody answers for a pardon"))?.0,
        reason: file.reason.ok_or_else(|| missing("reason", "people will ask why"))?.0,
        expires: file
            .expires
            .ok_or_else(|| missing("expires", "a pardon has a last day, such as 2027-01-31"))?,
        known: file.known,
        digest: Digest::of(b""),
        approved_by: Vec::new(),
    };
    exception.digest = approval::digest(policy, &exception);
    if let Some(problem) = exception.known.and_then(Known::problem) {
        return Err(wrong(problem.to_owned()));
    }
    if !exception.has_scope() {
        return Err(wrong(
            "say what it pardons: rules, findings, packages, images, gaps or paths".to_owned(),
        ));
    }
    if exception.has_empty_scope() {
        return Err(wrong(
            "a scope without entries pardons nothing: remove the line or add an entry".to_owned(),
        ));
    }
    let known = |name: &String| rules.iter().any(|rule| rule.name == *name);
    if let Some(name) = exception.rules.iter().flatten().find(|name| !known(name)) {
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        return Err(wrong(format!("there is no rule `{name}`; the rules are: {}", names.join(", "))));
    }
    Ok((line, exception))
}

fn unique<T>(
    items: Vec<(u64, T)>,
    limit: usize,
    what: &str,
    name: impl Fn(&T) -> &str,
) -> Result<Vec<T>, Error> {
    let mut seen = HashSet::new();
    for (index, (line, item)) in items.iter().enumerate() {
        if index >= limit {
            return Err(Error::Value { line: *line, problem: format!("more than {limit} {what}") });
        }
        if !seen.insert(name(item)) {
            let problem =
                format!("two {what} are called `{}`: reasons name them, so give each its own", name(item));
            return Err(Error::Value { line: *line, problem });
        }
    }
    Ok(items.into_iter().map(|(_, item)| item).collect())
}
