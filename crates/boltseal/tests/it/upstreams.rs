//! `boltseal registry upstream|mirror …` and `boltseal image import`, with Debian's registry on the other side.

use boltseal_testkit::{
    Distribution,
    image::{Image, Layer},
};

use crate::{
    binary::User,
    login::as_admin,
    service::{PATIENCE, Service},
};

/// Allows everything.
const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";

#[test]
fn a_cache_a_mirror_and_an_import() {
    let Some(other) = Distribution::start(false) else { return };
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let service = Service::start(&user, &[]);
    let built = Image::new().layer(Layer::new().file("etc/os-release", "ID=alpine\n")).build();
    built.write_oci(&user.home().join("one"), Some("v1"));
    let there = format!("{}/library/app:v1", other.address());
    user.run(&["image", "copy", "oci:one:v1", &there]).ended(0);
    as_admin(&user, &service);

    let registry = |args: &[&str]| user.run(&[&["registry"], args].concat());
    let host = other.address();
    registry(&["upstream", "add", "hub", "--host", host, "--deny", "evil/*", "--ttl", "1h"]).ended(0);
    registry(&["upstream", "ls"]).ended(0).said(&["hub/", host, "1h"]);
    let shown = registry(&["upstream", "show", "hub", "--format", "json"]).ended(0).json();
    assert_eq!((&shown["prefix"], &shown["deny"][0]), (&"hub".into(), &"evil/*".into()));
    registry(&["upstream", "add", "two", "--host", host, "--prefix", "hub"]).ended(2).complained(&["hub"]);
    let cached = format!("{}/hub/library/app:v1", service.https);
    let until = std::time::Instant::now() + PATIENCE;
    // The list of upstreams may be a second old, and judging takes its time.
    while user.run(&["image", "inspect", &cached]).code != 0 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    user.run(&["image", "inspect", &cached]).ended(0).said(&[&built.manifest.to_string()]);
    user.run(&["image", "copy", "oci:one:v1", &cached.replace("v1", "v2")]).complained(&["is a cache of"]);

    let import = ["image", "import", &there, "base/app:1"];
    user.run(&import).ended(0).complained(&["fetched"]);
    let imported = format!("{}/base/app:1", service.https);
    user.run(&["image", "inspect", &imported]).ended(0).said(&[&built.manifest.to_string()]);
    user.run(&["image", "import", &there.replace("v1", "absent"), "base/app"]).ended(3).complained(&["404"]);

    registry(&["mirror", "add", "m", "--host", host, "--repository", "library/app", "--to", "copies"])
        .ended(0);
    registry(&["mirror", "run", "m"]).ended(0).complained(&["1 tags"]);
    registry(&["mirror", "status", "m"]).ended(0).said(&["library/app", "done", "1 tags"]);
    registry(&["mirror", "pause", "m"]).ended(0);
    registry(&["mirror", "ls"]).ended(0).said(&["paused"]);
    registry(&["mirror", "resume", "m"]).ended(0);
    registry(&["mirror", "rm", "m"]).ended(0);
    registry(&["upstream", "rm", "hub"]).ended(0);
    registry(&["upstream", "rm", "hub"]).ended(2);
    service.stop();
}
