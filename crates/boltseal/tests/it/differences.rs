//! `boltseal image history` and `boltseal image diff`.

use boltseal_testkit::image::{Image, Layer};
use serde_json::{Value, json};

use crate::binary::User;

/// What `apk` writes down of one package.
fn installed(packages: &[(&str, &str)]) -> String {
    let blocks = packages.iter().map(|(name, version)| format!("P:{name}\nV:{version}\nA:x86_64\n\n"));
    blocks.collect::<Vec<_>>().concat()
}

/// `oci:before` and `oci:after` in the home folder.
fn two(user: &User) {
    let base = |packages: &[(&str, &str)]| {
        Layer::new()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n")
            .file("lib/apk/db/installed", installed(packages))
            .file("etc/motd", "welcome")
    };
    let packages = [("busybox", "1.36.1-r29"), ("zlib", "1.3.1-r1")];
    let program =
        Layer::new().file("app/run", "old program").file("app/gone", "x").symlink("app/latest", "run");
    Image::new()
        .layer(base(&packages))
        .layer(program)
        .config("Env", json!(["PATH=/bin", "MODE=test"]))
        .config("User", json!(""))
        .build()
        .write_oci(&user.home().join("before"), Some("v1"));
    let packages = [("busybox", "1.36.1-r30"), ("curl", "8.11.0-r2")];
    let program = Layer::new().executable("app/run", "new program!").symlink("app/latest", "run");
    Image::new()
        .layer(base(&packages))
        .layer(program)
        .layer(Layer::new().whiteout("etc/motd"))
        .config("Env", json!(["PATH=/bin", "MODE=live"]))
        .config("User", json!("app"))
        .config("Labels", json!({ "team": "shop" }))
        .build()
        .write_oci(&user.home().join("after"), Some("v1"));
}

/// `name before after` of each change.
fn changes(of: &Value, name: impl Fn(&Value) -> String, value: impl Fn(&Value) -> String) -> Vec<String> {
    let value = |side: &Value| if side.is_null() { "-".to_owned() } else { value(side) };
    let all = of.as_array().unwrap().iter();
    all.map(|change| format!("{} {} {}", name(change), value(&change["before"]), value(&change["after"])))
        .collect()
}

#[test]
fn two_images_are_held_against_each_other() {
    let user = User::new();
    two(&user);
    let diff =
        |extra: &[&str]| user.run(&[&["image", "diff", "oci:before:v1", "oci:after:v1"], extra].concat());
    let found = diff(&["--format", "json"]).ended(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(
        changes(&found["packages"], |change| text(&change["name"]["package"]), text),
        ["busybox 1.36.1-r29 1.36.1-r30", "curl - 8.11.0-r2", "zlib 1.3.1-r1 -"]
    );
    let config = changes(&found["config"], |change| text(&change["name"]), text);
    assert_eq!(config, ["user - app", "env MODE test live", "label team - shop"]);
    let files = changes(&found["files"], |change| text(&change["name"]), |entry| entry["size"].to_string());
    assert_eq!(files, ["app/gone 1 -", "app/run 11 12", "etc/motd 7 -", "lib/apk/db/installed 61 62"]);
    assert_eq!(found["findings"], Value::Null, "there are no feeds");
    diff(&[]).ended(0).said(&[
        "1 added, 1 removed, 1 changed",
        "busybox",
        "644 → 755",
        "/etc/motd",
        "env MODE",
        "vulnerabilities were not compared",
    ]);
    assert_eq!(diff(&["--no-files", "--format", "json"]).ended(0).json()["files"], Value::Null);
    user.run(&["image", "diff", "oci:before:v1", "oci:before:v1"]).ended(0).said(&["no difference"]);
    user.run(&["image", "diff", "oci:before:v1", "oci:nowhere"]).ended(3);
}

#[test]
fn an_image_tells_how_it_was_built() {
    let user = User::new();
    two(&user);
    let history = user.run(&["image", "history", "oci:after:v1", "--format", "json"]).ended(0).json();
    let steps = history["steps"].as_array().unwrap();
    assert_eq!(
        steps.iter().map(|step| step["step"].as_str()).collect::<Vec<_>>(),
        [Some("step 0"), Some("step 1"), Some("step 2")]
    );
    assert!(steps.iter().all(|step| step["size"].as_u64() > Some(0)));
    user.run(&["image", "history", "oci:after:v1"]).ended(0).said(&["BUILD STEP", "step 2", "2024-01-01"]);
}

#[test]
fn their_layers_and_yours() {
    use crate::fixtures::{NOW, alpine, alpine_image, layout, user_with_feeds};
    let user = user_with_feeds();
    let base = layout(&user, "base", &alpine("1.36.1-r0"));
    let newer = layout(&user, "newer", &alpine("1.36.1-r2"));
    let app = alpine_image("1.36.1-r0").layer(Layer::new().executable("app/run", "program"));
    let app = layout(&user, "app", &app.build());
    let ask =
        |extra: &[&str]| user.run(&[&["image", "base", &app, "--base", &base, "--at", NOW], extra].concat());
    ask(&["--on", &newer]).ended(0).said(&[
        "their layers",
        "2 findings",
        "your layers",
        "removes 2 findings, brings 0, keeps 0",
        "CVE-2023-42363",
    ]);
    let found = ask(&["--format", "json"]).ended(0).json();
    assert_eq!((&found["theirs"]["layers"], &found["yours"]["layers"]), (&json!(1), &json!(1)));
    assert_eq!(found["yours"]["findings"], json!([]));
    assert_eq!(found["rebase"], Value::Null);
    user.run(&["image", "base", &app, "--base", &newer]).ended(2).complained(&["was not built on"]);
    user.run(&["image", "base", &app]).ended(2).complained(&["does not say what it was built on", "--base"]);
}
