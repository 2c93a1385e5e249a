//! What `boltseal engine render` writes, given to real engines; and what containerd's verifier answers.

use std::process::{Command, Stdio};

use boltseal_testkit::peer;

use crate::{
    binary::User,
    fixtures::{alpine, layout},
    service::{Service, Skopeo},
};

const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";

/// A server with one image, judged, and somebody logged in.
fn with_image(user: &User) -> Option<(Service, Skopeo)> {
    std::fs::create_dir_all(user.data()).unwrap();
    std::fs::write(user.data().join("policy.yaml"), LENIENT).unwrap();
    let service = Service::start(user, &[]);
    let skopeo = Skopeo::new(user, &service)?;
    let secret = service.printed("secret").unwrap();
    let address = format!("https://{}", service.https);
    user.feed(&["login", &address, "--name", "admin", "--secret-stdin"], &secret).ended(0);
    skopeo.push(&layout(user, "image", &alpine("1.36.1-r0")), "team/alpine:v1");
    skopeo.pull_until("team/alpine:v1", "pulled", Result::is_ok).unwrap();
    Some((service, skopeo))
}

#[test]
fn podman_fetches_from_approved_registries_only() {
    let user = User::new();
    let Some((service, skopeo)) = with_image(&user) else { return };
    let Some(program) = peer("skopeo") else { return };
    let root = user.home().join("node");
    let approved = format!("{}/team", service.registry);
    let render = ["engine", "render", "podman", "--registry", &approved, "--to", root.to_str().unwrap()];
    user.run(&render).ended(0).complained(&["wrote", "etc/containers/policy.json"]);
    user.run(&render).ended(2).complained(&["is there already", "--force"]);
    let conf =
        std::fs::read_to_string(root.join("etc/containers/registries.conf.d/999-boltseal.conf")).unwrap();
    assert!(conf.contains("unqualified-search-registries = []"), "{conf}");

    // The library that podman, buildah and CRI-O share, asked by the smallest of its programs.
    let pull = |name: &str| {
        let secret = service.printed("secret").unwrap();
        let output = Command::new(&program)
            .args(["--policy", root.join("etc/containers/policy.json").to_str().unwrap(), "copy", "--quiet"])
            .args(["--src-tls-verify=false", "--src-creds", &format!("admin:{secret}")])
            .arg(format!("docker://{}/{name}", service.registry))
            .arg(format!("oci:{}", user.home().join(name.replace(['/', ':'], "-")).display()))
            .output()
            .unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    };
    pull("team/alpine:v1").unwrap();
    for other in ["teams/alpine:v1", "alpine:v1"] {
        skopeo.push(&format!("oci:{}", user.home().join("pulled").display()), other);
        skopeo.pull_until(other, "other", Result::is_ok).unwrap();
        let said = pull(other).unwrap_err();
        assert!(said.contains("rejected by policy"), "{other}: {said}");
    }
}

#[test]
fn containerd_asks_about_every_digest() {
    let user = User::new();
    let Some((mut service, _)) = with_image(&user) else { return };
    let secret = user.run(&["sp", "create", "node-1"]).ended(0).value("secret");
    user.run(&["role", "assign", "Node Agent", "--to", "node-1", "--scope", "/"]).ended(0);
    let file = user.write("node.secret", secret);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (root, ca) = (user.home().join("node"), user.data().join("tls/ca.pem"));
    let address = format!("https://{}", service.https);
    user.run(&[
        "engine",
        "render",
        "containerd",
        "--registry",
        &address,
        "--mirror",
        "docker.io=hub",
        "--ca",
        ca.to_str().unwrap(),
        "--name",
        "node-1",
        "--secret-file",
        &file,
        "--boltseal",
        env!("CARGO_BIN_EXE_boltseal"),
        "--to",
        root.to_str().unwrap(),
    ])
    .ended(0);
    let hosts = std::fs::read_to_string(root.join("etc/containerd/certs.d/docker.io/hosts.toml")).unwrap();
    assert!(hosts.contains(&format!("server = \"{address}/v2/hub\"\ncapabilities")), "{hosts}");
    assert!(hosts.contains(&format!("[host.\"{address}/v2/hub\"]")), "{hosts}");

    let manifest = digest_of_it(&user, &service);
    let verify = |digest: &str| {
        let output = Command::new(root.join("opt/containerd/image-verifier/bin/boltseal"))
            .args(["-name", "registry.example.com/team/alpine:v1", "-digest", digest])
            .args(["-stdin-media-type", "application/vnd.oci.descriptor.v1+json"])
            .env_clear()
            .env("HOME", user.home())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = verify(&manifest);
    assert_eq!((code, said.trim()), (Some(0), "allow (policy lenient)"));
    let (code, said) = verify(&format!("sha256:{}", "0".repeat(64)));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("no image of this digest was scanned here"), "{said}");
    user.run(&["admit", &format!("x.example.com/app@{manifest}"), "--format", "json"])
        .ended(0)
        .said(&["\"allow\""]);

    service.signal("KILL");
    service.ended();
    let (code, said) = verify(&manifest);
    assert_eq!(code, Some(3), "a server that does not answer allows nothing: {said}");
    assert!(said.starts_with("error: "), "whoever pulls reads why: {said}");
}

/// The digest of the image, as a client sees it.
fn digest_of_it(user: &User, service: &Service) -> String {
    let name = format!("{}/team/alpine:v1", service.https);
    let shown = user.run(&["image", "inspect", &name, "--format", "json"]).ended(0).json();
    shown["digest"].as_str().unwrap().to_owned()
}
