//! Groups that are rolled out by themselves, by a rule in their file.

use std::time::Duration;

use boltseal_testkit::{
    Distribution,
    image::{Compression, Image, Layer},
};

use crate::{
    binary::User,
    node::{Node, own_network, text},
    outdated::{alpine_layer, push, web},
};

/// In busybox of any version, and as bad as they come.
const CRITICAL: &str = r#"{"id":"ALPINE-CVE-2030-0009","modified":"2026-10-30T12:00:00Z","published":"2026-10-30T12:00:00Z",
    "summary":"made for a test","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected":[{"package":{"ecosystem":"Alpine:v3.11","name":"busybox"},
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"9.9.9-r0"}]}]}]}"#;
/// More than any look of an agent that looks every second.
const A_WHILE: Duration = Duration::from_secs(4);

/// A group that ends at once where its image is of version `bad`.
fn group(name: &str, image: &str, reason: &str) -> String {
    format!(
        "type: Microsoft.ContainerInstance/containerGroups\nname: {name}\ntags: {{boltseal.rollout-on: {reason}}}\nproperties:\n  \
         osType: Linux\n  restartPolicy: Never\n  containers:\n  - name: web\n    properties:\n      image: '{image}'\n      \
         command: [sh, -c, 'grep -q bad /version && exit 1; sleep 1000']\n"
    )
}

#[test]
fn a_group_is_rolled_out_when_its_name_means_a_better_image() {
    let Some(alpine) = alpine_layer() else { return };
    if !own_network() {
        return;
    }
    let Some(registry) = Distribution::start(false) else { return };
    let user = User::new();
    let Some(node) = Node::here(&["--renew-every", "1s"], user.home()) else { return };
    let place = |name: &str| format!("{}/{name}", registry.address());
    let base = place("base/alpine:3");
    let put = |image: &Image, to: &str| push(user.home(), image, &place(to));
    let version = |version: &str, to: &str| put(&web(&alpine, version, &base), to);
    put(&Image::new().tar(alpine.clone(), Compression::Gzip), "base/alpine:3");
    let names = ["by-base", "by-critical"].map(|name| format!("{name}-{}", std::process::id()));
    for (name, reason) in names.iter().zip(["base", "critical"]) {
        version("first", &format!("shop/{reason}:1"));
        let ran =
            node.run(&group(name, &place(&format!("shop/{reason}:1")), reason), &["--allow-unverified"]);
        assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), node.log());
        node.until(name, |group| group["state"] == "running");
    }
    let digest = |name: &str| node.group(name)["containers"][0]["digest"].as_str().unwrap().to_owned();
    let first = names.each_ref().map(|name| digest(name));

    // Another image alone is no reason for these, and neither is a better base without one.
    for reason in ["base", "critical"] {
        version("second", &format!("shop/{reason}:1"));
    }
    std::thread::sleep(A_WHILE);
    assert_eq!(names.each_ref().map(|name| digest(name)), first, "{}", node.log());

    let rebuilt = Image::new().layer(Layer::new().file("etc/new", "")).tar(alpine.clone(), Compression::Gzip);
    put(&rebuilt, "base/alpine:3");
    node.until(&names[0], |group| group["containers"][0]["digest"] != first[0].as_str());
    let feed = user.write("ALPINE-CVE-2030-0009.json", CRITICAL);
    node.ok(&["feeds", "import", &feed]);
    node.until(&names[1], |group| group["containers"][0]["digest"] != first[1].as_str());
    let events = node.ok(&["events", "--json"]);
    for why in ["base/alpine:3 was built again", "has 2 critical vulnerabilities"] {
        assert!(events.contains(why), "{why}: {events}");
    }

    // What does not become ready is tried once, and the one before serves on.
    let second = digest(&names[0]);
    let later = rebuilt.layer(Layer::new().file("etc/newer", ""));
    put(&later, "base/alpine:3");
    version("bad", "shop/base:1");
    let failures = || node.ok(&["events", "--json"]).matches("group.rollout-failed").count();
    node.until(&names[0], |_| failures() == 1);
    std::thread::sleep(A_WHILE);
    assert_eq!((failures(), digest(&names[0])), (1, second), "{}", node.log());
}
