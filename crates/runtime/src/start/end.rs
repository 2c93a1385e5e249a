//! What is left of a container, removed: its processes, its control groups, its state.

use std::{fs, io};

use libcontainer::container::Container;

use super::{End, Error};

/// Ends it at once. One that is not there is ended.
pub(super) fn end(wanted: &End) -> Result<(), Error> {
    let folder = wanted.state.join(&wanted.id);
    match fs::metadata(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(folder.display().to_string())(error)),
        Ok(_) => {}
    }
    match Container::load(folder.clone()) {
        Ok(mut container) => Ok(container.delete(true)?),
        // A state that was not written to its end: the process that made it was killed, and what it made has no name yet.
        Err(_) => fs::remove_dir_all(&folder).map_err(Error::io(folder.display().to_string())),
    }
}
