//! Walks a tar archive as it streams by.
//!
//! Formats: ustar and pax (POSIX.1-2001, pax utility, "ustar Interchange Format", "pax Extended Header"), GNU long
//! names and links, old GNU and pax 0.0, 0.1, 1.0 sparse files, base-256 numbers (GNU tar manual, "Basic Tar Format"),
//! and V7 archives. Where formats leave a choice we do what Go's reader does, because that is what unpacks layers in
//! Docker, containerd and podman, and the tree must be the one that a container sees:
//!
//! * two zero blocks end the archive, whatever follows; a missing end is accepted between entries;
//! * links, directories and devices have no content, whatever their size field says;
//! * pax global headers change nothing.
//!
//! A walker holds one header at a time. It never trusts a size: content is read only as far as it comes.

mod content;
mod error;
mod header;
mod path;
mod pax;
mod source;
mod sparse;

pub use content::Content;
pub use error::{Error, Problem};
pub use path::clean;
pub use source::{Seekable, Source};

use boltseal_model::{Digest, FileMeta};

use self::{
    header::{BLOCK, Header},
    pax::Records,
    sparse::Sparse,
};
use crate::Limits;

/// Walks from entry to entry.
pub struct Walker<'l, S> {
    source: S,
    limits: &'l Limits,
    /// Bytes consumed so far.
    offset: u64,
    /// Content of the current entry that was not read yet.
    content: u64,
    /// Zeros after it.
    padding: u64,
    /// Headers read, including those that only describe others.
    headers: u64,
    ended: bool,
}

/// One file, directory or link.
#[derive(Debug)]
pub struct Entry {
    /// Clean: relative, no `.` or `..`, no slash at either end. Empty for the root.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Of a symbolic link as written; of a hard link clean.
    pub target: String,
    /// Owner, mode, and the size of the content with its holes.
    pub meta: FileMeta,
    /// What only those need who write it to a disk.
    pub attributes: Attributes,
    sparse: Option<Sparse>,
}

/// What an entry says besides; nothing where it does not come from an archive.
#[derive(Debug, Default)]
pub struct Attributes {
    /// When it was changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// The extended attribute `security.capability`.
    pub capability: Option<Box<[u8]>>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// Another name for an earlier entry.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A directory.
    Directory,
    /// A device, a pipe, or something unheard of.
    Other,
}

impl Entry {
    /// One that somebody else has read the header of.
    pub const fn listed(path: String, kind: Kind, target: String, meta: FileMeta) -> Self {
        let attributes = Attributes { modified: (0, 0), capability: None };
        Self { path, kind, target, meta, attributes, sparse: None }
    }

    /// Whether the stored bytes are not the content.
    pub const fn is_sparse(&self) -> bool {
        self.sparse.is_some()
    }
}

/// What the headers before an entry say about it.
#[derive(Default)]
struct Described {
    name: Option<String>,
    link: Option<String>,
    pax: Records,
}

impl<'l, S: Source> Walker<'l, S> {
    /// Starts at the first header.
    pub const fn new(source: S, limits: &'l Limits) -> Self {
        Self { source, limits, offset: 0, content: 0, padding: 0, headers: 0, ended: false }
    }

    /// Headers read so far. Grows with every block of an archive that has nothing but headers.
    pub const fn headers(&self) -> u64 {
        self.headers
    }

    /// Bytes of the archive consumed so far.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the archive said that it ends. One that does not may have been cut off.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// The next entry, or `None` at the end of the archive. Skips what was not read of the one before.
    pub fn next(&mut self) -> Result<Option<Entry>, Error> {
        let mut described = Described::default();
        loop {
            let Some(block) = self.next_header()? else { return Ok(None) };
            let header = Header::parse(&block).map_err(|why| self.broken(why))?;
            self.set_content(header.size);
            match header.flag {
                b'x' | b'X' => {
                    let text = self.text(header.size)?;
                    described.pax =
                        Records::parse(&text, self.limits.sparse).map_err(|why| self.broken(why))?;
                }
                b'L' => described.name = Some(header::string(&self.text(header.size)?)),
                b'K' => described.link = Some(header::string(&self.text(header.size)?)),
                b'g' => {}
                _ => return self.entry(&header, &block, described).map(Some),
            }
        }
    }

