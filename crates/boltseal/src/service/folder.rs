//! The data folder: ours alone, and one process at a time.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::exit::Failure;

/// Creates `data` if need be and locks it until the file is dropped, also by the kernel when the process dies.
pub fn lock(data: &Path) -> Result<File, Failure> {
    let unusable = |wrong: std::io::Error| {
        Failure::fault(format_args!("cannot use the data folder {}: {wrong}", data.display()))
            .next("name a folder that you may write to with --data DIR")
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(unusable)?;
    let path = data.join("lock");
    let file = File::options().append(true).create(true).mode(0o600).open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::fault(format_args!("another boltseal is running on {}", data.display()))
                .next("stop it first, or name another folder with --data DIR"))
        }
        Err(TryLockError::Error(wrong)) => Err(unusable(wrong)),
    }
}
