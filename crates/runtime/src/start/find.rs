//! A container that was made by a process that nobody remembers.

use std::path::Path;

use libcontainer::container::{Container, ContainerStatus};

use super::{Started, cgroup as groups, oci, since};

/// The first process of the container `id`, where it was started and runs, in its own control group: a process that got the
/// number of one that is gone is in another.
pub fn found(state: &Path, id: &str, cgroup: &str) -> Option<Started> {
    let folder = state.join(id);
    if let Some(made) = oci::Made::of(&folder) {
        return oci::found(&made, &folder, id, cgroup);
    }
    let mut container = Container::load(folder).ok()?;
    container.refresh_status().ok()?;
    if container.status() != ContainerStatus::Running {
        return None;
    }
    let pid = container.pid()?.as_raw();
    let since = since(pid)?;
    groups::is_in(pid, cgroup).then_some(Started { pid, since })
}
