//! `boltseal policy test|diff|replay|show`, rules in CEL and admission policies, through the real program.

use std::time::{Duration, Instant};

use boltseal_testkit::image::{Image, Layer};
use serde_json::Value;

use crate::{
    binary::User,
    fixtures::layout,
    login::as_admin,
    service::{PATIENCE, Service, UP},
};

const POLICY: &str = "\
version: 1
name: shop
rules:
  - name: few
    effect: deny
    why: small images are quick to patch
    cel:
      expression: packages.size() <= params.most
      messageExpression: \"'it has ' + string(packages.size()) + ' packages'\"
      params: { most: 2 }
  - { name: ours, effect: warn, images: { allow: [registry.example.com] } }
  - { name: gaps, effect: warn, coverage: {} }
exceptions:
  - { name: pardon, rules: [few], images: [registry.example.com/old], owner: ann, reason: replaced soon, expires: 2027-01-31 }
";

const TESTS: &str = "\
version: 1
policy: policy.yaml
at: 2026-11-26T00:00:00Z
tests:
  - { name: clean, image: registry.example.com/a, expect: allow, silent: [few] }
  - name: many
    image: registry.example.com/a
    facts: { packages: [{ name: a }, { name: b }, { name: c }] }
    expect: deny
    reasons: { few: it has 3 packages }
";

#[test]
fn tests_beside_a_policy_pass_fail_and_are_refused() {
    let user = User::new();
    user.write("p/policy.yaml", POLICY);
    user.write("p/policy.test.yaml", TESTS);
    user.write(
        "p/wrong.test.yaml",
        TESTS.replace("expect: deny", "expect: warn").replace("it has 3", "it has 4"),
    );
    user.write("p/none.test.yaml", TESTS.replace("version: 1", "version: 2"));
    user.run(&["policy", "test", "p/policy.test.yaml"]).ended(0).said(&[
        "pass  clean",
        "pass  many",
        "2 passed, 0 failed",
    ]);
    let failed = user.run(&["policy", "test", "p/policy.test.yaml", "p/wrong.test.yaml"]).ended(1);
    failed.said(&[
        "FAIL  many",
        "expected warn, got deny: it has 3 packages (policy shop, rule few)",
        "rule few finds nothing like `it has 4 packages`",
        "3 passed, 1 failed",
    ]);
    let json = user.run(&["policy", "test", "p/wrong.test.yaml", "--format", "json"]).ended(1).json();
    assert_eq!(json[0]["tests"][1]["decision"], "deny");
    assert_eq!(json[0]["tests"][1]["problems"].as_array().unwrap().len(), 2);
    let junit = user.run(&["policy", "test", "p/wrong.test.yaml", "--format", "junit"]).ended(1);
    junit.said(&[
        "<testsuite name=\"p/wrong.test.yaml\" tests=\"2\" failures=\"1\"",
        "<failure message=\"expected warn",
    ]);
    user.run(&["policy", "test", "p/none.test.yaml"])
        .ended(2)
        .complained(&["p/none.test.yaml: line 1: version 2"]);
    user.write("p/lost.test.yaml", TESTS.replace("policy: policy.yaml\n", ""));
    user.run(&["policy", "test", "p/lost.test.yaml"]).ended(2).complained(&["names no policy", "--policy"]);
    user.run(&["policy", "test", "p/lost.test.yaml", "--policy", "p/policy.yaml"]).ended(0);
}

#[test]
fn policies_are_shown_and_compared_in_words() {
    let user = User::new();
    user.write("a.yaml", POLICY);
    user.write(
        "b.yaml",
        POLICY.replace("most: 2", "most: 3").replace("effect: warn, images", "effect: deny, images"),
    );
    let shown = user.run(&["policy", "show", "--rules", "a.yaml"]).ended(0);
    assert_eq!(user.run(&["policy", "explain", "a.yaml"]).ended(0).out, shown.out);
    shown.said(&[
        "few",
        "cel",
        "an image of which this is true:",
        "packages.size() <= params.most",
        "pardon",
        "replaced soon",
    ]);
    user.run(&["policy", "diff", "a.yaml", "a.yaml"]).ended(0).said(&["no difference"]);
    let differs = user.run(&["policy", "diff", "a.yaml", "b.yaml"]).ended(0);
    differs.said(&[
        "~ rule ours changed",
        "before  warn: images from registry.example.com only",
        "~ rule few changed",
        "2 differences",
    ]);
    let json = user.run(&["policy", "diff", "a.yaml", "b.yaml", "--format", "json"]).ended(0).json();
    assert_eq!(json.as_array().unwrap().len(), 2);
}

