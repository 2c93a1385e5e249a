//! Which devices the processes of a control group may open, where control groups are of version 2: a program in the kernel that
//! is asked about each of them: bpf(2), `BPF_PROG_TYPE_CGROUP_DEVICE`.
//!
//! The program is a list of comparisons, made of a list of devices, so no compiler and no library for it is needed. It is asked
//! when a device is opened or made, never afterwards.
#![expect(
    unsafe_code,
    reason = "no library we use has bpf(2), and those that load programs compile C or link to it"
)]

use std::{
    io,
    os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd},
};

/// linux/bpf.h: `BPF_PROG_LOAD`, `BPF_PROG_ATTACH`.
const LOAD: libc::c_int = 5;
const ATTACH: libc::c_int = 8;
/// `BPF_PROG_TYPE_CGROUP_DEVICE`, `BPF_CGROUP_DEVICE`.
const KIND: u32 = 15;
const ASKED: u32 = 6;
/// `BPF_F_ALLOW_MULTI`: programs of groups above are asked too, and each has to allow it.
const BESIDE_OTHERS: u32 = 2;
/// Devices of one program, far from where a jump would not reach.
const MAX: usize = 256;

/// A device of characters that may be opened, to read and to write. Nothing else may be, and none be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its driver.
    pub major: u32,
    /// Which of its driver; all of them where nothing is said.
    pub minor: Option<u32>,
}

/// A program that the kernel took.
#[derive(Debug)]
pub struct Devices(OwnedFd);

/// The part of `union bpf_attr` for a program to load.
#[repr(C)]
struct Loading {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    version: u32,
    flags: u32,
}

/// The part of it for one to attach.
#[repr(C)]
struct Attaching {
    to: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replaced: u32,
}

