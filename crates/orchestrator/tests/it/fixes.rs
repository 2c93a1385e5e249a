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

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  containers:
  - name: a
    image: registry.example.com/b:1
    securityContext:
      privileged: true # keep";

/// What people write in other editors: the patch must be one that `patch` takes, and nothing else may change.
#[test]
fn ends_of_lines_and_names_stay() {
    let windows = format!("{POD}\n").replace('\n', "\r\n");
    for (name, text) in [("no end", POD.to_owned()), ("windows", windows.clone())] {
        let edits = fix::edits(&text, &found(&text));
        let after = fix::applied(&text, &edits);
        let (end, whole) = if name == "windows" { ("\r\n", &windows) } else { ("\n", &text) };
        assert!(after.contains(&format!("      privileged: false # keep{end}      allow")), "{after:?}");
        assert_eq!(
            after.matches('\r').count() == after.matches('\n').count(),
            name == "windows",
            "{after:?}"
        );
        let diff = fix::diff("x.yaml", &text, &edits);
        let old: String = diff.lines().filter_map(|line| line.strip_prefix('-')).skip(1).collect();
        assert!(whole.contains(old.trim_end()), "{diff}");
        assert_eq!(diff.contains("\\ No newline at end of file\n+"), name == "no end", "{diff}");
    }
    let text = format!("{POD}\n");
    let edits = fix::edits(&text, &found(&text));
    for (name, head) in [
        ("my file.yaml", "--- my file.yaml\t\n+++ my file.yaml\t\n"),
        ("a\n--- /etc/passwd", "--- \"a\\012--- /etc/passwd\"\n+++ \"a\\012--- /etc/passwd\"\n"),
        ("\"", "--- \"\\\"\"\n"),
    ] {
        assert!(fix::diff(name, &text, &edits).starts_with(head), "{}", fix::diff(name, &text, &edits));
    }
}

/// In a list the object is mended and not the list; a key without a value is not written twice.
#[test]
fn objects_of_lists_and_keys_without_values() {
    let item = POD.replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n- {item}\n");
    let after = fix::applied(&list, &fix::edits(&list, &found(&list)));
    assert_eq!(after.matches("privileged: false").count(), 2, "{after}");
    assert_eq!(after.matches("\n    automountServiceAccountToken: false").count(), 2, "{after}");
    assert!(!after.contains("\nspec:"), "{after}");
    assert!(found(&after).iter().all(|one| one.id != "privileged"), "{after}");

    let empty = POD.replace("securityContext:\n      privileged: true # keep", "securityContext: # later\n");
    let after = fix::applied(&empty, &fix::edits(&empty, &found(&empty)));
    assert_eq!(after.matches("securityContext:").count(), 1, "{after}");
    assert!(after.contains("automountServiceAccountToken: false"), "{after}");
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
