//! Every command's help, and what each says when it is used wrongly: no image, no network, no feeds needed.

use crate::binary::User;

/// Arguments, exit code, and what must stand on stderr.
const WRONG: &[(&[&str], i32, &[&str])] = &[
    (&[], 2, &["Usage: boltseal"]),
    (&["scna"], 2, &["unrecognized subcommand 'scna'", "scan"]),
    (&["scan"], 2, &["<TARGET>"]),
    (&["scan", "x", "--severity", "bad"], 2, &["bad", "critical, high, medium, low, negligible, unknown"]),
    (&["scan", "x", "--format", "xml"], 2, &["xml", "table", "json"]),
    (&["scan", "x", "--platform", "linux"], 2, &["`linux` is not a platform", "linux/arm64"]),
    (&["scan", "x", "--at", "yesterday"], 2, &["yesterday"]),
    (&["scan", "x", "--policy", "no.yaml"], 2, &["cannot read no.yaml"]),
    (&["scan", "x", "--ignore-file", "no"], 2, &["cannot read the ignore file no"]),
    (&["scan", "oci:no-such-folder"], 3, &["no-such-folder"]),
    (&["scan", "NOT A NAME"], 2, &["`NOT A NAME`"]),
    (&["sbom", "docker-archive:no.tar"], 3, &["no.tar"]),
    (&["gate", "rootfs:no"], 3, &["no"]),
    (&["gate", "x", "--policy", "no.yaml"], 2, &["cannot read no.yaml"]),
    (&["gate", "x", "--ignore-file", "no"], 2, &["cannot read the ignore file no"]),
    (&["gate", "x", "--only-new"], 2, &["--against <REF>"]),
    (&["gate", "x", "--against", "y"], 2, &["--only-new"]),
    (&["gate", "x", "--also", "sarif"], 2, &["FORMAT=FILE"]),
    (&["gate", "x", "--also", "pdf=x"], 2, &["format `pdf` is not known", "junit"]),
    (&["gate", "x", "--grace-days", "4000"], 2, &["3650"]),
    (&["policy", "check", "no.yaml"], 2, &["cannot read no.yaml"]),
    (&["policy", "show", "no.yaml"], 2, &["cannot read no.yaml"]),
    (&["feeds"], 2, &["import", "update", "build", "status"]),
    (&["feeds", "import"], 2, &["<PATH>"]),
    (&["feeds", "import", "no-such-file"], 3, &["no-such-file"]),
    (&["feeds", "build"], 3, &["no feeds in", "boltseal feeds update", "boltseal feeds import"]),
    (&["up", "--listen", "nowhere"], 2, &["nowhere"]),
    (&["up", "--registry-listen", "0.0.0.0:0"], 2, &["0.0.0.0", "not encrypted"]),
    (&["login", "ftp://x"], 2, &["`ftp://x` is no address of a server", "https://registry.example.com"]),
    (&["login", "http://registry.example.com"], 2, &["without encryption"]),
    (
        &["login", "https://127.0.0.1:1", "--name", "x", "--secret-stdin"],
        2,
        &["secret is missing on standard input"],
    ),
    (&["whoami"], 3, &["nobody is logged in", "boltseal login"]),
    (
        &["user", "list", "--server", "registry.example.com"],
        3,
        &["boltseal login https://registry.example.com"],
    ),
    (&["admit", "registry.example.com/app:v1"], 2, &["may become another image", "boltseal image inspect"]),
    (&["admit", "--containerd", "--", "-name", "x"], 2, &["-digest"]),
    (&["agent", "--settings", "no.yaml"], 2, &["cannot read no.yaml"]),
    (&["agent", "--name", "node-1"], 2, &["--secret-file"]),
    (&["engine", "render", "podman", "--registry", "team"], 2, &["`team` is no registry"]),
    (
        &["engine", "render", "podman", "--registry", "r.example.com", "--mirror", "docker.io=hub"],
        2,
        &["--mirror is for"],
    ),
    (
        &["engine", "render", "containerd", "--registry", "r.example.com", "--mirror", "hub"],
        2,
        &["`hub`", "docker.io=hub"],
    ),
    (&["can-i", "pull"], 2, &["<SCOPE>"]),
    (&["can-i", "pull", "team"], 2, &["a scope starts with `/`"]),
    (&["role", "assign", "AcrPull", "--to", "x"], 2, &["--scope <SCOPE>"]),
    (&["role", "assign", "AcrPull", "--to", "x", "--scope", "/", "--expires", "soon"], 2, &["90d"]),
    (&["break-glass", "prepare", "--shares", "1", "--threshold", "1"], 2, &["2..=16"]),
    (&["audit", "log"], 3, &["no audit log in", "--data DIR", "boltseal login"]),
    (&["audit", "verify", "--url", "https://log.example"], 2, &["--key"]),
    (&["audit", "verify", "--key", "x"], 2, &["NAME+ID+KEY"]),
    (
        &[
            "audit",
            "check-proof",
            "no",
            "--key",
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        ],
        2,
        &["cannot read no"],
    ),
    (&["audit", "export", "--format", "xml"], 2, &["ocsf", "cloudevents"]),
    (&["completion", "dos"], 2, &["bash", "zsh"]),
];

#[test]
fn wrong_use_is_explained() {
    let user = User::new();
    for (args, code, parts) in WRONG {
        let ran = user.run(args).ended(*code).complained(parts);
        assert_eq!(ran.out, "", "{args:?} put something on stdout");
    }
}

#[test]
fn data_goes_to_stdout_and_nothing_to_stderr() {
    let user = User::new();
    for (args, part) in [
        (&["--help"][..], "Exit codes: 0 pass, 1 policy said no"),
        (&["--version"], "boltseal "),
        (&["version"], "boltseal "),
        (&["scan", "--help"], "boltseal scan docker://debian:12"),
        (&["completion", "bash"], "_boltseal()"),
        (&["completion", "fish"], "complete -c boltseal"),
        (&["man"], ".TH boltseal 1"),
        (&["policy", "show"], "rules:"),
        (&["policy", "show", "--rules"], "RULE"),
    ] {
        let ran = user.run(args).ended(0).said(&[part]);
        assert_eq!(ran.err, "", "{args:?} put something on stderr");
    }
}

#[test]
fn manual_pages_for_every_command() {
    let user = User::new();
    user.run(&["man", "pages"]).ended(0);
    let mut pages: Vec<String> = std::fs::read_dir(user.home().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for page in ["boltseal.1", "boltseal-scan.1", "boltseal-feeds-import.1", "boltseal-policy-check.1"] {
        assert!(pages.iter().any(|name| name == page), "no {page} in {pages:?}");
    }
}

#[test]
fn the_built_in_policy_is_a_policy() {
    let user = User::new();
    let policy = user.run(&["policy", "show"]).ended(0).out;
    let file = user.write("own.yaml", policy);
    user.run(&["policy", "check", &file]).ended(0).said(&["own.yaml: policy ", "rules"]);
}

#[test]
fn colour_only_where_it_is_welcome() {
    let user = User::new();
    let escape = '\u{1b}';
    assert!(!user.run(&["scan", "oci:no"]).err.contains(escape));
    assert!(user.run(&["scan", "oci:no", "--color", "always"]).err.contains(escape));
}
