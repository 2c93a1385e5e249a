//! Other people's rules against ours: where a check of ours claims to cover a rule, its verdict about that rule's own samples
//! must be theirs. The score is printed; what differs is listed with the reason.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use boltseal_orchestrator::{
    checks::{self, Finding, Options},
    pss::{Level, Version},
    read::{Read, read},
};
use serde_json::Value;

/// Of the covered samples, how many must be as theirs, in percent.
const BAR: usize = 95;

/// Why some samples differ.
const ANNOTATION: &str = "annotations of seccomp count for nothing since Kubernetes 1.27";
const GROUP: &str = "it asks for a group other than 0 as well; ours is about the user";
const SILENT: &str = "it names no namespace; which one that is, whoever applies it decides";

/// A rule, and which of our checks and controls say the same; with a word, only where the path ends so or
/// what was found has it.
type Covered = (&'static str, &'static [(&'static str, &'static str)]);

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(below(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// What every file of `paths` says; files that are no definitions say nothing.
fn opened(paths: &[PathBuf]) -> Read {
    let mut all = Read::default();
    for path in paths {
        if let Ok(one) = read(path.to_str().unwrap(), &fs::read(path).unwrap()) {
            all.add(one);
        }
    }
    all
}

/// What the checks and controls of `ids` find.
fn found(read: &Read, ids: &[(&str, &str)]) -> Vec<Finding> {
    let mut all = Vec::new();
    for level in [Level::Privileged, Level::Baseline] {
        let findings = checks::run(read, Options { level, version: Version::LATEST });
        let wanted = |one: &Finding| {
            (one.level.is_some() || level == Level::Privileged)
                && ids
                    .iter()
                    .any(|(id, end)| one.id == *id && (one.path.ends_with(end) || one.found.contains(end)))
        };
        all.extend(findings.into_iter().filter(wanted));
    }
    // A check and a control may have one name and say one thing.
    all.sort_by(|a, b| (&a.file, &a.subject, &a.path).cmp(&(&b.file, &b.subject, &b.path)));
    all.dedup_by(|a, b| a.id == b.id && a.file == b.file && a.line == b.line && a.path == b.path);
    all
}

/// Holds what was right against the bar; `known` are the differences that were looked at, with the reason.
fn score(tool: &str, outcomes: &[(String, bool)], known: &[(&str, &str)]) {
    let right = outcomes.iter().filter(|(_, right)| *right).count();
    let percent = right * 100 / outcomes.len().max(1);
    println!("{tool}: {right} of {} samples of covered rules are as theirs ({percent} %)", outcomes.len());
    let guide =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/check.md")).unwrap();
    let row = format!("| {tool} | {right} of {} |", outcomes.len());
    assert!(guide.contains(&row), "docs/guide/check.md does not say `{row}`");
    for (name, why) in known {
        let row = format!("| {tool} | `{name}` | {why} |");
        assert!(guide.contains(&row), "docs/guide/check.md does not list `{row}`");
    }
    assert!(!outcomes.is_empty(), "{tool}: no samples");
    for (name, right) in outcomes {
        let reason = known.iter().find(|(known, _)| known == name);
        assert!(*right || reason.is_some(), "{tool}: {name} differs, and nobody has looked why");
        assert!(!*right || reason.is_none(), "{tool}: {name} is right by now: take it off the list");
    }
    assert!(
        right * 100 >= BAR * outcomes.len() || !known.is_empty(),
        "{tool}: {right} of {}",
        outcomes.len()
    );
}

/// Paths that an alert of Kubescape names; the values of fixes are cut off.
fn named(alert: &Value) -> Vec<String> {
    let texts = ["failedPaths", "reviewPaths", "deletePaths"]
        .iter()
        .flat_map(|key| alert[key].as_array().cloned().unwrap_or_default())
        .filter_map(|one| one.as_str().map(ToOwned::to_owned));
    let fixes = alert["fixPaths"].as_array().cloned().unwrap_or_default();
    let fixes: Vec<String> =
        fixes.iter().filter_map(|one| one["path"].as_str().map(ToOwned::to_owned)).collect();
    texts.chain(fixes).collect()
}

/// A path as far as it names a container.
fn container(path: &str) -> &str {
    path.rfind("ontainers[").and_then(|at| Some(at + path[at..].find(']')?)).map_or(path, |end| &path[..end])
}

/// Whether two paths are the same, or one leads to the other.
fn meets(one: &str, other: &str) -> bool {
    let leads = |short: &str, long: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    !one.is_empty() && !other.is_empty() && (leads(one, other) || leads(other, one))
}

#[test]
fn kubescape() {
    const COVERED: &[Covered] = &[
        ("alert-any-hostpath", &[("hostPathVolumes", "")]),
        ("alert-rw-hostpath", &[("writable-host-folder", "")]),
        ("anonymous-access-enabled", &[("anonymous-access", "")]),
        ("configmap-in-default-namespace", &[("default-namespace", "")]),
        ("configured-readiness-probe", &[("no-readiness-probe", "")]),
        ("containers-mounting-docker-socket", &[("runtime-socket", "")]),
        ("duplicate-env-var", &[("duplicate-variable", "")]),
        ("endpointslice-in-default-namespace", &[("default-namespace", "")]),
        ("horizontalpodautoscaler-in-default-namespace", &[("default-namespace", "")]),
        ("host-ipc-privileges", &[("host-namespaces", "hostIPC")]),
        ("ingress-in-default-namespace", &[("default-namespace", "")]),
        ("ingress-no-tls", &[("ingress-without-tls", "")]),
        ("insecure-capabilities", &[("added-capabilities", "")]),
        ("non-root-containers", &[("root-user", "")]),
        ("resources-cpu-requests", &[("no-cpu-request", "")]),
        ("resources-memory-limits", &[("no-memory-limit", "")]),
        ("resources-secret-in-default-namespace", &[("default-namespace", "")]),
        ("role-in-default-namespace", &[("default-namespace", "")]),
        ("rolebinding-in-default-namespace", &[("default-namespace", "")]),
        ("rule-allow-privilege-escalation", &[("escalation", "")]),
        ("rule-identify-old-k8s-registry", &[("retired-registry", "")]),
        ("rule-privileged-container", &[("privileged", ""), ("added-capabilities", "SYS_ADMIN")]),
        ("service-in-default-namespace", &[("default-namespace", "")]),
        ("serviceaccount-in-default-namespace", &[("default-namespace", "")]),
        ("set-hostprocess-true", &[("windowsHostProcess", "")]),
        ("set-seccomp-profile", &[("no-seccomp", "")]),
        ("sudo-in-container-entrypoint", &[("sudo", "")]),
    ];
    /// Which field of a container is named differs: the container is compared.
    const COARSE: &[&str] = &["duplicate-env-var", "non-root-containers"];
    let Some(root) = boltseal_testkit::shared("data/spec-checks/kubescape") else { return };
    let mut outcomes = Vec::new();
    for (rule, ids) in COVERED {
        for case in fs::read_dir(root.join(rule)).unwrap().map(|entry| entry.unwrap().path()) {
            let input = case.join("input");
            let (Ok(text), true) = (fs::read(case.join("expected.json")), input.is_dir()) else { continue };
            let alerts: Vec<Vec<String>> =
                serde_json::from_slice::<Vec<Value>>(&text).unwrap().iter().map(named).collect();
            let hits = found(&opened(&below(&input)), ids);
            let same = |one: &str, other: &str| {
                meets(one, other) || (COARSE.contains(rule) && container(one) == container(other))
            };
            // An alert without a path is about the whole.
            let met = |alert: &Vec<String>| {
                (alert.is_empty() && !hits.is_empty())
                    || alert.iter().any(|path| hits.iter().any(|hit| same(path, &hit.path)))
            };
            let expected = |hit: &Finding| {
                alerts.iter().any(Vec::is_empty) || alerts.iter().flatten().any(|path| same(path, &hit.path))
            };
            let right = alerts.iter().all(met) && hits.iter().all(expected);
            let name = format!("{rule}/{}", case.file_name().unwrap().to_str().unwrap());
            if !right {
                let paths: Vec<&str> = hits.iter().map(|hit| hit.path.as_str()).collect();
                println!("{name}: ours {paths:?}, theirs {alerts:?}");
            }
            outcomes.push((name, right));
        }
    }
    outcomes.sort();
    let known = [
        ("non-root-containers/cronjob-runasuser", GROUP),
        ("non-root-containers/deployment-fail", GROUP),
        ("role-in-default-namespace/role", SILENT),
    ];
    score("kubescape", &outcomes, &known);
}

#[test]
fn kube_linter() {
    const COVERED: &[Covered] = &[
        ("docker-sock", &[("runtime-socket", "")]),
        ("duplicate-env-var", &[("duplicate-variable", "")]),
        ("deprecated-service-account-field", &[("old-account-field", "")]),
        ("env-var-secret", &[("plain-secret", "")]),
        ("exposed-services", &[("exposed-service", "")]),
        ("host-ipc", &[("host-namespaces", "hostIPC")]),
        ("host-pid", &[("host-namespaces", "hostPID")]),
        ("no-liveness-probe", &[("no-liveness-probe", "")]),
        ("privilege-escalation-container", &[("escalation", "allowPrivilegeEscalation")]),
        ("privileged-container", &[("privileged", "")]),
        ("read-secret-from-env-var", &[("secret-in-environment", "")]),
        ("sensitive-host-mounts", &[("host-folder", "")]),
        ("unsafe-proc-mount", &[("unmasked-proc", "")]),
        ("unset-cpu-requirements", &[("no-cpu-request", "")]),
        ("unset-memory-requirements", &[("no-memory-limit", "")]),
    ];
    let Some(root) = boltseal_testkit::shared("data/spec-checks/kube-linter") else { return };
    let mut outcomes = Vec::new();
    for line in fs::read_to_string(root.join("expected.tsv")).unwrap().lines().skip(1) {
        let mut fields = line.split('\t');
        let (file, check, count) =
            (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap_or_default());
        let Some((_, ids)) = COVERED.iter().find(|(rule, _)| *rule == check) else { continue };
        let hits = found(&opened(&[root.join(file)]), ids);
        let right = count.parse() == Ok(hits.len());
        if !right {
            println!(
                "{check}: ours {}, theirs {count}: {:?}",
                hits.len(),
                hits.iter().map(|hit| &hit.path).collect::<Vec<_>>()
            );
        }
        outcomes.push((check.to_owned(), right));
    }
    score("kube-linter", &outcomes, &[]);
}

/// Files that say in their names whether a rule finds something in them.
fn by_name(root: &Path, covered: &[Covered], verdict: fn(&str) -> Option<bool>) -> Vec<(String, bool)> {
    let mut outcomes = Vec::new();
    for (rule, ids) in covered {
        for path in below(&root.join(rule)) {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let Some(bad) = verdict(path.file_name().unwrap().to_str().unwrap()) else { continue };
            let hits = found(&opened(std::slice::from_ref(&path)), ids);
            if hits.is_empty() == bad {
                println!("{file}: ours {:?}", hits.iter().map(|hit| &hit.path).collect::<Vec<_>>());
            }
            outcomes.push((file, hits.is_empty() != bad));
        }
    }
    outcomes
}

#[test]
fn checkov() {
    const COVERED: &[Covered] = &[
        ("example_AllowedCapabilitiesSysAdmin", &[("added-capabilities", "")]),
        ("example_DefaultNamespace", &[("default-namespace", "")]),
        ("example_ReadOnlyFilesystem", &[("writable-root", "")]),
        ("example_RootContainers", &[("root-user", "")]),
        ("example_Seccomp", &[("no-seccomp", "")]),
        ("example_ServiceAccountTokens", &[("mounted-token", "")]),
        ("example_WildcardRoles", &[("wildcard-role", "")]),
        ("example_RbacEscalateRoles", &[("role-escalates", "")]),
    ];
    let Some(root) = boltseal_testkit::shared("data/spec-checks/checkov-kubernetes") else { return };
    let outcomes = by_name(&root, COVERED, |name| {
        let name = name.to_ascii_lowercase();
        match (name.contains("fail"), name.contains("pass")) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    });
    let known = [
        (
            "example_AllowedCapabilitiesSysAdmin/pod-FAILED2.yaml",
            "not a pod: it has no containers, which is a gap",
        ),
        ("example_DefaultNamespace/nginx-statefulset-FAILED.yaml", SILENT),
        (
            "example_RootContainers/rootContainersFAILED-malformed-spec.yaml",
            "not a pod: its spec is a list, which is a gap",
        ),
        ("example_Seccomp/cronjob-seccomp-PASSED.yaml", ANNOTATION),
        ("example_Seccomp/pod-seccomp-PASSED.yaml", ANNOTATION),
        ("example_Seccomp/pod-seccomp-PASSED2.yaml", ANNOTATION),
        ("example_Seccomp/pod-seccomp-PASSED6.yaml", ANNOTATION),
    ];
    score("checkov", &outcomes, &known);
}

#[test]
fn gatekeeper() {
    const COVERED: &[Covered] = &[
        ("general/automount-serviceaccount-token", &[("mounted-token", "")]),
        ("general/block-nodeport-services", &[("exposed-service", "")]),
        ("pod-security-policy/allow-privilege-escalation", &[("escalation", "")]),
        ("pod-security-policy/privileged-containers", &[("privileged", "")]),
        ("pod-security-policy/read-only-root-filesystem", &[("writable-root", "")]),
        ("pod-security-policy/host-probes-lifecycle", &[("hostProbesAndHostLifecycle", "")]),
    ];
    let Some(root) = boltseal_testkit::shared("data/spec-checks/gatekeeper") else { return };
    let outcomes = by_name(&root, COVERED, |name| {
        // Exempt by the parameters of a constraint; and `disallowed` holds `allowed`.
        if name.contains("exempt") || name.contains("safe_prefix") {
            return None;
        }
        match (name.contains("disallowed"), name.contains("allowed")) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    });
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in &outcomes {
        *folders.entry(name.split("/samples").next().unwrap()).or_default() += 1;
    }
    println!("{folders:?}");
    score("gatekeeper", &outcomes, &[]);
}
