//! Specifications as engines make them, hardened.

use std::path::{Path, PathBuf};

use boltseal_runtime::start::inside::Inside;
use serde_json::{Value, json};

use super::{Error, Settings, harden::Hardening, machine::Machine};

/// A machine on which every path is what it is called.
struct Plain;

impl Machine for Plain {
    fn is_own_namespace(&self, _: &str, path: &Path) -> bool {
        path.ends_with("default")
    }

    fn real(&self, path: &Path) -> PathBuf {
        path.strip_prefix("/link").map_or_else(|_| path.to_owned(), |rest| Path::new("/srv").join(rest))
    }

    fn is_mounted(&self, path: &Path) -> bool {
        path.to_string_lossy().contains("bound")
    }

    fn is_device(&self, path: &Path) -> bool {
        path.starts_with("/dev")
    }
}

fn hardened(specification: &Value, settings: &str, inside: Option<&Inside>) -> Result<Value, String> {
    let settings = Settings::read(&format!("version: 1\n{settings}")).unwrap();
    let hardening = Hardening {
        settings: &settings,
        file: "/etc/boltseal/wrapper.yaml".as_ref(),
        path: "config.json".as_ref(),
        machine: &Plain,
    };
    let mut specification = specification.clone();
    hardening.container(&mut specification, "abc", inside).map_err(|wrong: Error| wrong.to_string())?;
    Ok(specification)
}

/// As Docker 20.10 has it, with less of everything.
fn docker() -> Value {
    let capabilities = json!(["CAP_CHOWN", "CAP_SETUID", "CAP_NET_RAW"]);
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "args": ["sh"], "env": ["PATH=/bin", "LD_PRELOAD=/lib/x.so"], "cwd": "/",
            "user": { "uid": 0, "gid": 0 },
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
        },
        "root": { "path": "/var/lib/docker/overlay2/x/merged" },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"] },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"] },
            { "destination": "/etc/hosts", "type": "bind", "source": "/var/lib/docker/containers/abc/hosts", "options": ["rbind"] },
            { "destination": "/dev/shm", "type": "bind", "source": "/var/lib/docker/containers/abc/mounts/shm", "options": ["rbind"] },
        ],
        "linux": {
            "resources": { "devices": [
                { "allow": false, "access": "rwm" },
                { "allow": true, "type": "c", "major": 1, "minor": 5, "access": "rwm" },
                { "allow": false, "type": "c", "major": 10, "minor": 229, "access": "rwm" },
            ] },
            "namespaces": [{ "type": "mount" }, { "type": "network", "path": "/run/docker/netns/abc" }, { "type": "uts" }, { "type": "pid" }, { "type": "ipc" }],
            "seccomp": { "defaultAction": "SCMP_ACT_ALLOW" },
            "maskedPaths": ["/proc/kcore"],
        },
        "annotations": { "unknown": "kept" },
        "futureField": [1],
    })
}

