//! Mends YAML of Kubernetes where the mend is plain: a wrong value, or a field that is missing; and words of Dockerfiles.
//!
//! ```
//! use boltseal_orchestrator::{checks::{self, Options}, fix, pss::{Level, Version}, read};
//!
//! let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx\n    securityContext:\n      privileged: true\n";
//! let found = checks::run(&read("web.yaml", text.as_bytes())?, Options { level: Level::Baseline, version: Version::LATEST });
//! let edits = fix::edits(text, &found);
//! assert!(fix::diff("web.yaml", text, &edits).contains("-      privileged: true\n+      privileged: false\n"));
//! # Ok::<(), boltseal_orchestrator::Error>(())
//! ```
//!
//! Nothing is rewritten: lines are replaced or added, comments, order and ends of lines stay. What is written in one line
//! (`{a: b}`) is left alone. Whoever applies the edits checks again: a mend that does not mend is a mistake here.

mod build;
mod patch;

use std::collections::BTreeMap;

use crate::{
    checks::{self, Finding},
    document::{self, At, Node, Value},
    kubernetes,
};

pub use patch::{applied, diff};

/// What a finding wants: the end of its path, and the value there.
const WANTED: &[(&str, &str, &str)] = &[
    ("allowPrivilegeEscalation", "allowPrivilegeEscalation", "false"),
    ("capabilities_restricted", "capabilities.drop", "[ALL]"),
    ("escalation", "allowPrivilegeEscalation", "false"),
    ("host-namespaces", "hostIPC", "false"),
    ("host-namespaces", "hostNetwork", "false"),
    ("host-namespaces", "hostPID", "false"),
    ("hostNamespaces", "hostIPC", "false"),
    ("hostNamespaces", "hostNetwork", "false"),
    ("hostNamespaces", "hostPID", "false"),
    ("mounted-token", "automountServiceAccountToken", "false"),
    ("privileged", "privileged", "false"),
    ("procMount", "procMount", "Default"),
    ("procMount_restricted", "procMount", "Default"),
    ("runAsNonRoot", "runAsNonRoot", "true"),
    ("seccompProfile_baseline", "seccompProfile.type", "RuntimeDefault"),
    ("seccompProfile_restricted", "seccompProfile.type", "RuntimeDefault"),
    ("windowsHostProcess", "hostProcess", "false"),
    ("writable-host-folder", "readOnly", "true"),
    ("writable-root", "readOnlyRootFilesystem", "true"),
];

/// A change of one place. Lines are counted from zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit {
    /// The line becomes this one.
    Replace(usize, String),
    /// These lines come after it.
    Add(usize, Vec<String>),
}

/// Fields to be added below one mapping, by path.
type Missing = BTreeMap<(usize, usize), Tree>;

#[derive(Debug, Default)]
struct Tree {
    below: BTreeMap<String, Tree>,
    value: Option<&'static str>,
}

/// What mends as many of `findings` as can be mended plainly, in the order of lines.
pub fn edits(text: &str, findings: &[Finding]) -> Vec<Edit> {
    if findings.iter().any(|finding| checks::by_id(finding.id).is_some_and(checks::Check::is_of_builds)) {
        return build::edits(text, findings);
    }
    let Ok(documents) = document::read(text.as_bytes()) else { return Vec::new() };
    let lines: Vec<&str> = text.lines().collect();
    // Paths of findings begin at the object, also where it stands in a list of them.
    let objects: Vec<&Node> = documents.iter().flat_map(kubernetes::objects_of).collect();
    let mut all = Vec::new();
    let mut missing = Missing::new();
    for finding in findings.iter().filter(|finding| finding.sure) {
        let wanted = WANTED.iter().find(|(id, end, _)| *id == finding.id && ends(&finding.path, end));
        let begins = |node: &&Node| node.line <= finding.line;
        let (Some((_, _, value)), Some(node)) = (wanted, objects.iter().copied().rev().find(begins)) else {
            continue;
        };
        one(&lines, node, &finding.path, value, &mut all, &mut missing);
    }
    for ((line, column), tree) in missing {
        let mut added = Vec::new();
        written(&tree, column, &mut added);
        all.push(Edit::Add(line, added));
    }
    all.sort();
    all.dedup();
    all
}

