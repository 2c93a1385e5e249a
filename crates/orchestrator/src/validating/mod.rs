//! Policies of Kubernetes that are objects themselves, read as they are: `ValidatingAdmissionPolicy` with its bindings, and
//! Kyverno's `ValidatingPolicy` as far as it says the same.
//!
//! An API server asks them when something is created. Here they are asked about what stands in files, by the same
//! expressions over `object`, `oldObject` (null: nothing was there before), `request`, `namespaceObject`, `params` and
//! `variables`. What would be created only later is asked about, too: the pods of a controller, as
//! its template has them. Three things cannot be told from files and are said to be so: who asks (`request.userInfo`),
//! what a namespace is like that is not in the files, parameters that are not in the files.
//!
//! | a policy that | applies |
//! |---|---|
//! | stands among the definitions | as its bindings there say, like in a cluster |
//! | was given for this | as its bindings say; without one, everywhere, and denies |
//!
//! Limits: [`Budget::POLICY`] steps for one policy about one object, as in an API server; [`MAX_STEPS`] for everything.

mod ask;
mod json;
mod matching;
mod policy;

use std::sync::Arc;

use boltseal_cel::Budget;
use boltseal_model::Severity;
use serde_json::{Value as Json, json};

use crate::{
    checks::{Check, Finding, Look},
    document::At,
    leaf::Place,
    read::{Gap, Object, Read},
    validating::{
        ask::{Answer, Asked},
        policy::{Action, Binding, Policy},
    },
};

/// Steps of everything together: about a minute, for a thousand policies on a thousand objects as people have them.
const MAX_STEPS: u64 = 2_000_000_000;

/// What an admission policy refuses.
pub(crate) const CHECK: Check = Check {
    id: "admission-policy",
    severity: Severity::High,
    title: "refused by an admission policy",
    why: "An API server that has the policy does not take it.",
    fix: "do what the policy says, or have the policy or its binding changed",
    sources: &["ValidatingAdmissionPolicy"],
    standard: None,
    only: &["kubernetes"],
    look: Look::Policies,
};

/// What policies say about what was read.
#[derive(Debug, Default)]
pub struct Judged {
    /// What they refuse or warn of.
    pub findings: Vec<Finding>,
    /// Policies that could not be read.
    pub gaps: Vec<Gap>,
}

/// Something that would be created.
struct Subject<'a> {
    object: &'a Object,
    /// Where in the object it is described; empty for the object itself.
    place: Place,
    json: Arc<Json>,
    kind: String,
    group: String,
    version: String,
}

/// Asks the policies among `read`, and those `given` for it, about `read`.
pub fn judge(read: &Read, given: &Read) -> Judged {
    let mut out = Judged::default();
    let own = policies(read, false, &mut out);
    let other = policies(given, true, &mut out);
    if own.0.is_empty() && other.0.is_empty() {
        return out;
    }
    let bindings: Vec<Binding> = own.1.into_iter().chain(other.1).collect();
    let known: Vec<(&Object, Json)> = read
        .objects
        .iter()
        .chain(&given.objects)
        .filter(|object| object.orchestrator == "kubernetes")
        .map(|object| (object, json::of(&object.node)))
        .collect();
    let subjects = subjects(read);
    let mut left = MAX_STEPS;
    for (policy, given) in own.0.iter().map(|one| (one, false)).chain(other.0.iter().map(|one| (one, true))) {
        let mut bound: Vec<&Binding> = bindings.iter().filter(|one| one.policy == policy.name).collect();
        let everywhere = Binding::everywhere(policy);
        if (given && bound.is_empty()) || policy.binds_itself() {
            bound = vec![&everywhere];
        }
        for subject in &subjects {
            for binding in &bound {
                let asked = Asked { policy, binding, subject, known: &known };
                let mut budget = Budget::new(Budget::POLICY.min(left));
                let before = budget.left();
                let answers = asked.answers(&mut budget);
                left -= before - budget.left();
                out.findings.extend(answers.into_iter().map(|answer| finding(subject, policy, &answer)));
                if left == 0 {
                    let why = "all policies together are more work than is done for one check".to_owned();
                    out.gaps.push(Gap { file: policy.file.clone(), line: policy.line, why });
                    return out;
                }
            }
        }
    }
    out
}

