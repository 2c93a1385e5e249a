//! A stored blob, read piece by piece from wherever it is.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
};

use super::objects::Reading;

/// The bytes of one blob.
#[derive(Debug)]
pub struct Content(Source);

#[derive(Debug)]
enum Source {
    File(File),
    Object(Reading),
}

impl Content {
    pub(super) const fn file(file: File) -> Self {
        Self(Source::File(file))
    }

    pub(super) const fn object(reading: Reading) -> Self {
        Self(Source::Object(reading))
    }

    /// Goes on at byte `start`.
    pub fn skip_to(&mut self, start: u64) -> io::Result<()> {
        match &mut self.0 {
            Source::File(file) => file.seek(SeekFrom::Start(start)).map(drop),
            Source::Object(reading) => {
                reading.skip_to(start);
                Ok(())
            }
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Source::File(file) => file.read(buffer),
            Source::Object(reading) => reading.read(buffer),
        }
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match &mut self.0 {
            Source::File(file) => file.read_to_end(buffer),
            Source::Object(reading) => reading.read_to_end(buffer),
        }
    }
}
