//! One at a time for each container: an agent that was killed leaves behind the process that it had asked to make one, and the
//! next agent asks another one while that is still at it.
//!
//! The lock is the process's own (`fcntl(2)`, `F_SETLKW`): its copies, of which the container is made, do not have it, and the kernel
//! takes it back when the process ends, however it does.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    time::{Duration, Instant},
};

use rustix::fs::FlockOperation;

/// How often one who waits without the lock looks.
const LOOK: Duration = Duration::from_millis(5);
/// Folder of locks, beside that of states.
const FOLDER: &str = "locks";

/// Waits until no other process is at this container. Held until the process ends.
pub(super) fn take(state: &Path, id: &str) -> io::Result<fs::File> {
    let file = opened(state, id)?;
    loop {
        match rustix::fs::fcntl_lock(&file, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            done => break done?,
        }
    }
    Ok(file)
}

/// Waits until no process is at the container `id`, but not longer than `patience`: what was begun by an agent that is gone
/// comes to its end, and can be found. Gives whether that is so. Only for a process that is never at containers itself: it
/// would lose its own lock.
///
/// # Errors
/// Where the lock cannot be opened.
pub fn settled(state: &Path, id: &str, patience: Duration) -> io::Result<bool> {
    let file = opened(state, id)?;
    let begun = Instant::now();
    loop {
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if begun.elapsed() >= patience {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
}

fn opened(state: &Path, id: &str) -> io::Result<fs::File> {
    let folder = state.parent().unwrap_or(state).join(FOLDER);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    fs::File::options().create(true).truncate(false).write(true).open(folder.join(id))
}
