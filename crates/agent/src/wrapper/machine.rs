//! What has to be looked at on this machine.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, StatxFlags};

/// A machine, as far as containers can reach for it.
pub(super) trait Machine {
    /// Whether a file of a namespace (`/proc/PID/ns/net`, or something bound to it) leads to the machine's own, or cannot be told.
    fn is_own_namespace(&self, kind: &str, path: &Path) -> bool;
    /// A path without links.
    fn real(&self, path: &Path) -> PathBuf;
    /// Whether something is mounted right there, or that cannot be told.
    fn is_mounted(&self, path: &Path) -> bool;
    /// Whether it is a device.
    fn is_device(&self, path: &Path) -> bool;
}

/// This one.
pub(super) struct This;

impl Machine for This {
    fn is_own_namespace(&self, kind: &str, path: &Path) -> bool {
        let name = if kind == "network" { "net" } else { kind };
        let identity = |path: &Path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
        let Some(asked) = identity(path) else { return true };
        // The engine's is the machine's for all that it can do.
        ["1", "self"].iter().any(|who| {
            let own = identity(Path::new(&format!("/proc/{who}/ns/{name}")));
            own == Some(asked)
        })
    }

    fn real(&self, path: &Path) -> PathBuf {
        fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    }

    fn is_mounted(&self, path: &Path) -> bool {
        let mount = |path: &Path| {
            let told = rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
            (told.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(told.stx_mnt_id)
        };
        let above = path.parent().and_then(mount);
        above.is_none() || above != mount(path)
    }

    fn is_device(&self, path: &Path) -> bool {
        fs::metadata(path)
            .is_ok_and(|data| data.file_type().is_char_device() || data.file_type().is_block_device())
    }
}
