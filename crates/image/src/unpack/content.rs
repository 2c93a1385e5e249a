//! The content of files: copied, hashed where it can be executed, with its holes left holes.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

use boltseal_model::Digest;
use boltseal_sys::Sha256;

use super::write::io_at;
use crate::{
    Error, LayerName,
    overlay::{Passing as _, of_io},
    tar::{Entry, Source, Walker},
};

/// Bytes copied at once.
const PIECE: usize = 256 << 10;
/// Bytes written before the disk is asked again how much is left.
const STRETCH: u64 = 64 << 20;
/// Bytes that unpacking leaves free: a full disk stops databases, logs and whatever else runs on the machine.
const RESERVE: u64 = 1 << 30;
/// What ELF files begin with.
const MAGIC: &[u8] = b"\x7fELF";

/// Copies contents.
pub struct Copier {
    buffer: Box<[u8]>,
    /// Bytes since the disk was asked.
    written: u64,
}

impl Copier {
    pub fn new() -> Self {
        Self { buffer: vec![0; PIECE].into_boxed_slice(), written: 0 }
    }

    /// Writes the content of `entry` to `to`; gives its SHA-256 if it has an x bit or begins as an ELF file.
    pub fn copy<S: Source>(
        &mut self,
        walker: &mut Walker<'_, S>,
        entry: &mut Entry,
        to: &File,
        layer: &LayerName,
        path: &str,
    ) -> Result<Option<Digest>, Error> {
        let broken = |error: crate::tar::Error| error.about(path).of_layer(layer);
        let told = |error| io_at(layer, path, error);
        if entry.is_sparse() {
            return self.copy_sparse(walker, entry, to, layer, path);
        }
        let marked = entry.meta.mode & 0o111 != 0;
        // Fewer bytes than the magic may be at hand; then it is hashed to be safe.
        let begins = |bytes: &[u8]| bytes.iter().zip(MAGIC).all(|(byte, magic)| byte == magic);
        let size = entry.meta.size;
        let mut hashes = false;
        walker
            .hash(entry, |bytes| {
                hashes = marked || (size >= MAGIC.len() as u64 && begins(bytes));
                hashes
            })
            .map_err(broken)?;
        self.leave_room(to, size).map_err(told)?;
        if let Some(bytes) = walker.at_hand(entry).map_err(broken)? {
            let is_elf = bytes.starts_with(MAGIC);
            (&*to).write_all(bytes).map_err(told)?;
            let sha256 = if hashes { walker.hashed() } else { None };
            return Ok(sha256.filter(|_| marked || is_elf));
        }
        let mut is_elf = None;
        let mut content = walker.content(entry).map_err(broken)?;
        loop {
            let read = content.read(&mut self.buffer).map_err(|error| of_io(error, layer, path))?;
            let bytes = self.buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            if is_elf.is_none() {
                // The first piece may be shorter than the magic: what was hashed because of that is then listed too.
                is_elf = Some(begins(bytes));
            }
            (&*to).write_all(bytes).map_err(told)?;
        }
        let sha256 = if hashes { content.sha256() } else { None };
        Ok(sha256.filter(|_| marked || is_elf == Some(true)))
    }

    fn copy_sparse<S: Source>(
        &mut self,
        walker: &mut Walker<'_, S>,
        entry: &mut Entry,
        mut to: &File,
        layer: &LayerName,
        path: &str,
    ) -> Result<Option<Digest>, Error> {
        let told = |error| io_at(layer, path, error);
        let marked = entry.meta.mode & 0o111 != 0;
        let size = entry.meta.size;
        let mut content = walker.content(entry).map_err(|error| error.about(path).of_layer(layer))?;
        let mut sum = Sha256::new();
        let mut is_elf = None;
        loop {
            let read = content.read(&mut self.buffer).map_err(|error| of_io(error, layer, path))?;
            let bytes = self.buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            if *is_elf.get_or_insert(bytes.starts_with(MAGIC)) || marked {
                sum.update(bytes);
            }
            if bytes.iter().all(|byte| *byte == 0) {
                to.seek(SeekFrom::Current(i64::try_from(read).unwrap_or(0))).map_err(told)?;
            } else {
                to.write_all(bytes).map_err(told)?;
                let length = read as u64;
                self.written += length;
            }
        }
        to.set_len(size).map_err(told)?;
        self.leave_room(to, 0).map_err(told)?;
        let listed = marked || is_elf == Some(true);
        Ok(if listed { Digest::of_sha256(&sum.finish()) } else { None })
    }

    /// Refuses to fill the disk with `more` bytes.
    fn leave_room(&mut self, to: &File, more: u64) -> io::Result<()> {
        self.written = self.written.saturating_add(more);
        if self.written < STRETCH {
            return Ok(());
        }
        self.written = 0;
        let disk = rustix::fs::fstatvfs(to)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < more.saturating_add(RESERVE) {
            let why = format!("less than {} MiB would be left on the disk", RESERVE >> 20);
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        Ok(())
    }
}
