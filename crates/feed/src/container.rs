//! Files as people have them: plain, compressed (zstd, gzip, bzip2), or archives (zip, tar) of documents.
//!
//! Sources: RFC 1952 (gzip), RFC 8878 (zstd), the magic of bzip2 1.0 files, PKWARE APPNOTE 6.3.10 (zip), POSIX ustar and pax (tar). What a file is,
//! its first bytes say; names are only shown and grouped by. Archives in archives are not opened.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use crate::{Error, Progress, limits};

mod archive;
mod bounded;
mod directory;

pub(crate) use bounded::of_io;
use bounded::{Bounded, Watched};

/// One decompressed document on its way in.
pub(crate) struct Found<'a> {
    /// For messages: the path, with that inside an archive.
    pub name: String,
    /// What its collection is called: the folder of `all.zip`, the archive, the folder.
    pub group: String,
    /// Its own name without folders and known extensions.
    pub stem: String,
    /// Its first bytes: 64 KiB, or all there are.
    pub head: &'a [u8],
    /// All its bytes, the head included.
    pub input: &'a mut dyn BufRead,
}

/// Is handed each document of a file, in order.
pub(crate) type Each<'e> = &'e mut dyn FnMut(Found<'_>) -> Result<(), Error>;

/// How much of a document is looked at to tell what it is.
const HEAD_BYTES: u64 = 64 << 10;

/// Whether the file at `path` is an archive.
pub(crate) fn is_archive(path: &Path) -> Result<bool, Error> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    if magic(&mut file).map_err(Error::io(path))? == Magic::Zip {
        return Ok(true);
    }
    let name = path.display().to_string();
    let (head, _) = peek(&name, opened(&name, file, limits::MAX_DOCUMENT_BYTES)?)?;
    Ok(is_tar(&head))
}

/// Hands every document in the file at `path` to `each`. `group` is its collection unless an archive knows better.
/// `progress` hears how much of the file is read.
pub(crate) fn documents(
    path: &Path,
    group: &str,
    progress: &dyn Progress,
    each: Each<'_>,
) -> Result<(), Error> {
    let name = path.display().to_string();
    let mut file = Watched { file: File::open(path).map_err(Error::io(path))?, progress };
    let stem = stem(&name);
    if magic(&mut file).map_err(Error::io(path))? == Magic::Zip {
        let folder =
            path.parent().and_then(Path::file_name).map(|folder| folder.to_string_lossy().into_owned());
        let group = if stem == "all" { folder.unwrap_or_else(|| group.to_owned()) } else { stem };
        return archive::zip(&name, &group, file, each);
    }
    let (head, mut input) = peek(&name, opened(&name, file, limits::MAX_ARCHIVE_BYTES)?)?;
    if is_tar(&head) {
        return archive::tar(&name, &stem, &mut input, each);
    }
    let mut input = BufReader::with_capacity(1 << 16, Bounded::of_plain(input, name.clone()));
    each(Found { group: group.to_owned(), stem, name, head: &head, input: &mut input })
}

/// The same for bytes at hand.
pub(crate) fn documents_in(name: &str, bytes: &[u8], each: Each<'_>) -> Result<(), Error> {
    let mut file = Cursor::new(bytes);
    if magic(&mut file).map_err(|error| Error::broken(name, "any", error))? == Magic::Zip {
        return archive::zip(name, "import", file, each);
    }
    let (head, mut input) = peek(name, opened(name, file, limits::MAX_DOCUMENT_BYTES)?)?;
    if is_tar(&head) {
        return archive::tar(name, "import", &mut input, each);
    }
    each(Found {
        group: "import".to_owned(),
        stem: stem(name),
        name: name.to_owned(),
        head: &head,
        input: &mut input,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Magic {
    Zip,
    Zstd,
    Gzip,
    Bzip2,
    Plain,
}

impl Magic {
    fn of(head: &[u8]) -> Self {
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ => Self::Plain,
        }
    }
}

fn magic(file: &mut (impl Read + Seek)) -> io::Result<Magic> {
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(Magic::of(&head))
}

/// Whether `head` starts an archive in tar format.
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// `input` decompressed if it is compressed, and bounded by `limit` either way.
fn opened<'a>(name: &str, input: impl Read + 'a, limit: u64) -> Result<Box<dyn BufRead + 'a>, Error> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let head = input.fill_buf().map_err(|error| Error::broken(name, "any", error))?;
    let name = name.to_owned();
    Ok(match Magic::of(head) {
        Magic::Zstd => {
            let source = bounded::Counted::new(input);
            let count = source.count();
            let broken = |error| Error::broken(&name, "zstd", error);
            let mut plain = zstd::Decoder::with_buffer(BufReader::new(source)).map_err(broken)?;
            plain.window_log_max(limits::MAX_WINDOW_LOG).map_err(broken)?;
            Box::new(BufReader::with_capacity(1 << 16, Bounded::of_compressed(plain, count, name, limit)))
        }
        Magic::Gzip => {
            let source = bounded::Counted::new(input);
            let count = source.count();
            let plain = flate2::bufread::MultiGzDecoder::new(BufReader::new(source));
            Box::new(BufReader::with_capacity(1 << 16, Bounded::of_compressed(plain, count, name, limit)))
        }
        Magic::Bzip2 => {
            let source = bounded::Counted::new(input);
            let count = source.count();
            let plain = bzip2::bufread::MultiBzDecoder::new(BufReader::new(source));
            Box::new(BufReader::with_capacity(1 << 16, Bounded::of_compressed(plain, count, name, limit)))
        }
        Magic::Zip | Magic::Plain => Box::new(BufReader::new(Bounded::up_to(input, name, limit))),
    })
}

/// The first bytes of `input`, and `input` with them.
fn peek<'a>(name: &str, mut input: Box<dyn BufRead + 'a>) -> Result<(Vec<u8>, impl BufRead + 'a), Error> {
    let mut head = Vec::new();
    (&mut input).take(HEAD_BYTES).read_to_end(&mut head).map_err(|error| bounded::of_io(name, error))?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

/// `dir/CVE-1.json.zst` is `CVE-1`.
fn stem(name: &str) -> String {
    let mut stem = name.rsplit('/').next().unwrap_or(name);
    for extension in [
        ".zst", ".gz", ".bz2", ".tar", ".tgz", ".zip", ".xml", ".oval", ".json", ".jsonl", ".ndjson", ".csv",
        ".list",
    ] {
        stem = stem.strip_suffix(extension).unwrap_or(stem);
    }
    stem.chars().take(limits::MAX_NAME_BYTES).collect()
}
