//! Approvals of exceptions: somebody else than its owner looked at exactly what an exception says, and agreed.
//!
//! Who that was is proven elsewhere: by a sign-in, or by a signature. Here they are names, and what they approved is a hash
//! of the exception's content; so whatever is changed in an exception later asks for new approvals.

use std::collections::HashMap;

use boltseal_model::Digest;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::{
    Error, Policy,
    authority::Authorities,
    exception::{Exception, Known},
    pattern::{ImagePattern, PackagePattern, Wild},
    text::Name,
};

/// More people than this never approve anything.
pub(crate) const MAX_APPROVALS: u8 = 10;

/// That somebody approved an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What was approved: [`ExceptionDoc::digest`](crate::ExceptionDoc::digest).
    pub exception: Digest,
    /// By whom. One person has one name.
    pub by: String,
}

impl Policy {
    /// The same policy with these approvals and no others. Those of something that no exception says (any more) count for
    /// nothing, and so does that of an exception's own owner. What is decided may differ by them, so they are part of
    /// [`Policy::digest`] where the policy asks for any.
    #[must_use]
    pub fn with_approvals(mut self, approvals: &[Approval]) -> Self {
        let mut of: HashMap<&Digest, Vec<&str>> = HashMap::new();
        for approval in approvals {
            of.entry(&approval.exception).or_default().push(&approval.by);
        }
        let mut lines = vec![self.text_digest.to_string()];
        for exception in &mut self.exceptions {
            let names = of.get(&exception.digest).map(Vec::as_slice).unwrap_or_default();
            exception.approved_by = people(exception, names);
            if !exception.approved_by.is_empty() {
                lines.push(format!("{} {}", exception.digest, exception.approved_by.join(" ")));
            }
        }
        self.digest = match lines.as_slice() {
            [_, _, ..] if self.approvals > 0 => Digest::of(lines.join("\n").as_bytes()),
            _ => self.text_digest.clone(),
        };
        self
    }

    /// How many people must approve an exception before it counts; 0: nobody.
    pub const fn approvals(&self) -> usize {
        self.approvals
    }

    /// Names of authorities whose signed approvals count where no server knows who somebody is.
    pub fn approvers(&self) -> &[String] {
        &self.approvers
    }
}

/// Each once, whatever the case of their names, and not the owner.
fn people(exception: &Exception, names: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let known = all.iter().any(|other| other.to_lowercase() == name.to_lowercase());
        if !known && !is_same_person(&exception.owner, name) {
            all.push((*name).to_owned());
        }
    }
    all.sort_unstable();
    all
}

/// Whether an owner, as a policy writes it, and a name are one person. A policy may write `ann@example.com` of whom another
/// place knows as `ann`; two addresses are compared as they are. In doubt it is the same person, who then may not approve.
pub fn is_same_person(owner: &str, name: &str) -> bool {
    let (owner, name) = (owner.trim().to_lowercase(), name.trim().to_lowercase());
    let front = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
    if owner.contains('@') && name.contains('@') { owner == name } else { front(&owner) == front(&name) }
}

/// `approvers:` names of authorities, checked.
pub(crate) fn approvers(
    asked: Option<Spanned<Vec<Name>>>,
    authorities: &mut Authorities<'_>,
) -> Result<Vec<String>, Error> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let line = asked.referenced.line();
    authorities
        .named(asked.value, Vec::new())
        .and_then(|names| authorities.say(&names, "approvals").map(|()| names))
        .map_err(|problem| Error::Value { line, problem: format!("approvers: {problem}") })
}

/// `approvals:` how many.
pub(crate) fn number(asked: Option<Spanned<u8>>) -> Result<usize, Error> {
    match asked {
        Some(asked) if asked.value == 0 || asked.value > MAX_APPROVALS => {
            let problem =
                format!("approvals is 1 to {MAX_APPROVALS}; without the line nobody needs to approve");
            Err(Error::Value { line: asked.referenced.line(), problem })
        }
        asked => Ok(asked.map_or(0, |asked| usize::from(asked.value))),
    }
}

/// What an exception of the policy called `policy` says, as it is approved: every word of it. The name of the policy is part
/// of it, so that what was approved in a lenient one is not approved in a strict one.
pub(crate) fn digest(policy: &str, exception: &Exception) -> Digest {
    /// In this order, which is part of the hash.
    #[derive(Serialize)]
    struct Content<'e> {
        policy: &'e str,
        name: &'e str,
        rules: Option<&'e [String]>,
        findings: Option<Vec<&'e str>>,
        packages: Option<Vec<&'e str>>,
        images: Option<Vec<&'e str>>,
        gaps: Option<Vec<&'e str>>,
        paths: Option<Vec<&'e str>>,
        owner: &'e str,
        reason: &'e str,
        expires: String,
        known: Option<Known>,
    }
    fn texts<'e, T>(list: Option<&'e Vec<T>>, text: fn(&'e T) -> &'e str) -> Option<Vec<&'e str>> {
        list.map(|list| list.iter().map(text).collect())
    }
    let content = Content {
        policy,
        name: &exception.name,
        rules: exception.rules.as_deref(),
        findings: texts(exception.findings.as_ref(), Wild::text),
        packages: texts(exception.packages.as_ref(), PackagePattern::text),
        images: texts(exception.images.as_ref(), ImagePattern::text),
        gaps: texts(exception.gaps.as_ref(), Wild::text),
        paths: texts(exception.paths.as_ref(), Wild::text),
        owner: &exception.owner,
        reason: &exception.reason,
        expires: exception.last_day().to_string(),
        known: exception.known,
    };
    // Strings, dates and finite numbers: it cannot fail. If it did, the words of all fields would stand in.
    let bytes = serde_json::to_vec(&content).unwrap_or_else(|_| format!("{exception:?}").into_bytes());
    Digest::of(&bytes)
}

/// `approved_by:` as it once was: names that anybody could write.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(from = "serde::de::IgnoredAny")]
pub(crate) struct Written(pub(crate) bool);

impl From<serde::de::IgnoredAny> for Written {
    fn from(_: serde::de::IgnoredAny) -> Self {
        Self(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_by_name_and_by_address() {
        for (owner, name, same) in [
            ("ann", "ann", true),
            ("ann", "Ann", true),
            ("ann@example.com", "ann", true),
            ("ann", "ann@example.com", true),
            ("ann@example.com", "ann@example.org", false),
            ("ann@example.com", "ANN@example.com", true),
            ("ann@example.com", "bob", false),
            ("platform team", "ann", false),
        ] {
            assert_eq!(is_same_person(owner, name), same, "{owner} {name}");
        }
    }
}
