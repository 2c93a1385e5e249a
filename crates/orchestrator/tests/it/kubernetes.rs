//! Manifests and lists of a real API server.

use std::fs;

use boltseal_orchestrator::{
    leaf::Leaf,
    read::{Error, read},
    workload::{EnvKind, Role},
};

#[test]
fn every_kind_that_runs_pods() {
    let Some(file) = boltseal_testkit::shared("data/admission/workloads.yaml") else { return };
    let read = read("workloads.yaml", &fs::read(file).unwrap()).unwrap();
    let titles: Vec<String> = read.workloads.iter().map(boltseal_orchestrator::Workload::title).collect();
    let wanted = [
        "Pod shop/plain",
        "Pod shop/restricted",
        "Pod shop/gen-",
        "Deployment shop/web",
        "StatefulSet shop/db",
        "DaemonSet shop/agent",
        "Job shop/j",
        "CronJob shop/cj",
        "Pod shop/bad",
    ];
    assert_eq!(titles, wanted);
    assert_eq!(read.objects.len(), 10, "the service too");
    let restricted = &read.workloads[1];
    assert_eq!(restricted.containers[0].role, Role::Init);
    assert!(restricted.identity.automount.is_off());
    assert!(restricted.security.non_root.is_on());
    let web = &read.workloads[3];
    assert_eq!(web.replicas.known(), Some(&2));
    let added = web.containers[0].security.add.known().unwrap();
    assert_eq!(added[0].value.known().unwrap(), "NET_ADMIN");
    assert_eq!(added[0].place.path, "spec.template.spec.containers[0].securityContext.capabilities.add[0]");
    assert!(matches!(web.containers[0].env[0].kind, EnvKind::SecretReference(_)));
    let cron = &read.workloads[7];
    assert_eq!(cron.source.path, "spec.jobTemplate.spec.template.spec");
}

#[test]
fn lists_of_an_api_server() {
    let Some(file) = boltseal_testkit::shared("data/admission/namespace-shop-list.json") else { return };
    let read = read("list.json", &fs::read(file).unwrap()).unwrap();
    assert!(read.workloads.len() >= 8, "{}", read.workloads.len());
    assert!(read.workloads.iter().all(|one| one.source.line > 1));
    assert!(read.objects.iter().all(|one| !one.kind.is_empty()));
}

#[test]
fn what_stands_where() {
    // Aliases, merges, lists that say once what their items are, custom resources, and templates that are not rendered.
    let text = "\
apiVersion: v1
kind: PodList
items:
- metadata: {name: a}
  spec:
    containers:
    - &base {name: one, image: i, securityContext: &sec {privileged: on}}
    - <<: *base
      name: two
---
apiVersion: example.com/v1
kind: Cluster
metadata: {name: c}
spec:
  head:
    template:
      spec: {containers: [{name: h, image: i}], hostPID: true}
  workers:
  - template:
      metadata: {labels: {a: b}}
      spec: {containers: [{name: w, image: i}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: none}
---
";
    let read = read("x.yaml", text.as_bytes()).unwrap();
    assert_eq!(read.workloads.len(), 3);
    let pod = &read.workloads[0];
    assert_eq!(pod.title(), "Pod a");
    assert_eq!(pod.containers[1].name, "two");
    assert!(pod.containers[1].security.privileged.is_on());
    assert_eq!(pod.containers[1].security.privileged.place().line, 7);
    assert_eq!(read.workloads[1].source.path, "spec.head.template.spec");
    assert!(read.workloads[1].isolation.host_pid.is_on());
    assert_eq!(read.workloads[2].source.path, "spec.workers[0].template.spec");
    assert!(matches!(read.workloads[2].isolation.host_pid, Leaf::Unset(_)));
}

#[test]
fn what_is_refused() {
    let deep = "[".repeat(300);
    let mut bomb = String::from("a: &b0 [x]\n");
    for n in 1..25 {
        let before = (n - 1).to_string();
        bomb.extend(["k", &n.to_string(), ": &b", &n.to_string(), " [*b", &before, ", *b", &before, "]\n"]);
    }
    let cases: &[(&[u8], &str)] = &[
        (b"a: [1", "line "),
        (b"{\"a\":\n \"b}", "line 2: a text that never ends"),
        (b"\xff\xfe", "not UTF-8 from byte 0"),
        (deep.as_bytes(), "levels"),
        (bomb.as_bytes(), "more than 1000000 values"),
        (b"apiVersion: v1\nkind: {{ .Values.kind }}\n", "nothing in it is a definition"),
        (b"", "nothing in it is a definition"),
    ];
    for (bytes, wanted) in cases {
        let error: Error = read("x", bytes).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}, wanted {wanted}");
    }
}
