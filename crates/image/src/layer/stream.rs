//! The consumer: hashes what comes, checks it against what was promised, and feeds the walker.

use std::{
    cell::Cell,
    io::{self, Read},
    sync::mpsc::{Receiver, Sender, channel, sync_channel},
    thread,
};

use boltseal_model::{Algorithm, Digest};

use super::{
    CHUNK, CHUNKS, Chunk, Message,
    inflate::{Round, produce},
    sums::Sums,
};
use crate::{At, Error, LayerName, Limits, Progress, tar};

/// A layer to read.
pub struct Part<'a> {
    /// For messages.
    pub name: LayerName,
    /// What the stored bytes must hash to.
    pub digest: Option<Digest>,
    /// What the archive must hash to.
    pub diff_id: Option<Digest>,
    /// How long the stored bytes must be.
    pub size: Option<u64>,
    /// Opens the blob at its first byte. Called once more if links point to files that were not kept.
    pub open: Box<dyn Fn() -> Result<Box<dyn Read + Send + 'a>, Error> + Send + Sync + 'a>,
}

/// What a layer may cost.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    pub limits: &'a Limits,
    /// Archive bytes that the layers before have left over.
    pub bytes: u64,
    pub progress: Option<&'a dyn Progress>,
}

/// What a layer turned out to be.
#[derive(Clone, Debug)]
pub struct Totals {
    /// Of the stored bytes.
    pub digest: Digest,
    /// Of the archive.
    pub diff_id: Digest,
    pub stored: u64,
    pub archive: u64,
}

/// Reads all of `part`: `consume` gets the archive; what it leaves is read all the same, so that digests can be told.
pub fn read<'a, 'p, T>(
    part: &'a Part<'p>,
    budget: Budget<'a>,
    consume: impl FnOnce(&mut Stream<'a, 'p>) -> Result<T, Error>,
) -> Result<(T, Totals), Error> {
    thread::scope(|scope| {
        let (to, from) = sync_channel(CHUNKS);
        let (give_back, free) = channel();
        thread::Builder::new()
            .name("inflate".into())
            .spawn_scoped(scope, move || {
                let checked = part.diff_id.is_some();
                produce((part.open)(), &part.name, &Round { checked, to, free, made: Cell::new(0) });
            })
            .map_err(|source| Error::io("starting a thread", source))?;
        let mut stream = Stream::new(part, budget, from, give_back);
        let result = consume(&mut stream)?;
        stream.finish().map(|totals| (result, totals))
    })
}

/// The archive of a layer, chunk by chunk.
pub struct Stream<'a, 'p> {
    part: &'a Part<'p>,
    budget: Budget<'a>,
    from: Receiver<Message>,
    give_back: Sender<Chunk>,
    chunk: Option<Chunk>,
    /// Bytes of it that were read, and that were hashed.
    at: usize,
    hashed: usize,
    ended: bool,
    stored: u64,
    archive: u64,
    sums: Sums,
    /// The stored form is the archive, and one hash is enough for both.
    plain: bool,
}

impl<'a, 'p> Stream<'a, 'p> {
    fn new(
        part: &'a Part<'p>,
        budget: Budget<'a>,
        from: Receiver<Message>,
        give_back: Sender<Chunk>,
    ) -> Self {
        let sums =
            Sums::new(algorithm(part.digest.as_ref()), algorithm(part.diff_id.as_ref()), give_back.clone());
        Self {
            part,
            budget,
            from,
            give_back,
            chunk: None,
            at: 0,
            hashed: 0,
            ended: false,
            stored: 0,
            archive: 0,
            sums,
            plain: false,
        }
    }

