//! Exceptions that people approve: signed in at a server, or with keys beside a policy file.

use std::time::{Duration, Instant};

use boltseal_testkit::image::{Image, Layer};
use serde_json::{Value, json};

use crate::{
    binary::{Ran, User},
    fixtures::layout,
    login::as_admin,
    service::{PATIENCE, Service},
};

const PASSWORD: &str = "seven tall ships at anchor";

/// Everything from elsewhere is refused; `pardon` pardons that.
fn policy(head: &str, reason: &str) -> String {
    format!(
        "version: 1\nname: shop\n{head}rules:\n  - {{ name: ours, effect: deny, images: {{ allow: [registry.example.com] }} }}\n  \
         - {{ name: gaps, effect: warn, coverage: {{}} }}\nexceptions:\n  - {{ name: pardon, rules: [ours], owner: ann, reason: \
         {reason}, expires: 2099-01-31 }}\n"
    )
}

/// A layout, and the digest of the image in it.
fn image(user: &User) -> (String, String) {
    let built = Image::new().layer(Layer::new().file("etc/motd", "hello\n")).build();
    let digest = built.manifest.to_string();
    (layout(user, "image", &built), digest)
}

/// Somebody with a home of their own, logged in to `service`; `admin` makes them.
fn person(admin: &User, service: &Service, secret: &str, name: &str, role: Option<&str>) -> User {
    let api = service.api(admin.data().join("tls/ca.pem"), secret);
    let new = json!({ "kind": "user", "name": name, "password": PASSWORD });
    let _: Value = api.post("/api/v1/principals", &new).unwrap();
    if let Some(role) = role {
        admin.run(&["role", "assign", role, "--to", name, "--scope", "/"]).ended(0);
    }
    let user = User::new();
    let ca = admin.data().join("tls/ca.pem").display().to_string();
    let login = ["login", &service.https, "--name", name, "--secret-stdin", "--ca", &ca];
    user.feed(&login, &format!("{PASSWORD}\n")).ended(0);
    user
}

/// Asks until the verdict about the pushed image is this one.
fn until(user: &User, image: &str, decision: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let told: Ran = user.run(&["admit", image, "--format", "json"]);
        let answer: Value = serde_json::from_str(&told.out).unwrap_or_default();
        if answer["decision"] == decision {
            return answer;
        }
        assert!(Instant::now() < until, "not {decision}: {}{}", told.out, told.err);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn people_approve_and_verdicts_follow() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", policy("approvals: 2\n", "replaced soon"));
    let service = Service::start(&user, &[]);
    let secret = as_admin(&user, &service);
    let (built, named) = image(&user);
    user.run(&["image", "copy", &built, &format!("{}/team/web:1", service.https)]).ended(0);
    let refused = until(&user, &named, "deny");
    assert!(refused.to_string().contains("does not count yet: nobody approved it"), "{refused}");

    let approver = Some("Exception Approver");
    let [ann, bob, eve] = [("ann", approver), ("bob", approver), ("eve", Some("SecurityAdmin"))]
        .map(|(name, role)| person(&user, &service, &secret, name, role));
    let approve = ["exception", "approve", "pardon"];
    ann.run(&approve).ended(2).complained(&["owned by ann: somebody else has to approve it"]);
    let may_not = eve.run(&approve).ended(1);
    may_not.complained(&["Boltseal/policies/exceptions/approve/action"]);
    bob.run(&["exception", "approve", "pardom"])
        .ended(2)
        .complained(&["no exception `pardom`", "exceptions: pardon"]);
    let other = format!("sha256:{}", "0".repeat(64));
    let changed = bob.run(&["exception", "approve", "pardon", "--digest", &other]).ended(2);
    changed.complained(&["says something else than what you looked at"]);
    bob.run(&approve).ended(0).said(&["approvals: 1 of 2", "does not count yet"]);
    bob.run(&approve).ended(2).complained(&["nobody counts twice"]);
    let told = user.run(&["exception", "list"]).ended(0);
    told.said(&["pardon", "bob", "does not count: 1 approval"]);
    user.run(&approve).ended(0).said(&["approvals: 2 of 2", "state: counts"]);
    until(&user, &named, "warn");

    let log = user.run(&["audit", "log", "--format", "json", "-n", "1000"]).ended(0).json_lines();
    let said = |words: &str| log.iter().any(|one| one.to_string().contains(words));
    for words in
        ["1 of 2 approved the exception pardon of ann", "2 of 2 approved", "exceptions are", "owned by"]
    {
        let expected = words.contains("approved");
        assert_eq!(said(words), expected, "{words}");
    }
    assert!(
        said("is missing Boltseal/policies/exceptions/approve/action") || said("exceptions/approve/action")
    );

    bob.run(&["exception", "revoke", "pardon", "--of", "cho"]).ended(2).complained(&["no approval by `cho`"]);
    bob.run(&["exception", "revoke", "pardon"]).ended(0);
    until(&user, &named, "deny");
    bob.run(&approve).ended(0);
    until(&user, &named, "warn");
    // What it says is what was approved.
    user.write(".local/share/boltseal/policy.yaml", policy("approvals: 2\n", "never replaced"));
    until(&user, &named, "deny");
    user.run(&["exception", "list"]).ended(0).said(&["does not count: 2 approvals"]);
    // A restart forgets nothing.
    user.write(".local/share/boltseal/policy.yaml", policy("approvals: 2\n", "replaced soon"));
    until(&user, &named, "warn");
}

