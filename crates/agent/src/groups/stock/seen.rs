//! What processes of containers have open as code, as `/proc` tells (`proc_pid_exe(5)`, `proc_pid_maps(5)`).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use boltseal_inventory::How;
use boltseal_runtime::start::{self, Started};

/// Bytes of one process's mappings that are read; a browser has a tenth.
const MAX_MAPS: u64 = 4 << 20;
/// What is behind the name of a file that is gone.
const GONE: &str = " (deleted)";

/// What the containers of these first processes use now: the container, a path within it, and how.
pub fn now(containers: &BTreeMap<String, Started>) -> Vec<(String, String, How)> {
    let mut by_namespace: HashMap<PathBuf, &str> = HashMap::new();
    for (id, first) in containers {
        let namespace = fs::read_link(format!("/proc/{}/ns/pid", first.pid));
        // Read before it is looked whether the number is still that process's.
        if let Ok(namespace) = namespace
            && start::since(first.pid) == Some(first.since)
        {
            by_namespace.insert(namespace, id);
        }
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let container = fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let Some(id) = container.and_then(|namespace| by_namespace.get(&namespace).copied()) else {
            continue;
        };
        // One that ends meanwhile is none.
        for (path, how) in of(pid).unwrap_or_default() {
            found.insert((id.to_owned(), path, how));
        }
    }
    found.into_iter().collect()
}

fn of(pid: i32) -> Option<Vec<(String, How)>> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let program = fs::read_link(process.join("exe")).ok()?;
    let program = program.to_str()?;
    // The first process of a container, and whoever is on the way into one, runs what lies on the machine.
    if !is_own(&process, program)? {
        return Some(Vec::new());
    }
    let mut found = vec![(program.to_owned(), How::Executed)];
    let mut maps = Vec::new();
    fs::File::open(process.join("maps")).ok()?.take(MAX_MAPS).read_to_end(&mut maps).ok()?;
    found.extend(code(&String::from_utf8_lossy(&maps)).map(|path| (path.to_owned(), How::Loaded)));
    Some(found)
}

/// Whether the program of a process is the file of that name in its own root.
fn is_own(process: &Path, program: &str) -> Option<bool> {
    let runs = fs::metadata(process.join("exe")).ok()?;
    let own = process.join("root").join(program.trim_start_matches('/'));
    let is_same = |own: fs::Metadata| (own.dev(), own.ino()) == (runs.dev(), runs.ino());
    Some(fs::symlink_metadata(own).is_ok_and(is_same))
}

/// Files that are mapped as code: `ADDRESSES PERMISSIONS OFFSET DEVICE INODE PATH`.
fn code(maps: &str) -> impl Iterator<Item = &str> {
    maps.lines().filter_map(|line| {
        let mut fields = line.splitn(6, ' ').skip(1);
        let permissions = fields.next()?;
        let path = fields.nth(3)?.trim_start();
        (permissions.contains('x') && path.starts_with('/') && !path.ends_with(GONE)).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_as_code() {
        let maps = "\
55d0c0000000-55d0c0001000 r--p 00000000 00:2f 1311                       /bin/busybox
55d0c0001000-55d0c0051000 r-xp 00001000 00:2f 1311                       /bin/busybox
7f0000000000-7f0000050000 r-xp 00001000 00:2f 1312                       /usr/lib/with a space.so
7f0000060000-7f0000070000 r-xp 00001000 00:2f 1313                       /usr/lib/old.so (deleted)
7f0000080000-7f0000090000 rw-p 00001000 00:2f 1314                       /usr/lib/data
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
7ffd00003000-7ffd00004000 rwxp 00000000 00:00 0
";
        assert_eq!(code(maps).collect::<Vec<_>>(), ["/bin/busybox", "/usr/lib/with a space.so"]);
    }

    #[test]
    fn this_very_process() {
        let found = of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let program = std::env::current_exe().unwrap().display().to_string();
        assert!(found.contains(&(program, How::Executed)), "{found:?}");
        assert!(found.iter().any(|(path, how)| path.contains("libc") && *how == How::Loaded), "{found:?}");
    }
}