impl Devices {
    /// Has the kernel check and take a program that allows these devices.
    ///
    /// # Errors
    /// Where the kernel has no such programs, or this process may not load any (`CAP_BPF` or `CAP_SYS_ADMIN`).
    pub fn allow(devices: &[Device]) -> io::Result<Self> {
        if devices.len() > MAX {
            return Err(io::Error::other(format!("more than {MAX} devices")));
        }
        let program = program(devices);
        let attributes = Loading {
            kind: KIND,
            count: u32::try_from(program.len()).map_err(io::Error::other)?,
            instructions: address(program.as_ptr()),
            // It calls nothing of the kernel, so no licence is asked for.
            licence: address(c"".as_ptr()),
            log_level: 0,
            log_size: 0,
            log: 0,
            version: 0,
            flags: 0,
        };
        // SAFETY: both addresses are of values that live until the call is over: as many instructions as it says, and a text
        // with its end. The kernel reads them and keeps neither; it writes nothing, as there is no log.
        let descriptor = unsafe { bpf(LOAD, &attributes) }?;
        // SAFETY: the kernel just gave it to us, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }

    /// Has it asked for every process in a control group, which is a folder of version 2, for as long as that is there.
    ///
    /// # Errors
    /// Where it is none, or another program there is the only one that is to be asked.
    pub fn attach(&self, group: impl AsFd) -> io::Result<()> {
        let number = |descriptor: i32| u32::try_from(descriptor).map_err(io::Error::other);
        let attributes = Attaching {
            to: number(group.as_fd().as_raw_fd())?,
            program: number(self.0.as_raw_fd())?,
            kind: ASKED,
            flags: BESIDE_OTHERS,
            replaced: 0,
        };
        // SAFETY: it holds no address, and both descriptors are open as long as this lasts.
        unsafe { bpf(ATTACH, &attributes) }.map(drop)
    }
}

/// # Safety
/// Addresses in `attributes` must be of what the command takes them for, as long as this lasts.
unsafe fn bpf<A>(command: libc::c_int, attributes: &A) -> io::Result<i32> {
    // SAFETY: the kernel reads as many bytes as it is told, all of which are initialised; the rest is the caller's promise.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *attributes, size_of::<A>()) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    i32::try_from(answer).map_err(io::Error::other)
}

fn address<T>(of: *const T) -> u64 {
    of.expose_provenance() as u64
}

/// An instruction (`struct bpf_insn`): its code, then the register it writes to and the one it reads from, a jump, a number.
const fn one(code: u8, to: u8, from: u8, jump: u16, number: u32) -> u64 {
    (code as u64)
        | ((to as u64) << 8)
        | ((from as u64) << 12)
        | ((jump as u64) << 16)
        | ((number as u64) << 32)
}

/// What is asked is in the first register: the address of `struct bpf_cgroup_dev_ctx`.
const CONTEXT: u8 = 1;
/// What is answered is in this one.
const ANSWER: u8 = 0;
/// Registers for what is asked.
const KIND_OF_DEVICE: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// Codes: a word of memory into a register; a register into another; and, shift, a number into one; jumps where a number is not
/// equal, or has one of these bits; the end.
const READ: u8 = 0x61;
const COPY: u8 = 0xbc;
const AND: u8 = 0x54;
const SHIFT: u8 = 0x74;
const SET: u8 = 0xb4;
const UNLESS: u8 = 0x56;
const BITS: u8 = 0x46;
const END: u8 = 0x95;

/// `BPF_DEVCG_DEV_CHAR`, and `BPF_DEVCG_ACC_MKNOD`.
const CHARACTERS: u32 = 2;
const MAKING: u32 = 1;

#[cfg(target_endian = "little")]
fn program(devices: &[Device]) -> Vec<u64> {
    // The first word is what shall be done, above what kind of device it is.
    let mut program = vec![
        one(READ, KIND_OF_DEVICE, CONTEXT, 0, 0),
        one(COPY, ACCESS, KIND_OF_DEVICE, 0, 0),
        one(AND, KIND_OF_DEVICE, 0, 0, 0xffff),
        one(SHIFT, ACCESS, 0, 0, 16),
        one(READ, MAJOR, CONTEXT, 4, 0),
        one(READ, MINOR, CONTEXT, 8, 0),
    ];
    let allowed: Vec<u64> = devices.iter().flat_map(allowing).collect();
    let refused = u16::try_from(allowed.len()).unwrap_or(u16::MAX);
    // Over what allows, to where it is refused.
    program.push(one(UNLESS, KIND_OF_DEVICE, 0, refused + 1, CHARACTERS));
    program.push(one(BITS, ACCESS, 0, refused, MAKING));
    program.extend(allowed);
    program.extend([one(SET, ANSWER, 0, 0, 0), one(END, 0, 0, 0, 0)]);
    program
}

/// Allows it where it is this device; goes on after that where it is not.
fn allowing(device: &Device) -> Vec<u64> {
    let yes = [one(SET, ANSWER, 0, 0, 1), one(END, 0, 0, 0, 0)];
    let minor = device.minor.map(|minor| one(UNLESS, MINOR, 0, 2, minor));
    let further = 2 + u16::from(minor.is_some());
    let major = one(UNLESS, MAJOR, 0, further, device.major);
    [major].into_iter().chain(minor).chain(yes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do, for the few codes that there are.
    fn asked(program: &[u64], kind: u32, access: u32, major: u32, minor: u32) -> u32 {
        let mut registers = [0_u32; 16];
        let context = [(access << 16) | kind, major, minor];
        let mut place = 0;
        for _ in 0..10_000 {
            let instruction = program[place];
            let bytes = instruction.to_le_bytes();
            let code = bytes[0];
            let (to, from) = ((instruction >> 8 & 0xf) as usize, (instruction >> 12 & 0xf) as usize);
            let jump = u16::from_le_bytes([bytes[2], bytes[3]]);
            let number = u32::from_le_bytes(bytes[4..].try_into().unwrap());
            place += 1;
            match code {
                READ => registers[to] = context[usize::from(jump) / 4],
                COPY => registers[to] = registers[from],
                AND => registers[to] &= number,
                SHIFT => registers[to] >>= number,
                SET => registers[to] = number,
                UNLESS if registers[to] != number => place += usize::from(jump),
                BITS if registers[to] & number != 0 => place += usize::from(jump),
                UNLESS | BITS => {}
                END => return registers[usize::from(ANSWER)],
                other => panic!("{other:#x} is no code of ours"),
            }
        }
        panic!("it does not end")
    }

    const NULL: Device = Device { major: 1, minor: Some(3) };
    const TERMINALS: Device = Device { major: 136, minor: None };

    #[test]
    fn what_is_allowed() {
        let (read, write, block) = (2, 4, 1);
        let none = program(&[]);
        let both = program(&[NULL, TERMINALS]);
        for (kind, access, major, minor, wanted) in [
            (CHARACTERS, read, 1, 3, 1),
            (CHARACTERS, read | write, 1, 3, 1),
            (CHARACTERS, MAKING, 1, 3, 0),
            (CHARACTERS, MAKING | read, 1, 3, 0),
            (CHARACTERS, read, 1, 4, 0),
            (CHARACTERS, read, 2, 3, 0),
            (CHARACTERS, write, 136, 0, 1),
            (CHARACTERS, write, 136, 77, 1),
            (block, read, 1, 3, 0),
            (block, read, 136, 3, 0),
            (CHARACTERS, read, 10, 229, 0),
        ] {
            assert_eq!(asked(&both, kind, access, major, minor), wanted, "{kind} {access} {major}:{minor}");
            assert_eq!(asked(&none, kind, access, major, minor), 0);
        }
    }

    /// Where a hierarchy of version 2 is mounted.
    fn version_2() -> Option<std::path::PathBuf> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
        mount.split(' ').nth(4).map(Into::into)
    }

    #[test]
    fn the_kernel_asks_it() {
        let (true, Some(hierarchy)) = (crate::is_root(), version_2()) else { return };
        let Ok(program) = Devices::allow(&[NULL]) else { return };
        let group = hierarchy.join(format!("boltseal-devices-{}", std::process::id()));
        std::fs::create_dir(&group).unwrap();
        let attached = program.attach(std::fs::File::open(&group).unwrap());
        let script = "echo 0 > $0/cgroup.procs || exit 9; true < /dev/null || exit 1; true < /dev/zero && exit 2; exit 3";
        let mut shell = std::process::Command::new("sh");
        let done = shell.args(["-c", script]).arg(&group).output().unwrap();
        while std::fs::remove_dir(&group).is_err() {
            std::thread::yield_now();
        }
        attached.unwrap();
        assert!(program.attach(std::fs::File::open("/").unwrap()).is_err(), "a folder is no control group");
        assert_eq!(done.status.code(), Some(3), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(Devices::allow(&[NULL; MAX + 1]).is_err());
    }
}
