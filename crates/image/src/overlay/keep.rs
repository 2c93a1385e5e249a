//! What to remember of one file's content.

use std::{
    fs::File,
    io::{self, Read, Write as _},
    sync::Arc,
};

use boltseal_model::{Algorithm, Digest, GapKind, Hasher, Selector, Want};

use crate::Limits;

/// Bytes that tell an executable or a zip archive.
const MAGIC: usize = 4;

/// A content that is read, by somebody who may hash it on the way.
pub trait Passing: Read {
    /// Its SHA-256, once all of it was read, where somebody has it.
    fn sha256(&mut self) -> Option<Digest> {
        None
    }
}

impl Passing for File {}

/// Turns contents into what is kept of them. One buffer serves all files.
pub struct Keeper<'a> {
    selector: &'a dyn Selector,
    limits: &'a Limits,
    buffer: Vec<u8>,
}

/// What became of a content.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Nothing of interest.
    Nothing,
    /// These bytes.
    Content(Arc<[u8]>),
    /// Bytes that are kept under another name already.
    Shared(Arc<[u8]>),
    /// It should have been looked at and was not.
    Gap(GapKind, String),
}

impl Kept {
    /// The same, but the file's name stays in the tree if it is to be remembered and nothing else of it is.
    pub fn remembered(self, remember: bool) -> Self {
        if remember && matches!(self, Self::Nothing) { Self::Content(Arc::from([])) } else { self }
    }
}

impl<'a> Keeper<'a> {
    pub const fn new(selector: &'a dyn Selector, limits: &'a Limits) -> Self {
        Self { selector, limits, buffer: Vec::new() }
    }

    /// Who says what to keep.
    pub const fn selector(&self) -> &'a dyn Selector {
        self.selector
    }

    /// Whether it is asked for the hash of a content that starts like `bytes`.
    pub fn hashes(&self, want: Want, bytes: &[u8]) -> bool {
        want == Want::Distilled && self.selector.hashes() && is_distillable(bytes)
    }

    /// From a content that is all at hand, and its SHA-256 if somebody has it.
    pub fn slice(&self, path: &str, want: Want, bytes: &[u8], sha256: Option<Digest>) -> Kept {
        match want {
            Want::Skip => Kept::Nothing,
            Want::Whole if bytes.len() as u64 > self.limits.file => too_large(self.limits.file),
            Want::Whole => Kept::Content(bytes.into()),
            Want::Hashed => {
                let mut hash = Hash::default();
                hash.0.update(bytes);
                hash.kept()
            }
            Want::Distilled if !is_distillable(bytes) => Kept::Nothing,
            Want::Distilled => match self.distill(path, bytes, sha256) {
                Ok(None) => Kept::Nothing,
                Ok(Some(record)) => Kept::Content(record.into()),
                Err(why) => Kept::Gap(GapKind::FileNotParsed, why),
            },
        }
    }

    fn distill(&self, path: &str, bytes: &[u8], sha256: Option<Digest>) -> Result<Option<Vec<u8>>, String> {
        if self.selector.hashes() {
            self.selector.distill_hashed(path, bytes, &sha256.unwrap_or_else(|| Digest::of(bytes)))
        } else {
            self.selector.distill(path, bytes)
        }
    }

    /// From a content of `size` bytes, or so it is said, that has to be read.
    pub fn reader(
        &mut self,
        path: &str,
        size: u64,
        want: Want,
        content: &mut dyn Passing,
    ) -> io::Result<Kept> {
        let limit = match want {
            Want::Skip => return Ok(Kept::Nothing),
            // Nothing is held in memory, so the size is no matter; that of the layer is limited elsewhere.
            Want::Hashed => {
                let mut hash = Hash::default();
                io::copy(content, &mut hash)?;
                return Ok(hash.kept());
            }
            Want::Whole => self.limits.file,
            Want::Distilled => self.limits.executable,
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let result = self.read(path, size, want, limit, content, &mut buffer);
        if buffer.capacity() as u64 <= self.limits.memory {
            self.buffer = buffer;
        }
        result
    }

    fn read(
        &self,
        path: &str,
        size: u64,
        want: Want,
        limit: u64,
        content: &mut dyn Passing,
        buffer: &mut Vec<u8>,
    ) -> io::Result<Kept> {
        if want == Want::Distilled {
            content.take(MAGIC as u64).read_to_end(buffer)?;
            if !is_distillable(buffer) {
                return Ok(Kept::Nothing);
            }
        }
        if size > limit {
            return Ok(too_large(limit));
        }
        if want == Want::Distilled && size > self.limits.memory {
            return self.through_file(path, content, buffer);
        }
        // The size is a claim: make room for what comes, not for what is announced.
        buffer.reserve(usize::try_from(size.min(1 << 20)).unwrap_or(0));
        content.take(limit + 1).read_to_end(buffer)?;
        Ok(self.slice(path, want, buffer, content.sha256()))
    }

    /// A large executable goes into a file without a name, whose pages the system can drop again.
    fn through_file(&self, path: &str, content: &mut dyn Passing, head: &[u8]) -> io::Result<Kept> {
        let mut file = tempfile::tempfile()?;
        file.write_all(head)?;
        copy(content, &mut file, self.limits.executable)?;
        let map = boltseal_sys::map(&file)?;
        Ok(self.slice(path, Want::Distilled, map.as_ref(), content.sha256()))
    }
}

/// The hash of a content that passes.
struct Hash(Hasher);

impl Default for Hash {
    fn default() -> Self {
        Self(Hasher::new(Algorithm::Sha256))
    }
}

impl Hash {
    fn kept(self) -> Kept {
        Kept::Content(self.0.finish().bytes().into())
    }
}

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn copy(content: &mut dyn Passing, file: &mut File, limit: u64) -> io::Result<()> {
    let copied = io::copy(&mut content.take(limit), file)?;
    if copied == limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(())
}

/// ELF, PE (and DOS), Mach-O of either byte order and width, Mach-O for several processors; zip archives (jars).
fn is_distillable(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MZ")
        || matches!(
            bytes.get(..MAGIC),
            Some(
                b"\x7fELF"
                    | b"\xfe\xed\xfa\xce"
                    | b"\xfe\xed\xfa\xcf"
                    | b"\xce\xfa\xed\xfe"
                    | b"\xcf\xfa\xed\xfe"
                    | b"\xca\xfe\xba\xbe"
                    | b"PK\x03\x04"
            )
        )
}

fn too_large(limit: u64) -> Kept {
    Kept::Gap(GapKind::LimitReached, format!("not read: larger than {limit} bytes"))
}
