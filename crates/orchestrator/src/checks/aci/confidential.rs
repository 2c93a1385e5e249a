//! The policy that a confidential group brings for its host: Rego, in base64, made by `az confcom`.
//!
//! The policy is read as text: its lists are JSON, its flags are assignments. What it comes to when Rego is evaluated is not
//! decided here.

use boltseal_model::Severity;

use super::{Check, GROUP, Look};
use crate::{
    document::{self, At, Node},
    hit::Hits,
    leaf::{Leaf, Place},
    workload::Workload,
};

const POLICY: Check = Check {
    why: "The policy is all that keeps the operator of the host out; the hardware attests whatever it says.",
    sources: &["MCSB DP-5"],
    ..GROUP
};

pub(in crate::checks) const EMPTY: Check = Check {
    id: "cce-missing",
    severity: Severity::High,
    title: "confidential without a policy",
    fix: "make one with `az confcom acipolicygen -a template.json`",
    look: Look::Workload(|workload, hits| {
        let confidential =
            workload.isolation.sandbox.known().is_some_and(|sku| sku.eq_ignore_ascii_case("confidential"));
        if !confidential {
            return;
        }
        match &workload.confidential {
            Leaf::Unset(place) => hits.say(place, "the group is confidential and brings no policy"),
            Leaf::Set(text, place) if text.trim().is_empty() => {
                hits.say(place, "the group is confidential and its policy is empty");
            }
            Leaf::Unknown(why, place) => hits.doubt(place, format!("the policy: {why}")),
            Leaf::Set(..) => {}
        }
    }),
    ..POLICY
};

pub(in crate::checks) const ALLOW_ALL: Check = Check {
    id: "cce-allow-all",
    severity: Severity::Critical,
    title: "policy that allows everything",
    fix: "make a policy for these images with `az confcom acipolicygen -a template.json`",
    look: Look::Workload(|workload, hits| {
        of(workload, |policy, place| {
            let debug = ["mount_device", "create_container"]
                .iter()
                .all(|rule| policy.contains(&format!("{rule} := {{\"allowed\": true}}")));
            let json = document::read(policy.as_bytes()).ok().and_then(|all| all.into_iter().next());
            let old = json.is_some_and(|node| At::top(&node).get("allow_all").flag().is_on());
            if old || debug || says(policy, "allow_all") {
                hits.say(place, "the policy allows every container and every command");
            }
        });
    }),
    ..POLICY
};

pub(in crate::checks) const ELEVATED: Check = Check {
    id: "cce-elevated",
    severity: Severity::High,
    title: "policy that allows privileged containers",
    fix: "make the policy again without privileged containers",
    look: Look::Workload(|workload, hits| {
        containers(workload, |container, place| {
            if container.get("allow_elevated").flag().is_on() {
                hits.say(place, format!("the policy lets {} be privileged", id(container)));
            }
        });
    }),
    ..POLICY
};

pub(in crate::checks) const TALKATIVE: Check = Check {
    id: "cce-access",
    title: "policy that lets the host look in",
    fix: "make the policy again with `--disable-stdio`, without `--debug-mode`",
    look: Look::Workload(|workload, hits| {
        of(workload, |policy, place| {
            let flags = [
                "allow_dump_stacks",
                "allow_runtime_logging",
                "allow_properties_access",
                "allow_unencrypted_scratch",
                "allow_environment_variable_dropping",
                "allow_capability_dropping",
            ];
            for flag in flags.into_iter().filter(|flag| says(policy, flag)) {
                hits.say(place, format!("the policy says {flag}"));
            }
        });
        containers(workload, |container, place| {
            if container.get("allow_stdio_access").flag().is_on() {
                hits.say(place, format!("the policy lets the host read the output of {}", id(container)));
            }
            if !container.get("exec_processes").items().is_empty() {
                hits.say(place, format!("the policy lets the host run commands in {}", id(container)));
            }
        });
    }),
    ..POLICY
};

