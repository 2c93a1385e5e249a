//! The log of a data folder: read while a server runs, and what was done to it is found afterwards.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::{
    binary::User,
    login::{as_admin, log_in},
    service::{PATIENCE, Service},
};

/// A user whose server has written a log and was stopped, and the secret of `admin`.
fn with_log() -> (User, String) {
    let user = User::new();
    let service = Service::start(&user, &[]);
    let secret = as_admin(&user, &service);
    user.run(&["sp", "create", "ci"]).ended(0);
    service.stop();
    (user, secret)
}

#[test]
fn a_flipped_byte_is_found_and_its_entry_named() {
    let (user, _) = with_log();
    let verify = |more: &[&str]| {
        let data = user.data().display().to_string();
        user.run(&[&["audit", "verify", "--data", &data], more].concat())
    };
    let good = verify(&["--save", "checkpoint", "--format", "json"]).ended(0).json();
    assert_eq!(
        (&good["state"], &good["anchor"], &good["waiting"]),
        (&"good".into(), &good["size"], &0.into())
    );
    verify(&["--since", "checkpoint"]).ended(0).said(&["whole"]);
    verify(&["--since", "no-such-file"]).ended(3).complained(&["no-such-file"]);

    // Partial tiles of earlier sizes are left lying around, and are not part of the log any more.
    let now = format!(".p/{}", good["size"]);
    let mut files = files(&user.data().join("audit"));
    files.retain(|file| file.ends_with("checkpoint") || file.display().to_string().ends_with(&now));
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let name = file.strip_prefix(user.data().join("audit")).unwrap().display().to_string();
        let before = fs::read(&file).unwrap();
        let mut bytes = before.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let wrong = verify(&["--format", "json"]).ended(1);
        let found = wrong.json();
        assert_eq!(found["state"], "broken", "{name}");
        if name.starts_with("tile/entries") || name.starts_with("tile/0") {
            let entry = found["entry"].as_u64().unwrap_or_else(|| panic!("{name}: no entry in {found}"));
            verify(&[]).ended(1).complained(&[&entry.to_string(), &name, "keep the folder as evidence"]);
        }
        fs::write(&file, before).unwrap();
    }
    verify(&[]).ended(0);
}

#[test]
fn an_older_copy_is_found() {
    let (user, secret) = with_log();
    let (data, copy) = (user.data(), user.home().join("yesterday"));
    assert!(Command::new("cp").arg("-a").arg(&data).arg(&copy).status().unwrap().success());
    let service = Service::start(&user, &[]);
    log_in(&user, &service, "admin", &secret).ended(0);
    user.run(&["sp", "create", "later"]).ended(0);
    service.stop();

    let anchors = user.home().join(".local/state/boltseal").display().to_string();
    let verify = |data: &Path| {
        let data = data.display().to_string();
        user.run(&["audit", "verify", "--data", &data, "--audit-anchors", &anchors])
    };
    verify(&data).ended(0);
    // All of yesterday: only what is remembered outside of the folder tells.
    verify(&copy).ended(1).complained(&["older copy", "--accept-restored-log"]);
    // Yesterday's log in today's folder, and the other way round: the database tells.
    let swap = |name: &str| {
        let (new, old) = (data.join(name), copy.join(name));
        let aside = user.home().join("aside");
        for (from, to) in [(&new, &aside), (&old, &new), (&aside, &old)] {
            fs::rename(from, to).unwrap();
        }
    };
    swap("audit");
    verify(&data).ended(1).complained(&["audit"]);
    verify(&copy).ended(1).complained(&["facts.db"]);
    let nothing = user.home().join("nothing");
    verify(&nothing).ended(3).complained(&["no audit log in", "boltseal login"]);
    assert!(!nothing.exists(), "looking made a folder");
}

#[test]
fn a_folder_is_read_while_a_server_writes() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let data = user.data().display().to_string();
    let follow = |args: &[&str], out: &str| {
        let mut command = user.command(&[&["audit"], args, &["--data", &data, "--follow"]].concat());
        command.stdout(File::create(user.home().join(out)).unwrap());
        Follower(command.spawn().unwrap())
    };
    let text = |name: &str| fs::read_to_string(user.home().join(name)).unwrap_or_default();
    {
        let _log = follow(&["log", "-n", "1"], "log.txt");
        let _export = follow(&["export", "--format", "cef", "-o", "log.cef"], "export.out");
        user.run(&["sp", "create", "first"]).ended(0);
        until(|| text("log.txt").contains("admin added first"));
        until(|| text("log.cef").contains("admin added first"));
        let listed = user.run(&["audit", "log", "--data", &data, "--subject", "first"]).ended(0);
        listed.said(&["admin added first"]);
        user.run(&["audit", "verify", "--data", &data]).ended(0).said(&["whole", "waiting"]);
        user.run(&["audit", "status", "--data", &data]).ended(0).said(&["remembered"]);
    }
    user.run(&["sp", "create", "second"]).ended(0);
    let _export = follow(&["export", "--format", "cef", "-o", "log.cef"], "export.out");
    until(|| text("log.cef").contains("admin added second"));
    let text = text("log.cef");
    let indexes: Vec<&str> =
        text.lines().map(|line| line.split("cn1=").nth(1).unwrap().split(' ').next().unwrap()).collect();
    let expected: Vec<String> = (0..indexes.len()).map(|index| index.to_string()).collect();
    assert_eq!(indexes, expected, "each record once, in order, over both runs");

    for format in ["ocsf", "syslog", "cloudevents", "otlp", "azure"] {
        let local =
            user.run(&["audit", "export", "--format", format, "--data", &data, "--until", "2030-01-01"]);
        assert!(local.ended(0).out.lines().count() >= indexes.len(), "{format}");
    }
    let over = user.run(&["audit", "export", "--format", "ocsf"]).ended(0).json_lines();
    assert!(over.len() >= indexes.len() && over[0]["class_uid"].is_u64());
    service.stop();
}

#[test]
fn witnesses_and_those_who_are_witnessed() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let log = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    user.run(&["audit", "witnessed", "add", log]).ended(0);
    let listed = user.run(&["audit", "witnessed", "list"]).ended(0).said(&["example.com/foo"]);
    let key = listed.value("key");
    let add = [
        "audit",
        "witness",
        "add",
        "https://127.0.0.1:1/audit/witness",
        "--key",
        &key,
        "--authorization-stdin",
    ];
    user.feed(&add, "Bearer bst_something\n").ended(0);
    let listed =
        user.run(&["audit", "witness", "list"]).ended(0).said(&["https://127.0.0.1:1/audit/witness"]);
    assert!(!listed.out.contains("bst_something"));
    user.run(&["audit", "status"]).ended(0).said(&["witness"]);
    let name = key.split('+').next().unwrap();
    user.run(&["audit", "witness", "remove", name]).ended(0);
    user.run(&["audit", "witnessed", "remove", "example.com/foo"]).ended(0);
    let listed = user.run(&["audit", "witnessed", "list"]).ended(0);
    assert!(!listed.out.contains("example.com/foo"), "{}", listed.out);
    service.stop();
}

/// Killed when dropped.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "it never came");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
