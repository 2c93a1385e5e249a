//! `boltseal policy apply|history|show` against a running server, and which policy counts there.

use crate::{
    binary::User,
    login::as_admin,
    service::{Service, UP},
};

/// A policy that warns about gaps.
fn called(name: &str, more: &str) -> String {
    format!("version: 1\nname: {name}\n{more}rules:\n  - {{ name: gaps, effect: warn, coverage: {{}} }}\n")
}

#[test]
fn a_policy_is_put_in_force_and_stays_so() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", called("of-the-file", ""));
    user.write("one.yaml", called("one", "revision: 1\n"));
    user.write("two.yaml", called("two", "revision: 2\n"));
    let mut service = Service::start(&user, &[]);
    as_admin(&user, &service);
    user.run(&["policy", "history"]).ended(0).said(&["none"]);
    user.run(&["policy", "show", "--in-force"]).ended(0).said(&["name: of-the-file"]);
    user.run(&["policy", "apply", "two.yaml"]).ended(0).said(&["version: 1", "policy: two"]);
    service.wait_for("policy in use policy=\"two\"");
    // The file is not what counts any more.
    user.write(".local/share/boltseal/policy.yaml", called("of-the-file-again", ""));
    service.wait_for("the policy file is not what counts");
    user.run(&["policy", "show", "--in-force"]).ended(0).said(&["name: two"]);
    user.run(&["policy", "apply", "one.yaml"])
        .ended(2)
        .complained(&["it is revision 1, and revision 2 is in force"]);
    user.run(&["policy", "apply", "one.yaml", "--rollback"]).ended(0).said(&["version: 2"]);
    service.wait_for("policy in use policy=\"one\"");
    user.run(&["policy", "history"]).ended(0).said(&["one", "two", "admin", "it is revision 1,"]);
    user.run(&["policy", "show", "--applied", "1"]).ended(0).said(&["name: two"]);
    user.run(&["policy", "show", "--applied", "7"]).ended(2).complained(&["version `7`"]);
    let log = user.run(&["audit", "log", "--format", "json", "-n", "1000"]).ended(0).out;
    for words in [
        "version 1 of the policy was put in force: two",
        "an older policy was put in force as version 2: one",
    ] {
        assert!(log.contains(words), "{words}");
    }
    service.signal("TERM");
    assert_eq!(service.ended(), Some(0));

    // A restart forgets nothing.
    let mut again = Service::start(&user, &["--new-admin-secret"]);
    as_admin(&user, &again);
    user.run(&["policy", "show", "--in-force"]).ended(0).said(&["name: one"]);
    again.signal("TERM");
    assert_eq!(again.ended(), Some(0));

    // A server that was told which file to use uses that.
    user.write("mine.yaml", called("mine", ""));
    let mut named = Service::start(&user, &["--policy", "mine.yaml", "--new-admin-secret"]);
    as_admin(&user, &named);
    user.run(&["policy", "show", "--in-force"]).ended(0).said(&["name: mine"]);
    user.run(&["policy", "apply", "two.yaml", "--rollback"]).ended(2).complained(&["--policy mine.yaml"]);
    named.signal("TERM");
    assert_eq!(named.ended(), Some(0));
    // What was applied without a signature is not used where one is asked for.
    user.write("word", "horse staple\n");
    user.run(&["key", "generate", "ours", "--password-file", "word"]).ended(0);
    user.run(&[
        "policy",
        "sign",
        ".local/share/boltseal/policy.yaml",
        "--key",
        "ours.key",
        "--password-file",
        "word",
    ])
    .ended(0);
    let refused = user.run(&[&UP[..], &["--policy-signed-by", "ours.pub"]].concat()).ended(2);
    refused.complained(&["version 2 of the policy, which was applied", "not signed", "--policy FILE"]);
}
