//! What is left of a container, removed: its processes, its control groups, its state.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use libcontainer::container::Container;

use super::{End, Error, cgroup, oci};

/// How long killed processes may take to be gone: some have memory to give back.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(2);

/// Ends it at once. One that is not there is ended.
pub(super) fn end(wanted: &End) -> Result<(), Error> {
    let folder = wanted.state.join(&wanted.id);
    let by_other = oci::Made::of(&folder);
    if by_other.is_none() && exists(&folder)? {
        // A state that was not written to its end is one that the library cannot remove: whoever wrote it was killed. What it
        // had made is in the control group, and found there.
        let by_library = Container::load(folder.clone()).and_then(|mut container| container.delete(true));
        drop(by_library);
    }
    let begun = Instant::now();
    while cgroup::kill(&wanted.cgroup).map_err(Error::io(wanted.cgroup.clone()))? > 0 {
        if begun.elapsed() > PATIENCE {
            return Err(Error::io::<io::Error>(wanted.cgroup.clone())(io::ErrorKind::TimedOut.into()));
        }
        std::thread::sleep(LOOK);
    }
    if let Some(made) = by_other {
        // Whom it would wait for is gone already.
        oci::forget(&made, &folder, &wanted.id);
    }
    cgroup::remove(&wanted.cgroup);
    if exists(&folder)? {
        fs::remove_dir_all(&folder).map_err(Error::io(folder.display().to_string()))?;
    }
    Ok(())
}

fn exists(folder: &Path) -> Result<bool, Error> {
    folder.try_exists().map_err(Error::io(folder.display().to_string()))
}
