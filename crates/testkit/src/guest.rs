//! Another kernel in a machine of its own: Debian's cloud kernel in qemu, whose control groups are of version 2 alone.
//!
//! ```no_run
//! # fn example() -> Option<()> {
//! let mut guest = boltseal_testkit::Guest::new()?;           // prints `skipped: no kernel …`
//! guest.programs(&["cat"]);
//! let ended = guest.run("cat /sys/fs/cgroup/cgroup.controllers", std::time::Duration::from_secs(60));
//! assert_eq!(ended.code, Some(0), "{}", ended.said);
//! # Some(())
//! # }
//! ```
//!
//! Its disk is made of programs of this machine with the libraries that they are linked to, of the kernel's modules, and of
//! files that a test puts there. The kernel has drivers for that disk built in, so nothing is needed in between. It has no
//! network. Nothing of it is left when it ended; where it does not end, it is ended.
//!
//! It is emulated (TCG), so it is ten times slower and independent of what this machine's own kernel and processors can do. Its
//! clock goes by the instructions that it executed, not by the time that they took: where this machine is busy, nothing in there
//! runs out of time.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails there")]

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{peer, skip};

/// A folder into which Debian's package `linux-image-…-cloud-amd64` was unpacked.
const KERNEL: &str = "BOLTSEAL_GUEST_KERNEL";
/// What the disk can hold; of the file, only what is used is there.
const DISK: u64 = 4 << 30;
/// The last line of its console says how the script ended.
const ENDED: &str = "guest: ended with ";
/// What the kernel is told. Timers of an emulated machine are not to be tried out.
const LINE: &str = "console=ttyS0 quiet loglevel=1 panic=-1 no_timer_check lpj=4000000 root=/dev/nvme0n1 rw rootfstype=ext4 init=/init";
/// What is started first: mounts as a distribution makes them, with control groups of version 2 alone.
const FIRST: &str = "#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
sh /script
echo \"guest: ended with $?\"
echo b > /proc/sysrq-trigger
";
/// What [`FIRST`] needs.
const PROGRAMS: &[&str] = &["sh", "mount", "mkdir", "ip", "modprobe"];

/// A machine that is not started yet.
#[derive(Debug)]
pub struct Guest {
    folder: TempDir,
    qemu: PathBuf,
    kernel: PathBuf,
}

/// What came of a script.
#[derive(Debug)]
pub struct Ended {
    /// What it ended with; nothing where the machine went down before, or was ended.
    pub code: Option<i32>,
    /// All that was written to the console.
    pub said: String,
}

impl Guest {
    /// One with a shell, or `None` after saying what is missing.
    ///
    /// # Panics
    /// Where something is missing and `BOLTSEAL_TEST_PEERS=required`; where its disk cannot be filled.
    pub fn new() -> Option<Self> {
        let Some(unpacked) = env::var_os(KERNEL).map(PathBuf::from) else {
            skip(&format!("no kernel for a machine of its own ({KERNEL})"));
            return None;
        };
        let qemu = peer("qemu-system-x86_64")?;
        for program in ["mkfs.ext4", "depmod", "ldd", "nice", "timeout"] {
            peer(program)?;
        }
        let boot = fs::read_dir(unpacked.join("boot")).expect("the unpacked package of a kernel").flatten();
        let mut kernels = boot.map(|entry| entry.path()).filter(|path| name(path).starts_with("vmlinuz-"));
        let kernel = kernels.next().expect("a kernel in the package");
        let mut guest = Self { folder: tempfile::tempdir().expect("a folder"), qemu, kernel };
        for folder in ["dev", "proc", "sys", "run", "tmp", "root", "etc"] {
            fs::create_dir_all(guest.root().join(folder)).expect("a folder of the guest");
        }
        // Folders that are links here are links there, so that all paths are the same.
        for link in ["bin", "sbin", "lib", "lib64"] {
            if let Ok(target) = fs::read_link(Path::new("/").join(link)) {
                fs::create_dir_all(guest.root().join(&target)).expect("a folder of the guest");
                std::os::unix::fs::symlink(&target, guest.root().join(link)).expect("a link of the guest");
            }
        }
        guest.modules(&unpacked);
        guest.programs(PROGRAMS);
        guest.write("/init", FIRST);
        Some(guest)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn modules(&self, unpacked: &Path) {
        let version = name(&self.kernel).replacen("vmlinuz-", "", 1);
        let to = self.root().join("usr/lib/modules");
        fs::create_dir_all(&to).expect("a folder of the guest");
        fs::create_dir_all(self.root().join("lib")).expect("a folder of the guest");
        done(Command::new("cp").arg("-a").arg(unpacked.join("lib/modules").join(&version)).arg(to));
        done(Command::new("depmod").arg("-b").arg(self.root()).arg(version));
    }

    /// Puts a text there, that can be executed.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&mut self, at: &str, text: &str) {
        let path = self.place(Path::new(at));
        fs::write(&path, text).expect("a file of the guest");
        executable(&path).expect("a file of the guest");
    }

