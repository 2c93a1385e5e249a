//! A service principal from its birth to the proof of what it was given; and every other command of access.

use std::fs;

use serde_json::Value;

use crate::{binary::User, login::as_admin, service::Service};

const TEAM: &str = "/registries/main/repositories/team/*";

#[test]
fn from_birth_to_proof() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let made = user.run(&["sp", "create", "ci", "--expires", "90d", "--format", "json"]).ended(0).json();
    let id = made["principal"]["id"].as_str().unwrap();
    assert!(made["secret"].as_str().is_some_and(|secret| secret.len() > 40));
    let given = user
        .run(&["role", "assign", "AcrPull", "--to", "ci", "--scope", TEAM, "--format", "json"])
        .ended(0)
        .json();
    let assignment = given["id"].as_str().unwrap();

    let can = |action: &str, scope: &str| user.run(&["can-i", action, scope, "--principal", "ci"]);
    let yes = can("pull", "/registries/main/repositories/team/a").ended(0);
    yes.said(&["yes: ci may", "granted by AcrPull", assignment]);
    let no = can("push", "/registries/main/repositories/team/a").ended(1);
    no.said(&["no: ci may not", "AcrPull at", "action", "would help", "AcrPush"]);
    can("pull", "/registries/main/repositories/other/b").ended(1).said(&["scope"]);
    can("read", "/").ended(2).complained(&["which of these?"]);
    can("fly", "/").ended(2).complained(&["can-i --list"]);
    can("pull", "team/a").ended(2).complained(&["starts with `/`"]);
    user.run(&["can-i", "--list"]).ended(0).said(&["Boltseal/audit/records/read", "getSecret/action"]);

    let token = user.run(&["token"]).ended(0).out;
    assert!(token.starts_with("bst_") && token.lines().count() == 1, "{token}");

    let log = user.run(&["audit", "log", "--format", "json", "-n", "1000"]).ended(0).json_lines();
    for (what, name) in [("Boltseal/signIn/action", "admin"), ("Boltseal/principals/write", "ci")] {
        assert!(log.iter().any(|one| is(one, what, name)), "no {what} {name} in the log");
    }
    assert!(log.iter().any(|one| operation(one) == "Boltseal/tokens/issue/action"));
    let grant = log.iter().find(|one| one.to_string().contains(assignment)).expect("the grant is recorded");
    assert!(grant.to_string().contains(id), "the record names whom it was given to");
    let meant = user.run(&["audit", "log", "--what", "grant", "--who", "admin", "--since", "1h"]).ended(0);
    meant.said(&["admin gave AcrPull", "by Owner at /"]);
    user.run(&["audit", "log", "--what", "nonsense"]).ended(2).complained(&["sign-in"]);

    let entry = grant["index"].to_string();
    let proof = ["audit", "prove", &entry, "-o", "proof", "--entry-output", "entry"];
    user.run(&proof).ended(0);
    let key = user.run(&["audit", "key"]).ended(0).out;
    let check =
        |more: &[&str]| user.run(&[&["audit", "check-proof", "proof", "--key", key.trim()], more].concat());
    check(&[]).ended(0).said(&["proven", "admin gave AcrPull"]);
    check(&["--entry", "entry"]).ended(0);
    let other = fs::read_to_string(user.home().join("entry")).unwrap().replace("AcrPull", "AcrPush");
    let other = user.write("other", other);
    check(&["--entry", &other]).ended(1).complained(&["is not number"]);
    let stranger = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    user.run(&["audit", "check-proof", "proof", "--key", stranger]).ended(1);
    user.run(&["audit", "prove", "100000"]).ended(2);
    user.run(&["audit", "verify"]).ended(0).said(&["whole", "all of them read"]);

    user.run(&["role", "unassign", assignment]).ended(0);
    can("pull", "/registries/main/repositories/team/a").ended(1);
    service.stop();
}

fn operation(one: &Value) -> &str {
    one["record"]["unmapped"]["operation"].as_str().unwrap_or_default()
}

fn is(one: &Value, what: &str, name: &str) -> bool {
    operation(one) == what && one["record"].to_string().contains(&format!("\"{name}\""))
}