#[test]
fn keys_approve_where_there_is_no_server() {
    let user = User::new();
    user.write("word", "horse staple\n");
    for name in ["ann", "bob", "cho", "eve"] {
        user.run(&["key", "generate", name, "--password-file", "word"]).ended(0);
    }
    let head = "approvals: 2\napprovers: [ann, bob, cho]\nauthorities:\n  - { name: ann, key: ann.pub }\n  \
                - { name: bob, key: bob.pub }\n  - { name: cho, key: cho.pub }\n  - { name: eve, key: eve.pub }\n";
    user.write("policy.yaml", policy(head, "replaced soon"));
    let (built, _) = image(&user);
    // Of an image without a name nobody can tell where it is from; the rule answers `unknown` for those.
    let gate = |code: i32| user.run(&["gate", &built, "--policy", "policy.yaml"]).ended(code);
    let approve = |key: &str| {
        user.run(&[
            "exception",
            "approve",
            "pardon",
            "--policy",
            "policy.yaml",
            "--key",
            key,
            "--password-file",
            "word",
        ])
    };
    gate(3).said(&["does not count yet: nobody approved it", "boltseal exception approve pardon"]);
    approve("ann.key").ended(2).complained(&["ann owns the exception"]);
    approve("eve.key").ended(2).complained(&["this would approve nothing", "`approvers`"]);
    approve("bob.key").ended(0).said(&["approved by: bob", "approvals: 1 of 2"]);
    approve("bob.key").ended(2).complained(&["nobody counts twice"]);
    gate(3).said(&["1 of 2 approved it: bob"]);
    approve("cho.key").ended(0).said(&["approvals: 2 of 2"]);
    gate(0).said(&["pardon (ann, until 2099-01-31)"]);
    user.run(&["policy", "show", "--rules", "policy.yaml"]).ended(0).said(&["2099-01-31"]);

    // The same line twice is one person, a stranger's is nobody's, and neither takes anything away.
    let file = user.home().join("policy.yaml.approvals.jsonl");
    let lines = std::fs::read_to_string(&file).unwrap();
    let bob = lines.lines().next().unwrap();
    for (text, counts) in [
        (format!("{bob}\n{bob}\n"), false),
        (format!("{bob}\n{{}}\nnonsense\n{}", lines.lines().nth(1).unwrap()), true),
        (lines.replace("pardon", "pardom"), true),
        (lines.replacen("\"sig\":\"", "\"sig\":\"AAAA", 1), false),
        (String::new(), false),
    ] {
        std::fs::write(&file, &text).unwrap();
        gate(if counts { 0 } else { 3 });
    }
    std::fs::write(&file, format!("{lines}nonsense\n")).unwrap();
    let listed = user.run(&["exception", "list", "--policy", "policy.yaml"]).ended(0);
    listed.said(&["bob cho", "counts"]).complained(&["line 3: approves nothing"]);
    // A signature of the policy, or of anything else that has the hash as its subject, approves nothing.
    let digest = user
        .run(&["exception", "list", "--policy", "policy.yaml", "--format", "json"])
        .ended(0)
        .json()[0]["digest"]
        .clone();
    let digest = digest.as_str().unwrap();
    user.run(&["sign", digest, "--key", "bob.key", "--password-file", "word", "--bundle", "sig.json"])
        .ended(0);
    let bundle: Value =
        serde_json::from_slice(&std::fs::read(user.home().join("sig.json")).unwrap()).unwrap();
    let forged = json!({ "exception": "pardon", "digest": digest, "bundle": bundle });
    std::fs::write(&file, format!("{forged}\n{}\n", lines.lines().nth(1).unwrap())).unwrap();
    gate(3);
    user.run(&["exception", "list", "--policy", "policy.yaml"]).complained(&["and not that it approves"]);

    std::fs::write(&file, &lines).unwrap();
    user.run(&["exception", "revoke", "pardon", "--policy", "policy.yaml", "--of", "cho"]).ended(0);
    gate(3).said(&["1 of 2 approved it: bob"]);
    user.run(&["exception", "revoke", "pardon", "--policy", "policy.yaml"]).ended(0);
    user.run(&["exception", "revoke", "pardon", "--policy", "policy.yaml"])
        .ended(2)
        .complained(&["there is no approval"]);
}
