//! What containers of a group see besides their images: folders in memory, secrets, names.
//!
//! All of it lies in memory, in the group's own folder. `emptyDir` is a file system of its own, half as large as the least memory
//! of those who mount it, with a bound on its files. It counts against the memory of whoever writes, so nobody fills the machine;
//! and being half of it, a full one is an error for whoever writes, not the end of it. It lives as long as the group. Secrets are files of the container's user, 0400, behind a link that is moved in one step when they change.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use boltseal_runtime::plan::Source;
use rustix::mount::{MountFlags, UnmountFlags};
use zeroize::Zeroizing;

use super::{
    Error,
    container::Contained,
    engine::lock,
    group::{Group, passable},
};

/// Files of a volume in memory.
const MAX_FILES: u32 = 65_536;
/// What the link to a secret volume's newest folder is called, as in Kubernetes.
const NEWEST: &str = "..data";

/// What a container gets.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Folders of its volumes, by their names.
    pub folders: BTreeMap<String, PathBuf>,
    /// Files that are bound over what the image has.
    pub files: BTreeMap<String, PathBuf>,
}

/// Files of secret volumes, by the volume's name.
pub type Secrets = BTreeMap<String, BTreeMap<String, Zeroizing<Vec<u8>>>>;

/// Makes what a container sees, where it is not there yet.
pub fn prepare(group: &Group, one: &Contained) -> Result<Prepared, Error> {
    let mut prepared = Prepared::default();
    for mount in &one.plan.mounts {
        let Source::Volume(name) = &mount.what else { continue };
        let is_secret = lock(&group.secrets).contains_key(name);
        let folder = if is_secret {
            place(group, one, name)?;
            of_secret(group, one, name)
        } else {
            let folder = group.places.run.join("volumes").join(name);
            memory(group, one, name, &folder)?;
            folder
        };
        prepared.folders.insert(name.clone(), folder);
    }
    let etc = group.places.run.join("etc");
    passable(&etc)?;
    for (path, text) in names(group) {
        let place = etc.join(path.trim_start_matches("/etc/"));
        write(&place, text.as_bytes(), 0o644).map_err(Error::io(place.display()))?;
        prepared.files.insert(path.to_owned(), place);
    }
    Ok(prepared)
}

/// Where a container's files of a secret volume are.
fn of_secret(group: &Group, one: &Contained, name: &str) -> PathBuf {
    group.places.container(one.name()).join("secrets").join(name)
}

/// Whether a container has files of a secret volume already.
pub fn is_prepared(group: &Group, one: &Contained, name: &str) -> bool {
    of_secret(group, one, name).join(NEWEST).exists()
}

/// Gives a container the files of a secret volume as they are now, in one step.
pub fn place(group: &Group, one: &Contained, name: &str) -> Result<(), Error> {
    let folder = of_secret(group, one, name);
    // Held meanwhile, so that nobody puts older files in place of newer ones.
    let secrets = lock(&group.secrets);
    let Some(files) = secrets.get(name) else { return Ok(()) };
    secret(&folder, files, owner(one)).map_err(Error::io(folder.display()))
}

/// Removes what the machine has of a group's volumes.
pub fn remove(run: &Path) -> io::Result<()> {
    let volumes = run.join("volumes");
    let entries = match fs::read_dir(&volumes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        // One that is none ends with "invalid", and is gone all the same.
        while rustix::mount::unmount(&path, UnmountFlags::DETACH).is_ok() {}
        fs::remove_dir(&path)?;
    }
    fs::remove_dir(&volumes)
}

/// The container's user, as the machine knows it.
fn owner(one: &Contained) -> (u32, u32) {
    let (user, group) = one.plan.user.unwrap_or((0, 0));
    (one.plan.users.first.saturating_add(user), one.plan.users.first.saturating_add(group))
}

/// A file system in memory, shared by the containers that mount it.
fn memory(group: &Group, one: &Contained, name: &str, folder: &Path) -> Result<(), Error> {
    passable(&group.places.run.join("volumes"))?;
    if folder.exists() {
        return Ok(());
    }
    passable(folder)?;
    let first = one.plan.users.first;
    let mounts =
        |one: &&Arc<Contained>| one.plan.mounts.iter().any(|mount| mount.what == Source::Volume(name.into()));
    let least = group.containers.iter().filter(mounts).map(|one| one.plan.limits.memory).min();
    let size = least.unwrap_or(one.plan.limits.memory) / 2;
    let options = format!("mode=0777,uid={first},gid={first},size={size},nr_inodes={MAX_FILES}");
    let options = std::ffi::CString::new(options).map_err(|error| Error::io("a volume")(error.into()))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let mounted = rustix::mount::mount("boltseal", folder, "tmpfs", flags, options.as_c_str());
    mounted.map_err(|error| {
        // Without it, the next one would take the folder for mounted.
        let _ = fs::remove_dir(folder);
        Error::io(folder.display())(error.into())
    })
}

/// Files in a new folder, to which the link is moved in one step; the old one is removed after that.
pub fn secret(
    folder: &Path,
    files: &BTreeMap<String, Zeroizing<Vec<u8>>>,
    owner: (u32, u32),
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let newest = folder.join(NEWEST);
    let old = fs::read_link(&newest).ok();
    let number =
        old.as_deref().and_then(Path::to_str).and_then(|name| name.strip_prefix("..")?.parse::<u64>().ok());
    let name = format!("..{}", number.map_or(1, |number| number + 1));
    let fresh = folder.join(&name);
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir(&fresh)?;
    for (file, value) in files {
        let path = fresh.join(file);
        write(&path, value, 0o400)?;
        chown(&path, Some(owner.0), Some(owner.1))?;
        let link = folder.join(file);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new(NEWEST).join(file), &link)?;
        }
    }
    let moved = folder.join("..next");
    let _ = fs::remove_file(&moved);
    symlink(&name, &moved)?;
    fs::rename(&moved, &newest)?;
    if let Some(old) = old.filter(|old| old.as_os_str() != name.as_str()) {
        fs::remove_dir_all(folder.join(old))?;
    }
    Ok(())
}

fn write(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    use io::Write as _;
    let mut file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(path)?;
    // Whatever the umask is.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text)
}

/// What names mean in a group: all of its containers are one machine.
fn names(group: &Group) -> [(&'static str, String); 3] {
    let network = group.network.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let attached = network.as_ref().and_then(|(_, attached)| attached.as_ref());
    let name = &group.service;
    let address = attached.map_or_else(|| "127.0.0.1".to_owned(), |attached| attached.address.to_string());
    let resolver = attached.map_or_else(String::new, |attached| format!("nameserver {}\n", attached.gateway));
    [
        ("/etc/hostname", format!("{name}\n")),
        ("/etc/hosts", format!("127.0.0.1 localhost\n{address} {name}\n")),
        ("/etc/resolv.conf", resolver),
    ]
}
