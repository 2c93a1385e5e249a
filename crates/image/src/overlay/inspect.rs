//! Text for whoever inspects files: shown in pieces while it passes.

use std::io::{self, Read};

use boltseal_model::{Digest, Selector, Text};
use zeroize::Zeroize as _;

use super::Passing;

/// Bytes that tell text from everything else: there is no NUL among them. Git looks at as many.
const HEAD: usize = 8 << 10;
/// Bytes of a piece, so that memory does not depend on the file.
const PIECE: usize = 1 << 20;
/// Bytes that a piece has in common with the one before, so that nothing is cut in two.
const OVERLAP: usize = 16 << 10;

/// One file on its way past an inspector.
pub struct Inspection<'a> {
    selector: &'a dyn Selector,
    path: &'a str,
    buffer: Vec<u8>,
    lines: usize,
    text: Option<bool>,
    remarks: Vec<Vec<u8>>,
    /// Whether it came in several pieces.
    pieces: bool,
}

impl<'a> Inspection<'a> {
    pub const fn new(selector: &'a dyn Selector, path: &'a str) -> Self {
        Self { selector, path, buffer: Vec::new(), lines: 0, text: None, remarks: Vec::new(), pieces: false }
    }

    /// The whole content at once. What is remarked about it; `None` for what is no text.
    pub fn whole(self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        if !is_text(bytes) {
            return None;
        }
        let (mut at, mut lines, mut remarks) = (0, 0, self.remarks);
        loop {
            let end = bytes.len().min(at + PIECE);
            let piece = bytes.get(at..end).unwrap_or_default();
            let text = Text { bytes: piece, lines, whole: piece.len() == bytes.len() };
            remarks.extend(self.selector.inspect(self.path, text));
            if end == bytes.len() {
                return Some(remarks);
            }
            let next = end - OVERLAP;
            lines += count_lines(bytes.get(at..next).unwrap_or_default());
            at = next;
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if self.text == Some(false) {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        if self.text.is_none() && self.buffer.len() >= HEAD {
            self.text = Some(is_text(&self.buffer));
        }
        if self.text == Some(true) && self.buffer.len() >= PIECE {
            self.show(false);
            self.pieces = true;
            let seen = self.buffer.len() - OVERLAP;
            self.lines += count_lines(self.buffer.get(..seen).unwrap_or_default());
            self.buffer.drain(..seen);
        }
    }

    fn show(&mut self, whole: bool) {
        let text = Text { bytes: &self.buffer, lines: self.lines, whole };
        self.remarks.extend(self.selector.inspect(self.path, text));
    }

    /// What was remarked about it; `None` for what is no text.
    pub fn finish(mut self) -> Option<Vec<Vec<u8>>> {
        if !self.text.unwrap_or_else(|| is_text(&self.buffer)) || self.buffer.is_empty() {
            return None;
        }
        self.show(!self.pieces);
        if !self.remarks.is_empty() {
            // What is remarkable may be a credential, which memory need not keep.
            self.buffer.zeroize();
        }
        Some(self.remarks)
    }
}

/// Reads for somebody else and shows what passes.
pub struct Shown<'i, 'a, R> {
    pub content: R,
    pub inspection: &'i mut Inspection<'a>,
}

impl<R: Read> Shown<'_, '_, R> {
    /// Reads what the other left, as long as it is text.
    pub fn rest(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; HEAD];
        while self.inspection.text != Some(false) && self.read(&mut buffer)? > 0 {}
        Ok(())
    }
}

impl<R: Passing> Passing for Shown<'_, '_, R> {
    fn sha256(&mut self) -> Option<Digest> {
        self.content.sha256()
    }
}

impl<R: Read> Read for Shown<'_, '_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(out)?;
        self.inspection.feed(out.get(..read).unwrap_or_default());
        Ok(read)
    }
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.get(..HEAD.min(bytes.len())).unwrap_or_default().contains(&0)
}

fn count_lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use boltseal_model::{FileMeta, Want};

    use super::*;

    /// Notes the line of every `x`.
    #[derive(Default)]
    struct Lines(Mutex<Vec<usize>>);

    impl Selector for Lines {
        fn want(&self, _: &str, _: &FileMeta) -> Want {
            Want::Skip
        }
        fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
            Ok(None)
        }
        fn inspect(&self, _: &str, text: Text<'_>) -> Option<Vec<u8>> {
            let places = memchr::memchr_iter(b'x', text.bytes);
            let lines = places.map(|at| text.lines + count_lines(text.bytes.get(..at).unwrap_or_default()));
            let mut seen = self.0.lock().ok()?;
            seen.extend(lines);
            seen.dedup();
            (!seen.is_empty()).then(Vec::new)
        }
    }

    #[test]
    fn long_files_come_in_pieces_and_lines_go_on() {
        // An `x` on line 40,000 (in the overlap of the first two pieces) and on the last.
        let mut text = "0123456789abcdef012345678\n".repeat(120_000).into_bytes();
        for line in [40_000, 119_999] {
            if let Some(place) = text.get_mut(line * 26) {
                *place = b'x';
            }
        }
        let (whole, read) = (Lines::default(), Lines::default());
        assert!(Inspection::new(&whole, "a").whole(&text).is_some_and(|remarks| !remarks.is_empty()));
        let mut inspection = Inspection::new(&read, "a");
        let shown = Shown { content: text.as_slice(), inspection: &mut inspection }.rest();
        assert!(shown.is_ok() && inspection.finish().is_some_and(|remarks| !remarks.is_empty()));
        for seen in [whole, read] {
            assert_eq!(seen.0.into_inner().ok(), Some(vec![40_000, 119_999]));
        }
    }

    #[test]
    fn what_is_no_text_is_not_shown() {
        let seen = Lines::default();
        assert_eq!(Inspection::new(&seen, "a").whole(b"x\0"), None);
        let mut inspection = Inspection::new(&seen, "a");
        let bytes = [b"x\0".as_slice(), &vec![b'x'; 3 << 20]].concat();
        let shown = Shown { content: bytes.as_slice(), inspection: &mut inspection }.rest();
        assert!(shown.is_ok() && inspection.finish().is_none());
    }
}
