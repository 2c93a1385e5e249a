//! A container that was made by a process that nobody remembers.

use std::{fs, path::Path};

use libcontainer::container::{Container, ContainerStatus};

use super::{Started, since};

/// The first process of the container `id`, where it was started and runs, in its own control group: a process that got the
/// number of one that is gone is in another.
pub fn found(state: &Path, id: &str, cgroup: &str) -> Option<Started> {
    let mut container = Container::load(state.join(id)).ok()?;
    container.refresh_status().ok()?;
    if container.status() != ContainerStatus::Running {
        return None;
    }
    let pid = container.pid()?.as_raw();
    let since = since(pid)?;
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let is_in = |line: &str| line.splitn(3, ':').nth(2) == Some(cgroup);
    groups.lines().any(is_in).then_some(Started { pid, since })
}
