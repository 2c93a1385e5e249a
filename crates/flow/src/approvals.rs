//! Approvals of exceptions where no server knows who somebody is: signatures in a file beside the policy, of the people whom
//! the policy names as `approvers`.
//!
//! ```text
//! policy.yaml                    approvals: 1, approvers: [bob], authorities: [{ name: bob, key: bob.pub }], exceptions: …
//! policy.yaml.approvals.jsonl    a line for every approval: { exception, digest, bundle }
//! ```
//!
//! What is signed is the hash of exactly what an exception says, under the name of its policy, in a statement of a type of its
//! own: no signature of an image or of a policy is ever taken for an approval. What a line says besides its bundle is a hint
//! and decides nothing.
//!
//! Whoever writes the policy names the approvers. So this is as good as whoever guards the policy: sign it
//! ([`endorsed`](crate::endorsed)), or keep it where changes are reviewed. A server does not count these: it knows people.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use boltseal_model::Digest;
use boltseal_policy::{Approval, ExceptionDoc, Policy, exceptions, is_same_person};
use boltseal_trust::{Authority, Evidence, Form, KeyError, PrivateKey, Statement, sign, verify};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::rules::Rules;

/// What is said about an exception.
pub const APPROVAL_TYPE: &str = "https://boltseal.io/statement/exception-approval/v1";
/// What the file ends with, behind the name of the policy's file.
const ENDING: &str = ".approvals.jsonl";
/// Bytes of the file: 2,000 exceptions with three approvals each, of some 1,400 bytes.
const MAX_FILE: u64 = 16 << 20;
/// Lines of the file: each costs the check of a signature.
const MAX_LINES: usize = 20_000;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signed {
    /// What the exception is called, for people who read the file.
    pub exception: String,
    /// Of what it says.
    pub digest: Digest,
    /// The signature: a bundle of sigstore.
    pub bundle: Value,
}

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its number, from 1.
    pub line: usize,
    /// What it says of the exception's name.
    pub exception: String,
    /// The approval, or why there is none.
    pub told: Result<Approval, String>,
}

/// Where the approvals of exceptions of the policy in the file at `path` are.
pub fn file_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}

/// Every line beside the policy at `path`; none where there is no file.
pub fn read(path: &Path) -> io::Result<Vec<String>> {
    let mut text = String::new();
    match File::open(file_of(path)) {
        Ok(file) => file.take(MAX_FILE + 1).read_to_string(&mut text)?,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(wrong) => return Err(wrong),
    };
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if text.len() as u64 > MAX_FILE || lines.len() > MAX_LINES {
        let why = format!(
            "more than {MAX_LINES} approvals or {MAX_FILE} bytes: remove those of exceptions that are gone"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(lines)
}

/// What the lines say about the exceptions of `rules`. A line that is broken, or of somebody else, approves nothing and takes
/// nothing away.
pub fn hear(lines: &[String], rules: &Rules) -> Vec<Heard> {
    let policy = &rules.policy;
    let docs = exceptions(policy);
    let named = |one: &&Authority| policy.approvers().contains(&one.name);
    let approvers: Vec<Authority> = rules.believed.holders().iter().filter(named).cloned().collect();
    let heard = |(index, text): (usize, &String)| {
        let signed: Result<Signed, _> = serde_json::from_str(text);
        let exception = signed.as_ref().map(|signed| shown(&signed.exception)).unwrap_or_default();
        let told = match signed {
            Ok(signed) => weigh(&signed, &docs, &approvers),
            Err(wrong) => Err(format!("it is no approval: {wrong}")),
        };
        Heard { line: index + 1, exception, told }
    };
    lines.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()).map(heard).collect()
}

fn weigh(signed: &Signed, docs: &[ExceptionDoc], approvers: &[Authority]) -> Result<Approval, String> {
    let Some(doc) = docs.iter().find(|doc| doc.digest == signed.digest) else {
        return Err("the exception says something else by now, or is gone".to_owned());
    };
    if approvers.is_empty() {
        return Err("the policy names no `approvers`".to_owned());
    }
    let bytes = serde_json::to_vec(&signed.bundle).map_err(|wrong| wrong.to_string())?;
    let evidence = Evidence { form: Form::Bundle, bytes: &bytes, annotations: &BTreeMap::new() };
    let found = verify(&evidence, &doc.digest, approvers).map_err(|wrong| wrong.to_string())?;
    match found.statement.map(|statement| statement.predicate_type) {
        Some(kind) if kind == APPROVAL_TYPE => {}
        other => return Err(format!("it says `{}` and not that it approves", other.unwrap_or_default())),
    }
    if is_same_person(&doc.owner, &found.authority) {
        return Err(format!("{} owns the exception, and cannot approve it", found.authority));
    }
    Ok(Approval { exception: doc.digest.clone(), by: found.authority })
}

/// What a stranger's file says, for a terminal.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

impl Rules {
    /// The same, with what was approved by signatures beside the file at `path`.
    pub fn approved_beside(mut self, path: &Path) -> io::Result<Self> {
        if self.policy.approvals() > 0 {
            let approved = hear(&read(path)?, &self).into_iter().filter_map(|heard| heard.told.ok());
            self.policy = self.policy.with_approvals(&approved.collect::<Vec<_>>());
        }
        Ok(self)
    }
}

/// The line in which the holder of `key` approves `exception` of `policy`.
pub fn approve(policy: &Policy, exception: &ExceptionDoc, key: &PrivateKey) -> Result<Signed, KeyError> {
    let predicate = json!({
        "policy": policy.name(),
        "exception": exception.name,
        "owner": exception.owner,
        "reason": exception.reason,
        "pardons": exception.scope,
        "expires": exception.expires.to_string(),
    });
    let statement = Statement { predicate_type: APPROVAL_TYPE.to_owned(), predicate };
    let bundle = sign(&statement, &exception.digest, Some(&exception.name), key)?;
    let bundle = serde_json::from_slice(&bundle).map_err(|wrong| KeyError::Unfit(wrong.to_string()))?;
    Ok(Signed { exception: exception.name.clone(), digest: exception.digest.clone(), bundle })
}
