//! What a container writes to its standard output and error: kept in two files of bounded size, in the format that Kubernetes'
//! runtimes write (`<time> <stream> <F or P> <text>`, one a line), so that whatever ships logs there ships these.
//!
//! The first process of the container writes, into files that were opened before it was confined; so it never needs a path,
//! and what it costs is the container's. When one file is full, the other is emptied and goes on: the newest of what was
//! written is there, between one and two limits of it.
//!
//! Where the disk is full, lines are lost and the workload goes on; how many they were is a line of the log as soon as there is
//! room again.

mod reader;

use std::{
    fs::File,
    io::{self, Write as _},
};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

pub use reader::{Entry, Reader};

/// Bytes of a line in the file; a longer one is continued, as in Kubernetes.
const MAX_LINE: usize = 16 << 10;

/// Where something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The two files.
#[derive(Debug)]
pub struct Segments {
    files: [File; 2],
    limit: u64,
}

impl Segments {
    /// Of two files that were opened to append. `limit` is in bytes, of each.
    ///
    /// # Errors
    /// Where one of them is no file.
    pub fn new(files: [File; 2], limit: u64) -> io::Result<Self> {
        for file in &files {
            if !file.metadata()?.is_file() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
        Ok(Self { files, limit: limit.max(MAX_LINE as u64) })
    }

    /// The files.
    pub const fn files(&self) -> &[File; 2] {
        &self.files
    }

    /// Goes on where the last one ended.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn writer(&self) -> io::Result<Writer<'_>> {
        let [first, second] = [self.files[0].metadata()?, self.files[1].metadata()?];
        let later = second.len() > 0 && second.modified()? >= first.modified()?;
        let written = if later { second.len() } else { first.len() };
        Ok(Writer { to: self, is_second: later, written, lines: [Vec::new(), Vec::new()], lost: 0 })
    }
}

/// Writes.
#[derive(Debug)]
pub struct Writer<'a> {
    to: &'a Segments,
    is_second: bool,
    written: u64,
    /// What has no end of line yet.
    lines: [Vec<u8>; 2],
    /// Lines that could not be written.
    lost: u64,
}

impl Writer<'_> {
    /// Takes what was written to a stream.
    ///
    /// # Errors
    /// As write(2): the disk is full.
    pub fn take(&mut self, stream: Stream, bytes: &[u8], now: Timestamp) -> io::Result<()> {
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let [of_out, of_err] = &mut self.lines;
        let line = if stream == Stream::Stdout { of_out } else { of_err };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, whole) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (part, false),
            };
            let mut text = text;
            while line.len() + text.len() > MAX_LINE {
                let (fits, rest) = text.split_at(MAX_LINE.saturating_sub(line.len()).min(text.len()));
                line.extend_from_slice(fits);
                entry(&mut out, stream, 'P', line, now);
                text = rest;
            }
            line.extend_from_slice(text);
            if whole {
                entry(&mut out, stream, 'F', line, now);
            }
        }
        self.write(&out, now)
    }

    /// Writes what had no end of line.
    ///
    /// # Errors
    /// As write(2).
    pub fn end(&mut self, now: Timestamp) -> io::Result<()> {
        let mut out = Vec::new();
        for (stream, line) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut self.lines) {
            if !line.is_empty() {
                entry(&mut out, stream, 'F', line, now);
            }
        }
        self.write(&out, now)
    }

    fn write(&mut self, out: &[u8], now: Timestamp) -> io::Result<()> {
        if self.lost > 0 && !out.is_empty() {
            let mut told = Vec::new();
            let text = format!("boltseal: {} lines are lost, the disk was full", self.lost);
            entry(&mut told, Stream::Stderr, 'F', &mut text.into_bytes(), now);
            if self.line(&told).is_ok() {
                self.lost = 0;
            }
        }
        let mut result = Ok(());
        for line in out.split_inclusive(|byte| *byte == b'\n') {
            // What is short may fit where what was longer did not; but lines must not be missing in between unsaid.
            let written = if result.is_ok() && self.lost == 0 { self.line(line) } else { result };
            self.lost += u64::from(self.lost > 0 || written.is_err());
            result = written;
        }
        result
    }

    /// A file ends with a whole line, so that each can be read alone.
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if self.written + length > self.to.limit {
            self.is_second = !self.is_second;
            self.file().set_len(0)?;
            self.written = 0;
        }
        if let Err(error) = self.file().write_all(line) {
            // What came of it there would be the beginning of the next one.
            let _ = self.file().set_len(self.written);
            return Err(error);
        }
        self.written += length;
        Ok(())
    }
}

