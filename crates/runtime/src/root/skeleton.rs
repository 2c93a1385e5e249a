//! What is on top of the layers: mount points, and folders whose owner and mode no upper layer tells.

use std::{
    collections::BTreeSet,
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use boltseal_sys::{Beneath, Place};
use rustix::{
    fs::{Gid, Mode, OFlags, Timespec, Timestamps, Uid},
    io::Errno,
};

use super::{Error, Stack, Target, stack::downwards};

/// Bytes of a path of a mount point: what Linux takes.
const MAX_PATH: usize = 4096;
/// Looks at names to find where mount points are. A link costs some; only circles of links need more.
const MAX_STEPS: u64 = 1_000_000;
/// Folders whose owner and mode are looked for. Images that builders make without entries for folders have some hundreds.
const MAX_IMPLIED: usize = 10_000;

/// Gives the skeleton's own folder, which is what a container sees of its root, the owner and mode that the layers say.
pub fn describe_root(stack: &Stack<'_>, bones: &Path) -> Result<(), Error> {
    let told = |source: io::Error| Error::io("the owner of the root", source);
    let says = downwards(stack).find(|(_, layer)| !layer.implied.iter().any(String::is_empty));
    let folder = File::open(bones).map_err(told)?;
    match says {
        Some((path, _)) => describe(&folder, &path.symlink_metadata().map_err(told)?).map_err(told),
        None => new(&folder, stack, 0o755).map_err(told),
    }
}

/// Adds what `root`, where all layers are mounted, lacks; false where it lacks nothing.
pub fn grow(stack: &Stack<'_>, root: &Path, bones: &Path) -> Result<bool, Error> {
    let open =
        |path: &Path| Beneath::new(path).map_err(|source| Error::io(path.display().to_string(), source));
    let mut skeleton = Skeleton { stack, root: open(root)?, bones: open(bones)?, grown: false };
    let implied: BTreeSet<&str> = stack
        .layers
        .iter()
        .skip(1)
        .flat_map(|layer| layer.implied)
        .map(String::as_str)
        .filter(|path| !path.is_empty())
        .collect();
    if implied.len() > MAX_IMPLIED {
        return Err(Error::Limit { what: "folders that layers have no entries for", limit: MAX_IMPLIED });
    }
    for path in implied {
        skeleton.explain(path)?;
    }
    for target in stack.targets {
        skeleton.add(target)?;
    }
    Ok(skeleton.grown)
}

struct Skeleton<'a> {
    stack: &'a Stack<'a>,
    /// The layers.
    root: Beneath,
    /// The skeleton.
    bones: Beneath,
    /// Whether anything was added.
    grown: bool,
}

impl Skeleton<'_> {
    /// Gives the folder at `path` the owner and mode that the uppermost layer says which says anything.
    fn explain(&mut self, path: &str) -> Result<(), Error> {
        let told = |error: io::Error| Error::io(format!("the owner of /{path}"), error);
        if self.root.folder(path).is_err() {
            return Ok(()); // hidden, or replaced
        }
        let mut implied = false;
        for (folder, layer) in downwards(self.stack) {
            let mut layer_root = Beneath::new(&folder).map_err(told)?;
            let Ok(place) = layer_root.folder(path) else { continue };
            if layer.implied.binary_search_by(|other| other.as_str().cmp(path)).is_ok() {
                implied = true;
                continue;
            }
            if implied {
                let bone = self.bone(path).map_err(told)?;
                let meta = File::from(place.as_owned().map_err(told)?).metadata().map_err(told)?;
                describe(&bone, &meta).map_err(told)?;
            }
            break;
        }
        Ok(())
    }

    /// Adds a mount point where there is none.
    fn add(&mut self, target: &Target) -> Result<(), Error> {
        let refused = |why| Error::Target { path: target.path.clone(), why };
        let told = |source: io::Error| Error::io(format!("the mount point {}", target.path), source);
        let real = self.root.followed(target.path.trim_matches('/'), MAX_PATH, self.root.steps + MAX_STEPS);
        let real = real
            .map_err(|error| told(error.into()))?
            .ok_or_else(|| refused("links of the image lead in circles"))?;
        if real.is_empty() {
            return Err(refused("it is the root itself"));
        }
        match self.root.file(&real) {
            Ok(file) => {
                let kind = file.metadata().map_err(told)?.file_type();
                if kind.is_dir() == target.is_folder {
                    return Ok(());
                }
                Err(refused(if kind.is_dir() {
                    "the image has a folder there"
                } else {
                    "the image has a file there"
                }))
            }
            Err(Errno::NOENT) => self.make(&real, target.is_folder).map_err(told),
            Err(Errno::NOTDIR) => Err(refused("the image has a file on the way to it")),
            Err(error) => Err(told(error.into())),
        }
    }

    fn make(&mut self, path: &str, is_folder: bool) -> io::Result<()> {
        if is_folder {
            return self.bone(path).map(drop);
        }
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let place = self.bone(dir)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&place, name, flags, Mode::from_raw_mode(0o644)) {
            Ok(file) => {
                self.grown = true;
                new(&file.into(), self.stack, 0o644)
            }
            Err(Errno::EXIST) => Ok(()), // asked for twice
            Err(error) => Err(error.into()),
        }
    }

    /// The folder at `path` in the skeleton, which is what it merges with; a new one belongs to the container's root.
    fn bone(&mut self, path: &str) -> io::Result<File> {
        match self.bones.folder(path) {
            Ok(place) => return Ok(place.as_owned()?.into()),
            Err(Errno::NOENT) if !path.is_empty() => {}
            Err(error) => return Err(error.into()),
        }
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.bone(dir)?;
        rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755))?;
        self.grown = true;
        let folder: File = self.bones.folder(path)?.as_owned()?.into();
        match self.root.folder(path) {
            Ok(same) => describe(&folder, &metadata(&same)?)?,
            Err(_) => new(&folder, self.stack, 0o755)?,
        }
        Ok(folder)
    }
}

fn metadata(place: &Place) -> io::Result<Metadata> {
    File::from(place.as_owned()?).metadata()
}

/// Gives `to` the owner, mode and time of something else.
fn describe(to: &File, meta: &Metadata) -> io::Result<()> {
    rustix::fs::fchown(to, Some(Uid::from_raw(meta.uid())), Some(Gid::from_raw(meta.gid())))?;
    rustix::fs::fchmod(to, Mode::from_raw_mode(meta.mode() & 0o7777))?;
    let time = Timespec { tv_sec: meta.mtime(), tv_nsec: meta.mtime_nsec() };
    Ok(rustix::fs::futimens(to, &Timestamps { last_access: time, last_modification: time })?)
}

/// Gives `to` to the container's root.
fn new(to: &File, stack: &Stack<'_>, mode: u32) -> io::Result<()> {
    let first = stack.users.first;
    rustix::fs::fchown(to, Some(Uid::from_raw(first)), Some(Gid::from_raw(first)))?;
    Ok(rustix::fs::fchmod(to, Mode::from_raw_mode(mode))?)
}
