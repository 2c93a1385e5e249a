//! Mounts of a container: which are the engine's own, which the machine's, and what can be done with what is in them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use boltseal_runtime::start::{inside, seal::Files};
use serde_json::{Value, json};

use super::{
    Error,
    harden::Hardening,
    settings::{Namespace, is_plain},
};

/// Where engines keep their own by default: Docker, podman and CRI-O, containerd, the kubelet.
const FOLDERS: [&str; 6] = [
    "/var/lib/docker",
    "/var/lib/containers/storage",
    "/run/containers/storage",
    "/var/lib/containerd",
    "/run/containerd",
    "/var/lib/kubelet/pods",
];
/// File systems that show the container its own, or memory.
const KINDS: [&str; 8] = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "ramfs"];
/// What containers that share a network or memory have of each other.
const SHARED: [&str; 6] = ["hosts", "hostname", "resolv.conf", "shm", ".containerenv", "etc-hosts"];
/// First programs that engines bring along (`docker run --init`), by their files.
const INITS: [&str; 4] = ["docker-init", "catatonit", "tini", "tini-static"];

/// One of them, as far as it matters here.
struct Mount<'a> {
    target: &'a str,
    kind: &'a str,
    source: &'a str,
    options: BTreeSet<&'a str>,
}

impl<'a> Mount<'a> {
    fn of(value: &'a Value) -> Result<Self, &'static str> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let options = match value.get("options") {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(Value::Array(options)) => {
                let texts: Option<BTreeSet<&str>> = options.iter().map(Value::as_str).collect();
                texts.ok_or("a mount has options that are no texts")?
            }
            Some(_) => return Err("a mount has options that are no list"),
        };
        let target = text("destination");
        if target.is_empty() {
            return Err("a mount has no destination");
        }
        Ok(Self { target, kind: text("type"), source: text("source"), options })
    }

    fn is_bound(&self) -> bool {
        self.kind == "bind" || self.options.contains("bind") || self.options.contains("rbind")
    }

    fn is_closed(&self) -> bool {
        self.options.contains("ro") || self.options.contains("rro")
    }

    /// Whether it is a place where files are put.
    fn is_writable(&self) -> bool {
        !self.is_closed()
            && (self.is_bound() || matches!(self.kind, "tmpfs" | "ramfs" | "mqueue" | "overlay"))
    }

    /// `/dev` itself, in which runtimes make the few devices there are.
    fn is_dev(&self) -> bool {
        self.target.trim_end_matches('/') == "/dev"
    }
}

/// Refuses what is the machine's, and closes what can be written to.
pub(super) fn harden(
    mounts: &mut [Value],
    ids: &BTreeSet<String>,
    hardening: &Hardening<'_>,
) -> Result<(), Error> {
    for value in mounts {
        let mount = Mount::of(value).map_err(|why| hardening.wrong(why))?;
        if !is_plain(Path::new(mount.target)) || Path::new(mount.target).starts_with(inside::FOLDER) {
            // Whoever is there first would be what seals the container.
            return Err(Error::Never(format!("nothing can be mounted at {}", mount.target)));
        }
        if mount.is_bound() {
            whose(&mount, ids, hardening)?;
        } else if !KINDS.contains(&mount.kind) {
            let what = format!("{} is a mount of the kind `{}`", mount.target, mount.kind);
            return Err(hardening.closed(what, format!("mounts: [{}]", mount.source)));
        }
        let mut options: Vec<String> = mount.options.iter().map(|option| (*option).to_owned()).collect();
        let mut close = |name: &str, opposite: &str| {
            options.retain(|option| option != opposite);
            if !mount.options.contains(name) {
                options.push(name.to_owned());
            }
        };
        let is_device = mount.is_bound() && hardening.machine.is_device(Path::new(mount.source));
        if mount.is_bound() || mount.is_writable() {
            close("nosuid", "suid");
            if !mount.is_dev() && !is_device {
                close("nodev", "dev");
            }
        }
        if mount.is_writable() && !stays_executable(mount.target, hardening) {
            close("noexec", "exec");
        }
        if let Some(value) = value.as_object_mut() {
            value.insert("options".to_owned(), json!(options));
        }
    }
    Ok(())
}

fn stays_executable(target: &str, hardening: &Hardening<'_>) -> bool {
    hardening.settings.executable.iter().any(|folder| Path::new(target).starts_with(folder))
}