impl<'a> Writer<'a> {
    const fn file(&self) -> &'a File {
        let [first, second] = &self.to.files;
        if self.is_second { second } else { first }
    }
}

fn entry(out: &mut Vec<u8>, stream: Stream, tag: char, line: &mut Vec<u8>, now: Timestamp) {
    out.extend_from_slice(format!("{now:.9} {} {tag} ", stream.name()).as_bytes());
    out.append(line);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    /// All that is kept.
    fn all(reader: &mut Reader) -> Vec<Entry> {
        std::iter::from_fn(|| Some(reader.take().unwrap()).filter(|some| !some.is_empty()))
            .flatten()
            .collect()
    }

    fn segments(folder: &std::path::Path, limit: u64) -> (Segments, [PathBuf; 2]) {
        let paths = [folder.join("0"), folder.join("1")];
        let open = |path: &PathBuf| File::options().create(true).append(true).open(path).unwrap();
        (Segments::new([open(&paths[0]), open(&paths[1])], limit).unwrap(), paths)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn lines_parts_and_streams() {
        let folder = tempfile::tempdir().unwrap();
        let (segments, paths) = segments(folder.path(), 1 << 20);
        let mut writer = segments.writer().unwrap();
        writer.take(Stream::Stdout, b"one\ntw", at(1)).unwrap();
        writer.take(Stream::Stderr, b"bad\xff\n\n", at(2)).unwrap();
        writer.take(Stream::Stdout, b"o\n", at(3)).unwrap();
        writer.take(Stream::Stdout, &vec![b'x'; MAX_LINE + 5], at(4)).unwrap();
        writer.end(at(5)).unwrap();
        let text = fs::read(&paths[0]).unwrap();
        assert!(text.starts_with(b"1970-01-01T00:00:01.000000000Z stdout F one\n"));
        let mut reader = Reader::new(paths);
        let said: Vec<_> = reader.take().unwrap();
        let said: Vec<_> = said
            .iter()
            .map(|entry| {
                (
                    entry.at.as_second(),
                    entry.stream.name(),
                    entry.partial,
                    entry.text.len().min(9),
                    &entry.text[..entry.text.len().min(3)],
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                (1, "stdout", false, 3, "one"),
                (2, "stderr", false, 6, "bad"),
                (2, "stderr", false, 0, ""),
                (3, "stdout", false, 3, "two"),
                (4, "stdout", true, 9, "xxx"),
                (5, "stdout", false, 5, "xxx"),
            ]
        );
        assert_eq!(reader.take().unwrap(), []);
    }

    #[test]
    fn a_flood_keeps_its_newest() {
        let folder = tempfile::tempdir().unwrap();
        let limit = 64 << 10;
        let (segments, paths) = segments(folder.path(), limit);
        let mut writer = segments.writer().unwrap();
        for number in 0..20_000 {
            writer.take(Stream::Stdout, format!("{number}\n").as_bytes(), at(number)).unwrap();
            if number == 15_000 {
                // The container starts again.
                writer = segments.writer().unwrap();
            }
        }
        for path in &paths {
            assert!(fs::metadata(path).unwrap().len() <= limit);
        }
        let kept = all(&mut Reader::new(paths));
        let numbers: Vec<u32> = kept.iter().map(|entry| entry.text.parse().unwrap()).collect();
        assert_eq!(numbers.last(), Some(&19_999));
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "none is missing in between");
        assert!(numbers.len() > 1_000, "{}", numbers.len());
    }

    #[test]
    fn what_is_larger_than_one_look_is_read_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let (segments, paths) = segments(folder.path(), 3 << 20);
        let mut writer = segments.writer().unwrap();
        let mut reader = Reader::new(paths.clone());
        let mut followed = Vec::new();
        for number in 0..90_u32 {
            // Many lines of one moment, some of which are in the one file and some in the other.
            let lines = (0..1_000).map(|line| format!("{:090}", number * 1_000 + line));
            let lines = lines.collect::<Vec<_>>().join("\n") + "\n";
            writer.take(Stream::Stdout, lines.as_bytes(), at(i64::from(number))).unwrap();
            if number % 20 == 19 {
                followed.extend(all(&mut reader));
            }
        }
        followed.extend(all(&mut reader));
        let numbers = |entries: &[Entry]| -> Vec<u32> {
            entries.iter().map(|entry| entry.text.parse().unwrap()).collect()
        };
        assert_eq!(numbers(&followed), (0..90_000).collect::<Vec<_>>());
        let kept = numbers(&all(&mut Reader::new(paths)));
        assert!(kept.len() > 24_000 && kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{}", kept.len());
        assert_eq!(kept.last(), Some(&89_999));
    }
}
