//! What runs, what is wrong with it, and who has something.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::node::{Node, text};

const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: NAME
properties:
  osType: Linux
  containers:
  - name: web
    properties: {image: alpine, command: [sh, -c, 'while true; do sleep 0.1; done']}
";

/// Feeds in which busybox has two vulnerabilities, and a library that nothing loads has one.
const SECDB: &str = r#"{"apkurl":"{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
    "archs":["x86_64"],"reponame":"main","urlprefix":"https://dl-cdn.alpinelinux.org/alpine","distroversion":"v3.11",
    "packages":[{"pkg":{"name":"busybox","secfixes":{"1.99.0-r0":["CVE-2030-0001"],"1.99.0-r1":["CVE-2030-0002"]}}},
    {"pkg":{"name":"zlib","secfixes":{"9.0.0-r0":["CVE-2030-0003"]}}}]}"#;

/// A node on which the group runs, of an image in a file of its own. Control groups are those of the machine, so that agents beside
/// each other need groups of different names.
fn node(name: &str) -> Option<(Node, PathBuf)> {
    let mut node = Node::new()?;
    let archive = node.data.path().join("image.tar.gz");
    fs::copy(node.image.strip_prefix("docker-archive:").unwrap(), &archive).unwrap();
    node.image = format!("docker-archive:{}", archive.display());
    let done = node.run(&GROUP.replace("NAME", name), &["--allow-unverified"]);
    assert!(done.status.success(), "{}\n{}", text(&done.stderr), node.log());
    node.until(name, |group| group["state"] == "running");
    Some((node, archive))
}

fn import(node: &Node) {
    let folder = node.data.path().join("v3.11");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("main.json"), SECDB).unwrap();
    node.ok(&["feeds", "import", folder.join("main.json").to_str().unwrap()]);
}

/// The exit code and what is said as JSON. The release of the image is out of support, so that nothing about it is complete.
#[track_caller]
fn json(node: &Node, arguments: &[&str], code: i32) -> Value {
    let done = node.command(&[arguments, &["--format", "json"]].concat());
    assert_eq!(done.status.code(), Some(code), "{}\n{}", text(&done.stderr), node.log());
    let said = serde_json::from_slice(&done.stdout).unwrap();
    hold(&said);
    said
}

/// Holds what is said of what runs to its schema.
#[track_caller]
pub fn hold(said: &Value) {
    hold_to("running", said);
}

/// Holds what is said to the schema of that name.
#[track_caller]
pub fn hold_to(name: &str, said: &Value) {
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/reference/{name}.schema.json"));
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = schema.iter_errors(said).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}: {said:#}");
}

