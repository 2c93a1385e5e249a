//! The bytes of one entry, holes filled in.

use std::io::{self, Read};

use boltseal_model::Digest;

use super::{Entry, Error, Problem, Source, Walker, sparse};
use crate::overlay::Passing;

/// Reads one file. What is left unread is skipped by the walker.
pub struct Content<'w, 'l, S> {
    walker: &'w mut Walker<'l, S>,
    holes: Option<Holes<'w>>,
}

/// Where we are in a sparse file.
struct Holes<'w> {
    map: std::slice::Iter<'w, sparse::Piece>,
    /// Zeros before the next stored byte.
    hole: u64,
    /// Stored bytes before the next hole.
    stored: u64,
    /// Position in the file as it will be.
    at: u64,
    size: u64,
}

impl<'w, 'l, S: Source> Content<'w, 'l, S> {
    pub(super) fn new(walker: &'w mut Walker<'l, S>, entry: &'w mut Entry) -> Result<Self, Error> {
        let Some(sparse) = &mut entry.sparse else { return Ok(Self { walker, holes: None }) };
        if sparse.map.is_none() {
            sparse.map = Some(walker.map_in_content().map_err(|error| error.about(&entry.path))?);
        }
        let map = sparse.map.as_deref().unwrap_or_default();
        sparse::check(map, sparse.size, walker.content)
            .map_err(|why| walker.at(Problem::Broken(why.into()), &entry.path))?;
        let holes = Holes { map: map.iter(), hole: 0, stored: 0, at: 0, size: sparse.size };
        Ok(Self { walker, holes: Some(holes) })
    }

    fn stored(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.walker.content).map_or(out.len(), |left| left.min(out.len()));
        let bytes = self.walker.source.fill()?;
        let take = want.min(bytes.len());
        if take == 0 && want > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.get_mut(..take).unwrap_or_default().copy_from_slice(bytes.get(..take).unwrap_or_default());
        self.walker.source.consume(take);
        self.walker.offset += take as u64;
        self.walker.content -= take as u64;
        Ok(take)
    }
}

impl<S: Source> Passing for Content<'_, '_, S> {
    fn sha256(&mut self) -> Option<Digest> {
        self.walker.hashed()
    }
}

impl Holes<'_> {
    /// Moves on until there is a hole or a stored byte next; false at the end of the file.
    fn advance(&mut self) -> bool {
        while self.hole == 0 && self.stored == 0 {
            if let Some(piece) = self.map.next() {
                self.hole = piece.offset - self.at;
                self.stored = piece.length;
            } else if self.at < self.size {
                self.hole = self.size - self.at;
            } else {
                return false;
            }
            self.at += self.hole + self.stored;
        }
        true
    }
}

impl<S: Source> Read for Content<'_, '_, S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(holes) = &mut self.holes else { return self.stored(out) };
        if out.is_empty() || !holes.advance() {
            return Ok(0);
        }
        let (left, hole) = if holes.hole > 0 { (&mut holes.hole, true) } else { (&mut holes.stored, false) };
        let take = usize::try_from(*left).map_or(out.len(), |left| left.min(out.len()));
        let out = out.get_mut(..take).unwrap_or_default();
        if hole {
            out.fill(0);
            *left -= take as u64;
            return Ok(take);
        }
        let read = self.stored(out)?;
        if let Some(holes) = &mut self.holes {
            holes.stored -= read as u64;
        }
        Ok(read)
    }
}
