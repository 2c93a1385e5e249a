//! One question to the server answers for what runs on nodes.

use std::time::{Duration, Instant};

use boltseal_testkit::image::{Compression, Image, Layer};
use serde_json::Value;

use crate::{
    fixtures::{EXPLOITED, layout},
    node::text,
    outdated::alpine_layer,
    running::hold_to,
    service::PATIENCE,
    workloads::Cloud,
};

/// Says that it is Alpine's release with that vulnerability, and which files are whose.
fn release() -> Layer {
    let release = "ID=alpine\nVERSION_ID=3.23.0\nPRETTY_NAME=\"Alpine Linux v3.23\"\n";
    let files = [
        ("busybox", "1.36.1-r0", "F:bin\nR:busybox\n"),
        ("musl", "1.2.5-r0", "F:lib\nR:ld-musl-x86_64.so.1\n"),
        ("apk-tools", "2.14.0-r0", "F:sbin\nR:apk\n"),
    ];
    let installed = files.map(|(name, version, files)| {
        format!("C:Q1abc=\nP:{name}\nV:{version}\nA:x86_64\nS:1\nI:1\nT:made for a test\nL:MIT\no:{name}\n{files}\n")
    });
    Layer::new().dir("etc").file("etc/os-release", release).file("lib/apk/db/installed", installed.concat())
}

/// A container is explained by the image that it runs, which says where it runs.
fn explained(cloud: &Cloud, group: &str, digest: &str) {
    let full = format!("{group}/one");
    for named in [full.as_str(), group, digest] {
        let ran = cloud.user.run(&["explain", named]).ended(0);
        ran.said(&[digest, &format!("running  on node-1 as {full} since ")]);
    }
    // Records of its start are told once they are sealed.
    let begun = Instant::now();
    loop {
        let chain = cloud.user.run(&["explain", &full, "--format", "json"]).ended(0).json();
        let links = chain["links"].as_array().unwrap();
        let running = links.iter().find(|link| link["step"] == "running").unwrap();
        assert_eq!(running["known"], true, "{chain:#}");
        if running["records"].as_array().is_some_and(|all| !all.is_empty()) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{chain:#}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let nowhere = cloud.user.run(&["explain", "nowhere/one"]);
    nowhere.ended(3).complained(&["no container or group `nowhere/one` runs: 1 node tells"]);
}

#[test]
fn who_has_it_on_whichever_node() {
    let Some(alpine) = alpine_layer() else { return };
    let Some(cloud) = Cloud::start() else { return };
    // What can be run, and says that it is of a release with a vulnerability that the server knows.
    let image = Image::new().tar(alpine, Compression::Gzip).layer(release()).build();
    let image = cloud.push(&layout(&cloud.user, "vulnerable", &image), "shop/web:1");
    let asked = |what: &str, code: i32| asked(&cloud, what, code);
    assert_eq!(asked(EXPLOITED, once_told(&cloud))["containers"], Value::Array(Vec::new()));
    let name = format!("everywhere-{}", std::process::id());
    let group = cloud.group(&name, "{type: None}", &image, &["sleep", "1000"]);
    let ran = cloud.node.run(&group, &["--plain-http"]);
    assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), cloud.node.log());
    let digest = cloud.node.group(&name)["containers"][0]["digest"].as_str().unwrap().to_owned();
    let until = |what: &str, number: usize| {
        let begun = Instant::now();
        loop {
            let found = asked(what, 0);
            if found["containers"].as_array().map(Vec::len) == Some(number) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{found:#}\n{}", cloud.node.log());
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    for (what, with) in [
        (EXPLOITED, "busybox"),
        ("musl", "1.2.5-r0"),
        ("busybox@1.36.1-r0", "1.36.1-r0"),
        (digest.as_str(), ""),
    ] {
        let found = until(what, 1);
        let one = &found["containers"][0];
        let full = format!("{name}/one");
        assert_eq!(
            (one["host"].as_str(), one["name"].as_str()),
            (Some("node-1"), Some(full.as_str())),
            "{what}"
        );
        assert_eq!(one["with"].as_str().unwrap_or_default(), with, "{what}: {found:#}");
        assert_eq!(
            (one["image"].as_str(), one["digest"].as_str()),
            (Some(image.as_str()), Some(digest.as_str()))
        );
        assert_eq!(
            (&found["nodes"][0]["host"], &found["nodes"][0]["silent"]),
            (&"node-1".into(), &false.into())
        );
    }
    explained(&cloud, &name, &digest);
    until_used(&cloud);
    assert_eq!(until("busybox@9", 0)["unknown"], Value::Array(Vec::new()));
    let shown = cloud.user.run(&["where", "--everywhere", EXPLOITED]).ended(0).out;
    assert!(shown.contains("node-1") && shown.contains("busybox") && shown.contains("executed"), "{shown}");
    cloud
        .user
        .run(&["where", "--everywhere", "pkg:apk/alpine/busybox"])
        .ended(2)
        .complained(&["NAME@VERSION"]);
    cloud.node.ok(&["rm", "--force", &name]);
    until(EXPLOITED, 0);
}

fn asked(cloud: &Cloud, what: &str, code: i32) -> Value {
    let said = cloud.user.run(&["where", "--everywhere", what, "--format", "json"]).ended(code).json();
    hold_to("groups", &said);
    said
}

/// Waits until the agent has looked what the only process does: it is busybox, which has musl.
#[track_caller]
fn until_used(cloud: &Cloud) {
    let begun = Instant::now();
    let used =
        |what: &str| asked(cloud, what, 0)["containers"][0]["used"].as_str().unwrap_or_default().to_owned();
    loop {
        let all = [used(EXPLOITED), used("musl"), used("apk-tools")];
        if all == ["executed", "loaded", "present"] {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{all:?}\n{}", cloud.node.log());
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// 3 as long as no node has said anything, then 0.
fn once_told(cloud: &Cloud) -> i32 {
    let begun = Instant::now();
    while cloud.user.run(&["where", "--everywhere", "busybox"]).code != 0 {
        assert!(begun.elapsed() < PATIENCE, "{}", cloud.node.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    0
}