#[test]
fn what_runs_and_what_is_wrong_with_it() {
    let name = format!("found-{}", std::process::id());
    let web_name = format!("{name}/web");
    let Some((node, archive)) = node(&name) else { return };
    // Without data, nothing looks clean.
    let found = json(&node, &["ps", "--findings"], 3);
    let web = &found["containers"][0];
    assert_eq!(
        (&web["container"]["name"], &web["findings"]),
        (&web_name.as_str().into(), &Value::Null),
        "{found:#}"
    );
    assert!(web["unknown"].as_str().unwrap().contains("boltseal feeds update"), "{found:#}");
    let said = text(&node.command(&["ps", "--findings"]).stdout);
    assert!(said.contains('?') && said.contains("not known: there is no vulnerability data"), "{said}");
    let said = text(&node.command(&["where", "CVE-2030-0001"]).stdout);
    assert!(said.contains("Nothing that was looked into has CVE-2030-0001, but not all was"), "{said}");
    // What is in the image is known all the same, and it was read once: its file is not needed any more.
    fs::remove_file(&archive).unwrap();
    let found = json(&node, &["where", "busybox"], 3);
    assert_eq!(found["kinds"], serde_json::json!(["package"]), "{found:#}");
    import(&node);
    let found = json(&node, &["ps", "--findings"], 3);
    let web = &found["containers"][0];
    assert_eq!(found["source"]["by"], "feeds");
    let sum = |name: &str| {
        let counts = web["findings"].as_array().unwrap();
        counts.iter().map(|count| count[name].as_u64().unwrap()).sum::<u64>()
    };
    // Three of busybox and its parts, which one and the same source has, and one of zlib.
    assert!(sum("all") > sum("executed") && sum("executed") >= 2 && sum("loaded") == 0, "{found:#}");
    assert_eq!((&web["worst"]["package"], &web["worst"]["used"]), (&"busybox".into(), &"executed".into()));
    assert_eq!(
        (&web["fix"]["package"], &web["fix"]["to"]),
        (&"busybox".into(), &"1.99.0-r1".into()),
        "{web:#}"
    );
    assert!(web["gaps"][0].as_str().unwrap().contains("3.11"), "{web:#}");
    let said = text(&node.command(&["ps", "--findings"]).stdout);
    for part in [
        web_name.as_str(),
        "have busybox 1.99.0-r1 instead of",
        "removes 2",
        "not covered",
        "by the vulnerability data",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn who_has_something() {
    let name = format!("located-{}", std::process::id());
    let web_name = format!("{name}/web");
    let Some((node, _archive)) = node(&name) else { return };
    import(&node);
    let image = json(&node, &["where", "busybox"], 0)["images"][0]["digest"].as_str().unwrap().to_owned();
    for (asked, kind, used, path) in [
        ("CVE-2030-0001", Some("vulnerability"), "executed", "bin/busybox"),
        ("cve-2030-0002", Some("vulnerability"), "executed", "bin/busybox"),
        ("CVE-2030-0003", Some("vulnerability"), "present", ""),
        ("CVE-2031-0001", None, "", ""),
        ("busybox", Some("package"), "executed", "bin/busybox"),
        ("musl", Some("package"), "loaded", "lib/ld-musl-x86_64.so.1"),
        ("zlib", Some("package"), "present", ""),
        ("left-pad", None, "", ""),
        (&image, Some("image"), "executed", "bin/busybox"),
        ("sha256:0000000000000000000000000000000000000000000000000000000000000000", None, "", ""),
    ] {
        // By its digest, an image is told from others, whatever is in them.
        let code = if asked == image { 0 } else { 3 };
        let code = if kind.is_some_and(|kind| kind != "image") { 0 } else { code };
        let found = json(&node, &["where", asked], code);
        assert_eq!(found["kinds"][0].as_str(), kind, "{asked}: {found:#}");
        let one = &found["running"][0]["used"];
        assert_eq!(one["use"].as_str().unwrap_or_default(), used, "{asked}: {found:#}");
        assert_eq!(one["path"].as_str().unwrap_or_default(), path, "{asked}: {found:#}");
    }
    let said = node.ok(&["where", "CVE-2030-0001"]);
    for part in
        ["is a vulnerability", "1 image", "fixed in 1.99.0-r0", web_name.as_str(), "executed", "bin/busybox"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    // One that is gone is nowhere.
    node.ok(&["rm", "--force", &name]);
    let said = node.ok(&["where", "CVE-2030-0001"]);
    assert!(said.contains("Nothing that runs here has CVE-2030-0001."), "{said}");
}

#[test]
fn an_image_that_cannot_be_read_is_not_clean() {
    let name = format!("unread-{}", std::process::id());
    let web_name = format!("{name}/web");
    let Some((node, archive)) = node(&name) else { return };
    import(&node);
    fs::remove_file(&archive).unwrap();
    let found = json(&node, &["ps", "--findings"], 3);
    let web = &found["containers"][0];
    assert_eq!(web["findings"], Value::Null, "{found:#}");
    assert!(web["unknown"].as_str().unwrap().contains("image.tar.gz"), "{found:#}");
    let found = json(&node, &["where", "busybox"], 3);
    assert_eq!(found["unknown"][0]["name"], web_name.as_str(), "{found:#}");
    let said = text(&node.command(&["where", "busybox"]).stdout);
    assert!(said.contains(&format!("{web_name}: may have it")) && said.contains("image.tar.gz"), "{said}");
}
