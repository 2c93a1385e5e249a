//! A policy file, read and checked.

use std::{collections::HashSet, sync::LazyLock};

use boltseal_model::{Decision, Digest};
use serde::Deserialize;
use serde_saphyr::{Spanned, options};

use crate::{
    Error,
    describe::wants,
    exception::Exception,
    rule::{Check, Coverage, Feeds, Images, Licenses, Packages, Rule, Severities, Vulnerabilities},
    text::{Line, Name},
};

/// A policy of a whole company fits into a tenth of this.
const MAX_TEXT: usize = 1 << 20;
/// People cannot read more, and every image is judged by each.
const MAX_RULES: usize = 200;
/// Every hit is compared with each.
const MAX_EXCEPTIONS: usize = 2_000;
/// Ten years: a longer grace is no grace.
const MAX_GRACE: u16 = 3_650;
/// The file has four levels; more is an attempt to exhaust the stack.
const MAX_DEPTH: usize = 16;
/// Anchors save typing, not more; the rest is an alias bomb.
const MAX_ALIASES: usize = 100;
/// Nodes of a file with every rule and exception allowed.
const MAX_NODES: usize = 200_000;

/// Named rules and exceptions, ready to judge with. Made by [`Policy::parse`]; compared by [`Policy::digest`].
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    digest: Digest,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
    /// Answers for gaps that no rule speaks about: unknown is never allow.
    pub(crate) guard: Rule,
    /// Answers for images nobody has scanned, where no rule does.
    pub(crate) unscanned: Rule,
}

impl Policy {
    /// Reads a policy file. Unknown fields, duplicates and values without meaning are refused with their line.
    pub fn parse(yaml: &str) -> Result<Self, Error> {
        if yaml.len() > MAX_TEXT {
            return Err(Error::TooLarge { found: yaml.len(), limit: MAX_TEXT });
        }
        let file: PolicyFile = serde_saphyr::from_str_with_options(yaml, strict()).map_err(|e| shape(&e))?;
        if file.version.value != 1 {
            let problem = format!("version {} is not known: write `version: 1`", file.version.value);
            return Err(Error::Value { line: file.version.referenced.line(), problem });
        }
        let rules = file.rules.into_iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let mut rules = unique(rules, MAX_RULES, "rules", |rule| &rule.name)?;
        let exceptions =
            file.exceptions.into_iter().map(|e| check(e, &rules)).collect::<Result<Vec<_>, _>>()?;
        let exceptions = unique(exceptions, MAX_EXCEPTIONS, "exceptions", |e| &e.name.0)?;
        for rule in &mut rules {
            let speaks =
                exceptions.iter().enumerate().filter(|(_, exception)| exception.speaks_of(&rule.name));
            rule.exceptions = speaks.map(|(index, _)| index).collect();
        }
        let (guard, unscanned) = (Rule::guard(&exceptions), Rule::unscanned(&exceptions));
        let digest = Digest::of(yaml.as_bytes());
        Ok(Self { name: file.name.0, digest, rules, exceptions, guard, unscanned })
    }

    /// The policy that applies where nobody has chosen another: [`Policy::built_in_text`].
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Policy> = LazyLock::new(|| {
            // A test parses the same text, so the other branch is never taken; it would refuse everything.
            Policy::parse(Policy::built_in_text()).unwrap_or_else(|_| Policy {
                name: "default".to_owned(),
                digest: Digest::of(Policy::built_in_text().as_bytes()),
                rules: vec![Rule::everything()],
                exceptions: Vec::new(),
                guard: Rule::guard(&[]),
                unscanned: Rule::unscanned(&[]),
            })
        });
        &BUILT_IN
    }

    /// The text of [`Policy::built_in`], to start an own policy from.
    pub const fn built_in_text() -> &'static str {
        include_str!("default.yaml")
    }

    /// As the file says.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the exact text it was read from.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::built_in().clone()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: Spanned<u32>,
    name: Name,
    #[serde(default)]
    rules: Vec<Spanned<RuleFile>>,
    #[serde(default)]
    exceptions: Vec<Spanned<Exception>>,
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
    unscanned: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effect {
    Deny,
    Warn,
    Unknown,
}

fn strict() -> serde_saphyr::Options {
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

fn shape(error: &serde_saphyr::Error) -> Error {
    let error = error.without_snippet();
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    Error::Shape { line, column, problem: error.to_string() }
}

fn compile(file: Spanned<RuleFile>) -> Result<(u64, Rule), Error> {
    let line = file.referenced.line();
    let file = file.value;
    let name = file.name.0;
    let wrong = |problem: String| Error::Value { line, problem: format!("rule `{name}`: {problem}") };
    if file.unscanned == Some(false) {
        return Err(wrong(
            "`unscanned: false` says nothing: write `unscanned: true` or remove the rule".into(),
        ));
    }
    let mut checks: Vec<Check> = [
        file.vulnerabilities.map(Check::Vulnerabilities),
        file.coverage.map(Check::Coverage),
        file.feeds.map(Check::Feeds),
        file.images.map(Check::Images),
        file.packages.map(Check::Packages),
        file.licenses.map(Check::Licenses),
        file.unscanned.map(|_| Check::Unscanned),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (Some(check), true) = (checks.pop(), checks.is_empty()) else {
        return Err(wrong(
            "a rule looks at exactly one thing: vulnerabilities, coverage, feeds, images, packages, licenses or \
             unscanned (an empty one is written `coverage: {}`)"
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
    Ok((line, Rule { name, effect, why, check, wants, exceptions: Vec::new() }))
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

fn check(exception: Spanned<Exception>, rules: &[Rule]) -> Result<(u64, Exception), Error> {
    let line = exception.referenced.line();
    let exception = exception.value;
    let wrong = |text: String| {
        Err(Error::Value { line, problem: format!("exception `{}`: {text}", exception.name.0) })
    };
    if !exception.has_scope() {
        return wrong("say what it pardons: rules, findings, packages, images or gaps".to_owned());
    }
    if exception.has_empty_scope() {
        return wrong("a scope without entries pardons nothing: remove the line or add an entry".to_owned());
    }
    let known: HashSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    if let Some(name) = exception.rules.iter().flatten().find(|name| !known.contains(name.0.as_str())) {
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        return wrong(format!("there is no rule `{}`; the rules are: {}", name.0, names.join(", ")));
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