    /// Makes the next archive bytes available; false at the end.
    fn advance(&mut self) -> Result<bool, Error> {
        self.hash_to(usize::MAX);
        (self.at, self.hashed) = (0, 0);
        if let Some(used) = self.chunk.take() {
            self.reuse(used);
        }
        while !self.ended {
            match self.from.recv() {
                Ok(Message::Stored(chunk)) => {
                    self.count_stored(chunk.length)?;
                    self.sums.stored(chunk);
                }
                Ok(Message::Archive(chunk)) => return self.take(chunk).map(|()| true),
                Ok(Message::Both(chunk)) => {
                    self.plain = true;
                    if self.separate_hashes() {
                        self.sums.stored_plain(chunk.filled());
                    }
                    self.count_stored(chunk.length)?;
                    return self.take(chunk).map(|()| true);
                }
                Ok(Message::End) => self.ended = true,
                Ok(Message::Failed(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                Err(_) => {
                    self.ended = true;
                    return Err(self.error("the thread that reads it has died".into()));
                }
            }
        }
        Ok(false)
    }

    fn take(&mut self, chunk: Chunk) -> Result<(), Error> {
        self.archive += chunk.length as u64;
        let limits = self.budget.limits;
        if self.archive > self.budget.bytes {
            return Err(self.limit("uncompressed bytes in the image", limits.bytes));
        }
        // Chunks that were read but not yet used up do not count as stored: be generous by one.
        let stored = self.stored + CHUNK as u64;
        if self.archive > limits.ratio_from && self.archive / stored >= limits.ratio {
            return Err(self.limit("uncompressed bytes for each stored one", limits.ratio));
        }
        self.chunk = Some(chunk);
        Ok(())
    }

    fn count_stored(&mut self, length: usize) -> Result<(), Error> {
        self.stored += length as u64;
        if let Some(progress) = self.budget.progress {
            progress.advance(length as u64);
        }
        match self.part.size {
            Some(size) if self.stored > size => {
                Err(self.error(format!("longer than the {size} bytes that the manifest promises")))
            }
            _ => Ok(()),
        }
    }

    fn reuse(&self, chunk: Chunk) {
        // A producer that has ended takes nothing back; the chunk is freed then.
        let _ = self.give_back.send(chunk);
    }

    /// Hashes the chunk up to its byte `end`, or all of it.
    fn hash_to(&mut self, end: usize) {
        let Some(chunk) = &self.chunk else { return };
        let end = end.min(chunk.length);
        self.sums.archive(chunk.filled().get(self.hashed..end).unwrap_or_default());
        self.hashed = self.hashed.max(end);
    }

    fn separate_hashes(&self) -> bool {
        algorithm(self.part.digest.as_ref()) != algorithm(self.part.diff_id.as_ref())
    }

    /// Reads what is left and compares digests.
    fn finish(mut self) -> Result<Totals, Error> {
        while self.advance()? {}
        if let Some(size) = self.part.size.filter(|size| *size != self.stored) {
            return Err(self.error(format!("{} bytes long, but the manifest promises {size}", self.stored)));
        }
        let separate = self.separate_hashes();
        let Some((stored, diff_id)) = self.sums.finish() else {
            return Err(Error::malformed(format!("layer {}", self.part.name), "could not be hashed"));
        };
        let digest = if self.plain && !separate { diff_id.clone() } else { stored };
        let name = &self.part.name;
        let checks = [
            (format!("layer {name}"), &self.part.digest, &digest),
            (format!("layer {name}, uncompressed"), &self.part.diff_id, &diff_id),
        ];
        for (what, expected, found) in checks {
            if let Some(expected) = expected.as_ref().filter(|expected| *expected != found) {
                return Err(Error::Digest { what, expected: expected.clone(), found: found.clone() });
            }
        }
        Ok(Totals { digest, diff_id, stored: self.stored, archive: self.archive })
    }

    fn error(&self, why: String) -> Error {
        Error::Layer { layer: self.part.name.clone(), at: At::Whole, why }
    }

    fn limit(&self, what: &'static str, limit: u64) -> Error {
        Error::Limit { layer: self.part.name.clone(), at: At::Byte(self.archive), what, limit }
    }
}

fn algorithm(digest: Option<&Digest>) -> Algorithm {
    digest.map_or(Algorithm::Sha256, Digest::algorithm)
}

impl tar::Source for &mut Stream<'_, '_> {
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.chunk.as_ref().is_none_or(|chunk| self.at >= chunk.length) {
            self.advance().map_err(io::Error::other)?;
        }
        let filled = self.chunk.as_ref().map(Chunk::filled).unwrap_or_default();
        Ok(filled.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }

    fn hash_next(&mut self, count: u64) {
        self.hash_to(self.at);
        self.sums.begin_file(count);
    }

    fn hashed(&mut self) -> Option<Digest> {
        let left = usize::try_from(self.sums.file_left()).unwrap_or(usize::MAX);
        self.hash_to(self.hashed.saturating_add(left));
        self.sums.end_file()
    }
}
