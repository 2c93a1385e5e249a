//! The producer: from a blob to chunks.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    sync::mpsc::{Receiver, SyncSender, TryRecvError},
};

use super::{CHUNKS, Chunk, Message, gzip::Gzip};
use crate::{At, Error, LayerName};

/// Largest zstd window: 128 MiB, as far as `zstd` goes without being asked to go further. A frame announces its
/// window, and the decoder has to hold all of it.
const MAX_WINDOW_LOG: u32 = 27;

/// Compressions that no image specification knows but some tools take; recognised to say so.
const FOREIGN: [(&[u8], &str); 3] = [(b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x04\x22\x4d\x18", "lz4")];

/// Both ends of the round that chunks make.
pub struct Round {
    /// Whether a digest of the archive is checked, which makes checksums of compressions superfluous.
    pub checked: bool,
    pub to: SyncSender<Message>,
    pub free: Receiver<Chunk>,
    /// Chunks made so far; small layers need only a few.
    pub made: Cell<usize>,
}

/// The consumer has gone; nobody wants to hear more.
pub struct Gone;

/// Why producing stopped.
enum Stop {
    Gone,
    Failed(Error),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Round {
    fn chunk(&self) -> Result<Chunk, Gone> {
        match self.free.try_recv() {
            Ok(chunk) => Ok(chunk),
            Err(TryRecvError::Disconnected) => Err(Gone),
            Err(TryRecvError::Empty) if self.made.get() < CHUNKS => {
                self.made.set(self.made.get() + 1);
                Ok(Chunk::new())
            }
            Err(TryRecvError::Empty) => self.free.recv().map_err(|_| Gone),
        }
    }

    fn send(&self, message: Message) -> Result<(), Gone> {
        self.to.send(message).map_err(|_| Gone)
    }
}

/// Sends the whole of `blob`, and how it ended.
pub fn produce(blob: Result<Box<dyn Read + Send + '_>, Error>, layer: &LayerName, round: &Round) {
    let result = blob.map_err(Stop::Failed).and_then(|blob| pump(blob, layer, round));
    let last = match result {
        Ok(()) => Message::End,
        Err(Stop::Failed(error)) => Message::Failed(error),
        Err(Stop::Gone) => return,
    };
    // If nobody hears it, nobody needs it.
    let _ = round.send(last);
}

fn pump(blob: Box<dyn Read + Send + '_>, layer: &LayerName, round: &Round) -> Result<(), Stop> {
    let mut stored = Stored { blob, round, chunk: None, at: 0 };
    let failed = |error: io::Error, what: &str| stop(error, layer, what);
    let head = stored.head().map_err(|error| failed(error, "could not be read"))?;
    if let Some((_, name)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        let why =
            format!("compressed with {name}; layers are gzip, zstd or plain, convert it with skopeo copy");
        return Err(Stop::Failed(Error::Layer { layer: layer.clone(), at: At::Whole, why }));
    }
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut archive = Gzip::new(stored, !round.checked);
        drain(&mut archive, round).map_err(|error| stop_or(error, layer, "broken gzip"))?;
        stored = archive.into_inner();
    } else if is_zstd(head) {
        let mut archive = zstd::Decoder::with_buffer(stored).map_err(|error| failed(error, "broken zstd"))?;
        archive.window_log_max(MAX_WINDOW_LOG).map_err(|error| failed(error, "broken zstd"))?;
        drain(&mut archive, round).map_err(|error| stop_or(error, layer, "broken zstd"))?;
        stored = archive.finish();
    } else {
        return stored.plain().map_err(|error| stop_or(error, layer, "could not be read"));
    }
    stored.rest().map_err(|error| stop_or(error, layer, "could not be read"))
}

/// Frames, and the skippable ones that may come first.
fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || (head.first().is_some_and(|byte| byte & 0xf0 == 0x50)
            && head.get(1..4) == Some(&[0x2a, 0x4d, 0x18]))
}

/// An I/O error, or nobody there.
enum Interrupted {
    Gone,
    Io(io::Error),
}

impl From<Gone> for Interrupted {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<io::Error> for Interrupted {
    fn from(error: io::Error) -> Self {
        if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<GoneError>) {
            Self::Gone
        } else {
            Self::Io(error)
        }
    }
}

fn stop_or(interrupted: Interrupted, layer: &LayerName, what: &str) -> Stop {
    match interrupted {
        Interrupted::Gone => Stop::Gone,
        Interrupted::Io(error) => stop(error, layer, what),
    }
}

fn stop(error: io::Error, layer: &LayerName, what: &str) -> Stop {
    // Sources wrap their own errors; those know better what happened.
    match error.downcast::<Error>() {
        Ok(error) => Stop::Failed(error),
        Err(error) => Stop::Failed(Error::Layer {
            layer: layer.clone(),
            at: At::Whole,
            why: format!("{what}: {error}; the blob is damaged or cut off"),
        }),
    }
}

/// Sends everything that comes out of `archive`.
fn drain(archive: &mut impl Read, round: &Round) -> Result<(), Interrupted> {
    loop {
        let mut chunk = round.chunk()?;
        chunk.length = fill(archive, &mut chunk.bytes)?;
        if chunk.length == 0 {
            return Ok(());
        }
        round.send(Message::Archive(chunk))?;
    }
}

/// Reads until `buffer` is full or the end is reached.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The blob as the decoders read it. Every chunk that was used up goes to the consumer to be hashed.
struct Stored<'r, R> {
    blob: R,
    round: &'r Round,
    chunk: Option<Chunk>,
    at: usize,
}

/// [`Gone`] on its way through a decoder.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the layer any more")]
struct GoneError;

impl<R: Read> Stored<'_, R> {
    /// The first bytes, without using them up.
    fn head(&mut self) -> io::Result<&[u8]> {
        self.fill_buf()
    }

    /// Sends what was not used up: what decoders leave after their end.
    fn rest(mut self) -> Result<(), Interrupted> {
        while !self.fill_buf()?.is_empty() {
            let length = self.chunk.as_ref().map_or(0, |chunk| chunk.length);
            self.consume(length);
        }
        Ok(())
    }

    /// Sends everything as it is.
    fn plain(mut self) -> Result<(), Interrupted> {
        while !self.fill_buf()?.is_empty() {
            if let Some(chunk) = self.chunk.take() {
                self.round.send(Message::Both(chunk))?;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Stored<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Stored<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.as_ref().is_some_and(|chunk| self.at >= chunk.length)
            && let Some(chunk) = self.chunk.take()
        {
            self.round.send(Message::Stored(chunk)).map_err(|_| io::Error::other(GoneError))?;
        }
        if self.chunk.is_none() {
            let mut chunk = self.round.chunk().map_err(|_| io::Error::other(GoneError))?;
            chunk.length = fill(&mut self.blob, &mut chunk.bytes)?;
            self.at = 0;
            self.chunk = Some(chunk);
        }
        let filled = self.chunk.as_ref().map(Chunk::filled).unwrap_or_default();
        Ok(filled.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}
