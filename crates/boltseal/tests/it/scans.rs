//! Scans and gates, on made images and feeds.

use std::path::Path;

use boltseal_testkit::{
    Distribution,
    image::{Image, estargz, zstd_chunked},
};
use serde_json::Value;

use crate::{
    binary::User,
    fixtures::{EXPLOITED, NOW, alpine, alpine_layer, layout, user_with_feeds},
};

/// Exploited vulnerabilities are refused; nothing else is looked at.
const POLICY: &str = "version: 1\nname: exploited\nrules:\n  - name: known-exploited\n    effect: deny\n    \
    vulnerabilities:\n      kev: true\n  - name: complete\n    effect: unknown\n    coverage:\n      gaps: [feed-missing]\n";

#[test]
fn without_feeds_nothing_looks_clean() {
    let user = User::new();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    let ran = user.run(&["scan", &target]).ended(3);
    ran.said(&["coverage: incomplete", "not matched with any feed", "boltseal feeds update"]);
    user.run(&["gate", &target]).ended(3).said(&["UNKNOWN", "boltseal feeds update"]);
    user.run(&["sbom", &target]).ended(0).said(&["busybox", "1.36.1-r0", "2 packages"]);
}

#[test]
fn findings_by_what_removes_them() {
    let user = user_with_feeds();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    let scan = |args: &[&str]| user.run(&[&["scan", &target, "--at", NOW], args].concat());
    scan(&[]).ended(0).said(&[
        "2 findings",
        "2 fixable",
        "1 known exploited",
        "coverage: complete",
        "upgrade busybox 1.36.1-r0 to 1.36.1-r2 removes 2",
        "apk add",
        "CVE-2023-42363",
        EXPLOITED,
    ]);
    scan(&["--require-complete"]).ended(0);
    scan(&["--fail-on", "critical"]).ended(0);
    scan(&["--fail-on", "unknown"]).ended(1);
    scan(&["--severity", "critical"]).ended(0).said(&["0 findings", "2 not shown, as asked"]);
    scan(&["--fixable"]).ended(0).said(&["2 findings"]);

    let ignore = user.write("ignore", format!("{EXPLOITED} until:2026-12-31 not reachable\n"));
    let ran = scan(&["--ignore-file", &ignore]).ended(0);
    ran.said(&["1 finding", "1 ignored, as asked", "until 2026-12-31: not reachable"]);
    let over = user.write("over", format!("{EXPLOITED} until:2026-10-31\n"));
    scan(&["--ignore-file", &over]).ended(0).said(&["2 findings"]).complained(&["its time is over"]);

    let repaired = layout(&user, "repaired", &alpine("1.36.1-r2"));
    user.run(&["scan", &repaired, "--at", NOW, "--fail-on", "unknown"]).ended(0).said(&["0 findings"]);
}

/// Lazily: the same findings, and what was not checked is told, to policies too.
#[test]
fn by_the_table_of_contents() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let film: Vec<u8> = (0..200_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let key = "api_key = 9f8d7c6b5a4e3d2c1b0a\n";
    let layer = alpine_layer("1.36.1-r0").file("film", &film).file("etc/key", key);
    let forms =
        [("estargz", estargz(&layer, 1 << 22, &|_| {})), ("chunked", zstd_chunked(&layer, 1 << 22, &|_| {}))];
    for (name, layer) in forms {
        let layout = layout(&user, name, &Image::new().seekable(layer).build());
        let image = format!("{}/shop/{name}:1", registry.address());
        user.run(&["image", "copy", &layout, &image]).ended(0);
        let target = format!("docker://{image}");
        let scan = |args: &[&str]| user.run(&[&["scan", &target, "--at", NOW], args].concat());
        let lazy = scan(&["--lazy", "--format", "json"]).ended(0).json();
        let whole = scan(&["--format", "json"]).ended(0).json();
        assert_eq!(lazy["findings"], whole["findings"]);
        assert_eq!((lazy["packages"].as_array().unwrap().len(), &lazy["packages"]), (2, &whole["packages"]));
        assert_eq!(lazy["coverage"]["gaps"][0]["kind"], "layer-not-verified", "{}", lazy["coverage"]);
        assert_eq!((whole["coverage"]["complete"].as_bool(), lazy.get("leaks")), (Some(true), None));
        assert_eq!(
            whole["leaks"].as_array().map(Vec::len),
            Some(1),
            "what was seen lazily is not remembered"
        );
        // By now all of it was read and checked, so there is nothing to be lazy about.
        let known = scan(&["--lazy", "--format", "json"]).ended(0).json();
        assert_eq!(known, whole);
        user.run(&["gate", &target, "--lazy", "--no-cache", "--at", NOW])
            .ended(1)
            .said(&["layer-not-verified"]);
        scan(&["--lazy", "--secret-rules", "x"]).ended(2).complained(&["cannot be used with"]);
    }
}

