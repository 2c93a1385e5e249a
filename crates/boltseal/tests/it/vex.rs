//! `boltseal vex …`, and scans and gates that believe what documents say.

use boltseal_testkit::Distribution;
use serde_json::Value;

use crate::fixtures::{EXPLOITED, NOW, alpine, layout, user_with_feeds};

const POLICY: &str = "version: 1\nname: exploited\nrules:\n  - name: known-exploited\n    effect: deny\n    \
    vulnerabilities:\n      kev: true\n";

/// Says something about the exploited vulnerability.
fn add<'a>(product: &'a str, status: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["vex", "add", "--product", product, "--vulnerability", EXPLOITED, "--status", status];
    args.extend(["--author", "Shop Team", "--reason", "no shell is ever started"]);
    if status == "not_affected" {
        args.extend(["--justification", "vulnerable_code_not_in_execute_path"]);
    }
    args.extend(rest);
    args
}

#[test]
fn documents_are_written_extended_shown_and_believed() {
    let user = user_with_feeds();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    let file = ["--output", "shop.json", "--at"];
    let said = |status, at| user.run(&add("pkg:apk/alpine/busybox", status, &[&file[..], &[at]].concat()));
    let scan =
        |args: &[&str]| user.run(&[&["scan", &target, "--at", NOW, "--vex", "shop.json"], args].concat());

    said("under_investigation", "2026-10-01T00:00:00Z").ended(0);
    scan(&[]).ended(0).said(&["2 findings", "under investigation, says Shop Team on 2026-10-01"]);
    said("not_affected", "2026-10-02T00:00:00Z").ended(0);
    scan(&[]).ended(0).complained(&["1 VEX document, 2 statements: 1 finding set aside, 0 noted"]).said(&[
        "1 finding",
        "1 set aside: VEX says that they do no harm",
        "2026-10-02:",
        "(vulnerable_code_not_in_execute_path)",
        "(shop.json)",
    ]);
    let json = scan(&["--format", "json"]).ended(0).json();
    let statement = &json["omitted"]["ignored"][0]["statement"];
    assert_eq!((&statement["status"], &statement["author"]), (&"not-affected".into(), &"Shop Team".into()));
    let document: Value =
        serde_json::from_slice(&std::fs::read(user.home().join("shop.json")).unwrap()).unwrap();
    assert_eq!((&document["version"], document["statements"].as_array().unwrap().len()), (&2.into(), 2));
    user.run(&["vex", "show", "shop.json"]).ended(0).said(&[
        "OpenVEX of Shop Team",
        "2 statements",
        EXPLOITED,
    ]);

    // A policy sees what is left.
    let policy = user.write("policy.yaml", POLICY);
    let gate = ["gate", &target, "--policy", &policy, "--at", NOW];
    user.run(&gate).ended(1);
    user.run(&[&gate[..], &["--vex", "shop.json"]].concat()).ended(0).said(&["1 set aside", "ALLOW"]);

    said("affected", "2026-10-01T12:00:00Z").ended(2).complained(&["the document was changed at"]);
    said("affected", "2026-10-03T00:00:00Z").ended(0);
    scan(&[]).ended(0).said(&["2 findings", "affected, says Shop Team on 2026-10-03"]);
}

#[test]
fn what_is_wrong_is_said() {
    let user = user_with_feeds();
    let target = layout(&user, "image", &alpine("1.36.1-r0"));
    user.write("other.json", "{}");
    user.write("broken.json", "{\n  \"bomFormat\": 7\n}");
    for (file, why) in [
        ("other.json", "other.json: neither OpenVEX"),
        ("broken.json", "broken.json, line 2, column 16: invalid type"),
        ("missing.json", "cannot read missing.json"),
    ] {
        user.run(&["scan", &target, "--vex", file]).ended(2).complained(&[why]);
        user.run(&["gate", &target, "--vex", file]).ended(2).complained(&[why]);
    }
    user.run(&["scan", &target, "--vex-referrers"]).ended(2).complained(&["is in no registry"]);
    user.run(&add("pkg:apk/alpine/busybox", "fixed", &["--attach"])).ended(2).complained(&["names no image"]);
    let mut args = add("pkg:apk/alpine/busybox", "not_affected", &[]);
    args.truncate(args.len() - 2);
    user.run(&args).ended(2).complained(&["not_affected needs a justification"]);
}

#[test]
fn attached_to_the_image() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let layout = layout(&user, "image", &alpine("1.36.1-r0"));
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout, &image]).ended(0);
    let target = format!("docker://{image}");
    let scan = |args: &[&str]| user.run(&[&["scan", &target, "--at", NOW], args].concat());
    let attach = |status, at| {
        let rest = ["--subcomponent", "pkg:apk/alpine/busybox", "--attach", "--at", at];
        user.run(&add(&image, status, &rest)).ended(0);
    };
    attach("under_investigation", "2026-10-01T00:00:00Z");
    attach("not_affected", "2026-10-02T00:00:00Z");
    scan(&[]).ended(0).said(&["2 findings"]);
    scan(&["--vex-referrers"]).ended(0).said(&["1 finding", "1 set aside", "(referrer"]);
    let shown = user.run(&["vex", "show", &image, "--format", "json"]).ended(0).json();
    let editions: Vec<&Value> =
        shown.as_array().unwrap().iter().map(|document| &document["version"]).collect();
    assert_eq!((editions.len(), &shown[0]["id"]), (2, &shown[1]["id"]), "{editions:?}");
    user.run(&["image", "discover", &image]).ended(0).said(&["application/openvex+json"]);
    // Somebody else says otherwise in a file: the finding stays.
    user.run(&add("pkg:apk/alpine/busybox", "affected", &["--output", "mine.json"])).ended(0);
    scan(&["--vex-referrers", "--vex", "mine.json"])
        .ended(0)
        .said(&["2 findings", "affected, says Shop Team"]);
}
