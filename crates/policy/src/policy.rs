//! A policy file, read and checked.

use std::sync::LazyLock;

use boltseal_model::Digest;

use crate::{
    Authority, Error, VexAuthors,
    describe::wants,
    exception::{Exception, Pardons},
    file::{self, Said},
    rule::{Check, Rule},
};

/// Named rules and exceptions, ready to judge with. Made by [`Policy::parse`]; compared by [`Policy::digest`].
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    /// Of its text, and of what was approved.
    pub(crate) digest: Digest,
    pub(crate) text_digest: Digest,
    authorities: Vec<Authority>,
    vex: Option<VexAuthors>,
    /// Names of files beside it.
    files: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
    /// How many people must have approved an exception.
    pub(crate) approvals: usize,
    pub(crate) approvers: Vec<String>,
    revision: Option<u64>,
    /// Answers for gaps that no rule speaks about: unknown is never allow.
    pub(crate) guard: Rule,
    /// Answers for images nobody has scanned, where no rule does.
    pub(crate) unscanned: Rule,
}

impl Policy {
    /// Reads a policy file that names no other file. Unknown fields, duplicates and values without meaning are refused with
    /// their line.
    pub fn parse(yaml: &str) -> Result<Self, Error> {
        Self::parse_beside(yaml, &|name| {
            Err(format!(
                "`{name}`: this policy has no folder in which that file could lie; write the key itself"
            ))
        })
    }

    /// The same, where `files` gives the text of a file beside it (a key, a trusted root) by its name, or says why not.
    pub fn parse_beside(yaml: &str, files: &dyn Fn(&str) -> Result<String, String>) -> Result<Self, Error> {
        let Said { name, authorities, vex, mut rules, exceptions, approvals, approvers, revision, read } =
            file::read(yaml, files)?;
        for rule in &mut rules {
            let speaks =
                exceptions.iter().enumerate().filter(|(_, exception)| exception.speaks_of(&rule.name));
            rule.exceptions = Pardons::of(speaks);
        }
        let (guard, unscanned) = (Rule::guard(&exceptions), Rule::unscanned(&exceptions));
        let digest = digest(yaml, &read);
        let files = read.into_iter().map(|(name, _)| name).collect();
        let text_digest = digest.clone();
        Ok(Self {
            name,
            digest,
            text_digest,
            authorities,
            vex,
            files,
            rules,
            exceptions,
            approvals,
            approvers,
            revision,
            guard,
            unscanned,
        })
    }

    /// The policy that applies where nobody has chosen another: [`Policy::built_in_text`].
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Policy> = LazyLock::new(|| {
            // A test parses the same text, so the other branch is never taken; it would refuse everything.
            Policy::parse(Policy::built_in_text()).unwrap_or_else(|_| Policy {
                name: "default".to_owned(),
                digest: Digest::of(Policy::built_in_text().as_bytes()),
                text_digest: Digest::of(Policy::built_in_text().as_bytes()),
                authorities: Vec::new(),
                vex: None,
                files: Vec::new(),
                rules: vec![Rule::everything()],
                exceptions: Vec::new(),
                approvals: 0,
                approvers: Vec::new(),
                revision: None,
                guard: Rule::guard(&[]),
                unscanned: Rule::unscanned(&[]),
            })
        });
        &BUILT_IN
    }

    /// The same policy with `days` of grace after a fix came out, in every rule about fixable vulnerabilities; whatever
    /// such a rule says itself. Rules that ask for known exploited ones give none. The name says it, because the digest is
    /// still that of the text. Gives back how many rules it changed.
    pub fn with_grace(mut self, days: u16) -> (Self, usize) {
        let mut changed = 0;
        for rule in &mut self.rules {
            if let Check::Vulnerabilities(check) = &mut rule.check
                && check.fixable == Some(true)
                && check.kev != Some(true)
            {
                check.grace_days = Some(days.min(file::MAX_GRACE));
                rule.wants = wants(&rule.check);
                changed += 1;
            }
        }
        if changed > 0 {
            self.name = format!("{}, {days} days of grace", self.name);
        }
        (self, changed)
    }

    /// The text of [`Policy::built_in`], to start an own policy from.
    pub const fn built_in_text() -> &'static str {
        include_str!("default.yaml")
    }

    /// As the file says.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What verdicts name: [`Policy::text_digest`]; where it asks for approvals of exceptions and there are some, of them, too.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Of the exact text it was read from; of one that names files, of their names and texts, too. What is signed.
    pub const fn text_digest(&self) -> &Digest {
        &self.text_digest
    }

    /// `revision:` as its author counts, where the text says so.
    pub const fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// Whose signatures it counts.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Whose VEX documents count; `None`: nobody's that are attached to an image.
    pub const fn vex(&self) -> Option<&VexAuthors> {
        self.vex.as_ref()
    }

    /// Names of the files beside it that it was read with.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Whether a rule looks at [`Facts::signatures`](crate::Facts::signatures).
    pub fn asks_for_signatures(&self) -> bool {
        let asks = |rule: &Rule| match &rule.check {
            Check::Signatures(_) | Check::Attestations(_) => true,
            Check::Expression(check) => check.uses("signatures"),
            _ => false,
        };
        self.rules.iter().any(asks)
    }

    /// Whether a rule looks at [`Facts::bases`](crate::Facts::bases).
    pub fn asks_for_bases(&self) -> bool {
        self.rules.iter().any(|rule| match &rule.check {
            Check::BaseImages(_) => true,
            Check::Expression(check) => check.uses("bases"),
            _ => false,
        })
    }
}

/// Of one text alone, that of the text, as any other program would say.
fn digest(yaml: &str, read: &[(String, String)]) -> Digest {
    if read.is_empty() {
        return Digest::of(yaml.as_bytes());
    }
    let mut lines = vec![Digest::of(yaml.as_bytes()).to_string()];
    lines.extend(read.iter().map(|(name, text)| format!("{} {name}", Digest::of(text.as_bytes()))));
    Digest::of(lines.join("\n").as_bytes())
}

impl Default for Policy {
    fn default() -> Self {
        Self::built_in().clone()
    }
}
