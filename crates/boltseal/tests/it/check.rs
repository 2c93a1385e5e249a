//! `boltseal check`: exit codes, formats, and a page that lists every check.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use boltseal_orchestrator::{checks, pss};
use serde_json::Value;

use crate::binary::User;

const GOOD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: c
    image: registry.example.com/app:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
    livenessProbe: {tcpSocket: {port: 80}}
    readinessProbe: {tcpSocket: {port: 80}}
";
const BAD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
  - name: c
    image: registry.example.com/app:1
    securityContext: {privileged: true}
";
/// Whether the pod shares the network of its host cannot be told.
const ODD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  hostNetwork: maybe
  containers: [{name: c, image: registry.example.com/app:1}]
";

#[test]
fn the_exit_code_tells() {
    let user = User::new();
    user.write("good.yaml", GOOD);
    user.write("bad.yaml", BAD);
    user.write("odd.yaml", ODD);
    user.write("chart.yaml", "kind: {{ .Values.kind }\n");
    user.write("values.yaml", "replicas: 3\n");
    user.write("folder/bad.yaml", BAD);
    user.write("folder/values.yaml", "replicas: 3\n");
    user.write("folder/.git/bad.yaml", "not: [yaml");
    for (args, code, parts) in [
        (
            &["good.yaml"][..],
            0,
            &["0 findings", "1 workload in 1 file", "pods held to restricted of v1.37"][..],
        ),
        (
            &["bad.yaml"],
            1,
            &["privileged", "spec.containers[0].securityContext.privileged", "(line 8, Pod shop/web"],
        ),
        (&["bad.yaml", "--level", "privileged", "--fail-on", "critical"], 1, &["privileged"]),
        (
            &["bad.yaml", "--level", "baseline", "--skip", "privileged", "--fail-on", "critical"],
            0,
            &["not shown, as asked"],
        ),
        (&["good.yaml", "--level", "restricted", "--version", "v1.31"], 0, &["restricted of v1.31"]),
        (&["odd.yaml", "--level", "baseline", "--fail-on", "high"], 3, &["cannot be told from the file"]),
        (&["good.yaml", "values.yaml"], 3, &["not read: values.yaml:1: not a definition"]),
        (&["chart.yaml"], 3, &["helm template"]),
        (&["folder"], 1, &["folder/bad.yaml"]),
    ] {
        user.run(&[&["check"], args].concat()).ended(code).said(parts);
    }
    user.feed(&["check", "-"], BAD).ended(1).said(&["standard input"]);
    user.run(&["check", "no.yaml"]).ended(2).complained(&["cannot read no.yaml"]);
    user.run(&["check", "good.yaml", "--skip", "nonsense"])
        .ended(2)
        .complained(&["no check is called `nonsense`"]);
    user.run(&["check", "good.yaml", "--version", "2"]).ended(2).complained(&["`v1.31` or `latest`"]);
    user.write("empty/values.json", "{}");
    user.run(&["check", "empty"]).ended(3).complained(&["no definitions"]);
}

#[test]
fn dockerfiles() {
    let user = User::new();
    user.write("build/web.Dockerfile", "FROM debian\nRUN curl -sL https://x | sh\nADD a /b\n");
    user.write("build/notes.txt", "FROM debian\n");
    user.write(
        "good/Dockerfile",
        "FROM debian:12@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nUSER 1\n",
    );
    user.write("bad/Containerfile", "FROM a\nHELLO\n");
    let ran = user.run(&["check", "build"]).ended(1);
    ran.said(&[
        "build/web.Dockerfile",
        "build-pipe-to-shell",
        "(line 2, Dockerfile)",
        "build-root",
        "fix: name a version",
    ]);
    user.run(&["check", "good/Dockerfile"]).ended(0).said(&["build-no-healthcheck", "in 1 file"]);
    user.run(&["check", "bad"]).ended(3).said(&["not read: bad/Containerfile:2: `HELLO` is no instruction"]);
    user.run(&["check", "build", "--fix"]).ended(1).said(&["-ADD a /b", "+COPY a /b"]);
    user.run(&["check", "build", "--skip", "build-pipe-to-shell", "--fail-on", "high"]).ended(0);
}

