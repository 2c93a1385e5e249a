//! Which files may be executables, what is inside them, and the small records that ecosystems make of them.

use boltseal_model::{File, FileMeta, Selector as _, Tree, Want};
use object::{
    FileKind, Object as _, ObjectSection as _,
    read::macho::{FatArch as _, MachOFatFile32, MachOFatFile64},
};

use crate::{Everything, lock};

/// Whether a file can be an executable or a library by what the archive says of it; its first bytes decide later.
pub(crate) fn plausible(path: &str, meta: &FileMeta) -> bool {
    /// An ELF header and one section header; nothing shorter can carry build information.
    const SMALLEST: u64 = 64 + 64;
    let name = path.rsplit('/').next().unwrap_or(path);
    let library =
        name.contains(".so") || [".exe", ".dll", ".dylib", ".node"].iter().any(|end| name.ends_with(end));
    meta.size >= SMALLEST && (meta.mode & 0o111 != 0 || library)
}

/// The headers of an ELF, PE or Mach-O file; `None` for anything else, and for headers that lie.
///
/// Of a Mach-O file for several processors the first is read: all are built from the same source.
pub(crate) fn parse(bytes: &[u8]) -> Option<object::File<'_>> {
    let one = match FileKind::parse(bytes).ok()? {
        FileKind::MachOFat32 => MachOFatFile32::parse(bytes).ok()?.arches().first()?.data(bytes).ok()?,
        FileKind::MachOFat64 => MachOFatFile64::parse(bytes).ok()?.arches().first()?.data(bytes).ok()?,
        FileKind::Elf32
        | FileKind::Elf64
        | FileKind::Pe32
        | FileKind::Pe64
        | FileKind::MachO32
        | FileKind::MachO64 => bytes,
        _ => return None,
    };
    object::File::parse(one).ok()
}

/// Whether `bytes` start as an ELF, PE or Mach-O file does.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    FileKind::parse(bytes).is_ok_and(|kind| {
        matches!(
            kind,
            FileKind::Elf32
                | FileKind::Elf64
                | FileKind::Pe32
                | FileKind::Pe64
                | FileKind::MachO32
                | FileKind::MachO64
                | FileKind::MachOFat32
                | FileKind::MachOFat64
        )
    })
}

/// The bytes of the first section with one of these names.
pub(crate) fn section<'a>(file: &object::File<'a>, names: &[&str]) -> Option<&'a [u8]> {
    file.sections().find(|section| section.name().is_ok_and(|name| names.contains(&name)))?.data().ok()
}

/// Records of one executable, one per ecosystem that found something in it: id, zero, length, bytes.
#[derive(Default)]
pub(crate) struct Records(Vec<u8>);

impl Records {
    /// Goes on with what [`Records::finish`] gave.
    pub(crate) const fn continued(records: Vec<u8>) -> Self {
        Self(records)
    }

    /// Adds what `id` found.
    pub(crate) fn push(&mut self, id: &str, record: &[u8]) {
        debug_assert!(id.len() <= LONGEST_ID);
        self.0.extend_from_slice(id.as_bytes());
        self.0.push(0);
        self.0.extend_from_slice(&(record.len() as u64).to_le_bytes());
        self.0.extend_from_slice(record);
    }

    /// The bytes to keep, if anything was found.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

/// Ids are names of ecosystems and the like. Whole texts are asked, too, and most have no zero at all.
const LONGEST_ID: usize = 32;

/// What `id` found in `content`, made by [`Records`].
pub(crate) fn record<'a>(content: &'a [u8], id: &str) -> Option<&'a [u8]> {
    let mut rest = content;
    loop {
        let start = rest.get(..=LONGEST_ID).unwrap_or(rest);
        let end = start.iter().position(|&byte| byte == 0)?;
        let (name, after) = (rest.get(..end)?, rest.get(end + 1..)?);
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (found, after) = after.split_at_checked(length)?;
        if name == id.as_bytes() {
            return Some(found);
        }
        rest = after;
    }
}

/// Every executable of `tree` in which `id` found something.
///
/// The path decides whether content is a record, never the content: a text file cannot pose as one.
pub(crate) fn records<'a>(tree: &'a Tree, id: &'a str) -> impl Iterator<Item = Distilled<'a>> {
    let folder = lock::counts(tree);
    let want = move |path: &str, meta: &FileMeta| {
        if folder { Everything.want_in_folder(path, meta) } else { Everything.want(path, meta) }
    };
    tree.files.iter().filter_map(move |(path, file)| {
        let record = record(&file.content, id)?;
        (want(path, &file.meta) == Want::Distilled).then_some(Distilled { path, file, record })
    })
}

/// An executable in which something was found.
pub(crate) struct Distilled<'a> {
    /// Where it lies.
    pub path: &'a str,
    /// For its layers.
    pub file: &'a File,
    /// What was found.
    pub record: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_by_id() {
        let mut records = Records::default();
        records.push("a", b"one");
        records.push("bb", b"");
        let bytes = records.finish().unwrap();
        assert_eq!(record(&bytes, "a"), Some(&b"one"[..]));
        assert_eq!(record(&bytes, "bb"), Some(&b""[..]));
        assert_eq!(record(&bytes, "b"), None);
        for end in 0..bytes.len() {
            assert_eq!(record(&bytes[..end], "bb"), None, "cut at {end}");
        }
        assert_eq!(Records::default().finish(), None);
    }
}
