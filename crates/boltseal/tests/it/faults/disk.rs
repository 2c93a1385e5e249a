//! A disk that is full, and one that may not be written. The data folder is a small file system of its own, in a mount
//! namespace that nobody else sees.

use std::{fs, io::Write as _, path::PathBuf, process::Command};

use boltseal_model::Digest;
use boltseal_testkit::peer;

use super::{BYTES, Server, manifest_of, noise};
use crate::{
    binary::User,
    service::{Service, UP},
};

/// `unshare` with what this user needs to mount something; `None`, with a word, where that is not allowed.
pub(super) fn unshare() -> Option<Command> {
    let program = peer("unshare")?;
    for rights in [&["--mount"][..], &["--mount", "--map-root-user"]] {
        let tried =
            Command::new(&program).args(rights).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
        if tried.is_ok_and(|output| output.status.success()) {
            let mut command = Command::new(&program);
            command.args(rights);
            return Some(command);
        }
    }
    println!("skipped: this user may not mount anything");
    None
}

/// `boltseal up` after `script`, for which `$1` is the data folder.
pub(super) fn up(mut unshare: Command, user: &User, script: &str) -> Command {
    fs::create_dir_all(user.data()).unwrap();
    let policy = user.write("policy.yaml", "version: 1\nname: faults\nrules: []\n");
    let inner = user.command(&[&UP[..], &["--policy", &policy]].concat());
    let script = format!("{script} && shift && exec \"$@\"");
    unshare
        .args(["sh", "-ec", &script, "sh"])
        .arg(user.data())
        .arg(inner.get_program())
        .args(inner.get_args());
    unshare.env_clear().env("HOME", user.home()).current_dir(user.home());
    unshare.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    unshare
}

/// Takes all room that is left.
fn fill(path: &PathBuf) {
    let mut file = fs::File::create(path).unwrap();
    for size in [1 << 20, 4096, 1] {
        let piece = vec![0; size];
        while file.write_all(&piece).is_ok() {}
    }
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room_again() {
    let Some(unshare) = unshare() else { return };
    let user = User::new();
    let command = up(unshare, &user, "mount -t tmpfs -o size=48m tmpfs \"$1\"");
    let service = Service::run(&user, command);
    let server = Server::of(user, service);
    let inside = PathBuf::from(format!("/proc/{}/root", server.service.id()));
    let data = inside.join(server.user.data().strip_prefix("/").unwrap());

    let (config, layer) = (b"{}", noise(1, 200_000));
    server.blob("full/app", config).is(201);
    server.blob("full/app", &layer).is(201);
    let manifest = manifest_of(config, "");
    server.manifest("full/app", "v1", &manifest).is(201);
    let session = server.session("full/app");
    server.ask("PATCH", &session, &[BYTES], &layer).is(202);

    // More than fits, while small things still do.
    let large = noise(2, 60 << 20);
    server.blob("full/app", &large).is(507).says_why();
    // What did not fit does not stay behind either.
    server.ask("PATCH", &session, &[BYTES], &large).is(507).says_why();
    assert_eq!(server.ask("GET", &session, &[], b"").is(204).header("range"), Some("0-199999"));
    server.blob("full/app", b"small").is(201);

    let ballast = data.join("ballast");
    fill(&ballast);
    let other = manifest_of(config, r#","annotations":{"a":"b"}"#);
    // With nothing left, nothing can be recorded, and what cannot be recorded is not done.
    let refused = [
        ("a blob", server.blob("full/app", &noise(3, 100_000))),
        ("a manifest", server.manifest("full/app", "v2", &other)),
        ("a chunk", server.ask("PATCH", &session, &[BYTES], &noise(4, 100_000))),
        ("a deletion", server.ask("DELETE", "/v2/full/app/manifests/v1", &[], b"")),
        ("a pull", server.ask("GET", "/v2/full/app/manifests/v1", &[], b"")),
        ("another blob", server.blob("full/app", &noise(5, 100_000))),
    ];
    for (what, answer) in refused {
        assert_eq!(answer.status, 507, "{what}: {}", answer.text());
        answer.says_why();
    }
    let tags = server.ask("GET", "/v2/full/app/tags/list", &[], b"").is(200).text();
    assert!(tags.contains(r#"["v1"]"#), "{tags}");

    fs::remove_file(ballast).unwrap();
    assert_eq!(server.ask("GET", "/v2/full/app/manifests/v1", &[], b"").is(200).body, manifest);
    server.has("full/app", &layer);
    server.has("full/app", b"small");
    server.manifest("full/app", "v2", &other).is(201);
    // The session has at least what was acknowledged, and is finished from there.
    let asked = server.ask("GET", &session, &[], b"").is(204);
    let have = asked.header("range").unwrap().strip_prefix("0-").unwrap().parse::<usize>().unwrap() + 1;
    assert!(have >= layer.len(), "{have} bytes left of {} acknowledged", layer.len());
    let whole = [layer.clone(), noise(4, 100_000)].concat();
    let path = format!("{session}?digest={}", Digest::of(&whole));
    server.ask("PUT", &path, &[BYTES], &whole[have..]).is(201);
    server.has("full/app", &whole);
    server.is_well(200);
    server.service.stop();
}

#[test]
fn a_disk_that_may_not_be_written_is_said_at_the_start() {
    let Some(unshare) = unshare() else { return };
    let user = User::new();
    Service::start(&user, &[]).stop();
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
    let output = up(unshare, &user, script).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("Read-only file system") && said.contains(&*user.data().to_string_lossy()),
        "{said}"
    );
    // Nothing was spoilt.
    Service::start(&user, &[]).stop();
}