#[test]
fn what_is_not_opened_is_taken() {
    let got = hardened(&docker(), "", None).unwrap();
    for set in ["bounding", "effective", "permitted", "inheritable", "ambient"] {
        assert_eq!(got["process"]["capabilities"][set], json!([]), "{set}");
    }
    assert_eq!(got["process"]["noNewPrivileges"], json!(true));
    assert_eq!(got["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
    let masked = got["linux"]["maskedPaths"].as_array().unwrap();
    assert!(masked.contains(&json!("/proc/keys")) && masked[0] == "/proc/kcore");
    let options = |at: usize| got["mounts"][at]["options"].to_string();
    assert!(
        options(1).contains("noexec") && !options(1).contains("nodev"),
        "devices are made in /dev: {}",
        options(1)
    );
    assert!(options(4).contains("noexec") && options(4).contains("nosuid") && options(4).contains("nodev"));
    assert_eq!((&got["futureField"], &got["annotations"]["unknown"]), (&json!([1]), &json!("kept")));

    let got = hardened(
        &docker(),
        "capabilities: [chown]\nnew_privileges: true\nseccomp: engine\nexecutable: [/dev/shm]\nread_only_root: true",
        None,
    )
    .unwrap();
    assert_eq!(got["process"]["capabilities"]["effective"], json!(["CAP_CHOWN"]));
    assert_eq!(got["process"]["noNewPrivileges"], Value::Null);
    assert_eq!(got["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ALLOW");
    assert!(!got["mounts"][4]["options"].to_string().contains("noexec"));
    assert_eq!(got["root"]["readonly"], json!(true));
}

#[test]
fn what_is_the_machines_is_refused_with_the_setting() {
    let bind = |source: &str| json!([{ "destination": "/x", "type": "bind", "source": source, "options": ["rbind"] }]);
    let rule = |rule: Value| json!([rule]);
    // Where, what, the setting that opens it.
    let all = json!({ "allow": true, "access": "rwm" });
    for (place, value, setting) in [
        ("/mounts", bind("/"), "mounts: [/]"),
        ("/mounts", bind("/srv/data"), "mounts: [/srv/data]"),
        ("/mounts", bind("/link/data"), "mounts: [/link/data]"),
        ("/mounts", bind("/var/lib/docker"), "mounts: [/var/lib/docker]"),
        ("/mounts", bind("/var/lib/docker/containers/other"), "mounts: [/var/lib/docker/containers/other]"),
        ("/mounts", bind("/var/lib/docker/containers/other/config.v2.json"), "mounts: ["),
        ("/mounts", bind("/var/lib/docker/volumes/bound/_data"), "mounts: ["),
        ("/mounts", bind("/var/run/docker.sock"), "mounts: [/var/run/docker.sock]"),
        (
            "/linux/devices",
            json!([{ "path": "/dev/kvm", "type": "c", "major": 10, "minor": 232 }]),
            "devices: [/dev/kvm]",
        ),
        (
            "/linux/resources/devices",
            rule(json!({ "allow": true, "type": "b", "major": 8, "access": "r" })),
            "devices: ['b 8:*']",
        ),
        ("/linux/resources/devices", rule(all), "privileged: true"),
        (
            "/process/capabilities/bounding",
            json!(["CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"]),
            "privileged: true",
        ),
        (
            "/linux/namespaces",
            json!([{ "type": "mount" }, { "type": "network", "path": "/run/docker/netns/default" }, { "type": "uts" }, { "type": "pid" }, { "type": "ipc" }]),
            "host_namespaces: [network]",
        ),
        (
            "/linux/namespaces",
            json!([{ "type": "mount" }, { "type": "network" }, { "type": "uts" }, { "type": "ipc" }]),
            "host_namespaces: [pid]",
        ),
        (
            "/linux/namespaces",
            json!([{ "type": "mount" }, { "type": "network" }, { "type": "pid" }, { "type": "ipc" }]),
            "host_namespaces: [uts]",
        ),
        (
            "/linux/namespaces",
            json!([{ "type": "mount" }, { "type": "network" }, { "type": "pid" }, { "type": "uts" }]),
            "host_namespaces: [ipc]",
        ),
    ] {
        let mut specification = docker();
        match specification.pointer_mut(place) {
            Some(there) => *there = value.clone(),
            None => specification["linux"]["devices"] = value.clone(),
        }
        let said = hardened(&specification, "", None).unwrap_err();
        assert!(said.contains(setting) && said.contains("in /etc/boltseal/wrapper.yaml"), "{value}: {said}");
        if setting != "mounts: [" {
            hardened(&specification, setting, None).unwrap_or_else(|said| panic!("{setting}: {said}"));
        }
    }
}

#[test]
fn folders_that_are_opened_and_the_engines_own() {
    let bind = |source: &str| json!([{ "destination": "/x", "type": "bind", "source": source, "options": ["rbind"] }]);
    // What is mounted is opened with what is below; a link leads where it leads.
    for (source, opened) in
        [("/srv/data/x", true), ("/link/data/x", true), ("/srv/database", false), ("/srv/data/../x", false)]
    {
        let mut specification = docker();
        specification["mounts"] = bind(source);
        assert_eq!(hardened(&specification, "mounts: [/srv/data]", None).is_ok(), opened, "{source}");
    }
    // The engine's own.
    for source in [
        "/var/lib/docker/volumes/v/_data",
        "/var/lib/docker/containers/other/hosts",
        "/var/lib/containers/storage/overlay-containers/abc/userdata/run/.containerenv",
        "/var/lib/containers/storage/vfs-containers/other/userdata/resolv.conf",
        "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/other/shm",
    ] {
        let mut specification = docker();
        specification["mounts"] = bind(source);
        hardened(&specification, "", None).unwrap_or_else(|said| panic!("{source}: {said}"));
    }
}

#[test]
fn what_is_no_specification_is_refused() {
    for (place, value) in [
        ("/mounts", json!({})),
        ("/mounts/0/options", json!("ro")),
        ("/mounts/0/destination", json!("/dev/boltseal")),
        ("/mounts/0/destination", json!("/dev/../dev/boltseal/boltseal")),
        ("/mounts/0/type", json!("ext4")),
        ("/process", json!(null)),
        ("/process/args", json!([])),
        ("/linux", json!(null)),
        ("/linux/maskedPaths", json!([1])),
        ("/linux/namespaces", json!([{ "type": "pid" }])),
    ] {
        let mut specification = docker();
        *specification.pointer_mut(place).unwrap() = value.clone();
        assert!(hardened(&specification, "", None).is_err(), "{place}: {value}");
    }
}

#[test]
fn landlock_comes_with_this_program() {
    let inside = Inside::of_this_process().unwrap();
    let got = hardened(&docker(), "", Some(&inside)).unwrap();
    let args: Vec<&str> =
        got["process"]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    let role = args.iter().position(|arg| *arg == "__seal").unwrap();
    assert_eq!(args[role + 2..], ["sh"]);
    let request: Value = serde_json::from_str(args[role + 1]).unwrap();
    assert_eq!(
        request["files"],
        json!({ "writable": ["/dev/shm", "/etc/hosts"], "executable": [], "root": true })
    );
    assert_eq!(got["process"]["env"], json!(["PATH=/bin"]), "a loader of the image's choice has no say");
    assert_eq!(request["env"], json!([["LD_PRELOAD", "/lib/x.so"]]));
    let bound = got["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|mount| mount["destination"].as_str().unwrap().starts_with("/dev/boltseal/"));
    assert!(bound.clone().all(|mount| mount["options"].to_string().contains("ro")));
    assert!(bound.count() > 0);
    // It is not put into a folder of the machine.
    let mut specification = docker();
    specification["mounts"][1] =
        json!({ "destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"] });
    let said = hardened(&specification, "mounts: [/dev]", Some(&inside)).unwrap_err();
    assert!(said.contains("landlock: false"), "{said}");
}
