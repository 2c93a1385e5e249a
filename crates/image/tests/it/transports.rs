//! The same image in every form gives the same tree.

use std::{fs, path::Path, process::Command};

use boltseal_image::{Error, Image as Opened};
use boltseal_model::Digest;
use boltseal_testkit::{
    image::{Built, Compression, Flavour, Image, Layer},
    peer, shared,
};
use serde_json::json;

use crate::tree::{open_all, view};

fn sample(flavour: Flavour) -> Built {
    Image::new()
        .flavour(flavour)
        .platform("linux/amd64")
        .config("User", json!("app"))
        .config("Env", json!(["PATH=/bin"]))
        .config("Labels", json!({ "team": "red" }))
        .config("Entrypoint", json!(["/app"]))
        .layer(
            Layer::new()
                .dir("etc")
                .file("etc/os-release", "ID=x\n")
                .file("etc/gone", "1")
                .symlink("lib", "usr/lib"),
        )
        .layer_as(Layer::new().file("lib/a", "a").whiteout("etc/gone"), Compression::Zstd)
        .layer_as(Layer::new().file("etc/plain", "p"), Compression::Plain)
        .build()
}

const EXPECTED: [&str; 4] = ["etc/os-release=ID=x\n@0", "etc/plain=p@2", "lib->usr/lib", "usr/lib/a=a@1"];

fn check(target: &str, built: &Built, digest: Option<&Digest>) -> Opened {
    let opened = open_all(target).unwrap_or_else(|error| panic!("{target}: {error}"));
    assert_eq!(view(&opened.tree), EXPECTED, "{target}");
    assert_eq!(opened.subject.digest.as_ref(), digest, "{target}");
    assert_eq!(opened.subject.config.as_ref(), Some(&built.config), "{target}");
    assert_eq!(opened.subject.reference, target);
    assert_eq!(opened.subject.platform.as_ref().unwrap().to_string(), "linux/amd64");
    assert_eq!((opened.config.user.as_str(), opened.config.labels["team"].as_str()), ("app", "red"));
    assert_eq!(opened.tree.layers.len(), 3);
    assert!(opened.tree.layers.iter().all(|layer| layer.diff_id.is_some() && layer.digest.is_some()));
    opened
}

#[test]
fn all_forms_agree() {
    for flavour in [Flavour::Oci, Flavour::Docker] {
        let built = sample(flavour);
        let manifest = Some(&built.manifest);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        built.write_oci(Path::new(&at("oci")), Some("v1"));
        built.write_dir(Path::new(&at("dir")));
        fs::write(at("oci.tar"), built.oci_archive(Some("v1"))).unwrap();
        fs::write(at("docker.tar"), built.docker_archive(&["example.org/app:1", "app:2"])).unwrap();
        for compression in [Compression::Gzip, Compression::Zstd] {
            let packed = compression.pack(&built.docker_archive(&["app:2"]));
            fs::write(at(&format!("docker.tar.{compression:?}")), packed).unwrap();
        }
        fs::write(at("oci.tar.gz"), Compression::Gzip.pack(&built.oci_archive(None))).unwrap();

        for form in [
            "oci:oci",
            "oci:oci:v1",
            "oci:oci@D",
            "oci-archive:oci.tar",
            "oci-archive:oci.tar:v1",
            "oci-archive:oci.tar.gz",
            "dir:dir",
            ":oci",
            ":dir",
            ":oci.tar",
            ":oci.tar.gz",
        ] {
            let (transport, path) = form.split_once(':').unwrap();
            let path = path.replace("@D", &format!("@{}", built.manifest));
            let target = if transport.is_empty() { at(&path) } else { format!("{transport}:{}", at(&path)) };
            check(&target, &built, manifest);
        }
        for form in [
            "docker-archive:docker.tar",
            "docker-archive:docker.tar:app:2",
            "docker-archive:docker.tar:docker.io/library/app:2",
            "docker-archive:docker.tar:@0",
            "docker-archive:docker.tar.Gzip",
            "docker-archive:docker.tar.Zstd",
            ":docker.tar",
            ":docker.tar.Gzip",
        ] {
            let (transport, path) = form.split_once(':').unwrap();
            let target = if transport.is_empty() { at(path) } else { format!("{transport}:{}", at(path)) };
            check(&target, &built, None);
        }
        let named = check(&format!("docker-archive:{}", at("docker.tar")), &built, None);
        assert_eq!(named.subject.name.unwrap().to_string(), "example.org/app:1");
    }
}