#[test]
fn an_expression_that_is_none_is_refused_with_a_caret() {
    let user = User::new();
    user.write("policy.yaml", POLICY.replace("packages.size() <=", "packages.len() <="));
    let refused = user.run(&["policy", "check", "policy.yaml"]).ended(2);
    refused.complained(&[
        "policy line 4: rule `few`: cel: expression: line 1, column 10: `len` is no function or macro here",
        "  packages.len() <= params.most\n",
        "           ^",
    ]);
}

const WORKLOAD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 7
  template:
    spec: {containers: [{name: c, image: 'registry.example.com/app:1'}]}
";

#[test]
fn admission_policies_are_read_as_they_are() {
    let user = User::new();
    user.write("deploy.yaml", WORKLOAD);
    let policy = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: not-too-many}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations: [{expression: object.spec.replicas <= 5, messageExpression: \"string(object.spec.replicas) + ' are too many'\"}]
";
    user.write("policy.yaml", policy);
    let args = ["check", "deploy.yaml", "--level", "privileged", "--fail-on", "high", "--policy"];
    let found = user.run(&[&args[..], &["policy.yaml"]].concat()).ended(1);
    found.said(&["admission-policy", "policy not-too-many: 7 are too many", "(line 1, Deployment shop/web"]);
    user.write("good.yaml", policy.replace("<= 5", "<= 7"));
    user.run(&[&args[..], &["good.yaml"]].concat()).ended(0);
    user.run(&[&args[..], &["policy.yaml", "--skip", "admission-policy"]].concat()).ended(0);
    user.write("wrong.yaml", policy.replace("object.spec", "objekt.spec"));
    let refused = user.run(&[&args[..], &["wrong.yaml"]].concat()).ended(3);
    refused.said(&["not read: wrong.yaml:7", "there is no `objekt` here"]);
}

#[test]
fn a_draft_is_replayed_over_what_a_server_decided() {
    let user = User::new();
    user.write(
        ".local/share/boltseal/policy.yaml",
        "version: 1\nname: now\nrules:\n  - { name: gaps, effect: warn, coverage: {} }\n",
    );
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let built = layout(&user, "image", &Image::new().layer(Layer::new().file("etc/motd", "hello\n")).build());
    user.run(&["image", "copy", &built, &format!("{}/team/web:1", service.https)]).ended(0);
    user.write("draft.yaml", "version: 1\nname: draft\nrules:\n  - { name: ours, effect: deny, images: { allow: [registry.example.com] } }\n  - { name: gaps, effect: warn, coverage: {} }\n");
    user.write(
        "same.yaml",
        "version: 1\nname: same\nrules:\n  - { name: gaps, effect: warn, coverage: {} }\n",
    );
    // It is judged a moment after the push.
    let until = Instant::now() + PATIENCE;
    let replayed = loop {
        let replayed = user.run(&["policy", "replay", "draft.yaml", "--format", "json"]).ended(0).json();
        if replayed["images"] == 1 {
            break replayed;
        }
        assert!(Instant::now() < until, "not judged: {replayed}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!((&replayed["images"], &replayed["turned"]), (&Value::from(1), &Value::from(1)), "{replayed}");
    assert_eq!(replayed["changes"][0]["after"], "deny");
    assert_eq!(replayed["rules"][0]["rule"], "ours");
    user.run(&["policy", "replay", "draft.yaml"]).ended(0).said(&[
        "team/web",
        "+ deny ours:",
        "1 would change, 1 at the gates",
    ]);
    let same = user.run(&["policy", "replay", "same.yaml"]).ended(0);
    same.said(&["1 recorded decision of the last 30 days: 0 would change"]);
}

/// A policy that warns about gaps, called `name`.
fn called(name: &str) -> String {
    format!("version: 1\nname: {name}\nrules:\n  - {{ name: gaps, effect: warn, coverage: {{}} }}\n")
}

#[test]
fn a_server_that_asks_for_signed_policies_uses_no_other() {
    const POLICY: &str = ".local/share/boltseal/policy.yaml";
    let user = User::new();
    user.write("word", "horse staple\n");
    for name in ["ours", "theirs"] {
        user.run(&["key", "generate", name, "--password-file", "word"]).ended(0);
    }
    let sign = |file: &str, key: &str| {
        user.run(&["policy", "sign", file, "--key", key, "--password-file", "word"]).ended(0);
    };
    user.write(POLICY, called("first"));
    let up = [&UP[..], &["--policy-signed-by", "ours.pub"]].concat();
    user.run(&up).ended(2).complained(&["policy.yaml is not signed", "boltseal policy sign"]);
    user.run(&["policy", "check", POLICY, "--signed-by", "ours.pub"]).ended(1).complained(&["is not signed"]);
    sign(POLICY, "theirs.key");
    user.run(&up).ended(2).complained(&["not signed by whom this server believes"]);
    sign(POLICY, "ours.key");
    let checked =
        user.run(&["policy", "check", POLICY, "--signed-by", "theirs.pub", "--signed-by", "ours.pub"]);
    checked.ended(0).said(&["policy first with 1 rule, signed by ours.pub"]);

    let mut service = Service::start(&user, &["--policy-signed-by", "ours.pub"]);
    // The file alone changes nothing; with its signature it is taken over.
    user.write(POLICY, called("second"));
    service.wait_for("the new policy cannot be used");
    assert!(!service.log().contains("policy in use policy=\"second\""), "{}", service.log());
    sign(POLICY, "ours.key");
    service.wait_for("policy in use policy=\"second\"");
    // Without a file the built-in policy is not what was signed.
    std::fs::remove_file(user.home().join(POLICY)).unwrap();
    service.signal("HUP");
    service.wait_for("policy.yaml: No such file");
    // A signature of something else with the same digest is none of a policy.
    user.write(POLICY, called("third"));
    let digest = user
        .run(&["policy", "sign", POLICY, "--key", "theirs.key", "--password-file", "word"])
        .value("digest");
    let bundle = format!("{}.sigstore.json", user.home().join(POLICY).display());
    user.run(&["sign", &digest, "--key", "ours.key", "--password-file", "word", "--bundle", &bundle])
        .ended(0);
    let check = user.run(&["policy", "check", POLICY, "--signed-by", "ours.pub"]).ended(1);
    check.complained(&["and not that it is a policy"]);
}

#[test]
fn an_old_signed_policy_does_not_come_back() {
    const POLICY: &str = ".local/share/boltseal/policy.yaml";
    let user = User::new();
    user.write("word", "horse staple\n");
    user.run(&["key", "generate", "ours", "--password-file", "word"]).ended(0);
    let bundle = format!("{POLICY}.sigstore.json");
    // Signs a policy, and keeps it with its signature as whoever may read the folder can.
    let sign = |text: &str| -> [Vec<u8>; 2] {
        user.write(POLICY, text);
        user.run(&["policy", "sign", POLICY, "--key", "ours.key", "--password-file", "word"]).ended(0);
        [POLICY, &bundle].map(|name| std::fs::read(user.home().join(name)).unwrap())
    };
    let put = |[text, signature]: &[Vec<u8>; 2]| {
        user.write(&bundle, signature);
        user.write(POLICY, text);
    };
    let counted =
        |name: &str, revision: u64| called(name).replace("rules:", &format!("revision: {revision}\nrules:"));
    let (first, second) = (sign(&called("first")), sign(&called("second")));
    let signed = ["--policy-signed-by", "ours.pub"];
    let refused = |words: &[&str]| {
        user.run(&[&UP[..], &signed].concat()).ended(2).complained(words);
    };

    Service::start(&user, &signed).stop();
    put(&first);
    refused(&[
        "`first` is older than one that was in force since",
        "it was signed at",
        "start once with --policy-rollback",
    ]);
    put(&second);
    let mut service = Service::start(&user, &signed);
    put(&first);
    service.signal("HUP");
    service.wait_for("the policy before stays in use; count `revision` up and sign it again");
    assert!(!service.log().contains("policy in use policy=\"first\""), "{}", service.log());
    // What is counted up is newer, whenever it was signed.
    let fifth = sign(&counted("fifth", 5));
    service.wait_for("policy in use policy=\"fifth\"");
    service.stop();
    sign(&counted("fourth", 4));
    refused(&["it is revision 4, and revision 5 is in force"]);
    sign(&called("uncounted"));
    refused(&["it has no `revision`, and revision 5 is in force"]);
    sign(&counted("other", 5));
    refused(&["revision 5 is in force and says something else: count `revision` up"]);

    // The way out, which counts from then on.
    put(&second);
    let mut service = Service::start(&user, &[&signed[..], &["--policy-rollback"]].concat());
    service.wait_for("ready everything");
    service.stop();
    Service::start(&user, &signed).stop();
    put(&fifth);
    Service::start(&user, &signed).stop();
    user.run(&[&UP[..], &["--policy-rollback"]].concat()).ended(2).complained(&["--policy-signed-by"]);
}
