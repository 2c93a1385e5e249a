//! Control groups by their files: of which a process is, and how another one gets in. Both versions (`cgroups(7)`).

use std::{collections::BTreeSet, fs, io, path::PathBuf};

use rustix::process::{Pid, Signal};

/// Moves this process into every control group that `pid` is in.
pub(super) fn enter(pid: i32) -> io::Result<()> {
    let of_it = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let of_this = fs::read_to_string("/proc/self/cgroup")?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let there: Vec<&str> = of_this.lines().collect();
    for line in of_it.lines().filter(|line| !there.contains(line)) {
        let Some(folder) = folder(line, &mounts) else {
            return Err(io::Error::other(format!("the hierarchy of `{line}` is not mounted")));
        };
        fs::write(folder.join("cgroup.procs"), "0")?;
    }
    Ok(())
}

/// Whether a process is in a control group, in some hierarchy. `path` as in `/proc/PID/cgroup`.
pub(super) fn is_in(pid: i32, path: &str) -> bool {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    groups.lines().any(|line| line.splitn(3, ':').nth(2) == Some(path))
}

/// Whether processes of a control group were ended because it had no memory left. `path` as in `/proc/PID/cgroup`.
pub fn out_of_memory(path: &str) -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let told = [("1:memory:", "memory.oom_control"), ("0::", "memory.events")];
    told.iter().any(|(hierarchy, file)| {
        let Some(folder) = folder(&format!("{hierarchy}{path}"), &mounts) else { return false };
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        let killed = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        killed.is_some_and(|number| number.trim() != "0")
    })
}

/// Kills everybody in a control group, in whichever hierarchy; gives how many there were.
///
/// # Errors
/// Where it cannot be told who is in it.
pub(super) fn kill(path: &str) -> io::Result<usize> {
    let pids = processes(path)?;
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        // One that is gone already is ended.
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
    Ok(pids.len())
}

/// Everybody in a control group, in whichever hierarchy, by the numbers that this process knows.
///
/// # Errors
/// Where it cannot be told who is in it.
pub fn processes(path: &str) -> io::Result<BTreeSet<i32>> {
    let mut pids = BTreeSet::new();
    for folder in folders(path) {
        match fs::read_to_string(folder.join("cgroup.procs")) {
            Ok(text) => pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            // The group goes away while it is looked at.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pids)
}

/// Removes a control group that has nobody in it any more, with those right in it, from every hierarchy. One that is not there is
/// removed.
pub fn remove(path: &str) {
    for folder in folders(path) {
        let within = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for one in within.filter(|path| path.is_dir()) {
            let _ = fs::remove_dir(one);
        }
        // Busy ones are somebody's.
        let _ = fs::remove_dir(folder);
    }
}

/// Where a control group would lie in each hierarchy that is mounted as a whole.
fn folders(path: &str) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let place = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, place) = (left.next()?, left.next()?);
        (right.starts_with("cgroup") && root == "/").then(|| PathBuf::from(format!("{place}{path}")))
    };
    mounts.lines().filter_map(place).collect()
}

/// Where a line of `/proc/PID/cgroup` lies in the file system.
pub(super) fn folder(line: &str, mounts: &str) -> Option<PathBuf> {
    let (_, line) = line.split_once(':')?;
    let (controllers, path) = line.split_once(':')?;
    mounts.lines().find_map(|mount| {
        let (left, right) = mount.split_once(" - ")?;
        let (mut left, mut right) = (left.split(' ').skip(3), right.split(' '));
        let (root, place) = (left.next()?, left.next()?);
        let kind = right.next()?;
        let options = right.nth(1)?;
        let fits = if controllers.is_empty() {
            kind == "cgroup2"
        } else {
            kind == "cgroup"
                && controllers.split(',').all(|name| options.split(',').any(|option| option == name))
        };
        // Where only a part of the hierarchy is mounted, as in a container, what lies outside cannot be reached.
        let below = if root == "/" { path } else { path.strip_prefix(root)? };
        fits.then(|| PathBuf::from(format!("{place}{below}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_both_versions() {
        let mounts = "\
30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 25 0:28 /part /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 25 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
";
        for (line, wanted) in [
            ("0::/a/b", Some("/sys/fs/cgroup/unified/a/b")),
            ("7:memory:/a", Some("/sys/fs/cgroup/memory/a")),
            ("4:cpu,cpuacct:/part/a", Some("/sys/fs/cgroup/cpu,cpuacct/a")),
            ("4:cpu,cpuacct:/other", None),
            ("1:name=systemd:/", Some("/sys/fs/cgroup/systemd/")),
            ("9:rdma:/a", None),
            ("nonsense", None),
        ] {
            assert_eq!(folder(line, mounts), wanted.map(PathBuf::from), "{line}");
        }
    }
}
