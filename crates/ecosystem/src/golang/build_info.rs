//! Finds build information in an executable, in both of its formats.
//!
//! After the Go package `debug/buildinfo`. The block starts, aligned to 16, with a 14-byte magic, the size of a
//! pointer and a byte of flags. Go 1.18 and later put two strings inline at offset 32, each after its length as a
//! varint; before that there were two addresses of string headers (address and length), in the program's byte order.

use object::{Object as _, ObjectSegment as _};

use crate::executable;

const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGN: usize = 16;
const HEADER: usize = 32;
const SECTIONS: [&str; 2] = [".go.buildinfo", "__go_buildinfo"];

/// Sections only Go's linker makes: with them and without the block, the program is Go all the same.
const TRACES: [&str; 3] = [".gopclntab", "__gopclntab", ".note.go.buildid"];

/// Longest module text; Kubernetes needs 30 KB.
const MAX_TEXT: usize = 4 << 20;

/// Random bytes around the module text, so that tools can find it without headers.
const SENTINEL: usize = 16;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuildInfo<'a> {
    /// `go1.21.5`, possibly with experiments after a blank.
    pub go: &'a [u8],
    /// Lines of tab-separated fields; empty for programs built without modules.
    pub modules: &'a [u8],
}

/// `Ok(None)`: not a Go program. `Err`: a Go program that does not say what is in it.
pub(super) fn read(bytes: &[u8]) -> Result<Option<BuildInfo<'_>>, String> {
    let Some(file) = executable::parse(bytes) else {
        // Cut short or damaged, but certainly Go's.
        let found = memchr::memmem::find(bytes, b"\xff Go buildinf:").is_some();
        let broken = found.then(|| "a Go executable whose headers cannot be read".to_owned());
        return broken.map_or(Ok(None), Err);
    };
    let Some(block) = block(&file) else {
        if executable::section(&file, &TRACES).is_some() {
            return Err("a Go executable without build information (made before Go 1.13, or stripped of it)"
                .to_owned());
        }
        return Ok(None);
    };
    let info = decode(&file, block).ok_or("the build information of a Go executable is damaged")?;
    if info.modules.len() > MAX_TEXT {
        return Err(format!("the module list of a Go executable is larger than {MAX_TEXT} bytes"));
    }
    Ok(Some(info))
}

/// The block, from its magic to the end of what surrounds it.
fn block<'a>(file: &object::File<'a>) -> Option<&'a [u8]> {
    if let Some(section) = executable::section(file, &SECTIONS) {
        return from_magic(section);
    }
    // PE has no section of its own for it; stripped ELF files have no sections at all.
    let stripped = file.sections().next().is_none();
    if stripped || file.format() == object::BinaryFormat::Pe {
        return file.segments().filter_map(|segment| segment.data().ok()).find_map(from_magic);
    }
    None
}

fn from_magic(bytes: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::find_iter(bytes, MAGIC).find(|start| start % ALIGN == 0)?;
    bytes.get(start..)
}

fn decode<'a>(file: &object::File<'a>, block: &'a [u8]) -> Option<BuildInfo<'a>> {
    const INLINE: u8 = 2;
    const BIG_ENDIAN: u8 = 1;
    let (&size, &flags) = (block.get(MAGIC.len())?, block.get(MAGIC.len() + 1)?);
    let (go, modules) = if flags & INLINE != 0 {
        let (go, rest) = prefixed(block.get(HEADER..)?)?;
        (go, prefixed(rest)?.0)
    } else {
        let size = usize::from(size);
        let memory = Memory { file, size, big_endian: flags & BIG_ENDIAN != 0 };
        let first = memory.number(block.get(ALIGN..)?)?;
        let second = memory.number(block.get(ALIGN + size..)?)?;
        // A program built without modules has no module string.
        (memory.string(first)?, memory.string(second).unwrap_or_default())
    };
    let framed = modules.len() > 2 * SENTINEL && modules.get(modules.len() - SENTINEL - 1) == Some(&b'\n');
    let modules = if framed { modules.get(SENTINEL..modules.len() - SENTINEL)? } else { &[] };
    (!go.is_empty()).then_some(BuildInfo { go, modules })
}

/// A string after its length as an unsigned LEB128 varint, and what follows it.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0u64;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        length |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return bytes.get(index + 1..)?.split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

/// The program's memory as it would be after loading.
struct Memory<'a, 'f> {
    file: &'f object::File<'a>,
    size: usize,
    big_endian: bool,
}

impl<'a> Memory<'a, '_> {
    fn number(&self, bytes: &[u8]) -> Option<u64> {
        let bytes = bytes.get(..self.size)?;
        match (self.size, self.big_endian) {
            (4, false) => Some(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            (4, true) => Some(u32::from_be_bytes(bytes.try_into().ok()?).into()),
            (8, false) => Some(u64::from_le_bytes(bytes.try_into().ok()?)),
            (8, true) => Some(u64::from_be_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    /// The string whose header is at `address`.
    fn string(&self, address: u64) -> Option<&'a [u8]> {
        let size = u64::try_from(self.size).ok()?;
        let start = self.number(self.at(address, size)?)?;
        let length = self.number(self.at(address.checked_add(size)?, size)?)?;
        self.at(start, length)
    }

    fn at(&self, address: u64, length: u64) -> Option<&'a [u8]> {
        self.file.segments().find_map(|segment| segment.data_range(address, length).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_varints() {
        assert_eq!(prefixed(b"\x02abc"), Some((&b"ab"[..], &b"c"[..])));
        assert_eq!(prefixed(b"\x05abc"), None);
        assert_eq!(prefixed(&[0xff; 20]), None);
        assert_eq!(prefixed(b""), None);
        let long = [&[0x80, 0x01][..], &[7; 128]].concat();
        assert_eq!(prefixed(&long).map(|(text, rest)| (text.len(), rest.len())), Some((128, 0)));
    }

    #[test]
    fn what_is_no_program_is_not_go() {
        assert_eq!(read(b"#!/bin/sh\n"), Ok(None));
        assert_eq!(read(b""), Ok(None));
        assert!(read(b"\x7fELF\x02 cut short \xff Go buildinf:\x08\x02").is_err());
    }
}