pub(in crate::checks) const WILDCARD: Check = Check {
    id: "cce-environment",
    severity: Severity::Low,
    title: "policy with patterns for variables",
    fix: "name the values in the template, so that the policy can name them",
    look: Look::Workload(|workload, hits| {
        containers(workload, |container, place| {
            for rule in container.get("env_rules").items() {
                let pattern = rule.get("pattern").word().unwrap_or_default();
                let name = pattern.split('=').next().unwrap_or_default();
                let open = name.is_empty() || name.contains(['.', '*', '+']);
                if rule.get("strategy").word() == Some("re2") && open {
                    hits.say(place, format!("the policy lets the host set {pattern} in {}", id(container)));
                }
            }
        });
    }),
    ..POLICY
};

pub(in crate::checks) const FRAGMENT: Check = Check {
    id: "cce-fragment",
    severity: Severity::Low,
    title: "policy that takes any version of a fragment",
    fix: "set `minimum_svn` to the version of the fragment that was looked at",
    look: Look::Workload(|workload, hits| {
        of(workload, |policy, place| {
            let Some(fragments) = list(policy, "fragments") else { return };
            for fragment in At::top(&fragments).items() {
                let least = fragment.get("minimum_svn").text();
                let least = least.known().map_or("", String::as_str);
                if matches!(least, "" | "0" | "0.0.0" | "0.0.1" | "1.0.0" | "1") {
                    let feed = fragment.get("feed").word().unwrap_or("a fragment");
                    hits.say(place, format!("the policy takes every version of {feed}"));
                }
            }
        });
    }),
    ..POLICY
};

pub(in crate::checks) const IMAGES: Check = Check {
    id: "cce-images",
    severity: Severity::High,
    title: "images that the policy does not know",
    fix: "make the policy again for the images of the template",
    look: Look::Workload(images),
    ..POLICY
};

fn images(workload: &Workload, hits: &mut Hits) {
    let mut known = Vec::new();
    containers(workload, |container, _| known.extend(container.get("id").word().map(ToOwned::to_owned)));
    if known.is_empty() {
        return;
    }
    for container in &workload.containers {
        match &container.image {
            Leaf::Set(image, place) if !known.contains(image) => {
                hits.say(place, format!("the policy does not know {image}"));
            }
            Leaf::Unknown(why, place) => hits.doubt(place, format!("the image: {why}")),
            Leaf::Set(..) | Leaf::Unset(_) => {}
        }
    }
}

fn of(workload: &Workload, look: impl FnOnce(&str, &Place)) {
    if let Leaf::Set(policy, place) = &workload.confidential
        && !policy.trim().is_empty()
    {
        look(policy, place);
    }
}

fn containers(workload: &Workload, mut look: impl FnMut(&At<'_>, &Place)) {
    of(workload, |policy, place| {
        if let Some(list) = list(policy, "containers") {
            At::top(&list).items().iter().for_each(|container| look(container, place));
        }
    });
}

fn id(container: &At<'_>) -> String {
    container.get("id").word().unwrap_or("a container of the platform").to_owned()
}

/// Whether the policy sets this flag.
fn says(policy: &str, flag: &str) -> bool {
    policy.lines().any(|line| {
        let set = line.trim().strip_prefix(flag).map(str::trim_start);
        set.and_then(|rest| rest.strip_prefix(":=").or_else(|| rest.strip_prefix('=')))
            .is_some_and(|value| value.trim() == "true")
    })
}

/// The list that the policy calls `name`.
fn list(policy: &str, name: &str) -> Option<Node> {
    let line = policy.find(&format!("\n{name} :="))?;
    let from = policy.get(line..)?;
    let start = from.find('[')?;
    let text = from.get(start..)?;
    let length = closed(text)?;
    document::read(text.get(..length)?.as_bytes()).ok()?.into_iter().next()
}

/// How far the bracket at the beginning of `text` reaches.
fn closed(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => depth += 1,
            b']' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
