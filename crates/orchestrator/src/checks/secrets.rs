//! Credentials in definitions.

use std::collections::HashSet;

use boltseal_model::Severity;

use super::{Check, Look, privilege::who};
use crate::{
    hit::Hits,
    leaf::Leaf,
    workload::{Env, EnvKind, Workload},
};

pub(super) const PLAIN: Check = Check {
    id: "plain-secret",
    severity: Severity::High,
    title: "credential in plain text",
    why: "Everybody who may read the definition, its history or its logs has it.",
    fix: "keep it in a secret: `secretKeyRef`, Compose `secrets:`, in container groups `secureValue` or `secureValueReference`",
    sources: &["CIS Kubernetes 5.4.1", "MCSB IM-8"],
    standard: None,
    only: &[],
    look: Look::Workload(plain),
};

/// Parts of names that say credential.
const NAMES: [&str; 12] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "CONNECTION_STRING",
    "ACCOUNT_KEY",
];
/// Ends of names that say where a credential is, not what it is.
const PLACES: [&str; 8] = ["_FILE", "_PATH", "_NAME", "_URL", "_URI", "_DIR", "_ID", "_REF"];
/// Beginnings of values that say credential, whatever the name.
const VALUES: [&str; 8] = ["AKIA", "ASIA", "ghp_", "github_pat_", "xoxb-", "xoxp-", "-----BEGIN ", "Bearer "];

/// Whether the name of a variable says that its value is a credential.
pub(crate) fn says_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    NAMES.iter().any(|part| upper.contains(part)) && !PLACES.iter().any(|end| upper.ends_with(end))
}

/// Whether a variable of this name with this value is a credential in plain text.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    (says_secret(name) && !is_harmless(value)) || begins(value)
}

fn begins(value: &str) -> bool {
    VALUES.iter().any(|start| value.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
}

/// A path, a flag or a reference is no credential.
fn is_harmless(value: &str) -> bool {
    value.is_empty()
        || value.starts_with('/')
        || value.starts_with("$(")
        || matches!(value, "true" | "false" | "yes" | "no" | "on" | "off")
}

fn plain(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        for Env { name, kind, place } in &container.env {
            let EnvKind::Plain(leaf) = kind else { continue };
            let found = match leaf {
                Leaf::Set(value, _) => is_secret(name, value),
                // Wherever the value comes from, it is shown to everybody who may look.
                Leaf::Unknown(..) => says_secret(name) && workload.source.orchestrator == "aci",
                Leaf::Unset(_) => false,
            };
            if found {
                let place = if leaf.is_unset() { place } else { leaf.place() };
                hits.say(place, format!("{} has {name} in plain text", who(container)));
            }
        }
    }
}

pub(super) const IN_ENVIRONMENT: Check = Check {
    id: "secret-in-environment",
    severity: Severity::Low,
    title: "secret in the environment",
    why: "Environments end up in crash reports, in logs and in child processes.",
    fix: "mount the secret as a file, which only the process reads that needs it",
    sources: &["CIS Kubernetes 5.4.1"],
    standard: None,
    only: &["kubernetes"],
    look: Look::Workload(in_environment),
};

fn in_environment(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        for env in &container.env {
            if let EnvKind::SecretReference(_) = env.kind {
                hits.say(&env.place, format!("{} has {} from a secret", who(container), env.name));
            }
        }
    }
}

pub(super) const DUPLICATE: Check = Check {
    id: "duplicate-variable",
    severity: Severity::Low,
    title: "variable set twice",
    why: "One of the two values is ignored, and it may be the one that was meant.",
    fix: "remove one of them",
    sources: &["Kubernetes API: env is a map by name"],
    standard: None,
    only: &["aci", "kubernetes"],
    look: Look::Workload(duplicate),
};

fn duplicate(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        let mut seen = HashSet::new();
        for env in container.env.iter().filter(|env| env.name != "*") {
            if !seen.insert(env.name.as_str()) {
                hits.say(&env.place, format!("{} sets {} again", who(container), env.name));
            }
        }
    }
}
