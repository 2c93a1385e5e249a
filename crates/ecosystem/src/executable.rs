//! Which files may be executables, and the small records that ecosystems make of them.

use boltseal_model::{FileMeta, Tree, Want};

use crate::Everything;

/// Records of one executable, one per ecosystem that found something in it: id, zero, length, bytes.
#[derive(Default)]
pub(crate) struct Records(Vec<u8>);

impl Records {
    /// Adds what `id` found.
    pub(crate) fn push(&mut self, id: &str, record: &[u8]) {
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

/// What `id` found in `content`, made by [`Records`].
pub(crate) fn record<'a>(content: &'a [u8], id: &str) -> Option<&'a [u8]> {
    let mut rest = content;
    loop {
        let end = rest.iter().position(|&byte| byte == 0)?;
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
    use boltseal_model::Selector as _;
    tree.files.iter().filter_map(move |(path, file)| {
        let record = record(&file.content, id)?;
        (Everything.want(path, &file.meta) == Want::Distilled).then_some(Distilled { path, file, record })
    })
}

/// An executable in which something was found.
pub(crate) struct Distilled<'a> {
    /// Where it lies.
    pub path: &'a str,
    /// For its layer.
    pub file: &'a boltseal_model::File,
    /// What was found.
    pub record: &'a [u8],
}

/// Whether a file can be an executable or a library by what the archive says of it; its first bytes decide later.
pub(crate) fn plausible(path: &str, meta: &FileMeta) -> bool {
    /// The smallest ELF header with one section header; nothing shorter can carry build information.
    const SMALLEST: u64 = 64 + 64;
    let name = path.rsplit('/').next().unwrap_or(path);
    let library =
        name.contains(".so") || [".exe", ".dll", ".dylib", ".node"].iter().any(|end| name.ends_with(end));
    meta.size >= SMALLEST && (meta.mode & 0o111 != 0 || library)
}