fn policies(read: &Read, given: bool, out: &mut Judged) -> (Vec<Policy>, Vec<Binding>) {
    let mut all = (Vec::new(), Vec::new());
    for object in &read.objects {
        match object.kind.as_str() {
            _ if object.orchestrator != "kubernetes" => {}
            "ValidatingAdmissionPolicy" | "ValidatingPolicy" if policy::is_one(object) => {
                match Policy::read(object) {
                    Ok(policy) => all.0.push(policy),
                    Err((place, why)) => {
                        let why = format!("{} {}: {}: {why}", object.kind, object.name, place.path);
                        out.gaps.push(Gap { file: object.file.clone(), line: place.line, why });
                    }
                }
            }
            "ValidatingAdmissionPolicyBinding" if policy::is_one(object) => all.1.push(Binding::read(object)),
            _ => {}
        }
    }
    if given && all.0.is_empty() && out.gaps.is_empty() {
        for object in read.objects.iter().take(1) {
            let why = "no ValidatingAdmissionPolicy and no ValidatingPolicy in it".to_owned();
            out.gaps.push(Gap { file: object.file.clone(), line: object.line, why });
        }
    }
    all
}

/// Every object, and the pods of those that make pods.
fn subjects(read: &Read) -> Vec<Subject<'_>> {
    let mut all = Vec::new();
    for object in read.objects.iter().filter(|object| object.orchestrator == "kubernetes") {
        if policy::is_one(object) {
            // An API server asks no policy about policies, so that nobody locks himself out.
            continue;
        }
        let (group, version) = object.api.split_once('/').unwrap_or(("", &object.api));
        all.push(Subject {
            object,
            place: object.place(),
            json: Arc::new(json::of(&object.node)),
            kind: object.kind.clone(),
            group: group.to_owned(),
            version: version.to_owned(),
        });
        all.extend(pods(read, object));
    }
    all
}

/// The pods that an object makes, as its templates describe them.
fn pods<'a>(read: &'a Read, object: &'a Object) -> Vec<Subject<'a>> {
    let made = |path: &str| path != "spec";
    let of_object = |node: &Arc<crate::document::Node>| Arc::ptr_eq(node, &object.node);
    let workloads = read.workloads.iter().filter(|workload| {
        workload.source.node.as_ref().is_some_and(of_object) && made(&workload.source.path)
    });
    let subject = |workload: &crate::workload::Workload| {
        let path = workload.source.path.strip_suffix(".spec")?;
        let at = walked(&object.at(), path)?;
        let part = |key: &str| at.get(key).node().map_or(Json::Null, json::of);
        let mut metadata = part("metadata");
        if !metadata.is_object() {
            metadata = json!({});
        }
        if let Json::Object(entries) = &mut metadata {
            entries.entry("generateName").or_insert_with(|| json!(format!("{}-", object.name)));
            if let Some(namespace) = object.namespace.known() {
                entries.insert("namespace".to_owned(), json!(namespace));
            }
        }
        let json = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": part("spec")});
        Some(Subject {
            object,
            place: Place { line: at.place().line, path: path.to_owned() },
            json: Arc::new(json),
            kind: "Pod".to_owned(),
            group: String::new(),
            version: "v1".to_owned(),
        })
    };
    workloads.filter_map(subject).collect()
}

/// Down a path of plain keys: those of templates have no others.
fn walked<'a>(at: &At<'a>, path: &str) -> Option<At<'a>> {
    let mut at = at.clone();
    for key in path.split('.') {
        let (name, index) = key.split_once('[').map_or((key, None), |(name, index)| (name, Some(index)));
        at = at.get(name);
        if let Some(index) = index {
            let index: usize = index.strip_suffix(']')?.parse().ok()?;
            at = at.items().get(index)?.clone();
        }
    }
    Some(at)
}

fn finding(subject: &Subject<'_>, policy: &Policy, answer: &Answer) -> Finding {
    let severity = match answer.action {
        Action::Deny => Severity::High,
        Action::Audit => Severity::Medium,
        Action::Warn => Severity::Low,
    };
    Finding {
        file: subject.object.file.to_string(),
        line: subject.place.line,
        id: CHECK.id,
        severity,
        level: None,
        subject: subject.object.title(),
        path: subject.place.path.clone(),
        title: CHECK.title,
        found: format!("policy {}: {}", policy.name, answer.found),
        why: CHECK.why,
        fix: CHECK.fix,
        sources: CHECK.sources,
        sure: answer.sure,
    }
}
