//! Which devices the processes of a container may open, where control groups are of version 2.
//!
//! Of version 1, the kernel has a controller for that, which the library that makes containers writes to. Of version 2 it asks a
//! program, and the library would need a compiler's worth of C for it; so it is ours ([`boltseal_sys::Devices`]).
//!
//! It holds for whoever is in the container's control group, whatever they are allowed otherwise: also for what joins it.

use std::{fs, io};

use boltseal_sys::{Device, Devices};

use super::cgroup;

const fn one(major: u32, minor: u32) -> Device {
    Device { major, minor: Some(minor) }
}

/// `null`, `zero`, `full`, `random`, `urandom`, `tty`, `ptmx`, and terminals.
const ALLOWED: [Device; 8] = [
    one(1, 3),
    one(1, 5),
    one(1, 7),
    one(1, 8),
    one(1, 9),
    one(5, 0),
    one(5, 2),
    Device { major: 136, minor: None },
];

/// Whether the kernel takes such programs, from this process.
pub fn is_there() -> bool {
    matches!(program(), Ok(Some(_)) | Err(_))
}

/// Has no other device opened in the control group of `first`. Where a controller of version 1 does that, or the kernel has no
/// programs for it, which the plan said, nothing is done.
pub(super) fn keep(first: i32) -> io::Result<()> {
    let groups = fs::read_to_string(format!("/proc/{first}/cgroup"))?;
    let mut unified = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next().unwrap_or_default();
        if controllers.split(',').any(|name| name == "devices") {
            return Ok(());
        }
        if controllers.is_empty() {
            unified = parts.next().filter(|path| *path != "/").map(|_| line);
        }
    }
    let (Some(line), Some(program)) = (unified, program()?) else { return Ok(()) };
    let folder = cgroup::folder(line, &fs::read_to_string("/proc/self/mountinfo")?)
        .ok_or_else(|| io::Error::other(format!("the hierarchy of `{line}` is not mounted")))?;
    program.attach(fs::File::open(folder)?)
}

/// None where the kernel, or what this process may do, has no place for it.
fn program() -> io::Result<Option<Devices>> {
    match Devices::allow(&ALLOWED) {
        Ok(program) => Ok(Some(program)),
        Err(error) => {
            let number = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
            let missing = [rustix::io::Errno::NOSYS, rustix::io::Errno::INVAL, rustix::io::Errno::PERM];
            if number.is_some_and(|number| missing.contains(&number)) { Ok(None) } else { Err(error) }
        }
    }
}