#[test]
fn everything_that_can_be_given() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let run = |args: &[&str]| user.run(args);

    run(&["user", "create", "alice", "--display", "Alice Adams"]).ended(0).said(&["link:", "/sign-in?code="]);
    run(&["user", "create", "alice"]).ended(2).complained(&["alice"]);
    run(&["user", "list"]).ended(0).said(&["alice", "Alice Adams"]);
    run(&["group", "create", "devs", "--member", "alice"]).ended(0);
    run(&[
        "role",
        "assign",
        "AcrPush",
        "--to",
        "devs",
        "--scope",
        "/registries/main",
        "--condition",
        "repository like \"team/*\"",
        "--expires",
        "8h",
    ])
    .ended(0)
    .said(&["team/*", "devs"]);
    let through = ["can-i", "push", "/registries/main/repositories/team/a", "--principal", "alice"];
    run(&through).ended(0).said(&["through the group devs"]);
    run(&["group", "remove", "devs", "alice"]).ended(0);
    run(&through).ended(1);
    run(&["group", "add", "devs", "alice"]).ended(0);
    run(&through).ended(0);
    run(&["group", "show", "devs"]).ended(0).said(&["alice", "AcrPush"]);
    run(&["group", "delete", "devs"]).ended(0);
    run(&through).ended(1);

    let first = run(&["sp", "create", "ci"]).ended(0).value("secret id");
    let second = run(&["sp", "secret", "add", "ci", "--expires", "2030-01-01"]).ended(0);
    assert_ne!(second.value("secret"), "");
    run(&["sp", "secret", "add", "ci"]).ended(2);
    run(&["sp", "secret", "remove", "ci", &first]).ended(0);
    run(&["sp", "show", "ci"]).ended(0).said(&[&second.value("secret id"), "2030-01-01"]);

    let role = user.write(
        "role.json",
        r#"{"Name":"Team reader","Description":"Pulls and lists","Actions":[],
        "DataActions":["Microsoft.ContainerRegistry/registries/repositories/*/read"]}"#,
    );
    run(&["role", "create", &role]).ended(0).said(&["Team reader"]);
    run(&["role", "show", "team reader"]).ended(0).said(&["data plane", "repositories/*/read"]);
    run(&["role", "list"]).ended(0).said(&["Team reader", "own", "AcrPull", "built in"]);
    run(&["role", "delete", "Team reader"]).ended(0);
    run(&["role", "show", "Team reader"]).ended(2).complained(&["boltseal role list"]);
    run(&["role", "assign", "No such role", "--to", "ci", "--scope", "/"]).ended(2);

    run(&["scope-map", "create", "pull-team", "repositories/team/*/content/read"]).ended(0);
    run(&["token", "create", "camera", "--scope-map", "pull-team"]).ended(0).said(&["secret:"]);
    run(&["token", "list"]).ended(0).said(&["camera", "pull-team"]);
    run(&["can-i", "pull", "/registries/main/repositories/team/a", "--principal", "camera"]).ended(0);
    run(&["scope-map", "delete", "pull-team"]).ended(2);
    run(&["token", "delete", "camera"]).ended(0);
    run(&["scope-map", "delete", "pull-team"]).ended(0);
    run(&["scope-map", "list"]).ended(0);

    let add = [
        "federation",
        "add",
        "--to",
        "ci",
        "--issuer",
        "https://issuer.example",
        "--audience",
        "boltseal",
        "--subject",
        "repo:octo/*",
        "--claim",
        "environment=prod",
        "--format",
        "json",
    ];
    let federation = run(&add).ended(0).json();
    run(&["federation", "list"]).ended(0).said(&[
        "https://issuer.example",
        "repo:octo/*",
        "environment=prod",
    ]);
    run(&["federation", "remove", federation["id"].as_str().unwrap()]).ended(0);
    let token = user.write("token", "eyJhbGciOiJub25lIn0.e30.");
    run(&["login", &service.https, "--federated-token-file", &token]).ended(3);
    service.stop();
}
