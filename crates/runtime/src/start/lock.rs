//! One at a time for each container: an agent that was killed leaves behind the process that it had asked to make one, and the
//! next agent asks another one while that is still at it.
//!
//! The lock is the process's own (`fcntl(2)`, `F_SETLKW`): its copies, of which the container is made, do not have it, and the kernel
//! takes it back when the process ends, however it does.

use std::{fs, io, os::unix::fs::DirBuilderExt as _, path::Path};

use rustix::fs::FlockOperation;

/// Folder of locks, beside that of states.
const FOLDER: &str = "locks";

/// Waits until no other process is at this container. Held until the process ends.
pub(super) fn take(state: &Path, id: &str) -> io::Result<fs::File> {
    let folder = state.parent().unwrap_or(state).join(FOLDER);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let file = fs::File::options().create(true).truncate(false).write(true).open(folder.join(id))?;
    loop {
        match rustix::fs::fcntl_lock(&file, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            done => break done?,
        }
    }
    Ok(file)
}
