//! The content of a file, piece by piece, each checked against its digest.

use std::{
    io::{self, Cursor, Read},
    ops::Range,
};

use boltseal_model::{Digest, Hasher};

use super::{Place, table::Piece};
use crate::{Error, overlay::Passing};

/// Largest zstd window, as for whole layers.
const MAX_WINDOW_LOG: u32 = 27;

/// What comes out of the blob. Wanted pieces that lie near each other come with one request.
pub struct Window<'a> {
    place: &'a Place<'a>,
    /// What to ask for at once, in order.
    runs: Vec<Range<u64>>,
    open: Option<(Range<u64>, Box<dyn Read + Send + 'a>)>,
}

impl<'a> Window<'a> {
    /// Will be asked for what lies in `runs`, mostly.
    pub fn new(place: &'a Place<'a>, runs: Vec<Range<u64>>) -> Self {
        Self { place, runs, open: None }
    }

    fn read(&mut self, wanted: Range<u64>) -> io::Result<Vec<u8>> {
        let ahead =
            self.open.as_ref().is_some_and(|(left, _)| left.start <= wanted.start && wanted.end <= left.end);
        if !ahead {
            let run = self.runs.iter().find(|run| run.start <= wanted.start && wanted.end <= run.end);
            let stretch = wanted.start..run.map_or(wanted.end, |run| run.end);
            let place = self.place;
            let body = place.blobs.stretch(&place.digest, stretch.clone()).map_err(io::Error::other)?;
            let body = body.ok_or_else(|| io::Error::other("the source gives no parts of blobs any more"))?;
            self.open = Some((stretch, body));
        }
        let Some((left, body)) = &mut self.open else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let skip = wanted.start - left.start;
        let skipped = io::copy(&mut body.by_ref().take(skip), &mut io::sink())?;
        let length = wanted.end - wanted.start;
        let mut bytes = Vec::new();
        body.by_ref().take(length).read_to_end(&mut bytes)?;
        left.start = wanted.end;
        if skipped < skip || (bytes.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}

/// Reads one file.
pub struct Content<'w, 'a> {
    window: &'w mut Window<'a>,
    pieces: std::slice::Iter<'w, Piece>,
    open: Option<Open>,
}

/// A piece that is being read.
struct Open {
    bytes: Box<dyn Read>,
    left: u64,
    hasher: Hasher,
    digest: Digest,
    from: u64,
}

impl<'w, 'a> Content<'w, 'a> {
    pub fn new(window: &'w mut Window<'a>, pieces: &'w [Piece]) -> Self {
        Self { window, pieces: pieces.iter(), open: None }
    }

    /// Reads the rest of the piece that was begun, so that nothing was believed unchecked.
    pub fn finish(mut self) -> io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        while self.open.is_some() {
            if self.read(&mut buffer)? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn begin(&mut self, piece: &Piece) -> io::Result<()> {
        let stored = Cursor::new(self.window.read(piece.from..piece.to)?);
        let bytes: Box<dyn Read> = if stored.get_ref().starts_with(&[0x1f, 0x8b]) {
            Box::new(flate2::bufread::MultiGzDecoder::new(stored))
        } else {
            let mut frames = zstd::Decoder::with_buffer(stored)?;
            frames.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(frames)
        };
        let (digest, from) = (piece.digest.clone(), piece.from);
        let hasher = Hasher::new(digest.algorithm());
        self.open = Some(Open { bytes, left: piece.size, hasher, digest, from });
        Ok(())
    }

    /// Compares the digest of a piece that was read to its end.
    fn end(&mut self) -> io::Result<()> {
        let Some(Open { hasher, digest, from, .. }) = self.open.take() else { return Ok(()) };
        let found = hasher.finish();
        if found == digest {
            return Ok(());
        }
        let what = format!("layer {}, the piece of a file at byte {from}", self.window.place.digest);
        Err(io::Error::other(Error::Digest { what, expected: digest, found }))
    }
}

impl Passing for Content<'_, '_> {}

impl Read for Content<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.open.is_none() {
            let Some(piece) = self.pieces.next() else { return Ok(0) };
            self.begin(piece)?;
        }
        let Some(open) = &mut self.open else { return Ok(0) };
        let most = usize::try_from(open.left).map_or(out.len(), |left| left.min(out.len()));
        let read = open.bytes.read(out.get_mut(..most).unwrap_or_default())?;
        open.hasher.update(out.get(..read).unwrap_or_default());
        open.left -= read as u64;
        if read == 0 || open.left == 0 {
            self.end()?;
        }
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }
}
