//! A container made and started.

use std::{
    fs::{File, OpenOptions},
    os::fd::AsFd as _,
    path::Path,
    sync::Arc,
};

use boltseal_sys::PrivateMounts;
use libcontainer::{
    container::builder::ContainerBuilder,
    oci_spec::runtime::{LinuxIdMapping, Spec},
    syscall::syscall::SyscallType,
};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags};

use super::{
    End, Error, Stacked, Start, Started,
    attend::{self, Door},
    devices, end, files,
    init::First,
    log::Segments,
    memory_files, oci,
    seal::Sealing,
    since,
};
use crate::root::{self, Root, Stack, Target};

/// Where the file system about the network's devices is put together for the container, beside its bundle.
pub const SYS: &str = "sys";

/// Makes it, in a mount namespace of its own, and lets it run. Whoever is told that it was refused will not look for what is left,
/// so nothing is.
pub(super) fn start(wanted: &Start) -> Result<Started, Error> {
    let state = wanted.state.join(&wanted.id);
    if state.try_exists().map_err(Error::io(state.display().to_string()))? {
        return Err(Error::Runtime(format!("there is a container {} already", wanted.id)));
    }
    let done = make(wanted);
    if done.is_err() {
        take_back(wanted);
    }
    done
}

/// Removes what was made of it. Both the library and other runtimes leave the control group where the container's first process
/// is not quite gone yet.
fn take_back(wanted: &Start) {
    let specification = Spec::load(wanted.bundle.join("config.json")).ok();
    let linux = specification.and_then(|specification| specification.linux().clone());
    let Some(cgroup) = linux.and_then(|linux| linux.cgroups_path().clone()) else { return };
    let cgroup = cgroup.display().to_string();
    // That it could not be made is told, and tells more than that it could not be removed.
    let _ = end::end(&End { id: wanted.id.clone(), state: wanted.state.clone(), cgroup });
}

fn make(wanted: &Start) -> Result<Started, Error> {
    // First, so that no socket of the container keeps another network alive.
    if let Some(network) = &wanted.network {
        enter(network)?;
    }
    let door = match wanted.attended {
        Some(how) => {
            let opened = Door::open(&wanted.bundle, how);
            Some(Arc::new(opened.map_err(Error::io(attend::socket(&wanted.bundle).display().to_string()))?))
        }
        None => None,
    };
    let first =
        First { segments: Arc::new(segments(wanted)?), status: Arc::new(writable(&wanted.status)?), door };
    let path = wanted.bundle.join("config.json");
    let mut specification =
        Spec::load(&path).map_err(|source| Error::Specification { path: path.clone(), source })?;
    if wanted.runtime.is_some() {
        specification = oci::changed(&specification, wanted)?;
    }
    files::raise(&specification)?;
    let mounts = boltseal_sys::private_mounts().map_err(Error::io("mounts of its own"))?;
    if wanted.network.is_some() {
        sysfs(&wanted.bundle.join(SYS))?;
    }
    if let Some(stacked) = &wanted.root {
        assemble(&mounts, stacked, &specification, &wanted.bundle)?;
    }
    let started = match &wanted.runtime {
        Some(program) => oci::start(wanted, program, &specification, &first),
        None => by_library(wanted, &specification, first),
    };
    // Whoever sends a terminal has done so.
    let _ = attend::forget(&attend::console(&wanted.bundle));
    started
}

/// Has the library make it.
fn by_library(wanted: &Start, specification: &Spec, first: First) -> Result<Started, Error> {
    let has_terminal = wanted.attended.is_some_and(|how| how.terminal.is_some());
    let nothing = || File::options().read(true).write(true).open("/dev/null").map_err(Error::io("/dev/null"));
    let mut container = ContainerBuilder::new(wanted.id.clone(), SyscallType::default())
        .with_executor(Sealing::first(first))
        .with_root_path(&wanted.state)?
        .with_stdin(nothing()?)
        .with_stdout(nothing()?)
        .with_stderr(nothing()?)
        .with_console_socket(has_terminal.then(|| attend::console(&wanted.bundle)))
        .validate_id()?
        .as_init(&wanted.bundle)
        .with_systemd(false)
        .with_detach(true)
        .build()?;
    let started =
        container.pid().and_then(|pid| Some(Started { pid: pid.as_raw(), since: since(pid.as_raw())? }));
    let nobody = || Error::io::<std::io::Error>("the first process")(std::io::ErrorKind::NotFound.into());
    let started = started.ok_or_else(nobody)?;
    confine(started)?;
    if has_terminal {
        own_terminal(started, specification)?;
    }
    container.start()?;
    Ok(started)
}

