//! Admission policies that are objects: what they are about, what they say, and what cannot be told; by samples of Kubernetes
//! and of Kyverno, whose expected results are held against policies that were written for these tests.

use std::{collections::BTreeSet, fs, path::Path};

use boltseal_orchestrator::{
    checks::Finding,
    read::{Read, read},
    validating::judge,
};
use serde_json::Value;

const POLICIES: &str = include_str!("../data/policies.yaml");

/// Where our answer differs from what Kyverno expects, and why.
const KNOWN: &[(&str, &str)] = &[];

fn policies() -> Read {
    read("policies.yaml", POLICIES.as_bytes()).unwrap()
}

fn named(finding: &Finding) -> (&str, &str) {
    let rest = finding.found.strip_prefix("policy ").unwrap();
    rest.split_once(": ").unwrap()
}

/// Names of policies that refuse what is in `text`.
fn refusing(text: &[u8]) -> BTreeSet<String> {
    let judged = judge(&read("pod.yaml", text).unwrap(), &policies());
    assert_eq!(judged.gaps, []);
    assert!(judged.findings.iter().all(|finding| finding.sure), "{:?}", judged.findings);
    judged.findings.iter().map(|finding| named(finding).0.to_owned()).collect()
}

#[test]
fn the_baseline_as_expressions_fires_where_kubernetes_says() {
    const SAME: &[(&str, &str)] = &[
        ("capabilities_baseline", "disallow-capabilities"),
        ("hostnamespaces", "disallow-host-namespaces"),
        ("hostpathvolumes", "disallow-host-path"),
        ("hostports", "disallow-host-ports"),
        ("privileged", "disallow-privileged"),
        ("procmount", "disallow-proc-mount"),
        ("seccompprofile_baseline", "restrict-seccomp"),
        ("sysctls", "restrict-sysctls"),
        ("windowshostprocess", "disallow-host-process"),
    ];
    let Some(root) = boltseal_testkit::shared("data/pss/testdata/baseline/v1.37") else { return };
    let (mut right, mut wrong) = (0, Vec::new());
    for passes in [true, false] {
        for entry in fs::read_dir(root.join(if passes { "pass" } else { "fail" })).unwrap() {
            let path = entry.unwrap().path();
            let stem = path
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .trim_end_matches(|sign: char| sign.is_ascii_digit());
            let expected = SAME.iter().find(|(control, _)| *control == stem).map(|(_, policy)| *policy);
            if expected.is_none() && !passes {
                continue;
            }
            let fired = refusing(&fs::read(&path).unwrap());
            let fired: BTreeSet<&str> = fired
                .iter()
                .map(String::as_str)
                .filter(|name| SAME.iter().any(|(_, own)| own == name))
                .collect();
            let wanted: BTreeSet<&str> = expected.into_iter().filter(|_| !passes).collect();
            if fired == wanted {
                right += 1;
            } else {
                wrong.push(format!("{}: {fired:?}, wanted {wanted:?}", path.display()));
            }
        }
    }
    println!("{right} of {} fixtures of Kubernetes right, by expressions", right + wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right >= 20, "{right}");
}

/// Which resources a test of Kyverno expects to pass or to fail.
fn expected(folder: &Path) -> Vec<(String, String, String, bool)> {
    let text = fs::read(folder.join("kyverno-test.yaml")).unwrap();
    let documents = boltseal_orchestrator::document::read(&text).unwrap();
    let top = boltseal_orchestrator::document::At::top(documents.first().unwrap());
    let mut all = Vec::new();
    for result in top.get("results").items() {
        let word = |key: &str| result.get(key).word().unwrap_or_default().to_owned();
        for name in result.get("resources").items() {
            let name = name.word().unwrap().rsplit('/').next().unwrap().to_owned();
            all.push((word("policy"), word("kind"), name, word("result") == "fail"));
        }
    }
    all
}

