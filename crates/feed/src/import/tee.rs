//! A reader that keeps a copy of all it hands out.

use std::io::{self, BufRead, Read, Write};

pub(super) struct Tee<'t> {
    pub from: &'t mut dyn BufRead,
    pub to: &'t mut dyn Write,
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}
