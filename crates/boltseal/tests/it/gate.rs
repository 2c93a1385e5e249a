//! The gate in CI: only what is new, what is ignored, grace, and documents beside the answer.

use boltseal_testkit::image::{Built, Image, Layer};
use serde_json::Value;

use crate::{
    binary::User,
    fixtures::{EXPLOITED, NOW, alpine, current_feeds, layout, user_with_feeds},
};

/// Refuses anything that can be fixed, exploited things first.
const STRICT: &str = "version: 1\nname: strict\nrules:\n  - name: fixable\n    effect: deny\n    \
    vulnerabilities: { fixable: true }\n  - name: secrets\n    effect: deny\n    secrets: { confidence: medium }\n  \
    - name: complete\n    effect: warn\n    coverage: {}\n";

/// The old busybox, with a key besides.
fn with_secret() -> Built {
    let installed =
        "C:Q1abc=\nP:busybox\nV:1.36.1-r0\nA:x86_64\nS:1\nI:1\nT:made for a test\nL:MIT\no:busybox\n\n";
    let layer = Layer::new()
        .dir("etc")
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.23.0\n")
        .file("lib/apk/db/installed", installed)
        .file("app/.env", "DB_PASSWORD=xK9mQ2vL8pR4tY7w\n");
    Image::new().layer(layer).build()
}

struct Gate {
    user: User,
    policy: String,
}

impl Gate {
    fn new() -> Self {
        let user = user_with_feeds();
        let policy = user.write("strict.yaml", STRICT);
        layout(&user, "old", &alpine("1.36.1-r0"));
        layout(&user, "new", &alpine("1.36.1-r1"));
        layout(&user, "secret", &with_secret());
        Self { user, policy }
    }

    fn run(&self, target: &str, args: &[&str]) -> crate::binary::Ran {
        self.user.run(&[&["gate", target, "--policy", &self.policy, "--at", NOW], args].concat())
    }
}

#[test]
fn only_what_is_new_decides() {
    let gate = Gate::new();
    gate.run("oci:old", &[]).ended(1);
    // The same, and one vulnerability less.
    let ran = gate.run("oci:new", &["--only-new", "--against", "oci:old"]).ended(0);
    ran.said(&["ALLOW", "only what is new: ", "known from oci:old"]);
    // One more than before.
    gate.run("oci:old", &["--only-new", "--against", "oci:new"]).ended(1).said(&["DENY", "CVE-2023-42363"]);
    let ran = gate.run("oci:secret", &["--only-new", "--against", "oci:old"]).ended(1);
    ran.said(&["DENY", "app/.env"]);
    gate.run("oci:secret", &["--only-new", "--against", "oci:secret"]).ended(0);

    let json =
        gate.run("oci:old", &["--only-new", "--against", "oci:new", "--format", "json"]).ended(1).json();
    assert_eq!(json["omitted"]["baseline"]["findings"], 1);
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_report_is_a_baseline() {
    let gate = Gate::new();
    gate.run("oci:old", &["--format", "json", "--output", "old.json"]).ended(1);
    gate.run("oci:old", &["--only-new", "--against", "old.json"]).ended(0).said(&["known from old.json"]);
    // A list that is short by request makes a poor baseline, and that is said.
    gate.run(
        "oci:old",
        &["--only-new", "--against", "old.json", "--format", "json", "--output", "none.json"],
    )
    .ended(0);
    let ran = gate.run("oci:old", &["--only-new", "--against", "none.json"]).ended(1);
    ran.complained(&["the baseline none.json", "leaves out"]);

    gate.user.write("other.json", "{\"schemaVersion\": 2}");
    let ran = gate.run("oci:old", &["--only-new", "--against", "other.json"]).ended(2);
    ran.complained(&["other.json is JSON, but no report", "--format json"]);
    gate.run("oci:old", &["--only-new", "--against", "oci:none"]).ended(3).complained(&["none"]);
}

#[test]
fn what_is_ignored_does_not_decide_and_is_listed() {
    let gate = Gate::new();
    let plain = gate.user.write(".trivyignore", format!("{EXPLOITED} exp:2026-12-31\nCVE-2023-42363\n"));
    let ran = gate.run("oci:old", &["--ignore-file", &plain]).ended(0);
    ran.said(&["ALLOW", "2 ignored", "until 2026-12-30", "no reason given"]);
    let over = gate.user.write("over", format!("{EXPLOITED} exp:2026-11-01\nCVE-2023-42363\n"));
    gate.run("oci:old", &["--ignore-file", &over])
        .ended(1)
        .complained(&["over: CVE-2023-42366 is not ignored"]);

    let yaml =
        format!("vulnerabilities:\n- id: {EXPLOITED}\n  statement: not reachable\nsecrets:\n- id: x\n");
    let yaml = gate.user.write(".trivyignore.yaml", yaml);
    let grype =
        "ignore:\n- vulnerability: CVE-2023-42363\n  package: { type: apk, name: busybox }\n  reason: seen\n";
    let grype = gate.user.write(".grype.yaml", grype);
    let args = ["--ignore-file", &yaml, "--ignore-file", &grype, "--format", "json"];
    let ran = gate.run("oci:old", &args).ended(0);
    let ignored = ran.json()["omitted"]["ignored"].as_array().unwrap().clone();
    let reasons: Vec<&str> = ignored.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["not reachable", "seen"]);
    ran.complained(&["1 of `secrets`"]);
    let wrong = gate.user.write("wrong.yaml", "ignore:\n- fix-state: maybe\n");
    gate.run("oci:old", &["--ignore-file", &wrong]).ended(2).complained(&["wrong.yaml", "`maybe`"]);
    // A scan asks a policy in the same way.
    let args = ["scan", "oci:old", "--policy", &gate.policy, "--at", NOW, "--ignore-file", &plain];
    gate.user.run(&args).ended(0).said(&["ALLOW"]);
}