    /// The content of `entry`, which must be the one that [`Walker::next`] gave last.
    pub fn content<'w>(&'w mut self, entry: &'w mut Entry) -> Result<Content<'w, 'l, S>, Error> {
        Content::new(self, entry)
    }

    /// The content of `entry` without copying, if it is all at hand.
    pub fn at_hand(&mut self, entry: &Entry) -> Result<Option<&[u8]>, Error> {
        if entry.sparse.is_some() {
            return Ok(None);
        }
        let offset = self.offset;
        let bytes = self.source.fill().map_err(|source| Error::io(offset, source))?;
        Ok(usize::try_from(self.content).ok().and_then(|length| bytes.get(..length)))
    }

    /// Has the content of `entry` hashed as it passes, if its first bytes are wanted. See [`Walker::hashed`].
    pub fn hash(&mut self, entry: &Entry, is_wanted: impl FnOnce(&[u8]) -> bool) -> Result<(), Error> {
        let offset = self.offset;
        let bytes = self.source.fill().map_err(|source| Error::io(offset, source))?;
        if entry.sparse.is_none() && is_wanted(bytes) {
            self.source.hash_next(self.content);
        }
        Ok(())
    }

    /// The SHA-256 of that content, once it has passed or is at hand.
    pub fn hashed(&mut self) -> Option<Digest> {
        self.source.hashed()
    }

    fn entry(&mut self, header: &Header, block: &[u8; BLOCK], said: Described) -> Result<Entry, Error> {
        let Described { name, link, pax } = said;
        let raw = pax.path.or(name).unwrap_or_else(|| header.name());
        let mut kind = match header.flag {
            b'0' | 0 | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'5' => Kind::Directory,
            _ => Kind::Other,
        };
        if kind == Kind::File && raw.ends_with('/') {
            kind = Kind::Directory;
        }
        let mut size = pax.size.unwrap_or(header.size);
        if kind != Kind::File && matches!(header.flag, b'1'..=b'6') {
            size = 0;
        }
        self.set_content(size);
        let path = clean(&raw, self.limits).map_err(|problem| self.at(problem, &raw))?;
        let sparse = match pax.sparse {
            Some(sparse) if kind == Kind::File => Some(sparse),
            _ if header.flag == b'S' => Some(self.old_gnu(block).map_err(|error| error.about(&path))?),
            _ => None,
        };
        let link = pax.link.or(link).unwrap_or_else(|| header.link());
        let target = match kind {
            Kind::HardLink => clean(&link, self.limits).map_err(|problem| self.at(problem, &path))?,
            Kind::Symlink if link.len() > self.limits.path => {
                return Err(self.at(Problem::limit("bytes in a link", self.limits.path as u64), &path));
            }
            Kind::Symlink => link,
            _ => String::new(),
        };
        let meta = FileMeta {
            size: sparse.as_ref().map_or(size, |sparse| sparse.size),
            mode: header.mode,
            uid: pax.uid.unwrap_or(header.uid),
            gid: pax.gid.unwrap_or(header.gid),
        };
        let modified = pax.modified.unwrap_or((header.modified, 0));
        let attributes = Attributes { modified, capability: pax.capability };
        Ok(Entry { path, kind, target, meta, attributes, sparse })
    }

    /// The next block that is not the end.
    fn next_header(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        self.skip_rest()?;
        if self.padding > 0 {
            return Ok(None); // the archive stops inside the padding of its last entry
        }
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().all(|byte| *byte == 0) {
            self.ended = true;
            return match self.block()? {
                Some(block) if block.iter().any(|byte| *byte != 0) => {
                    Err(self.broken("a lone zero block between entries".into()))
                }
                _ => Ok(None),
            };
        }
        self.headers += 1;
        Ok(Some(block))
    }

    /// Leaves `padding` above zero when the source ends in it.
    fn skip_rest(&mut self) -> Result<(), Error> {
        let wanted = self.content;
        let skipped = self.skip(wanted)?;
        self.content -= skipped;
        if skipped < wanted {
            return Err(self.truncated());
        }
        let skipped = self.skip(self.padding)?;
        self.padding -= skipped;
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> Result<u64, Error> {
        let offset = self.offset;
        let skipped = self.source.skip(bytes).map_err(|source| Error::io(offset, source))?;
        self.offset += skipped;
        Ok(skipped)
    }

    const fn set_content(&mut self, size: u64) {
        self.content = size;
        self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    }

    /// One block, or `None` at a clean end.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        let mut block = [0; BLOCK];
        match self.fill_from_source(&mut block)? {
            BLOCK => Ok(Some(block)),
            0 => Ok(None),
            _ => Err(self.truncated()),
        }
    }

    /// Fills `out` as far as the source goes.
    fn fill_from_source(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let offset = self.offset;
            let bytes = self.source.fill().map_err(|source| Error::io(offset, source))?;
            let take = bytes.len().min(rest.len());
            if take == 0 {
                break;
            }
            rest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            self.source.consume(take);
            self.offset += take as u64;
            done += take;
        }
        Ok(done)
    }

    /// The whole content of a describing header.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        let limit = self.limits.header;
        if size > limit {
            return Err(self.at(Problem::limit("bytes in an extended header", limit), ""));
        }
        let mut text = vec![0; usize::try_from(size).unwrap_or(0)];
        let read = self.fill_from_source(&mut text)?;
        self.content -= read as u64;
        if read < text.len() { Err(self.truncated()) } else { Ok(text) }
    }

    fn broken(&self, why: String) -> Error {
        self.at(Problem::Broken(why), "")
    }

    fn truncated(&self) -> Error {
        self.broken("the archive ends in the middle".into())
    }

    fn at(&self, problem: Problem, path: &str) -> Error {
        Error { offset: self.offset, path: path.to_owned(), problem }
    }
}
