//! The walk of README.md, pasted into a shell as a newcomer would, block by block.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use boltseal_testkit::{peer, shared};
use tempfile::TempDir;

/// What the walk must have shown, in this order.
const SHOWN: &[&str] = &[
    "in use: ",
    "upgrade busybox 1.31.1-r9 to 1.31.1-r11 removes",
    "DENY",
    "CVE-2025-59681",
    "the gate ended with exit code 1",
    "refused, as it should be",
    "\"shop\"",
    "the walk is over",
];

#[test]
fn the_walk_can_be_pasted() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    assert!(readme.starts_with("```sh\ncargo run --release -- up\ncargo test --workspace\n```\n"));
    let Some(data) = shared("data") else { return };
    for program in ["bash", "podman", "skopeo", "curl"] {
        if peer(program).is_none() {
            return;
        }
    }

    // A workspace as after `cargo build --release`, which is the one step not taken here.
    let top = TempDir::new().unwrap();
    let here = top.path().join("boltseal");
    for folder in ["target/release", "storage", "bin"] {
        fs::create_dir_all(here.join(folder)).unwrap();
    }
    symlink(data.parent().unwrap(), top.path().join("shared")).unwrap();
    symlink(env!("CARGO_BIN_EXE_boltseal"), here.join("target/release/boltseal")).unwrap();
    let storage = here.join("storage");
    let conf = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
        storage.display()
    );
    fs::write(storage.join("storage.conf"), conf).unwrap();

    let (https, http) = (free_port(), free_port());
    let script = blocks(&readme)
        .replace(
            "boltseal up",
            &format!("boltseal up --listen 127.0.0.1:{https} --registry-listen 127.0.0.1:{http}"),
        )
        .replace("127.0.0.1:8443", &format!("127.0.0.1:{https}"))
        .replace("127.0.0.1:5000", &format!("127.0.0.1:{http}"));
    let script = format!(
        "set -euo pipefail\ncargo() {{ :; }}\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{script}\necho the walk is over\n"
    );
    let ran = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&here)
        .env("CONTAINERS_STORAGE_CONF", storage.join("storage.conf"))
        .env("BUILDAH_ISOLATION", "chroot")
        .env_remove("BOLTSEAL_DATA")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{script}\n--- stdout\n{out}\n--- stderr\n{err}");
    let mut rest = &*out;
    for part in SHOWN {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("no `{part}` in the rest of:\n{out}\n--- stderr\n{err}"));
        rest = &rest[at..];
    }
    assert!(err.contains("denied: image refused"), "skopeo did not print the reason:\n{err}");
}

/// The `sh` blocks below the heading of the walk.
fn blocks(readme: &str) -> String {
    let walk = readme.split("\n## Five minutes\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let found: Vec<&str> =
        walk.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(found.len() > 6, "the walk has lost its steps");
    found.concat()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