#[test]
fn days_of_grace_may_be_given_at_the_gate() {
    let gate = Gate::new();
    // The made feed says no day, and what has no day has no grace.
    let ran = gate.run("oci:old", &["--grace-days", "30"]).ended(1);
    ran.said(&["policy strict, 30 days of grace", "no grace is given"]);
    let kev = "version: 1\nname: kev\nrules:\n  - name: kev\n    effect: deny\n    vulnerabilities: { kev: true }\n  \
        - name: rest\n    effect: warn\n    coverage: {}\n";
    let kev = gate.user.write("kev.yaml", kev);
    let args = ["gate", "oci:old", "--policy", &kev, "--at", NOW, "--grace-days", "30"];
    gate.user.run(&args).ended(1).complained(&["--grace-days changes nothing"]);
}

#[test]
fn one_run_writes_several_documents() {
    let gate = Gate::new();
    let args = [
        "--also",
        "sarif=app.sarif",
        "--also",
        "junit=app.xml",
        "--also",
        "github=-",
        "--also",
        "table=app.txt",
        "--summary",
        "app.md",
    ];
    let ran = gate.run("oci:old", &args).ended(1);
    ran.said(&["DENY", "::error title=deny%3A fixable::"]);
    let read = |name: &str| std::fs::read_to_string(gate.user.home().join(name)).unwrap();
    let sarif: Value = serde_json::from_str(&read("app.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(read("app.xml").contains("<failure type=\"deny\""));
    assert!(read("app.txt").contains("DENY") && read("app.md").starts_with("## Boltseal: denied\n"));
    gate.run("oci:old", &["--also", "json=no/such/folder"]).ended(4).complained(&["no/such/folder"]);
}

#[test]
fn the_summary_of_a_step_is_added_to() {
    let gate = Gate::new();
    let page = gate.user.write("page.md", "before\n");
    let mut command =
        gate.user.command(&["gate", "oci:old", "--policy", &gate.policy, "--at", NOW, "--quiet"]);
    assert_eq!(command.env("GITHUB_STEP_SUMMARY", &page).output().unwrap().status.code(), Some(1));
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("before\n## Boltseal: denied\n"), "{text}");
    // A page that cannot be written changes no answer.
    let folder = gate.user.home().display().to_string();
    let mut command = gate.user.command(&["gate", "oci:old", "--policy", &gate.policy, "--at", NOW]);
    let output = command.env("GITHUB_STEP_SUMMARY", folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write the summary"));
}

#[test]
fn without_feeds_a_baseline_proves_nothing() {
    let user = User::new();
    layout(&user, "old", &alpine("1.36.1-r0"));
    let ran = user.run(&["gate", "oci:old", "--only-new", "--against", "oci:old"]).ended(3);
    ran.said(&["UNKNOWN"]).complained(&["no vulnerability data"]);
    current_feeds(&user);
    let ran = user.run(&["gate", "oci:old"]);
    assert_ne!(ran.code, 0, "{}", ran.out);
}

#[test]
fn a_base_is_told_by_its_layers() {
    let user = User::new();
    let below = || Image::new().layer(Layer::new().file("etc/os-release", "ID=test\n"));
    let (base, other) = (below().build(), Image::new().layer(Layer::new().file("etc/motd", "hi\n")).build());
    let image = layout(&user, "image", &below().layer(Layer::new().file("app", "1")).build());
    let (below, beside) = (layout(&user, "below", &base), layout(&user, "beside", &other));
    let policy = |digest: &dyn std::fmt::Display| {
        format!(
            "version: 1\nname: bases\nrules:\n  - {{ name: base, effect: deny, base_images: {{ allow: [\"{digest}\"] }} }}\n  \
             - {{ name: gaps, effect: warn, coverage: {{}} }}\n"
        )
    };
    user.write("good.yaml", policy(&base.manifest));
    user.write("strict.yaml", policy(&other.manifest));
    let gate = |policy: &str, bases: &[&str]| {
        let mut args = vec!["gate", &image, "--policy", policy];
        for base in bases {
            args.extend(["--base", base]);
        }
        user.run(&args)
    };
    gate("good.yaml", &[]).ended(3).said(&["nobody here knows what it was built on", "--base REF"]);
    gate("good.yaml", &[&below]).ended(0);
    gate("good.yaml", &[&beside]).ended(3).complained(&["it is not built on", "its layers begin otherwise"]);
    gate("good.yaml", &[&beside, &below]).ended(0);
    gate("strict.yaml", &[&below]).ended(1).said(&["it is built on", "build it on sha256:"]);
    gate("strict.yaml", &["oci:no-such-folder"]).ended(3);
    user.write(
        "none.yaml",
        "version: 1\nname: none\nrules:\n  - { name: gaps, effect: warn, coverage: {} }\n",
    );
    gate("none.yaml", &[&below]).ended(0).complained(&["--base changes nothing"]);
    user.run(&["scan", &image, "--policy", "strict.yaml", "--base", &below]).ended(1);
}
