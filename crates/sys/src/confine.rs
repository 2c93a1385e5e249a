//! What the kernel offers to confine processes with.
#![expect(
    unsafe_code,
    reason = "no library we use tells the version of Landlock without making rules, and none who one is"
)]

use core::ffi::c_long;

/// `landlock_create_ruleset(2)` is 444 on every architecture.
const LANDLOCK_CREATE_RULESET: c_long = 444;
/// With this flag it makes nothing and gives the version.
const LANDLOCK_CREATE_RULESET_VERSION: c_long = 1;

// SAFETY: the signatures are those of unistd.h.
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn geteuid() -> u32;
}

/// The version of Landlock's interface, from 1; 0 where the kernel lacks it or it is switched off.
pub fn landlock_version() -> u32 {
    let nothing: *const u8 = core::ptr::null();
    // SAFETY: with this flag the kernel reads no memory: the attributes are null and their size is 0, as the manual asks.
    let version =
        unsafe { syscall(LANDLOCK_CREATE_RULESET, nothing, 0_usize, LANDLOCK_CREATE_RULESET_VERSION) };
    u32::try_from(version).unwrap_or(0)
}

/// Whether this process acts as root in its user namespace.
pub fn is_root() -> bool {
    // SAFETY: geteuid(2) takes nothing, changes nothing and always succeeds.
    unsafe { geteuid() == 0 }
}