#[test]
fn kyvernos_samples() {
    let Some(root) = boltseal_testkit::shared("data/spec-checks/kyverno") else { return };
    let (mut right, mut all) = (0, 0);
    for name in [
        "pod-security-vpol/baseline/disallow-capabilities",
        "pod-security-vpol/baseline/disallow-host-namespaces",
        "pod-security-vpol/baseline/disallow-host-path",
        "pod-security-vpol/baseline/restrict-seccomp",
        "pod-security-vpol/restricted/disallow-capabilities-strict",
        "pod-security-vpol/restricted/restrict-volume-types",
        "best-practices-vpol/disallow-default-namespace",
        "best-practices-vpol/require-labels",
    ] {
        let folder = root.join(name).join(".kyverno-test");
        let resources = read("resource.yaml", &fs::read(folder.join("resource.yaml")).unwrap()).unwrap();
        let judged = judge(&resources, &policies());
        for (policy, kind, resource, fails) in expected(&folder) {
            let hit = judged.findings.iter().any(|finding| {
                let subject = finding.subject.strip_prefix(&format!("{kind} ")).unwrap_or_default();
                named(finding).0 == policy && subject.rsplit('/').next() == Some(&resource)
            });
            let key = format!("{policy} {kind} {resource}");
            let known = KNOWN.iter().any(|(known, _)| *known == key);
            assert!(hit == fails || known, "{key}: {hit}, Kyverno expects {fails}");
            assert!(hit != fails || !known, "{key} is right by now: take it off the list");
            all += 1;
            right += usize::from(hit == fails);
        }
    }
    println!("{right} of {all} samples of Kyverno as expected");
    assert!(all > 150, "{all}");
}

#[test]
fn what_an_api_server_sends_is_judged_like_a_file() {
    let Some(root) = boltseal_testkit::shared("data/admission/reviews") else { return };
    let mut judged = 0;
    for entry in fs::read_dir(root).unwrap() {
        let review: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let object = &review["request"]["object"];
        if object["kind"] == "Pod" {
            refusing(object.to_string().as_bytes());
            judged += 1;
        }
    }
    assert!(judged >= 3, "{judged}");
}

/// Where the deployment of the shop stands.
const WEB: &str = "line 5 Deployment shop/web";
const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {env: prod}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 7
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, ports: [{hostPort: 80}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: limits, namespace: shop}
data: {replicas: '5'}
";

/// A policy on deployments with these lines in its specification.
fn policy(lines: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: p}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}}]
  {}
",
        lines.replace('\n', "\n  ")
    )
}

/// What is said about the shop: `sure` or not, and in which words.
fn told(policies: &str, files: &str) -> Vec<String> {
    let judged =
        judge(&read("shop.yaml", files.as_bytes()).unwrap(), &read("p.yaml", policies.as_bytes()).unwrap());
    let findings = judged.findings.iter().map(|finding| {
        let sure = if finding.sure { "sure" } else { "unsure" };
        format!(
            "{} {} line {} {}: {}",
            finding.severity,
            sure,
            finding.line,
            finding.subject,
            named(finding).1
        )
    });
    findings.chain(judged.gaps.iter().map(|gap| format!("gap line {}: {}", gap.line, gap.why))).collect()
}

#[test]
fn policies_say_what_an_api_server_would_say() {
    for (lines, expected) in [
        ("validations: [{expression: object.spec.replicas <= 7}]", None),
        (
            "validations: [{expression: object.spec.replicas <= 5, message: too many}]",
            Some(format!("high sure {WEB}: too many")),
        ),
        (
            "validations: [{expression: object.spec.replicas <= 5}]",
            Some(format!("high sure {WEB}: failed: object.spec.replicas <= 5")),
        ),
        (
            "validations: [{expression: object.spec.replicas <= 5, messageExpression: \"'has ' + string(object.spec.replicas)\"}]",
            Some(format!("high sure {WEB}: has 7")),
        ),
        (
            "validations: [{expression: object.spec.paused}]",
            Some(format!("high sure {WEB}: line 1, column 13: no such key: paused")),
        ),
        ("failurePolicy: Ignore\nvalidations: [{expression: object.spec.paused}]", None),
        (
            "matchConditions: [{name: big, expression: object.spec.replicas > 9}]\nvalidations: [{expression: 'false'}]",
            None,
        ),
        (
            "matchConditions: [{name: big, expression: object.spec.replicas > 6}]\nvalidations: [{expression: 'false', message: big}]",
            Some(format!("high sure {WEB}: big")),
        ),
        ("validations: [{expression: oldObject == null && request.operation == 'CREATE'}]", None),
        ("validations: [{expression: request.resource.resource == 'deployments'}]", None),
        ("validations: [{expression: namespaceObject.metadata.labels.env == 'prod'}]", None),
        (
            "validations: [{expression: request.userInfo.username != 'x'}]",
            Some(format!("high unsure {WEB}: it looks at who asks, which no file tells")),
        ),
        (
            "variables: [{name: n, expression: object.spec.replicas}]\nvalidations: [{expression: variables.n == 1, message: n}]",
            Some(format!("high sure {WEB}: n")),
        ),
        (
            "validations: [{expression: 'object.spec.replicas.all(x, x)'}, {expression: 'true'}]",
            Some(format!("high sure {WEB}: line 1, column 22: int has no elements to go through")),
        ),
    ] {
        assert_eq!(told(&policy(lines), SHOP), expected.into_iter().collect::<Vec<_>>(), "{lines}");
    }
}

