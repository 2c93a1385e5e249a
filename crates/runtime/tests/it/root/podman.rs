//! A root beside the one that podman makes of the same image.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, process::Command};

use boltseal_image::Options;
use boltseal_testkit::{
    image::{Entry, Image, Layer},
    peer, shared,
};

use super::{ALPINE, Place, SHIFTS, USERS};

/// Everything below `root` as whoever unpacked it has it: path, kind, mode, owner within, time, links, content or target.
fn described(root: &Path, first: u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display();
        let (mode, owner, group) = (meta.mode(), meta.uid() - first, meta.gid() - first);
        let what = if meta.is_symlink() {
            format!("-> {} at {}", fs::read_link(&path).unwrap().display(), meta.mtime())
        } else if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            String::new()
        } else {
            let digest = boltseal_model::Digest::of(&fs::read(&path).unwrap());
            format!("{} names, {digest} at {}.{}", meta.nlink(), meta.mtime(), meta.mtime_nsec())
        };
        lines.push(format!("/{name} {mode:o} {owner}:{group} {what}"));
    }
    // Of a root that no layer has an entry for, podman makes 555, others 755.
    lines.retain(|line| !line.starts_with("/ "));
    lines.sort();
    lines
}

/// The same image is the same files as for podman.
#[test]
fn as_podman_has_it() {
    let Some(place) = Place::new() else { return };
    let (Some(podman), Some(archive)) = (peer("podman"), shared(ALPINE)) else { return };
    let folder = place.folder.path();
    let plain = fs::File::create(folder.join("alpine.tar")).unwrap();
    let status = Command::new("gzip").arg("-dc").arg(archive).stdout(plain).status().unwrap();
    assert!(status.success());
    odd().build().write_oci(&folder.join("odd"), Some("x"));
    let run = |arguments: &[&str]| {
        let output = Command::new(&podman)
            .args(["--root", "podman", "--runroot", "podman-run", "--storage-driver", "vfs"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for image in ["docker-archive:alpine.tar", "oci:odd:x"] {
        let id = run(&["pull", "--quiet", image]);
        let theirs = described(Path::new(&run(&["image", "mount", &id])), 0);
        assert!(theirs.len() > 10, "{theirs:?}");
        let (transport, path) = image.split_once(':').unwrap();
        let target = format!("{transport}:{}", folder.join(path).display());
        let unpacked = place.layers.unpack(&target, &Options::default()).unwrap().1;
        for shift in SHIFTS {
            let ours =
                place.with(&unpacked, &[], Some(shift), |root| described(&root.path, USERS.first)).unwrap();
            let differs: Vec<_> =
                ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).take(3).collect();
            assert!(
                ours == theirs,
                "{image}, {shift:?}: {} and {} files; {differs:#?}",
                ours.len(),
                theirs.len()
            );
        }
        run(&["image", "unmount", &id]);
    }
}

/// What layers may do to each other.
fn odd() -> Image {
    let root = Entry { mode: 0o755, ..Entry::bare("./", b'5', "") };
    let dir = |path, mode, owner| Entry { mode, owner, ..Entry::bare(path, b'5', "") };
    let base = Layer::new()
        .entry(&root)
        .entry(&dir("tmp", 0o1777, (0, 0)))
        .entry(&dir("var", 0o755, (0, 0)))
        .entry(&dir("var/mail", 0o2775, (0, 8)))
        .file("var/mail/one", "1")
        .dir("opaque")
        .file("opaque/old", "1")
        .dir("gone")
        .file("gone/with/all", "1")
        .dir("replaced")
        .file("replaced/by", "a file")
        .file("file", "replaced by a folder")
        .file("link-target", "1")
        .symlink("to-be-file", "link-target")
        .entry(&Entry { mode: 0o4755, ..Entry::file("setuid", b"#!/bin/sh") })
        .hard_link("setuid-too", "setuid")
        .pax(&[("mtime", "1500000000.123456789"), ("path", &format!("long/{}", "n".repeat(200)))])
        .file("short", "long name")
        .entry(&Entry { owner: (1000, 60_000), mode: 0o400, ..Entry::file("owned", b"x") });
    let middle = Layer::new()
        .entry(&root)
        .whiteout("gone")
        .dir("opaque")
        .opaque("opaque")
        .file("opaque/new", "2")
        .file("replaced", "2")
        .dir("file")
        .file("file/inside", "2")
        .file("to-be-file", "2")
        .entry(&dir("tmp", 0o1777, (0, 0)))
        .file("tmp/new", "2");
    let top = Layer::new()
        .entry(&root)
        .dir("gone")
        .file("gone/again", "3")
        .whiteout("opaque/new")
        .file("last", "3");
    Image::new().layer(base).layer(middle).layer(top)
}
