//! The system calls that a sealed container may make: an allow-list, everything else is refused.
//!
//! What ordinary programs need is on it. Not on it is what changes the machine or the container itself (mounts, modules,
//! clocks, namespaces), what looks into other processes, and what had holes again and again while few programs miss it
//! (`bpf`, `io_uring`, `keyctl`, `perf_event_open`, `userfaultfd`). Calls of other architectures, such as those of 32-bit
//! programs, are refused as a whole.
//!
//! Some calls are answered with "no such call" (`ENOSYS`), because programs then take the older way: `clone3`, whose flags
//! a filter cannot see, and `memfd_create`, by which a program runs from memory, where no file system says that it may not.

use seccompiler::{BpfProgram, TargetArch};
use serde_json::{Value, json};

/// Calls that are allowed whatever their arguments, by what they are for; those of one architecture only are among them.
const ALLOWED: &[&[&str]] = &[FILES, MEMORY, PROCESSES, SIGNALS, TIME, NETWORK, WAITING, QUEUES, IDENTITY];

const FILES: &[&str] = &[
    "access",
    "chdir",
    "chmod",
    "chown",
    "close",
    "close_range",
    "copy_file_range",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchownat",
    "fcntl",
    "fdatasync",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fremovexattr",
    "fsetxattr",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "futimesat",
    "getcwd",
    "getdents",
    "getdents64",
    "getxattr",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "io_cancel",
    "io_destroy",
    "io_getevents",
    "io_pgetevents",
    "io_setup",
    "io_submit",
    "ioctl",
    "lchown",
    "lgetxattr",
    "link",
    "linkat",
    "listxattr",
    "llistxattr",
    "lremovexattr",
    "lseek",
    "lsetxattr",
    "lstat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pipe",
    "pipe2",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readahead",
    "readlink",
    "readlinkat",
    "readv",
    "removexattr",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "sendfile",
    "setxattr",
    "splice",
    "stat",
    "statfs",
    "statx",
    "symlink",
    "symlinkat",
    "sync",
    "sync_file_range",
    "syncfs",
    "tee",
    "truncate",
    "umask",
    "unlink",
    "unlinkat",
    "utime",
    "utimensat",
    "utimes",
    "vmsplice",
    "write",
    "writev",
];

const MEMORY: &[&str] = &[
    "brk",
    "cachestat",
    "get_mempolicy",
    "getrandom",
    "madvise",
    "map_shadow_stack",
    "membarrier",
    "mincore",
    "mlock",
    "mlock2",
    "mlockall",
    "mmap",
    "mprotect",
    "mremap",
    "mseal",
    "msync",
    "munlock",
    "munlockall",
    "munmap",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "remap_file_pages",
];

const PROCESSES: &[&str] = &[
    "arch_prctl",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "fork",
    "get_robust_list",
    "get_thread_area",
    "getcpu",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getpriority",
    "getrlimit",
    "getrusage",
    "getsid",
    "gettid",
    "ioprio_get",
    "ioprio_set",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "pidfd_open",
    "pidfd_send_signal",
    "prctl",
    "prlimit64",
    "restart_syscall",
    "rseq",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_rr_get_interval",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "sched_yield",
    "seccomp",
    "set_robust_list",
    "set_thread_area",
    "set_tid_address",
    "setpgid",
    "setpriority",
    "setrlimit",
    "setsid",
    "sysinfo",
    "times",
    "uname",
    "vfork",
    "wait4",
    "waitid",
];

const SIGNALS: &[&str] = &[
    "alarm",
    "kill",
    "pause",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_tgsigqueueinfo",
    "sigaltstack",
    "signalfd",
    "signalfd4",
    "tgkill",
    "tkill",
];

const TIME: &[&str] = &[
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "getitimer",
    "gettimeofday",
    "nanosleep",
    "setitimer",
    "time",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_settime",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
];

const NETWORK: &[&str] = &[
    "accept",
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socketpair",
];

const WAITING: &[&str] = &[
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd",
    "eventfd2",
    "futex",
    "futex_requeue",
    "futex_wait",
    "futex_waitv",
    "futex_wake",
    "poll",
    "ppoll",
    "pselect6",
    "select",
];

const QUEUES: &[&str] = &[
    "mq_getsetattr",
    "mq_notify",
    "mq_open",
    "mq_timedreceive",
    "mq_timedsend",
    "mq_unlink",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
];

