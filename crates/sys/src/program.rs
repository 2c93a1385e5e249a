//! The program's own code in memory: madvise(2).
#![expect(
    unsafe_code,
    reason = "madvise(2) is a C function, and no library we use offers it for memory that it did not map"
)]

use std::{fs, ops::Range};

/// Lets go of the pages of this program's code, of which a start touches three times what a server needs afterwards.
/// What is needed again comes back from the page cache, or from the disk. Gives the bytes of the code; 0 where
/// `/proc` does not say where it lies, and then nothing is done.
pub fn let_go_of_code() -> usize {
    let (Ok(maps), Ok(program)) = (fs::read_to_string("/proc/self/maps"), fs::read_link("/proc/self/exe"))
    else {
        return 0;
    };
    let Some(program) = program.to_str() else { return 0 };
    maps.lines().filter_map(|line| code(line, program)).map(let_go).sum()
}

/// Where the code lies, when `line` of `/proc/self/maps` is that of code of the file `program`: pages that can be
/// executed, and not written, so that they are what the file is.
fn code(line: &str, program: &str) -> Option<Range<usize>> {
    let mut words = line.splitn(6, ' ').map(str::trim_start);
    let (place, rights) = (words.next()?, words.next()?);
    if rights != "r-xp" || words.nth(3)? != program {
        return None;
    }
    let (start, end) = place.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

fn let_go(place: Range<usize>) -> usize {
    /// asm-generic/mman-common.h
    const MADV_DONTNEED: core::ffi::c_int = 4;
    // SAFETY: the signature is that of madvise(2).
    unsafe extern "C" {
        fn madvise(
            start: *mut core::ffi::c_void,
            length: usize,
            advice: core::ffi::c_int,
        ) -> core::ffi::c_int;
    }
    // SAFETY: the range is a private mapping of a file that nobody can write while it runs (ETXTBSY), and it was not
    // written through this mapping, which has no right to. So every page that is touched again reads the same bytes.
    let refused =
        unsafe { madvise(core::ptr::with_exposed_provenance_mut(place.start), place.len(), MADV_DONTNEED) };
    if refused == 0 { place.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_runs_and_is_not_written() {
        let check = |line: &str, expected: Option<Range<usize>>| {
            assert_eq!(code(line, "/usr/bin/a b"), expected, "{line}");
        };
        check("1000-3000 r-xp 00001000 fe:00 12                         /usr/bin/a b", Some(0x1000..0x3000));
        check("1000-3000 r--p 00001000 fe:00 12                         /usr/bin/a b", None);
        check("1000-3000 rwxp 00001000 fe:00 12                         /usr/bin/a b", None);
        check("1000-3000 r-xp 00001000 fe:00 12                         /usr/lib/libc.so.6", None);
        check("1000-3000 r-xp 00001000 fe:00 12                         /usr/bin/a b (deleted)", None);
        check("1000-3000 r-xp 00000000 00:00 0 ", None);
        check("z-3000 r-xp 00001000 fe:00 12 /usr/bin/a b", None);
        check("", None);
    }

    #[test]
    fn the_program_goes_on() {
        assert!(let_go_of_code() > 0, "no code was found in /proc/self/maps");
        assert_eq!(code("", ""), None, "and runs");
    }
}
