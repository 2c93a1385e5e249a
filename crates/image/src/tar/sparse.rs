//! Files with holes: the map of pieces that were stored.

use super::{
    BLOCK, Error, Problem, Source, Walker,
    header::{self, string},
    pax,
};

/// A sparse file. Without a map, the map is in front of the content (pax 1.0).
#[derive(Debug)]
pub struct Sparse {
    /// Bytes with the holes.
    pub size: u64,
    pub map: Option<Vec<Piece>>,
}

/// A stretch of bytes that is no hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub offset: u64,
    pub length: u64,
}

/// Where old GNU headers have the first four pieces, and how many an extension block has.
const IN_HEADER: (usize, usize) = (386, 4);
const IN_EXTENSION: usize = 21;
const PIECE: usize = 24;

impl<S: Source> Walker<'_, S> {
    /// Reads the old GNU map: four pieces in the header, then blocks of 21 before the content.
    pub(super) fn old_gnu(&mut self, header: &[u8; BLOCK]) -> Result<Sparse, Error> {
        let size = header.get(483..495).and_then(header::number).and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| self.broken("a sparse file without its size".into()))?;
        let mut map = Vec::new();
        self.pieces(header, IN_HEADER, &mut map)?;
        let mut more = header[482] != 0;
        while more {
            let block = self.block()?.ok_or_else(|| self.truncated())?;
            self.pieces(&block, (0, IN_EXTENSION), &mut map)?;
            more = block[504] != 0;
        }
        Ok(Sparse { size, map: Some(map) })
    }

    fn pieces(
        &self,
        block: &[u8; BLOCK],
        (from, count): (usize, usize),
        map: &mut Vec<Piece>,
    ) -> Result<(), Error> {
        for piece in block.get(from..from + count * PIECE).unwrap_or_default().chunks_exact(PIECE) {
            let (offset, length) = piece.split_at(PIECE / 2);
            if offset.first() == Some(&0) {
                break; // an unused place
            }
            let read = |field| header::number(field).and_then(|value| u64::try_from(value).ok());
            let (Some(offset), Some(length)) = (read(offset), read(length)) else {
                return Err(self.broken("a sparse map that is no list of numbers".into()));
            };
            map.push(Piece { offset, length });
        }
        if map.len() > self.limits.sparse {
            return Err(self.at(Problem::limit("pieces of a sparse file", self.limits.sparse as u64), ""));
        }
        Ok(())
    }

    /// Reads the pax 1.0 map: decimal numbers on lines of their own, filled up to whole blocks.
    pub(super) fn map_in_content(&mut self) -> Result<Vec<Piece>, Error> {
        let mut numbers = Numbers::default();
        let mut count = None;
        let mut map = Vec::new();
        loop {
            if self.content < BLOCK as u64 {
                return Err(self.broken("a sparse map that does not end".into()));
            }
            let block = self.block()?.ok_or_else(|| self.truncated())?;
            self.content -= BLOCK as u64;
            numbers.text.extend_from_slice(&block);
            while count.is_none_or(|count| (map.len() as u64) < count) {
                if count.is_none() {
                    count = numbers.next(1).map_err(|why| self.broken(why))?.map(|first| first[0]);
                    if count.is_some_and(|count| count > self.limits.sparse as u64) {
                        let limit = self.limits.sparse as u64;
                        return Err(self.at(Problem::limit("pieces of a sparse file", limit), ""));
                    }
                    if count.is_none() {
                        break;
                    }
                } else {
                    let pair = numbers.next(2).map_err(|why| self.broken(why))?;
                    let Some([offset, length]) = pair else { break };
                    map.push(Piece { offset, length });
                }
            }
            if count.is_some_and(|count| map.len() as u64 >= count) {
                return Ok(map);
            }
        }
    }
}

/// Numbers on lines of their own, of which more may come.
#[derive(Default)]
struct Numbers {
    text: Vec<u8>,
    done: usize,
}

impl Numbers {
    /// The next `wanted` (one or two) numbers if they are all there.
    fn next(&mut self, wanted: usize) -> Result<Option<[u64; 2]>, String> {
        let mut found = [0; 2];
        let mut at = self.done;
        for place in found.iter_mut().take(wanted) {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
                // A number has at most 19 digits; a longer line is none.
                return if rest.len() > BLOCK { Err("a sparse map without lines".into()) } else { Ok(None) };
            };
            let line = rest.get(..length).unwrap_or_default();
            *place = pax::number(string(line).as_bytes())?;
            at += length + 1;
        }
        self.done = at;
        if self.done > BLOCK {
            self.text.drain(..self.done);
            self.done = 0;
        }
        Ok(Some(found))
    }
}

/// Checks that the pieces of `map` come in order, fit `size`, and add up to `stored` bytes.
pub fn check(map: &[Piece], size: u64, stored: u64) -> Result<(), &'static str> {
    let mut end = 0u64;
    let mut sum = 0u64;
    for piece in map {
        if piece.offset < end {
            return Err("a sparse map whose pieces overlap");
        }
        end = piece.offset.checked_add(piece.length).ok_or("a sparse map beyond all numbers")?;
        sum = sum.checked_add(piece.length).ok_or("a sparse map beyond all numbers")?;
    }
    if end > size || sum != stored {
        return Err("a sparse map that does not fit its file");
    }
    Ok(())
}