/// A patch that the real `patch` takes, after which less is wrong.
#[test]
fn what_can_be_mended() {
    let user = User::new();
    user.write("bad.yaml", BAD);
    let ran = user.run(&["check", "bad.yaml", "--fix"]).ended(1);
    let ran = ran.said(&["--- bad.yaml", "+  automountServiceAccountToken: false"]);
    let ran = ran.complained(&["1 place changed, for ", "check again"]);
    let Some(patch) = which("patch") else { return println!("skipped: no patch") };
    user.write("mend.patch", &ran.out);
    let status = std::process::Command::new(patch)
        .args(["-p0", "-i", "mend.patch"])
        .current_dir(user.home())
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let after = user.run(&["check", "bad.yaml", "--format", "json"]).ended(1).json();
    assert!(after["findings"].as_array().unwrap().iter().all(|one| one["id"] != "mounted-token"), "{after}");
    user.run(&["check", "bad.yaml", "--fix", "--format", "json"]).ended(2).complained(&["--format"]);
}

fn which(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[test]
fn formats_for_programs() {
    let user = User::new();
    user.write("bad.yaml", BAD);
    user.write("odd.yaml", ODD);
    user.write(
        "group.json",
        r#"{"type": "Microsoft.ContainerInstance/containerGroups", "name": "g",
        "properties": {"osType": "Linux", "containers": [{"name": "c", "properties": {"image": "nginx"}}]}}"#,
    );
    let files = ["check", "bad.yaml", "odd.yaml", "group.json"];
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/check.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let json = user.run(&[&files[..], &["--format", "json"]].concat()).ended(1).json();
    let wrong: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(json["baseline"].as_array().unwrap().len(), 35);
    let first = &json["findings"][0];
    assert_eq!((first["file"].as_str(), first["line"].as_u64()), (Some("bad.yaml"), Some(5)));

    let sarif = user.run(&[&files[..], &["--format", "sarif"]].concat()).ended(1).json();
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap() > 0);
        assert_eq!(result["partialFingerprints"]["definition/v1"].as_str().unwrap().len(), 64);
    }
    user.run(&[&files[..], &["--format", "junit"]].concat()).ended(1).said(&[
        "<testsuite name=\"bad.yaml\"",
        "<failure type=\"critical\"",
        "<error type=\"high\"",
    ]);
}

/// The page lists every check; with `BOLTSEAL_BLESS=1` this test writes the lists.
#[test]
fn the_page_lists_every_check() {
    const START: &str = "<!-- lists: written by the tests -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/check.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once(START).unwrap();
    let wanted = format!("{before}{START}{}", lists());
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == wanted,
        "docs/guide/check.md is not current: run with BOLTSEAL_BLESS=1"
    );
}

fn lists() -> String {
    let mut out = String::from(
        "\n## Pod Security Standards\n\n| id | level | since | severity | what it demands |\n|---|---|---|---|---|\n",
    );
    for control in pss::ALL {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} |",
            control.id, control.level, control.since, control.severity, control.title
        );
    }
    out.push_str("\n## Checks\n\n| id | severity | what it finds | sources |\n|---|---|---|---|\n");
    let mut ids = BTreeSet::new();
    for check in checks::ALL {
        assert!(ids.insert(check.id), "two checks are called {}", check.id);
        assert!(!check.title.is_empty() && !check.why.is_empty() && !check.fix.is_empty(), "{}", check.id);
        assert!(!check.why.ends_with(' ') && check.why.ends_with('.'), "{}", check.id);
        assert!(check.standard.is_none_or(|id| pss::by_id(id).is_some()), "{}", check.id);
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            check.id,
            check.severity,
            check.title,
            check.sources.join(", ")
        );
    }
    out
}
