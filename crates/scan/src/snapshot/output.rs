//! The file while it is written: sections one after the other, hashed on the way.

use std::{
    io::{Seek, SeekFrom, Write},
    os::unix::fs::FileExt as _,
};

use boltseal_model::{Algorithm, Digest, Hasher};
use zerocopy::IntoBytes as _;

use super::{
    builder::{Builder, Draft, count},
    layout::{self, Block, Entry, Header, Section},
    texts,
};
use crate::Error;

/// Level 3 is zstd's default; higher ones save a tenth and take four times as long.
const ZSTD_LEVEL: i32 = 3;

/// The file while it grows.
pub(super) struct Output<'w, W> {
    out: &'w mut W,
    start: u64,
    position: u64,
    entries: [Entry; Section::ALL.len()],
    hasher: Hasher,
}

impl<'w, W: Write + Seek> Output<'w, W> {
    pub(super) fn new(out: &'w mut W) -> Result<Self, Error> {
        let start = out.stream_position()?;
        let blank = Entry { offset: 0.into(), length: 0.into(), hash: [0; 32] };
        let front = size_of::<Header>() + size_of::<Entry>() * Section::ALL.len();
        out.write_all(&vec![0; front])?;
        let hasher = Hasher::new(Algorithm::Sha256);
        Ok(Self { out, start, position: front as u64, entries: [blank; Section::ALL.len()], hasher })
    }

    fn begin(&mut self, section: Section) {
        self.hasher = Hasher::new(Algorithm::Sha256);
        if let Some(entry) = self.entries.get_mut(section as usize) {
            entry.offset = self.position.into();
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self, section: Section) {
        let hash = self.hasher.clone().finish();
        if let Some(entry) = self.entries.get_mut(section as usize) {
            entry.length = (self.position - entry.offset.get()).into();
            entry.hash.copy_from_slice(hash.bytes());
        }
    }

    pub(super) fn section(&mut self, section: Section, bytes: &[u8]) -> Result<(), Error> {
        self.begin(section);
        self.write(bytes)?;
        self.end(section);
        Ok(())
    }

    /// Titles and references of every draft; where each lies.
    pub(super) fn briefs(&mut self, builder: &Builder, drafts: &[&Draft]) -> Result<Vec<u64>, Error> {
        self.begin(Section::Briefs);
        let start = self.position;
        let mut places = Vec::with_capacity(drafts.len());
        let mut bytes = Vec::new();
        for draft in drafts {
            bytes.resize(draft.text.brief as usize, 0);
            builder.texts.get_ref().read_exact_at(&mut bytes, draft.text.offset)?;
            places.push(self.position - start);
            self.write(&bytes)?;
        }
        self.end(Section::Briefs);
        Ok(places)
    }

    /// The JSON of every draft, compressed; in which block each lies, and where in it.
    pub(super) fn texts(&mut self, builder: &Builder, drafts: &[&Draft]) -> Result<Vec<(u32, u32)>, Error> {
        self.begin(Section::Texts);
        let start = self.position;
        let mut blocks: Vec<Block> = Vec::new();
        let mut spots = Vec::with_capacity(drafts.len());
        let mut plain = Vec::new();
        let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        for (index, draft) in drafts.iter().enumerate() {
            let within = plain.len();
            spots.push((count(blocks.len(), "blocks of texts")?, count(within, "bytes in a block")?));
            plain.resize(within + draft.text.whole as usize, 0);
            let text = plain.get_mut(within..).unwrap_or_default();
            builder.texts.get_ref().read_exact_at(text, draft.text.offset + u64::from(draft.text.brief))?;
            if plain.len() >= texts::BLOCK_BYTES || index + 1 == drafts.len() {
                let packed = zstd.compress(&plain)?;
                blocks.push(Block {
                    offset: (self.position - start).into(),
                    length: count(packed.len(), "bytes in a block")?.into(),
                    inflated: count(plain.len(), "bytes in a block")?.into(),
                });
                self.write(&packed)?;
                plain.clear();
            }
        }
        self.end(Section::Texts);
        self.section(Section::Blocks, blocks.as_bytes())?;
        Ok(spots)
    }

    /// Header and section table; the id of the file.
    pub(super) fn finish(self) -> Result<String, Error> {
        let digest = Digest::of(self.entries.as_bytes());
        let mut id = [0; layout::ID_BYTES];
        id.iter_mut().zip(digest.bytes()).for_each(|(to, from)| *to = *from);
        let header = Header {
            magic: layout::MAGIC,
            format: layout::FORMAT.into(),
            sections: layout::SECTIONS.into(),
            length: self.position.into(),
            id,
        };
        self.out.seek(SeekFrom::Start(self.start))?;
        self.out.write_all(header.as_bytes())?;
        self.out.write_all(self.entries.as_bytes())?;
        self.out.seek(SeekFrom::Start(self.start + self.position))?;
        self.out.flush()?;
        Ok(super::id_text(&id))
    }
}
