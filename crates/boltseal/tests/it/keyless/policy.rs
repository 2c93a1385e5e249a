//! Policies that a pipeline signs without a key, and servers that use no others.

use super::{
    Rekor, Services,
    instance::{ISSUER, SUBJECT},
    services::token,
};
use crate::{
    service::{Service, UP},
    sign::signer,
};

const POLICY: &str = ".local/share/boltseal/policy.yaml";

fn called(name: &str) -> String {
    format!("version: 1\nname: {name}\nrules:\n  - {{ name: gaps, effect: warn, coverage: {{}} }}\n")
}

#[test]
fn a_pipeline_signs_policies() {
    let user = signer();
    let services = Services::start(Rekor::One, user.home());
    user.write("root.json", services.root());
    user.write("token", token(SUBJECT));
    let at = services.address.as_str();
    let sign = |more: &[&str]| {
        let by = ["policy", "sign", POLICY, "--keyless", "--fulcio", at, "--rekor", at];
        user.run(&[&by[..], &["--identity-token", "token"], more].concat())
    };
    let check = |subject: &str, issuer: &str, root: &str| {
        let whom = ["--signed-by-identity", subject, "--signed-by-issuer", issuer, "--trusted-root", root];
        user.run(&[&["policy", "check", POLICY], &whom[..]].concat())
    };
    user.write(POLICY, called("first"));
    check(SUBJECT, ISSUER, "root.json").ended(1).complained(&["is not signed"]);
    let signed = sign(&[]).ended(0);
    assert_eq!((signed.value("identity"), signed.value("issuer")), (SUBJECT.to_owned(), ISSUER.to_owned()));
    check(SUBJECT, ISSUER, "root.json").ended(0).said(&[&format!("1 rule, signed by {SUBJECT}")]);

    // Everything about whom one believes must be right.
    let elsewhere = signer();
    user.write("other.json", Services::start(Rekor::One, elsewhere.home()).root());
    for (subject, issuer, root) in [
        ("somebody else", ISSUER, "root.json"),
        (&SUBJECT[..SUBJECT.len() - 1], ISSUER, "root.json"),
        (SUBJECT, "https://other.example.com", "root.json"),
        (SUBJECT, ISSUER, "other.json"),
    ] {
        check(subject, issuer, root).ended(1).complained(&["not signed by whom this server believes"]);
    }
    user.run(&["policy", "check", POLICY, "--signed-by", "releases.pub"]).ended(1);
    let alone = ["policy", "check", POLICY, "--signed-by-identity", SUBJECT];
    user.run(&alone).ended(2).complained(&["--signed-by-issuer", "--trusted-root"]);
    // What would be refused is not written: here, because the root is of another instance.
    sign(&["--trusted-root", "other.json"]).ended(1).complained(&["so it is stored nowhere"]);
    check(SUBJECT, ISSUER, "root.json").ended(0);

    // A server that believes the pipeline alone.
    let whom = [
        ["--policy-signed-by-identity", SUBJECT],
        ["--policy-signed-by-issuer", ISSUER],
        ["--policy-trusted-root", "root.json"],
    ]
    .concat();
    let mut service = Service::start(&user, &whom);
    user.write(POLICY, called("second"));
    service.wait_for("the new policy cannot be used");
    sign(&["--trusted-root", "root.json"]).ended(0);
    service.wait_for("policy in use policy=\"second\"");
    service.stop();
    // The holder of a key is nobody to it.
    user.run(&["policy", "sign", POLICY, "--key", "releases.key", "--password-file", "word"]).ended(0);
    user.run(&[&UP[..], &whom].concat()).ended(2).complained(&["not signed by whom this server believes"]);
    user.run(&[&UP[..], &whom[..2]].concat()).ended(2).complained(&["--policy-trusted-root"]);
}
