//! Mends: what is mended is gone when it is checked again, and nothing else has come.

use boltseal_orchestrator::{
    checks::{self, Finding, Options},
    fix,
    pss::{Level, Version},
    read,
};

use crate::files;

fn found(text: &str) -> Vec<Finding> {
    let read = read("x.yaml", text.as_bytes()).unwrap();
    checks::run(&read, Options { level: Level::Restricted, version: Version::LATEST })
}

const DEPLOYMENT: &str = "\
# What we run.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      hostNetwork: true   # for speed
      containers:
      - name: web
        image: nginx:1
        command:
        - sleep
        - |
          forever
      # the other one
      - image: nginx:2
        name: side
        securityContext:
          privileged: true
          capabilities:
            add: [CHOWN]
---
apiVersion: v1
kind: Pod
metadata: {name: small}
spec:
  containers: [{name: c, image: i}]
";

#[test]
fn a_deployment_is_mended() {
    let edits = fix::edits(DEPLOYMENT, &found(DEPLOYMENT));
    let mended = fix::applied(DEPLOYMENT, &edits);
    let wanted = "\
# What we run.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      hostNetwork: false   # for speed
      containers:
      - name: web
        image: nginx:1
        command:
        - sleep
        - |
          forever
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop: [ALL]
          readOnlyRootFilesystem: true
          runAsNonRoot: true
          seccompProfile:
            type: RuntimeDefault
      # the other one
      - image: nginx:2
        name: side
        securityContext:
          privileged: false
          capabilities:
            add: [CHOWN]
            drop: [ALL]
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          runAsNonRoot: true
          seccompProfile:
            type: RuntimeDefault
      automountServiceAccountToken: false
---
apiVersion: v1
kind: Pod
metadata: {name: small}
spec:
  containers: [{name: c, image: i}]
  automountServiceAccountToken: false
";
    assert_eq!(mended, wanted);
    let diff = fix::diff("x.yaml", DEPLOYMENT, &edits);
    assert!(diff.starts_with("--- x.yaml\n+++ x.yaml\n@@ -6,"), "{diff}");
    assert!(
        diff.contains("-      hostNetwork: true   # for speed\n+      hostNetwork: false   # for speed\n"),
        "{diff}"
    );
}

/// Every failing fixture of Kubernetes: still a document, nothing new is wrong, and mending again changes nothing.
#[test]
fn mending_does_no_harm() {
    let Some(root) = boltseal_testkit::shared("data/pss/testdata/restricted/v1.37/fail") else { return };
    let mut mended = 0;
    for (name, bytes) in files(&root) {
        let text = String::from_utf8(bytes).unwrap();
        let before = found(&text);
        let edits = fix::edits(&text, &before);
        let after = fix::applied(&text, &edits);
        let left = found(&after);
        let known = |one: &Finding| before.iter().any(|other| other.id == one.id && other.found == one.found);
        let new: Vec<&Finding> = left.iter().filter(|one| !known(one)).collect();
        assert!(new.is_empty(), "{name}: {new:?}\n{after}");
        assert!(left.len() < before.len(), "{name}: nothing is mended");
        assert!(fix::edits(&after, &left).is_empty(), "{name}:\n{after}");
        mended += before.len() - left.len();
    }
    println!("{mended} findings mended");
}
