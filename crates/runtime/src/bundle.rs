//! A plan as an OCI runtime specification (`config.json`), which `runc` and its kind run.
//!
//! <https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md>

use std::{collections::BTreeMap, path::PathBuf};

use oci_spec::runtime::Spec;
use serde_json::{Map, Value, json};

use crate::{
    plan::{Container, Mount, Source},
    seccomp,
};

/// Microseconds in which a container gets its share of the processors.
const PERIOD: u64 = 100_000;

/// Bytes of a page.
const PAGE: u64 = 4_096;
/// Files of the smallest file systems: `/dev` has some dozens of nodes and links.
const LEAST_FILES: u64 = 256;

/// Where what a container is made of lies on the machine.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The files of the image.
    pub root: PathBuf,
    /// Folders of its volumes, by their names.
    pub volumes: BTreeMap<String, PathBuf>,
    /// Files of the machine that it sees instead of its image's, read-only, by their paths within: `/etc/hosts`.
    pub files: BTreeMap<String, PathBuf>,
    /// Its control group, below the roots of all controllers.
    pub cgroup: String,
    /// Its name within: what `hostname` says.
    pub hostname: String,
    /// A file system about devices (`sysfs`) of the network that the container is put into by whoever starts it. With it the
    /// specification has no network of its own, and that is what is bound to `/sys`.
    pub sys: Option<PathBuf>,
}

/// Why a plan is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something of it is not known.
    #[error("{container}: its {what} is not known: the image has to be looked at first")]
    Unknown {
        /// Which container.
        container: String,
        /// `command`, `user`
        what: &'static str,
    },
    /// Nobody said where a volume lies.
    #[error("{container}: no folder was given for its volume {volume}")]
    Volume {
        /// Which container.
        container: String,
        /// Which volume.
        volume: String,
    },
    /// The specification's own types refuse it.
    #[error("{container}: the OCI runtime specification refuses what was made of its plan")]
    Invalid {
        /// Which container.
        container: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// The specification of one container.
///
/// # Errors
/// Where the plan does not know what is run or as whom, or a volume has no place.
pub fn specification(one: &Container, places: &Places) -> Result<Spec, Error> {
    let unknown = |what| Error::Unknown { container: one.name.clone(), what };
    if one.command.is_empty() {
        return Err(unknown("command"));
    }
    let (user, group) = one.user.ok_or_else(|| unknown("user"))?;
    let mut mounts =
        one.mounts.iter().map(|mount| mounted(one, mount, places)).collect::<Result<Vec<_>, _>>()?;
    mounts.extend(places.files.iter().map(|(target, file)| {
        let options = ["nosuid", "noexec", "nodev", "ro", "bind"];
        json!({ "destination": target, "type": "bind", "source": file, "options": options })
    }));
    let capabilities: Map<String, Value> = ["bounding", "effective", "permitted", "inheritable", "ambient"]
        .map(|set| (set.to_owned(), json!(capabilities(one, user, set))))
        .into_iter()
        .collect();
    let env: Vec<String> = one.env.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let value = json!({
        "ociVersion": "1.0.2",
        "hostname": places.hostname,
        "root": { "path": places.root, "readonly": one.read_only_root },
        "process": {
            "terminal": one.terminal,
            "user": { "uid": user, "gid": group },
            "args": one.command, "env": env, "cwd": one.working_dir,
            "capabilities": capabilities,
            "noNewPrivileges": one.no_new_privileges,
            "rlimits": [
                { "type": "RLIMIT_NOFILE", "soft": one.limits.files, "hard": one.limits.files },
                { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
            ],
        },
        "mounts": mounts,
        "linux": linux(one, places),
    });
    serde_json::from_value(value).map_err(|source| Error::Invalid { container: one.name.clone(), source })
}

fn linux(one: &Container, places: &Places) -> Value {
    let mapping = json!([{ "containerID": 0, "hostID": one.users.first, "size": one.users.count }]);
    let namespaces: Vec<Value> = ["user", "pid", "network", "ipc", "uts", "mount", "cgroup"]
        .iter()
        .filter(|kind| **kind != "network" || places.sys.is_none())
        .map(|kind| json!({ "type": kind }))
        .collect();
    // Settings of a network belong to whoever made it.
    let settings: BTreeMap<_, _> =
        one.sysctls.iter().filter(|(name, _)| !name.starts_with("net.") || places.sys.is_none()).collect();
    json!({
        "namespaces": namespaces,
        "uidMappings": mapping, "gidMappings": mapping,
        "cgroupsPath": places.cgroup,
        "maskedPaths": one.masked, "readonlyPaths": one.read_only,
        "sysctl": settings,
        "seccomp": seccomp::filter(),
        "resources": {
            "devices": [{ "allow": false, "access": "rwm" }],
            "memory": { "limit": one.limits.memory, "swap": one.limits.memory },
            "cpu": { "period": PERIOD, "quota": one.limits.cpu * PERIOD / 1_000 },
            "pids": { "limit": one.limits.processes },
        },
    })
}

/// Of root inside, all that was opened; others get it by the ambient set, since nothing else survives the change of user.
fn capabilities<'a>(one: &'a Container, user: u32, set: &str) -> &'a [String] {
    if set == "ambient" && user == 0 { &[] } else { &one.capabilities }
}

/// How many files a file system in memory may have: as many as it has pages. Each takes memory of the kernel, empty or not.
fn files(bytes: u64) -> u64 {
    (bytes / PAGE).max(LEAST_FILES)
}

fn mounted(one: &Container, mount: &Mount, places: &Places) -> Result<Value, Error> {
    let mut options: Vec<String> = mount.options.iter().map(|option| (*option).to_owned()).collect();
    let (kind, source) = match &mount.what {
        Source::Kernel("sysfs") if places.sys.is_some() => {
            options.push("bind".to_owned());
            (
                "bind".to_owned(),
                places.sys.as_deref().map_or_else(String::new, |sys| sys.display().to_string()),
            )
        }
        Source::Kernel(kind) => ((*kind).to_owned(), (*kind).to_owned()),
        Source::Memory(bytes) => {
            options.extend([format!("size={bytes}"), format!("nr_inodes={}", files(*bytes))]);
            ("tmpfs".to_owned(), "tmpfs".to_owned())
        }
        Source::Volume(name) => {
            let missing = || Error::Volume { container: one.name.clone(), volume: name.clone() };
            let folder = places.volumes.get(name).ok_or_else(missing)?;
            options.push("bind".to_owned());
            ("bind".to_owned(), folder.display().to_string())
        }
    };
    Ok(json!({ "destination": mount.target, "type": kind, "source": source, "options": options }))
}