#[test]
fn the_gate_says_no_and_why() {
    let user = user_with_feeds();
    let policy = user.write("policy.yaml", POLICY);
    let bad = layout(&user, "bad", &alpine("1.36.1-r0"));
    let good = layout(&user, "good", &alpine("1.36.1-r2"));
    let gate = |target: &str| user.run(&["gate", target, "--policy", &policy, "--at", NOW]);
    gate(&bad).ended(1).said(&["DENY", "policy exploited", "known-exploited", EXPLOITED, "wanted:", "fix: "]);
    gate(&good).ended(0).said(&["ALLOW"]);
    user.run(&["scan", &bad, "--policy", &policy, "--at", NOW]).ended(1).said(&["DENY"]);

    // The policy in the data folder is the one that counts where none is named.
    std::fs::write(user.data().join("policy.yaml"), POLICY).unwrap();
    user.run(&["gate", &bad, "--at", NOW]).ended(1).said(&["policy exploited"]);
    user.run(&["policy", "show"]).ended(0).said(&["name: exploited"]);
    std::fs::write(user.data().join("policy.yaml"), "rules: nonsense").unwrap();
    user.run(&["gate", &good, "--at", NOW]).ended(2).complained(&["policy.yaml", "line"]);
}

#[test]
fn the_same_bytes_again() {
    let user = user_with_feeds();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    let formats = [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "spdx",
        "markdown",
        "junit",
        "github",
        "gitlab",
        "gitlab-code-quality",
        "azure",
    ];
    for format in formats {
        let run =
            |args: &[&str]| user.run(&[&["scan", &target, "--at", NOW, "--format", format], args].concat());
        let first = run(&[]).ended(0).out;
        assert!(first.ends_with('\n') && first == run(&[]).out, "{format}");
        run(&["--output", "report"]).ended(0);
        assert_eq!(std::fs::read_to_string(user.home().join("report")).unwrap(), first, "{format}");
    }
    user.run(&["scan", &target, "--output", "no/such/folder"])
        .ended(4)
        .complained(&["no/such/folder", "--output"]);
}

#[test]
fn json_names_what_it_is_made_of() {
    let user = user_with_feeds();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    let json =
        user.run(&["scan", &target, "--at", NOW, "--format", "json", "--severity", "critical"]).ended(0).out;
    let report: Value = serde_json::from_str(&json).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/report.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    jsonschema::validate(&schema, &report).unwrap();
    for (path, expected) in [
        ("/subject/reference", Value::from(target)),
        ("/coverage/complete", Value::from(true)),
        ("/omitted/filtered", Value::from(2)),
        ("/packages/0/name", Value::from("busybox")),
        ("/distro/id", Value::from("alpine")),
    ] {
        assert_eq!(report.pointer(path), Some(&expected), "{path} in {json}");
    }
    let feeds = report.pointer("/snapshot/feeds").and_then(Value::as_array).unwrap();
    assert_eq!(feeds.len(), 2);
}

#[test]
fn a_damaged_snapshot_is_no_snapshot() {
    let user = user_with_feeds();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    let snapshot = user.data().join("feeds/snapshot");
    std::fs::write(&snapshot, b"not a snapshot").unwrap();
    user.run(&["scan", &target]).ended(3).complained(&["feeds/snapshot", "boltseal feeds"]);
    user.run(&["feeds", "build"]).ended(0);
    user.run(&["scan", &target]).ended(0);
}