    /// Puts a file of this machine there.
    ///
    /// # Panics
    /// Where it cannot be copied.
    pub fn file(&mut self, from: &Path, at: &str) {
        fs::copy(from, self.place(Path::new(at))).expect("a file of the guest");
    }

    /// Puts programs of this machine there, by their names.
    ///
    /// # Panics
    /// Where one is not here.
    pub fn programs(&mut self, names: &[&str]) {
        for name in names {
            self.program(&peer(name).expect("a program that every machine has"));
        }
    }

    /// Puts a program of this machine there, at the same place, without what is there to find errors in it, and with the
    /// libraries that it is linked to.
    ///
    /// # Panics
    /// Where it cannot be copied.
    pub fn program(&mut self, path: &Path) {
        let to = self.place(path);
        let stripped = Command::new("strip").arg("--strip-debug").arg("-o").arg(&to).arg(path).output();
        if !stripped.is_ok_and(|done| done.status.success()) {
            fs::copy(path, &to).expect("a program of the guest");
        }
        executable(&to).expect("a program of the guest");
        let linked = Command::new("ldd").arg(path).output().expect("ldd");
        let linked = String::from_utf8_lossy(&linked.stdout).into_owned();
        for library in linked.split_whitespace().filter(|word| word.starts_with('/')) {
            let to = self.place(Path::new(library));
            if !to.exists() {
                fs::copy(library, to).expect("a library of the guest");
            }
        }
    }

    /// Where a path of the guest is here.
    fn place(&self, path: &Path) -> PathBuf {
        let at = self.root().join(path.strip_prefix("/").unwrap_or(path));
        fs::create_dir_all(at.parent().unwrap_or(&at)).expect("a folder of the guest");
        at
    }

    /// Starts it, has its shell run `script`, and ends it, after `patience` whatever it is at.
    ///
    /// # Panics
    /// Where qemu does not start.
    pub fn run(mut self, script: &str, patience: Duration) -> Ended {
        self.write("/script", script);
        let (disk, console) = (self.folder.path().join("disk"), self.folder.path().join("console"));
        fs::File::create(&disk).and_then(|file| file.set_len(DISK)).expect("a disk");
        done(Command::new("mkfs.ext4").args(["-q", "-d"]).arg(self.root()).arg(&disk));
        self.machine(&disk, &console, patience).stdin(Stdio::null()).status().expect("a machine");
        let said = String::from_utf8_lossy(&fs::read(console).unwrap_or_default()).replace('\r', "");
        let code = said.lines().rev().find_map(|line| line.strip_prefix(ENDED)?.trim().parse().ok());
        Ended { code, said }
    }

    /// One processor, as instructions are counted; after all others of this machine, which it would slow down for minutes. It
    /// ends in time, even where who started it is gone.
    fn machine(&self, disk: &Path, console: &Path, patience: Duration) -> Command {
        let mut machine = Command::new("timeout");
        machine.args(["-s", "KILL", &patience.as_secs().to_string(), "nice", "-n", "10"]).arg(&self.qemu);
        machine.args(["-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1536"]);
        machine.args(["-icount", "shift=1", "-nodefaults", "-no-reboot", "-display", "none", "-serial"]);
        machine.arg(format!("file:{}", console.display())).arg("-kernel").arg(&self.kernel);
        machine.args(["-append", LINE, "-device", "nvme,drive=disk,serial=1", "-drive"]);
        machine.arg(format!("file={},if=none,id=disk,format=raw,cache=unsafe", disk.display()));
        machine
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn executable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
}

fn done(command: &mut Command) {
    let output = command.output().expect("a program that peers were asked for");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