/// What runtimes leave out, for a container that waits to be started.
pub(super) fn confine(first: Started) -> Result<(), Error> {
    devices::keep(first.pid).map_err(Error::io("the devices that it may open"))?;
    if memory_files::is_there() {
        memory_files::forbid(first.pid).map_err(Error::io(memory_files::SETTING))?;
    }
    Ok(())
}

/// Gives the terminal of a container that waits to be started to its user: made by root within, nobody else could open it by its
/// name.
fn own_terminal(first: Started, specification: &Spec) -> Result<(), Error> {
    let user = specification.process().as_ref().map_or(0, |process| process.user().uid());
    let mappings = specification.linux().as_ref().and_then(|linux| linux.uid_mappings().clone());
    let first_user = mappings.iter().flatten().next().map_or(0, LinuxIdMapping::host_id);
    let terminal = format!("/proc/{}/fd/0", first.pid);
    std::os::unix::fs::chown(&terminal, Some(first_user.saturating_add(user)), None)
        .map_err(Error::io("its terminal"))
}

/// Puts the root together, with a place for everything that is mounted on it, where the specification says that it is.
fn assemble(
    mounts: &PrivateMounts,
    stacked: &Stacked,
    specification: &Spec,
    bundle: &Path,
) -> Result<(), Error> {
    let targets = specification.mounts().iter().flatten().map(|mount| {
        // What is bound is a file where its source is no folder; other sources are names.
        let is_file = mount.source().as_deref().is_some_and(|from| from.is_absolute() && !from.is_dir());
        Target { path: mount.destination().display().to_string(), is_folder: !is_file }
    });
    let targets: Vec<Target> = targets.collect();
    let layers: Vec<root::Layer<'_>> = stacked
        .layers
        .iter()
        .map(|layer| root::Layer { path: &layer.folder, implied: &layer.implied, hides_all: layer.hides_all })
        .collect();
    let stack = Stack {
        layers: &layers,
        users: stacked.users,
        targets: &targets,
        place: &stacked.place,
        shift: None,
    };
    let assembled = Root::assemble(mounts, &stack)?;
    let place =
        specification.root().as_ref().map_or_else(|| bundle.join("rootfs"), |root| root.path().clone());
    rustix::mount::mount_move(&assembled.path, &place).map_err(Error::io(place.display().to_string()))
}

/// Moves this process into the network namespace that `path` leads to.
pub(super) fn enter(path: &Path) -> Result<(), Error> {
    let what = || format!("network namespace {}", path.display());
    let namespace = File::open(path).map_err(Error::io(what()))?;
    boltseal_sys::enter_network(namespace.as_fd()).map_err(Error::io(what()))
}

/// The file system about devices, as seen from the network namespace that this process is in: the container, whose user
/// namespace does not own that network, may not mount it.
fn sysfs(at: &Path) -> Result<(), Error> {
    let made = || -> std::io::Result<()> {
        std::fs::create_dir_all(at)?;
        let context = rustix::mount::fsopen("sysfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_create(context.as_fd())?;
        let closed = MountAttrFlags::MOUNT_ATTR_RDONLY
            | MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let mount = rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, closed)?;
        rustix::mount::move_mount(
            mount.as_fd(),
            "",
            rustix::fs::CWD,
            at,
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
        )?;
        Ok(())
    };
    made().map_err(Error::io(format!("sysfs at {}", at.display())))
}

fn segments(wanted: &Start) -> Result<Segments, Error> {
    let open = |path: &Path| {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        options.open(path).map_err(Error::io(path.display().to_string()))
    };
    let [first, second] = &wanted.logs;
    Segments::new([open(first)?, open(second)?], wanted.log_limit)
        .map_err(Error::io(first.display().to_string()))
}

fn writable(path: &Path) -> Result<File, Error> {
    File::create(path).map_err(Error::io(path.display().to_string()))
}
