//! How the C library's allocator keeps what is freed: mallopt(3).
#![cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "mallopt(3) is a C function, and no library we use offers it")
)]

/// Arenas. The default is eight a core, each of which keeps what its threads ever freed; more than a few gain nothing
/// on the cores that servers have.
#[cfg(target_env = "gnu")]
const ARENAS: core::ffi::c_int = 4;
/// Blocks from this length on go back to the system when they are freed. By default the limit grows to 32 MiB with the
/// first large block, and a hundred manifests of 4 MB then stay in memory for good.
#[cfg(target_env = "gnu")]
const LARGE: core::ffi::c_int = 1 << 20;
/// Free bytes at the end of an arena that stay. Once the limit above is fixed this one no longer grows by itself, and
/// with the default of 128 KiB every piece of a download would be given back and asked for again.
#[cfg(target_env = "gnu")]
const KEPT: core::ffi::c_int = 4 << 20;

/// Keeps a long-lived process from holding on to the memory of its busiest moment. Call it once, before there are
/// threads. Does nothing where the C library is not glibc.
pub fn give_back_freed_memory() {
    #[cfg(target_env = "gnu")]
    {
        // malloc.h
        const M_TRIM_THRESHOLD: core::ffi::c_int = -1;
        const M_MMAP_THRESHOLD: core::ffi::c_int = -3;
        const M_ARENA_MAX: core::ffi::c_int = -8;
        // SAFETY: the signature is that of malloc.h.
        unsafe extern "C" {
            fn mallopt(parameter: core::ffi::c_int, value: core::ffi::c_int) -> core::ffi::c_int;
        }
        for (parameter, value) in [(M_ARENA_MAX, ARENAS), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, KEPT)]
        {
            // SAFETY: these parameters take any positive number, and mallopt locks the allocator itself.
            let _refused_means_the_default = unsafe { mallopt(parameter, value) };
        }
    }
}
