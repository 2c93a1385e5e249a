//! A policy file, read and checked.

use std::sync::LazyLock;

use boltseal_model::Digest;

use crate::{
    Error,
    describe::wants,
    exception::{Exception, Pardons},
    file,
    rule::{Check, Rule},
};

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
        let (name, mut rules, exceptions) = file::read(yaml)?;
        for rule in &mut rules {
            let speaks =
                exceptions.iter().enumerate().filter(|(_, exception)| exception.speaks_of(&rule.name));
            rule.exceptions = Pardons::of(speaks);
        }
        let (guard, unscanned) = (Rule::guard(&exceptions), Rule::unscanned(&exceptions));
        Ok(Self { name, digest: Digest::of(yaml.as_bytes()), rules, exceptions, guard, unscanned })
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
