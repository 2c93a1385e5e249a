//! What a container sees besides its image. Nothing that can be written to can be executed.

use boltseal_orchestrator::{
    Leaf,
    workload::{Container, Workload},
};

use super::{Mount, Source, make::Notes};

/// Flags of everything, but for where terminals are: those are devices.
const CLOSED: [&str; 3] = ["nosuid", "noexec", "nodev"];
/// Bytes of `/tmp`, of `/dev/shm` and of `/run`: memory of the container, within its limit.
const TMP: u64 = 64 << 20;
const SHM: u64 = 64 << 20;
const RUN: u64 = 16 << 20;
/// Bytes of `/dev`, which has nothing but nodes and links.
const DEV: u64 = 64 << 10;
/// Mounts of one container.
const MAX_MOUNTS: usize = 100;

/// Those of every container, and its volumes.
pub(super) fn mounts(workload: &Workload, one: &Container, notes: &mut Notes) -> Vec<Mount> {
    let mount = |target: &str, what, more: &[&'static str]| {
        let options = CLOSED.iter().copied().chain(more.iter().copied()).collect();
        Mount { target: target.to_owned(), what, options }
    };
    let mut mounts = vec![
        mount("/proc", Source::Kernel("proc"), &[]),
        mount("/dev", Source::Memory(DEV), &["mode=755"]),
        // The kernel makes no other devices there, and nobody else can.
        Mount {
            target: "/dev/pts".to_owned(),
            what: Source::Kernel("devpts"),
            options: vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        },
        mount("/dev/shm", Source::Memory(SHM), &["mode=1777"]),
        mount("/dev/mqueue", Source::Kernel("mqueue"), &[]),
        mount("/sys", Source::Kernel("sysfs"), &["ro"]),
        mount("/tmp", Source::Memory(TMP), &["mode=1777"]),
        mount("/run", Source::Memory(RUN), &["mode=755"]),
    ];
    if one.mounts.len() > MAX_MOUNTS {
        notes.refuse(&one.place, format!("more than {MAX_MOUNTS} mounts"));
    }
    for wanted in one.mounts.iter().take(MAX_MOUNTS) {
        if let Some(read_only) = volume(workload, wanted, notes)
            && let Some(target) = notes.known(&wanted.target)
            && let Some(name) = wanted.volume.known()
        {
            if let Some(why) = wrong(target) {
                notes.refuse(wanted.target.place(), why);
                continue;
            }
            let more: &[&'static str] = if read_only { &["ro"] } else { &[] };
            let target = target.trim_end_matches('/');
            // A volume at `/tmp` takes its place.
            mounts.retain(|other| other.target != target);
            mounts.push(mount(target, Source::Volume(name.clone()), more));
        }
    }
    mounts
}

/// Whether the volume of this mount is read-only; nothing where it is refused.
fn volume(
    workload: &Workload,
    wanted: &boltseal_orchestrator::workload::Mount,
    notes: &mut Notes,
) -> Option<bool> {
    if !wanted.host.is_unset() {
        notes.refuse(wanted.host.place(), "files of the machine are not given to containers");
        return None;
    }
    let name = notes.known(&wanted.volume)?;
    let Some(volume) = workload.volumes.iter().find(|volume| volume.name == *name) else {
        notes.refuse(wanted.volume.place(), format!("the group has no volume called {name}"));
        return None;
    };
    let mut flag = |leaf: &Leaf<bool>| notes.known(leaf).copied().unwrap_or(false);
    let read_only = flag(&wanted.read_only) || flag(&volume.read_only);
    match volume.kind.as_str() {
        "emptyDir" => Some(read_only),
        "secret" | "secretReference" => Some(true),
        "gitRepo" => {
            notes.refuse(
                &volume.place,
                "a repository would be fetched by the machine, as root: put it into the image",
            );
            None
        }
        "azureFile" => {
            notes.refuse(&volume.place, "shares of Azure Files cannot be mounted here");
            None
        }
        other => {
            notes.refuse(&volume.place, format!("volumes of the kind `{other}` cannot be mounted here"));
            None
        }
    }
}

/// Why nothing can be mounted there.
fn wrong(target: &str) -> Option<String> {
    const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
    let below = |folder: &str| {
        target.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let parts = target.split('/').skip(1).filter(|part| !part.is_empty());
    if !target.starts_with('/') || target.contains(['\0', ':']) {
        Some(format!("`{target}` is no absolute path"))
    } else if parts.clone().next().is_none() {
        Some("the root of the container is its image".to_owned())
    } else if parts.clone().any(|part| part == ".." || part == ".") {
        Some(format!("`{target}` goes up again"))
    } else if KERNELS.iter().any(|folder| below(folder)) {
        Some(format!("`{target}` is the kernel's"))
    } else {
        None
    }
}