/// Passes what is the engine's own or opened.
fn whose(mount: &Mount<'_>, ids: &BTreeSet<String>, hardening: &Hardening<'_>) -> Result<(), Error> {
    let asked = Path::new(mount.source);
    let setting = || format!("mounts: [{}]", mount.source);
    let what = || format!("it wants {} of the machine at {}", mount.source, mount.target);
    if !is_plain(asked) {
        return Err(hardening.closed(what(), setting()));
    }
    let real = hardening.machine.real(asked);
    let opened =
        hardening.settings.mounts.iter().any(|folder| real.starts_with(hardening.machine.real(folder)));
    if opened || is_init(mount, &real) || is_of_namespace(&real, hardening) {
        return Ok(());
    }
    let folders = FOLDERS.iter().map(PathBuf::from).chain(hardening.settings.engine_folders.iter().cloned());
    for folder in folders {
        let folder = hardening.machine.real(&folder);
        let Ok(below) = real.strip_prefix(&folder) else { continue };
        let parts: Vec<&str> = below.iter().filter_map(|part| part.to_str()).collect();
        // The local driver of Docker mounts whatever its options say onto the folder of a volume.
        let is_volume = matches!(parts.as_slice(), ["volumes", _, "_data", ..]);
        if is_volume && !volume(&folder, &parts).is_some_and(|data| hardening.machine.is_mounted(&data)) {
            return Ok(());
        }
        if !is_volume && is_of_engine(&parts, ids) {
            return Ok(());
        }
    }
    Err(hardening.closed(what(), setting()))
}

fn volume(folder: &Path, parts: &[&str]) -> Option<PathBuf> {
    Some(folder.join(parts.get(..3)?.iter().collect::<PathBuf>()))
}

/// Whether a path below the folder of an engine belongs to this container, or is what others share with it.
fn is_of_engine(parts: &[&str], ids: &BTreeSet<String>) -> bool {
    let (id, rest) = match parts {
        // Docker.
        ["containers", id, rest @ ..] => (id, rest),
        // podman and CRI-O, by the driver of their storage.
        [folder, id, "userdata", rest @ ..] if folder.ends_with("-containers") => (id, rest),
        // containerd.
        [plugin, "sandboxes", id, rest @ ..] if plugin.starts_with("io.containerd.") => (id, rest),
        // The kubelet: of a pod, by its number.
        [id, "etc-hosts" | "containers" | "volumes" | "volume-subpaths", ..] if ids.contains(*id) => {
            return true;
        }
        _ => return false,
    };
    !rest.is_empty()
        && (ids.contains(*id) || rest.last().is_some_and(|name| rest.len() <= 2 && SHARED.contains(name)))
}

/// What engines mount for a namespace that is the machine's, where that is opened.
fn is_of_namespace(real: &Path, hardening: &Hardening<'_>) -> bool {
    let opened = |kind| hardening.settings.host_namespaces.contains(&kind);
    match real.to_str() {
        Some("/dev/shm" | "/dev/mqueue") => opened(Namespace::Ipc),
        Some("/proc") => opened(Namespace::Pid),
        _ => false,
    }
}

/// A first program that an engine brings along.
fn is_init(mount: &Mount<'_>, real: &Path) -> bool {
    let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    mount.is_closed() && real.starts_with("/usr") && INITS.contains(&name)
}

/// What may be done with which files, as the mounts of a hardened container say.
pub(super) fn files(specification: &Value, hardening: &Hardening<'_>) -> Result<Files, Error> {
    let root = specification.pointer("/root/readonly").and_then(Value::as_bool) != Some(true);
    let mut files = Files { root, ..Files::default() };
    let mounts = specification.get("mounts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for value in mounts {
        let mount = Mount::of(value).map_err(|why| hardening.wrong(why))?;
        let target = mount.target.trim_end_matches('/').to_owned();
        if target.starts_with(inside::FOLDER) || mount.is_dev() {
            continue;
        }
        let executable = if mount.is_writable() {
            files.writable.insert(target.clone());
            stays_executable(&target, hardening)
        } else {
            mount.is_bound() && !mount.options.contains("noexec")
        };
        if executable {
            files.executable.insert(target);
        }
    }
    Ok(files)
}