fn ends(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Walks down as far as the document goes, and mends there.
fn one(
    lines: &[&str],
    node: &Node,
    path: &str,
    value: &'static str,
    all: &mut Vec<Edit>,
    missing: &mut Missing,
) {
    let steps: Vec<&str> = path.split('.').collect();
    let mut at = At::top(node);
    for (index, step) in steps.iter().enumerate() {
        let next = walked(&at, step);
        if next.is_set() {
            at = next;
            continue;
        }
        let rest = steps.get(index..).unwrap_or_default();
        // An element of a list that is not there is another document's.
        if !rest.iter().any(|step| step.contains('[')) {
            add(lines, &at, rest, value, missing);
        }
        return;
    }
    let line = usize::try_from(at.place().line).unwrap_or(usize::MAX).saturating_sub(1);
    let key = steps.last().copied().unwrap_or_default();
    if let Some(mended) = lines.get(line).and_then(|text| replaced(text, key, value)) {
        all.push(Edit::Replace(line, mended));
    }
}

/// `containers[0]`
fn walked<'a>(at: &At<'a>, step: &str) -> At<'a> {
    let (key, index) = step.split_once('[').unwrap_or((step, ""));
    let below = at.get(key);
    match index.trim_end_matches(']').parse::<usize>() {
        Ok(index) => below.items().into_iter().nth(index).unwrap_or_else(|| at.get("")),
        Err(_) => below,
    }
}

/// A value that stands behind its key on one line; what comes after it stays.
fn replaced(line: &str, key: &str, value: &str) -> Option<String> {
    let start = column(line);
    let rest = line.get(start..)?.strip_prefix(key)?.strip_prefix(':')?;
    let blank = rest.len() - rest.trim_start().len();
    let old = rest.trim_start();
    let end = old.find(" #").and_then(|end| old.get(..end)).unwrap_or(old).trim_end().len();
    let (old, comment) = old.split_at(end);
    let plain = !old.trim().is_empty() && !old.starts_with(['{', '[', '&', '*', '|', '>']);
    plain.then(|| {
        let blank = rest.get(..blank).unwrap_or(" ");
        format!("{}{key}:{blank}{value}{comment}", line.get(..start).unwrap_or_default())
    })
}

/// Where the first key of a line stands; dashes of lists before it belong to the way.
fn column(line: &str) -> usize {
    let mut at = line.len() - line.trim_start_matches(' ').len();
    while let Some(rest) = line.get(at..).and_then(|rest| rest.strip_prefix("- ")) {
        at = line.len() - rest.trim_start_matches(' ').len();
    }
    at
}

fn add(lines: &[&str], at: &At<'_>, rest: &[&str], value: &'static str, missing: &mut Missing) {
    let Some(Node { value: Value::Map(entries), line }) = at.node() else { return };
    let start = usize::try_from(*line).unwrap_or(usize::MAX).saturating_sub(1);
    let (Some(text), Some(first)) = (lines.get(start), entries.first()) else { return };
    let column = column(text);
    // A key that stands there with nothing behind it would be there twice.
    if rest.first().is_some_and(|key| entries.iter().any(|entry| entry.key == *key)) {
        return;
    }
    // A mapping in block style begins with its first key.
    if !text.get(column..).is_some_and(|rest| rest.starts_with(&format!("{}:", first.key))) {
        return;
    }
    let mut tree = missing.entry((last(lines, start, column), column)).or_default();
    for step in rest {
        tree = tree.below.entry((*step).to_owned()).or_default();
    }
    tree.value = Some(value);
}

/// The last line of the mapping that begins at `start` and whose keys stand at `column`.
fn last(lines: &[&str], start: usize, column: usize) -> usize {
    let mut last = start;
    for (index, line) in lines.iter().enumerate().skip(start + 1) {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.trim().is_empty() || (content.starts_with('#') && indent < column) {
            continue;
        }
        let is_end = line.starts_with("---") || line.trim_end() == "...";
        if indent < column || is_end {
            break;
        }
        last = index;
    }
    last
}

fn written(tree: &Tree, column: usize, out: &mut Vec<String>) {
    for (key, below) in &tree.below {
        if let Some(value) = below.value {
            out.push(format!("{:column$}{key}: {value}", ""));
        } else {
            out.push(format!("{:column$}{key}:", ""));
            written(below, column + 2, out);
        }
    }
}
