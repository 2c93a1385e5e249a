//! What programs try in a sealed container, and what comes of it: one table, whoever made the container.

/// Who makes the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// This program, with its own first process.
    Own,
    /// `runc`, from our bundle as it is.
    Runc,
    /// Another engine, whose runtime we stand in front of: its root is read-only, it has no network, its limits are those of the
    /// others.
    Engine,
}

/// Something that is tried in a shell.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// The script. Whatever it is, it must never print a line `ran`.
    pub script: &'static str,
    /// What is said of it.
    pub said: &'static str,
    /// Where that holds.
    pub by: &'static [By],
}

impl Try {
    /// Why the outcome is not as it should be; nothing where it is.
    pub fn wrong(&self, said: &str) -> Option<String> {
        let holds = said.contains(self.said) && !said.lines().any(|line| line == "ran");
        (!holds).then(|| format!("{}: wanted {:?}, but: {said}", self.script, self.said))
    }
}

/// Those of one maker.
pub fn tries(by: By) -> impl Iterator<Item = &'static Try> {
    TRIES.iter().filter(move |one| one.by.contains(&by))
}

const ALL: &[By] = &[By::Own, By::Runc, By::Engine];
/// Containers with users of their own.
const MAPPED: &[By] = &[By::Own, By::Runc];
const OWN: &[By] = &[By::Own];

const fn one(script: &'static str, said: &'static str, by: &'static [By]) -> Try {
    Try { script, said, by }
}

/// Every one is tried by root inside and by somebody else. The last one leaves processes behind.
const TRIES: &[Try] = &[
    one(
        "grep -E '^(CapEff|CapBnd):' /proc/self/status",
        "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000",
        ALL,
    ),
    one("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status", "NoNewPrivs:\t1\nSeccomp:\t2", ALL),
    one("cat /proc/self/uid_map", "0    1000000      65536", MAPPED),
    // Programs that were not in the image.
    one("cp /bin/busybox /tmp/dropped && /tmp/dropped true", "Permission denied", ALL),
    one("cp /bin/busybox /dev/shm/dropped && /dev/shm/dropped true", "Permission denied", ALL),
    one(
        "cp /bin/busybox /tmp/dropped && ln /tmp/dropped /tmp/linked && /tmp/linked true",
        "Permission denied",
        ALL,
    ),
    one(
        "cp /bin/busybox /tmp/dropped && mv /tmp/dropped /tmp/moved && /tmp/moved true",
        "Permission denied",
        ALL,
    ),
    one(
        "/lib/ld-musl-x86_64.so.1 /bin/busybox echo fine; cp /bin/busybox /tmp/dropped; /lib/ld-musl-x86_64.so.1 /tmp/dropped echo ran",
        "fine\n/lib/ld-musl-x86_64.so.1: /tmp/dropped: Not a valid dynamic program",
        ALL,
    ),
    one(
        "LD_PRELOAD=/lib/libz.so.1 grep -q libz /proc/self/maps && echo loads; cp /lib/libz.so.1 /tmp/my.so; LD_PRELOAD=/tmp/my.so grep -c my.so /proc/self/maps",
        "loads\n0",
        ALL,
    ),
    one("printf '#!/bin/sh\\necho ran' > /tmp/s; chmod +x /tmp/s; /tmp/s", "Permission denied", ALL),
    one("echo x > /bin/busybox", "Read-only file system", ALL),
    one("mv /bin/busybox /bin/other", "Read-only file system", ALL),
    // Ways to change what is mounted.
    one("mount -t tmpfs none /mnt", "ermi", ALL),
    one("mount -o remount,rw /", "ermi", ALL),
    one("mount -o remount,exec /tmp", "ermi", ALL),
    one("umount /proc", "ermi", ALL),
    one("unshare -r true", "ermi", ALL),
    one(
        "unshare -Urm sh -c 'mount -t tmpfs t /mnt && cp /bin/busybox /mnt/x && /mnt/x echo ran'",
        "ermi",
        ALL,
    ),
    one("chroot / true", "ermi", ALL),
    // Devices, and the kernel's settings.
    one("mknod /tmp/disk b 254 0", "ermi", ALL),
    one("mknod /tmp/null c 1 3", "ermi", ALL),
    one("echo 1 > /proc/sys/kernel/panic", "ead-only", ALL),
    one("test -e /proc/sysrq-trigger || echo ead-only; echo h > /proc/sysrq-trigger", "ead-only", ALL),
    one("echo '|/tmp/x' > /proc/sys/kernel/core_pattern", "ead-only", ALL),
    one("cat /proc/kcore | wc -c", "0", ALL),
    one("echo /x > /sys/kernel/uevent_helper", "ead-only", ALL),
    one("date -s 2001-01-01", "ermi", ALL),
    one("hostname other", "ermi", ALL),
    one("nice -n -5 true", "ermi", ALL),
    // The first process, which is not the workload's: what it holds of the outside, and whether it can be looked into.
    one("ls /proc/1/fd; echo; cat /proc/1/fd/3", "ermi", OWN),
    one("cat /proc/1/environ | wc -c; cat /proc/1/maps", "ermi", OWN),
    one("cat /proc/1/exe > /tmp/stolen", "ermi", OWN),
    one("ls /proc/1/root/ >/dev/null && echo seen", "ermi", OWN),
    one("ls /proc/self/fd | sort -n | tail -1", "3", OWN),
    one("ls -d /proc/[0-9]* | wc -l | xargs test 9 -gt && echo few", "few", OWN),
    // Others.
    one("ping -c1 -W1 192.0.2.1", "nreachable", ALL),
    one("arping -c1 -I lo 127.0.0.1", "ermi", ALL),
    one("wget -T2 -O- http://192.0.2.1/", "nreachable", ALL),
    one("ls /sys/class/net", "lo\n", ALL),
    one("[ $$ = 1 ] && echo first", "first", &[By::Runc]),
    one("hostname", "sealed", ALL),
    // Limits.
    one("dd if=/dev/zero of=/tmp/full bs=1M count=100", "No space left", ALL),
    one(
        "mkdir /tmp/d && cd /tmp/d && seq 20000 | xargs touch 2>&1 | tail -n 1; rm -r /tmp/d",
        "No space left",
        MAPPED,
    ),
    one("ulimit -n; ulimit -c", "16384\n0", ALL),
    // Nobody is moved by signals that it ignores, and its first process least.
    one(
        "trap '' USR1; i=0; while [ $i -lt 20000 ]; do kill -USR1 1; i=$((i+1)); done; echo alive",
        "alive",
        MAPPED,
    ),
    one("dd if=/dev/zero of=/dev/null bs=300M count=1; echo $?", "137", ALL),
    one("for i in $(seq 600); do sleep 9 & done", "can't fork", ALL),
];
