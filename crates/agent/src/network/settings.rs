//! Settings of the kernel below `/proc/sys/net`: those of the network namespace that the calling thread is in.

use std::{fs, io};

use super::Error;

/// Sets one. A kernel without IPv6 has no such settings, and needs none.
pub(super) fn set(path: &str, value: &str) -> Result<(), Error> {
    let whole = format!("/proc/sys/net/{path}");
    match fs::write(&whole, value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.starts_with("ipv6/") => Ok(()),
        done => done.map_err(Error::kernel(format!("setting {whole} to {value}"))),
    }
}

/// What one is set to; nothing where it is missing.
pub(super) fn get(path: &str) -> String {
    fs::read_to_string(format!("/proc/sys/net/{path}")).map(|text| text.trim().to_owned()).unwrap_or_default()
}