#[test]
fn a_root_file_system_is_a_tree_too() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("usr/lib")).unwrap();
    fs::create_dir_all(root.join("proc/1")).unwrap();
    fs::write(root.join("usr/lib/os-release"), "ID=x").unwrap();
    fs::write(root.join("proc/1/status"), "not a file of the image").unwrap();
    std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
    std::os::unix::fs::symlink("/", root.join("loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), 0o644.into()).unwrap();
    let expected = ["lib->usr/lib", "loop->/", "usr/lib/os-release=ID=x@0"];
    for target in [format!("rootfs:{}", root.display()), root.display().to_string()] {
        let opened = open_all(&target).unwrap();
        assert_eq!(view(&opened.tree), expected, "{target}");
        assert_eq!((opened.subject.digest, opened.tree.layers.len()), (None, 1));
    }
    let archive = folder.path().join("root.tar.gz");
    let tar =
        Layer::new().symlink("lib", "usr/lib").symlink("loop", "/").file("usr/lib/os-release", "ID=x").tar();
    fs::write(&archive, Compression::Gzip.pack(&tar)).unwrap();
    for target in [format!("rootfs:{}", archive.display()), archive.display().to_string()] {
        assert_eq!(view(&open_all(&target).unwrap().tree), expected, "{target}");
    }
}

#[test]
fn says_what_there_is_instead() {
    let built = sample(Flavour::Oci);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    built.write_oci(Path::new(&at("oci")), Some("v1"));
    fs::write(at("docker.tar"), built.docker_archive(&["app:1"])).unwrap();
    fs::write(at("noise"), vec![b'x'; 5000]).unwrap();
    fs::write(at("cut.tar"), &built.oci_archive(None)[..600]).unwrap();
    fs::write(at("headless.tar"), Layer::new().file("x", "").tar()).unwrap();
    fs::create_dir(at("empty")).unwrap();
    for (target, words) in [
        (format!("oci:{}:v2", at("oci")), "no image `v2`; choose one of: v1"),
        (format!("docker-archive:{}:app:2", at("docker.tar")), "choose one of: app:1"),
        (format!("docker-archive:{}:@1", at("docker.tar")), "choose one of: app:1"),
        (format!("oci:{}", at("empty")), "has no index.json"),
        (format!("dir:{}", at("empty")), "has no manifest.json"),
        (format!("docker-archive:{}", at("missing.tar")), "entity not found"),
        (format!("oci-archive:{}", at("noise")), "not a tar archive"),
        (at("noise"), "not a tar archive"),
        (at("cut.tar"), "has no index.json"),
        (format!("oci-archive:{}", at("headless.tar")), "has no index.json"),
        (at("missing"), "No such file"),
        ("docker-daemon:app:1".into(), "docker save"),
        ("docker://UPPER".into(), "not a repository name"),
        ("Not A Reference".into(), "neither a file or folder here nor an image reference"),
        (String::new(), "neither a file or folder here nor an image reference"),
    ] {
        let error = open_all(&target).unwrap_err().to_string();
        assert!(error.contains(words), "{target}: {error}");
    }
}

#[test]
fn the_real_alpine_copied_by_skopeo() {
    let Some(alpine) = shared("data/fixtures/images/alpine-311-docker-archive.tar.gz") else { return };
    let from = format!("docker-archive:{}", alpine.display());
    let original = open_all(&from).unwrap();
    assert!(
        original.tree.content("etc/os-release").unwrap().starts_with(b"NAME=\"Alpine Linux\"\nID=alpine\n")
    );
    assert_eq!(original.tree.entries, 488);
    let (Some(skopeo), Some(gzip)) = (peer("skopeo"), peer("gzip")) else { return };
    let folder = tempfile::tempdir().unwrap();
    // skopeo does not read compressed archives everywhere.
    let plain = Command::new(gzip).arg("-dc").arg(&alpine).output().unwrap().stdout;
    fs::write(folder.path().join("plain.tar"), plain).unwrap();
    let from = format!("docker-archive:{}", folder.path().join("plain.tar").display());
    for to in ["oci:layout:a", "oci-archive:oci.tar:a", "dir:dir", "docker-archive:docker.tar:alpine:3.11"] {
        let (transport, name) = to.split_once(':').unwrap();
        let to = format!("{transport}:{}", folder.path().join(name).display());
        let status = Command::new(&skopeo)
            .args(["--insecure-policy", "copy", "--quiet", &from, &to])
            .status()
            .unwrap();
        assert!(status.success(), "skopeo copy to {to}");
        let copy = open_all(&to).unwrap();
        assert_eq!(view(&copy.tree), view(&original.tree), "{to}");
        assert_eq!(copy.tree.layers[0].diff_id, original.tree.layers[0].diff_id);
    }
}

#[test]
fn wrong_names_of_configurations_are_noticed() {
    let built = sample(Flavour::Oci);
    let mut archive = built.docker_archive(&["app:1"]);
    let at = archive
        .windows(8)
        .position(|window| window == b"\"author\"")
        .or_else(|| archive.windows(5).position(|window| window == b"linux"));
    archive[at.unwrap()] ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    fs::write(&path, archive).unwrap();
    let error = open_all(&format!("docker-archive:{}", path.display())).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
}

#[test]
fn what_is_looked_for_in_a_registry() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().to_str().unwrap();
    for (target, expected) in [
        ("docker://registry.example/app:1", true),
        ("registry.example/app:1", true),
        ("debian", true),
        ("oci.example/app", true),
        (there, false),
        ("/not/there", false),
        ("./not/there", false),
        ("oci:not/there:1", false),
        ("rootfs:app", false),
        ("docker-archive:app.tar", false),
        ("docker-daemon:app:1", false),
    ] {
        assert_eq!(boltseal_image::is_in_registry(target), expected, "{target}");
    }
}