const IDENTITY: &[&str] = &[
    "capget",
    "capset",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getresgid",
    "getresuid",
    "getuid",
    "setfsgid",
    "setfsuid",
    "setgid",
    "setgroups",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "setuid",
];

/// Families of sockets that are allowed: of this machine, of the internet, and the kernel's own answers about interfaces
/// (`getifaddrs`), which without capabilities changes nothing. `AF_VSOCK`, which reaches the host of a virtual machine,
/// is not among them, nor are those that hardly anybody uses.
const FAMILIES: [u64; 4] = [1, 2, 10, 16];

/// Flags of `clone` that make namespaces: `CLONE_NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`.
const NEW_NAMESPACES: u64 = 0x7E02_0000;

/// What `personality` may be told: nothing, Linux 2.6 version numbers, no randomness of 32-bit addresses, and to be asked.
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF];

/// Calls that do not exist, as far as a container can tell.
const ABSENT: [&str; 2] = ["clone3", "memfd_create"];

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// The filter, as the OCI runtime specification has it (`linux.seccomp`), for the machine that this program runs on.
pub fn filter() -> Value {
    let mut names: Vec<&str> = ALLOWED.iter().flat_map(|group| group.iter().copied()).collect();
    names.sort_unstable();
    let mut rules = vec![
        json!({ "names": names, "action": "SCMP_ACT_ALLOW" }),
        json!({
            "names": ["clone"], "action": "SCMP_ACT_ALLOW",
            "args": [{ "index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }],
        }),
    ];
    let mut only = |name: &str, values: &[u64]| {
        for value in values {
            let equal = json!({ "index": 0, "value": value, "op": "SCMP_CMP_EQ" });
            rules.push(json!({ "names": [name], "action": "SCMP_ACT_ALLOW", "args": [equal] }));
        }
    };
    only("socket", &FAMILIES);
    only("personality", &PERSONALITIES);
    rules.push(json!({ "names": ABSENT, "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS }));
    json!({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": EPERM, "architectures": [ARCHITECTURE], "syscalls": rules,
    })
}

/// Why system calls are not filtered.
#[derive(Debug, thiserror::Error)]
#[error("system calls cannot be filtered: {0}")]
pub struct Error(#[from] seccompiler::Error);

/// Filters the calls of this process and of all that it will ever start. The list is [`filter`]'s, made into two programs for
/// the kernel, of which the stricter answer counts: one that allows, and one that says "no such call".
///
/// # Errors
/// Where the kernel has no filters, or the machine is of a kind whose calls are not known.
pub fn apply() -> Result<(), Error> {
    for program in programs()? {
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

/// The one with other answers comes first, since of two errors the one of the filter that came last is given.
fn programs() -> Result<[BpfProgram; 2], Error> {
    let equal =
        |index: u8, value: u64| json!([{ "index": index, "type": "qword", "op": "eq", "val": value }]);
    let mut allowed: Vec<Value> = ALLOWED
        .iter()
        .flat_map(|group| group.iter())
        .chain(&ABSENT)
        .map(|name| json!({ "syscall": name }))
        .collect();
    let namespaces =
        json!([{ "index": 0, "type": "qword", "op": { "masked_eq": NEW_NAMESPACES }, "val": 0 }]);
    allowed.push(json!({ "syscall": "clone", "args": namespaces }));
    allowed.extend(FAMILIES.iter().map(|family| json!({ "syscall": "socket", "args": equal(0, *family) })));
    allowed.extend(
        PERSONALITIES.iter().map(|kind| json!({ "syscall": "personality", "args": equal(0, *kind) })),
    );
    let absent: Vec<Value> = ABSENT.iter().map(|name| json!({ "syscall": name })).collect();
    let both = json!({
        "allowed": { "mismatch_action": { "errno": EPERM }, "match_action": "allow", "filter": allowed },
        "absent": { "mismatch_action": "allow", "match_action": { "errno": ENOSYS }, "filter": absent },
    });
    let machine: TargetArch = std::env::consts::ARCH.try_into().map_err(seccompiler::Error::from)?;
    let mut made = seccompiler::compile_from_json(both.to_string().as_bytes(), machine)?;
    Ok(["allowed", "absent"].map(|name| made.remove(name).unwrap_or_default()))
}

/// How many calls are allowed, with whatever arguments.
pub fn number() -> usize {
    // `clone`, `socket` and `personality` with some.
    ALLOWED.iter().map(|group| group.len()).sum::<usize>() + 3
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: &str = "SCMP_ARCH_X86_64";
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: &str = "SCMP_ARCH_AARCH64";
