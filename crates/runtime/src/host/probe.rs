//! Looking at the machine. What cannot be read is taken for missing, which a plan then says.

use std::{collections::BTreeMap, fs};

use super::{Cgroups, Host};

/// Bytes of a file of `/proc` or `/sys` that are read: mountinfo of a machine with some thousand mounts.
const MAX_FILE: u64 = 8 << 20;

impl Host {
    /// This machine.
    pub fn probe() -> Self {
        let user_namespaces = read("/proc/sys/user/max_user_namespaces");
        let denied =
            read("/proc/sys/kernel/unprivileged_userns_clone").trim() == "0" && !boltseal_sys::is_root();
        let actions = read("/proc/sys/kernel/seccomp/actions_avail");
        Self {
            kernel: kernel(&read("/proc/sys/kernel/osrelease")),
            controllers: controllers(&read("/proc/self/mountinfo"), |root| {
                read(&format!("{root}/cgroup.controllers"))
            }),
            landlock: boltseal_sys::landlock_version(),
            seccomp: actions.split_whitespace().any(|action| action == "errno"),
            user_namespaces: if denied { 0 } else { user_namespaces.trim().parse().unwrap_or(0) },
            overlay: read("/proc/filesystems")
                .lines()
                .any(|line| line.trim_start_matches("nodev").trim() == "overlay"),
            memfd_noexec: fs::exists(crate::start::MEMFD_NOEXEC).unwrap_or(false),
            device_programs: crate::start::has_device_programs(),
        }
    }
}

fn read(path: &str) -> String {
    use std::io::Read as _;
    let mut text = String::new();
    match fs::File::open(path).map(|file| file.take(MAX_FILE).read_to_string(&mut text)) {
        Ok(Ok(_)) => text,
        _ => String::new(),
    }
}

/// `6.1.0-18-cloud-amd64` is 6.1.
fn kernel(release: &str) -> (u32, u32) {
    let mut numbers = release.trim().split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Controllers by where they are mounted (`proc_pid_mountinfo(5)`); of version 2, by what its root offers.
fn controllers(mountinfo: &str, offered: impl Fn(&str) -> String) -> BTreeMap<String, Cgroups> {
    let mut found = BTreeMap::new();
    for line in mountinfo.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let mut right = right.split(' ');
        let kind = right.next().unwrap_or_default();
        let options = right.nth(1).unwrap_or_default();
        let root = left.split(' ').nth(4).unwrap_or_default();
        match kind {
            "cgroup" => {
                // Options that are no controllers do no harm: nobody asks for a controller called `rw`.
                found.extend(options.split(',').map(|name| (name.to_owned(), Cgroups::V1)));
            }
            "cgroup2" => {
                for name in offered(root).split_whitespace() {
                    found.entry(name.to_owned()).or_insert(Cgroups::V2);
                }
            }
            _ => {}
        }
    }
    found.retain(|name, _| CONTROLLERS.contains(&name.as_str()));
    found
}

/// Those that plans ask for.
const CONTROLLERS: [&str; 6] = ["cpu", "cpuset", "devices", "freezer", "memory", "pids"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_kernels() {
        for (release, wanted) in [
            ("6.1.0-18-cloud-amd64\n", (6, 1)),
            ("5.15.153.1-microsoft-standard-WSL2", (5, 15)),
            ("7.0-rc1", (7, 0)),
            ("", (0, 0)),
            ("x.y", (0, 0)),
        ] {
            assert_eq!(kernel(release), wanted, "{release}");
        }
    }

    #[test]
    fn controllers_by_their_mounts() {
        let hybrid = "\
30 25 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
31 25 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 25 0:29 / /tmp rw - tmpfs tmpfs rw,size=1k
";
        let of = |text: &str, offered: &str| {
            let found = controllers(text, |_| offered.to_owned());
            found.into_iter().map(|(name, version)| format!("{name} {version:?}")).collect::<Vec<_>>()
        };
        assert_eq!(of(hybrid, ""), ["cpu V1", "memory V1"]);
        assert_eq!(of(hybrid, "memory pids\n"), ["cpu V1", "memory V1", "pids V2"]);
        let unified = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        assert_eq!(of(unified, "cpuset cpu io memory pids"), ["cpu V2", "cpuset V2", "memory V2", "pids V2"]);
        assert_eq!(of("nothing of it", "memory"), Vec::<String>::new());
    }
}
