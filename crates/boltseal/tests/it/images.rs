//! `boltseal image …` against our own registry, as whoever logged in, and against one of others.

use boltseal_testkit::{
    Distribution,
    image::{Image, Layer, index},
};
use serde_json::Value;

use crate::{
    binary::{Ran, User},
    login::as_admin,
    service::{PATIENCE, Service},
};

/// Allows everything.
const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";

/// An index of two images that share a layer, as the layout `oci:many:v1` in the home folder; its digest.
fn many(user: &User) -> String {
    let of = |platform: &str| {
        let base = Layer::new().file("etc/os-release", "ID=alpine\n");
        Image::new().platform(platform).layer(base).layer(Layer::new().file("arch", platform)).build()
    };
    let many = index(&[of("linux/amd64"), of("linux/arm64")]);
    many.write_oci(&user.home().join("many"), Some("v1"));
    many.manifest.to_string()
}

/// Runs it until it ends with 0: judging takes its time.
#[track_caller]
fn in_time(user: &User, args: &[&str]) -> Ran {
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        let ran = user.run(args);
        if ran.code == 0 || std::time::Instant::now() > until {
            return ran.ended(0);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn between_registries_and_folders() {
    let Some(other) = Distribution::start(false) else { return };
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let service = Service::start(&user, &[]);
    let digest = many(&user);
    let (ours, theirs) = (format!("{}/team/app", service.https), format!("{}/mirror/app", other.address()));
    let [ours_v1, theirs_v1] = [&ours, &theirs].map(|place| format!("{place}:v1"));
    let image = |args: &[&str]| user.run(&[&["image"], args].concat());

    // Without a login nothing comes in.
    image(&["copy", "oci:many:v1", &ours_v1]).ended(3).complained(&["answered 401", "log in"]);
    as_admin(&user, &service);
    let copied = image(&["copy", "oci:many:v1", &ours_v1, "--format", "json"]).ended(0).json();
    assert_eq!((&copied["digest"], &copied["manifests"]), (&Value::from(digest.clone()), &Value::from(3)));
    in_time(&user, &["image", "inspect", &ours_v1, "--platform", "linux/arm64"]);
    image(&["copy", "oci:many:v1", &ours_v1]).ended(0).said(&["nothing", "3 manifests"]);

    // What is attached here goes there with the image, and comes back out of a folder.
    user.write("sbom.json", "{}");
    let file = "sbom.json:application/spdx+json";
    let attach = |to: &str| image(&["attach", to, file, "--artifact-type", "application/spdx+json"]);
    attach(&ours_v1).ended(0).said(&["attached:", &digest]);
    image(&["copy", &ours_v1, &theirs_v1, "--referrers"]).ended(0).said(&["4 manifests", "1 referrer"]);
    let tree =
        |place: &str| image(&["discover", place, "--format", "json"]).ended(0).json()["referrers"].clone();
    assert_eq!(tree(&ours_v1), tree(&theirs_v1));
    assert_eq!(tree(&ours_v1)[0]["artifactType"], "application/spdx+json");
    image(&["copy", &theirs_v1, "oci:backup:v1", "--referrers"]).ended(0).said(&["1 referrer"]);
    let beside = format!("{}/beside/app:v1", other.address());
    image(&["copy", "oci:backup:v1", &beside, "--referrers"]).ended(0).said(&["1 referrer"]);
    assert_eq!(tree(&ours_v1), tree(&beside));
    // Other bytes: the same file attached twice within a second is one artifact, not two.
    user.write("sbom.json", "{ }");
    attach(&theirs_v1).ended(0).said(&["listed:", "by a tag"]);
    image(&["discover", &theirs_v1]).ended(0).said(&["├─ application/spdx+json", "└─ application/spdx+json"]);

    lists_and_tags(&user, &service.https, other.address(), &digest);
    service.stop();
}

fn lists_and_tags(user: &User, ours: &str, theirs: &str, digest: &str) {
    let image = |args: &[&str]| user.run(&[&["image"], args].concat());
    image(&["ls", ours]).ended(0).said(&["team/app"]);
    assert_eq!(image(&["ls", theirs]).ended(0).out, "beside/app\nmirror/app\n");
    let app = format!("{ours}/team/app");
    let [v1, v2, none] = ["v1", "v2", "none"].map(|tag| format!("{app}:{tag}"));
    image(&["tag", &v1, "v2", "v3"]).ended(0).complained(&[&v2, digest]);
    assert_eq!(image(&["ls", &app, "--names"]).ended(0).out, "v1\nv2\nv3\n");
    let tags = image(&["ls", &app, "--format", "json"]).ended(0).json();
    assert_eq!(tags["tags"][1]["digest"], digest);
    assert_eq!(tags["tags"][1]["platforms"], serde_json::json!(["linux/amd64", "linux/arm64"]));
    image(&["ls", &format!("{theirs}/mirror/app")]).ended(0).said(&["list of referrers", "linux/arm64"]);
    image(&["inspect", &v1]).ended(0).said(&[digest, "linux/amd64", "└─ application/spdx+json"]);
    let one = image(&["inspect", &v1, "--platform", "linux/arm64", "--format", "json"]).ended(0).json();
    assert_eq!((&one["platform"], one["layers"].as_array().unwrap().len()), (&"linux/arm64".into(), 2));
    image(&["inspect", &v1, "--platform", "windows/amd64"])
        .ended(3)
        .complained(&["linux/amd64, linux/arm64"]);

    image(&["rm", &v2]).ended(0).complained(&["removed"]);
    assert_eq!(image(&["ls", &app, "--names"]).ended(0).out, "v1\nv3\n");
    image(&["rm", &app]).ended(2).complained(&["neither tag nor digest"]);
    image(&["rm", &none]).ended(3).complained(&["answered 404"]);
    // Theirs removes whole images only, and an artifact leaves the list that we keep for it.
    let mirror = format!("{theirs}/mirror/app");
    image(&["rm", &format!("{mirror}:v1")]).ended(3).complained(&[&format!("{mirror}@{digest}")]);
    let tree = image(&["discover", &format!("{mirror}:v1"), "--format", "json"]).ended(0).json();
    let first = tree["referrers"][0]["digest"].as_str().unwrap();
    image(&["rm", &format!("{mirror}@{first}")]).ended(0);
    let left = image(&["discover", &format!("{mirror}:v1"), "--format", "json"]).ended(0).json();
    assert_eq!(left["referrers"].as_array().unwrap().len(), 1);
    image(&["rm", &format!("{mirror}@{digest}")]).ended(0);
    image(&["inspect", &format!("{mirror}:v1")]).ended(3).complained(&["MANIFEST_UNKNOWN"]);
}

#[test]
fn mistakes_are_told_before_anything_is_sent() {
    let user = User::new();
    let nobody = "127.0.0.1:1/a/b";
    for (args, code, words) in [
        (vec!["copy", "UPPER", nobody], 2, "not a repository name"),
        (vec!["copy", "oci:", nobody], 2, "names no folder"),
        (
            vec!["copy", "docker-archive:app.tar", nobody],
            2,
            "skopeo copy docker-archive:app.tar oci:FOLDER:TAG",
        ),
        (vec!["copy", nobody, "dir:here"], 2, "not as `dir:`"),
        (vec!["copy", "oci:nowhere:v1", "oci:to:v1"], 3, "not an OCI image layout"),
        (vec!["copy", "a", "b", "--all-platforms", "--platform", "linux/amd64"], 2, "cannot be used with"),
        (vec!["ls", "127.0.0.1:1/a/b:v1"], 2, "not a repository"),
        (vec!["ls", "127.0.0.1:1"], 3, "no connection"),
        (vec!["tag", nobody, "a/b"], 2, "not a tag"),
        (vec!["attach", nobody, "missing", "--artifact-type", "a/b"], 2, "no such file"),
        (vec!["attach", nobody, "--artifact-type", "sbom"], 2, "no media type"),
        (vec!["attach", nobody, "--artifact-type", "a/b", "--annotation", "x"], 2, "KEY=VALUE"),
    ] {
        user.run(&[vec!["image"], args].concat()).ended(code).complained(&[words]);
    }
}