#[test]
fn what_is_no_policy_is_said_with_its_place() {
    for (lines, expected) in [
        (
            "validations: [{expression: objekt.spec}]",
            "gap line 7: ValidatingAdmissionPolicy p: spec.validations[0].expression: line 1, column 1: there is no `objekt` \
             here; there is object, oldObject, request, params, namespaceObject\n  objekt.spec\n  ^",
        ),
        (
            "validations: []",
            "gap line 7: ValidatingAdmissionPolicy p: spec.validations: there are none, so it says nothing",
        ),
        (
            "validations: [{expression: authorizer.group('').resource('pods').check('create').allowed()}]",
            "gap line 7: ValidatingAdmissionPolicy p: spec.validations[0].expression: line 1, column 1: `authorizer` asks the \
             cluster who may do what: that cannot be told here\n  \
             authorizer.group('').resource('pods').check('create').allowed()\n  ^",
        ),
    ] {
        assert_eq!(told(&policy(lines), SHOP), [expected], "{lines}");
    }
    assert_eq!(told(SHOP, SHOP), ["gap line 1: no ValidatingAdmissionPolicy and no ValidatingPolicy in it"]);
}

#[test]
fn bindings_say_for_what_and_with_which_parameters() {
    let binding = |lines: &str| {
        format!(
            "---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: b}}
spec:
  policyName: p
  {}
",
            lines.replace('\n', "\n  ")
        )
    };
    let limited = policy(
        "paramKind: {apiVersion: v1, kind: ConfigMap}\nvalidations: [{expression: object.spec.replicas <= int(params.data.replicas), message: many}]",
    );
    let never = policy("validations: [{expression: 'false', message: no}]");
    for (policy, lines, expected) in [
        (&never, "validationActions: [Warn]", vec![format!("low sure {WEB}: no")]),
        (&never, "validationActions: [Audit, Warn]", vec![format!("medium sure {WEB}: no")]),
        (&never, "validationActions: [Deny]", vec![format!("high sure {WEB}: no")]),
        (&never, "matchResources: {namespaceSelector: {matchLabels: {env: test}}}", vec![]),
        (
            &never,
            "matchResources: {namespaceSelector: {matchExpressions: [{key: env, operator: In, values: [prod]}]}}",
            vec![format!("high sure {WEB}: no")],
        ),
        (&never, "matchResources: {objectSelector: {matchLabels: {app: db}}}", vec![]),
        (
            &never,
            "matchResources: {excludeResourceRules: [{apiGroups: ['*'], resources: ['*'], operations: ['*']}]}",
            vec![],
        ),
        (
            &limited,
            "paramRef: {name: limits, parameterNotFoundAction: Deny}",
            vec![format!("high sure {WEB}: many")],
        ),
        (
            &limited,
            "paramRef: {name: other, parameterNotFoundAction: Deny}",
            vec![format!("high unsure {WEB}: ConfigMap other for its parameters is not in the files")],
        ),
        (&limited, "paramRef: {name: other, parameterNotFoundAction: Allow}", vec![]),
    ] {
        assert_eq!(told(&format!("{policy}{}", binding(lines)), SHOP), expected, "{lines}");
    }
    // Among the definitions themselves a policy without a binding does nothing, like in a cluster.
    let among = |more: &str| {
        let files = format!("{SHOP}---\n{never}{more}");
        judge(&read("all.yaml", files.as_bytes()).unwrap(), &Read::default()).findings.len()
    };
    assert_eq!((among(""), among(&binding("validationActions: [Deny]"))), (0, 1));
}

#[test]
fn the_pods_of_a_controller_are_asked_about_where_its_template_stands() {
    let judged = judge(&read("shop.yaml", SHOP.as_bytes()).unwrap(), &policies());
    let ports = judged.findings.iter().find(|finding| named(finding).0 == "disallow-host-ports").unwrap();
    assert_eq!((ports.line, ports.path.as_str()), (11, "spec.template"));
    assert_eq!(ports.subject, "Deployment shop/web");
}

#[test]
fn a_namespace_that_is_not_in_the_files_is_unknown() {
    let alone = SHOP.split_once("---\n").unwrap().1;
    let by_label =
        policy("validations: [{expression: \"has(namespaceObject.metadata.labels.env)\", message: m}]");
    assert_eq!(
        told(&by_label, alone),
        ["high unsure line 1 Deployment shop/web: it looks at the namespace shop, which is not in the files"]
    );
    let by_name = policy("validations: [{expression: namespaceObject.metadata.name == 'prod', message: m}]");
    assert_eq!(told(&by_name, alone), ["high sure line 1 Deployment shop/web: m"]);
}
