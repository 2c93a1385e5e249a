//! `boltseal plan`: what people and programs are told, and the bundle.

use boltseal_testkit::image::{Image, Layer};
use serde_json::json;

use crate::binary::User;

const GROUP: &str = "\
type: Microsoft.ContainerInstance/containerGroups
name: shop
tags: {team: shop, boltseal.egress: 'tcp://10.0.0.5:5432, tcp://cache:6379 dns'}
properties:
  osType: Linux
  ipAddress: {type: Public, ports: [{port: 8080, protocol: TCP}]}
  volumes: [{name: scratch, emptyDir: {}}]
  containers:
  - name: web
    properties:
      image: registry.example.com/shop/web:v1
      resources: {requests: {cpu: 0.5, memoryInGB: 0.25}}
      environmentVariables: [{name: MODE, value: quiet-word}, {name: TOKEN, secureValue: hush}]
      volumeMounts: [{name: scratch, mountPath: /work}]
      securityContext: {capabilities: {add: [KILL]}}
";

/// An image whose user is a name that only its own files explain.
fn image(user: &User) -> String {
    let accounts = "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n";
    let layer = Layer::new().file("etc/passwd", accounts).file("srv/serve", "x");
    let mut image = Image::new().layer(layer);
    for (key, value) in [
        ("User", json!("app")),
        ("Entrypoint", json!(["/srv/serve"])),
        ("Cmd", json!(["--all"])),
        ("WorkingDir", json!("/srv")),
        ("Env", json!(["A=b"])),
    ] {
        image = image.config(key, value);
    }
    let built = image.build();
    built.write_oci(&user.home().join("web"), None);
    built.manifest.to_string()
}

#[test]
fn what_would_hold_and_what_is_open() {
    let user = User::new();
    user.write("group.yaml", GROUP);
    let digest = image(&user);
    let looked = ["plan", "group.yaml", "--image", "registry.example.com/shop/web:v1=oci:web"];
    let plan = |more: &[&str]| user.run(&[&looked[..], more].concat());
    plan(&[]).ended(0).said(&[
        "group shop",
        &digest,
        "/srv/serve --all",
        "user 1000, group 1001; outside 1001000 and 1001001",
        "0.500 processors, 256 MiB of memory, 512 processes",
        "/work (volume scratch)",
        "TOKEN: in its environment",
        "opened  nothing that only root may",
        "CAP_KILL, by line 15",
        "8080/tcp for everybody, by port 8080 of the machine, by line 6 (properties.ipAddress.ports[0])",
        "tcp://cache:6379, by line 3 (tags['boltseal.egress'])",
        "names of the world are resolved, by line 3",
        "Landlock",
    ]);
    let told = plan(&["--format", "json"]).ended(0);
    assert!(!told.out.contains("quiet-word") && !told.out.contains("hush"), "{}", told.out);
    let told = told.json();
    let web = &told["containers"][0];
    // What does not hold depends on the machine.
    let lacks =
        |control: &serde_json::Value| matches!(control["state"].as_str(), Some("partial" | "unavailable"));
    let strict = if web["controls"].as_array().unwrap().iter().any(lacks) { 3 } else { 0 };
    plan(&["--strict"]).ended(strict);
    assert_eq!((&web["user"], &web["digest"]), (&json!([1000, 1001]), &json!(digest)));
    assert_eq!(web["capabilities"], json!(["CAP_KILL"]));
    assert_eq!(web["env"], json!(["A", "MODE", "PATH"]));
    let network = &told["network"];
    assert_eq!(network["ports"][0]["published"], json!(8080));
    assert_eq!(
        (&network["egress"][0]["to"], &network["egress"][1]["to"]),
        (&json!("10.0.0.5"), &json!("cache"))
    );

    plan(&["--format", "oci"]).ended(3).complained(&["no folder was given for its volume scratch"]);
    let bundle = plan(&["--format", "oci", "--volume", "scratch=/srv/scratch", "--rootfs", "/srv/web"])
        .ended(0)
        .json();
    assert_eq!(bundle["process"]["args"], json!(["/srv/serve", "--all"]));
    assert_eq!(bundle["process"]["env"][1], "MODE=quiet-word");
    assert_eq!(bundle["process"]["capabilities"]["ambient"], json!(["CAP_KILL"]));
    assert_eq!((&bundle["root"]["path"], &bundle["root"]["readonly"]), (&json!("/srv/web"), &json!(true)));
    let work =
        bundle["mounts"].as_array().unwrap().iter().find(|mount| mount["destination"] == "/work").unwrap();
    assert_eq!(work["options"], json!(["nosuid", "noexec", "nodev", "bind"]));
    assert_eq!(bundle["linux"]["resources"]["cpu"], json!({"period": 100_000, "quota": 50_000}));
}

#[test]
fn what_is_refused_and_what_is_not_known() {
    let user = User::new();
    user.write("group.yaml", GROUP);
    let unseen = user.run(&["plan", "group.yaml", "--without-images"]).ended(3);
    unseen.said(&["runs        not known", "as          not known", "not known:", "was not looked at"]);
    let missing =
        user.run(&["plan", "group.yaml", "--image", "registry.example.com/shop/web:v1=oci:nowhere"]).ended(3);
    missing.complained(&["oci:nowhere", "not an OCI image layout"]);
    user.write("open.yaml", GROUP.replace("capabilities: {add: [KILL]}", "privileged: true"));
    let refused = user.run(&["plan", "open.yaml", "--without-images"]).ended(1);
    refused.said(&["it will not be run:", "securityContext.privileged (line 15)", "root of the machine"]);
    let bundle = user.run(&["plan", "open.yaml", "--without-images", "--format", "oci"]).ended(1);
    bundle.complained(&["root of the machine"]);
    user.write(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: web}]}\n",
    );
    user.run(&["plan", "pod.yaml", "--without-images"])
        .ended(1)
        .said(&["a Pod is run by its own orchestrator"]);
    user.write("values.yaml", "replicas: 3\n");
    user.run(&["plan", "values.yaml"]).ended(3).complained(&["nothing in it is a definition"]);
    user.run(&["plan", "missing.yaml"]).ended(2).complained(&["cannot read missing.yaml"]);
    user.run(&["plan", "group.yaml", "--image", "x"]).ended(2).complained(&["NAME=VALUE"]);
}
