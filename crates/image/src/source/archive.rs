//! A tar archive that holds an image, as files by name. Compressed archives are inflated once, into a file without a
//! name, since layers are read in another order than they are stored in.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::files::{Files, Opened, open_regular};
use crate::{
    Error, LayerName, Limits,
    layer::{self, Budget, Part},
    tar::{Kind, Seekable, Source as _, Walker, clean},
};

/// Links followed from one member to another: old `docker save` links layers that two images share.
const MAX_LINKS: usize = 8;

/// The members of an archive.
pub struct Archive {
    path: PathBuf,
    file: File,
    members: HashMap<String, Member>,
}

enum Member {
    File { at: u64, length: u64 },
    Link(String),
}

impl Archive {
    /// Opens and lists the archive at `path`.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let missing = || Error::io(path.display().to_string(), io::ErrorKind::NotFound.into());
        let (file, _) = open_regular(path)?.ok_or_else(missing)?;
        let file = plain(path, file, limits)?;
        let members = list(path, &file, limits)?;
        Ok(Self { path: path.to_owned(), file, members })
    }

    /// Whether there is a member `name`.
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn member(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name;
        for _ in 0..=MAX_LINKS {
            match self.members.get(name)? {
                Member::File { at, length } => return Some((*at, *length)),
                Member::Link(target) => name = target,
            }
        }
        None
    }
}

impl Files for Archive {
    fn open(&self, name: &str) -> Result<Option<Opened<'_>>, Error> {
        let found = self.member(name);
        Ok(found.map(|(at, length)| {
            let slice: Box<dyn Read + Send + '_> = Box::new(Slice { file: &self.file, at, left: length });
            (slice, length)
        }))
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

/// A stretch of a file, read without moving the file's position, so that two can be read at once.
struct Slice<'f> {
    file: &'f File,
    at: u64,
    left: u64,
}

impl Read for Slice<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        let read = self.file.read_at(out.get_mut(..want).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// `file` itself if it is a plain archive, else what it inflates to.
fn plain(path: &Path, file: File, limits: &Limits) -> Result<File, Error> {
    let name = path.display().to_string();
    let mut head = [0; 512];
    let read = file.read_at(&mut head, 0).map_err(|source| Error::io(&name, source))?;
    if read == head.len() && head.get(257..262) == Some(b"ustar") {
        return Ok(file);
    }
    let open = move || {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Box::new(file) as Box<dyn Read + Send>)
    };
    let failed = |source| Error::io(format!("inflating {name}"), source);
    let mut out = tempfile::tempfile().map_err(failed)?;
    let part = Part {
        name: LayerName::Place(name.clone()),
        digest: None,
        diff_id: None,
        size: None,
        open: Box::new(move || open().map_err(|source| Error::io("reading an archive", source))),
    };
    let budget = Budget { limits, bytes: limits.bytes, progress: None };
    layer::read(&part, budget, |mut stream| {
        loop {
            let bytes = stream.fill().map_err(|source| unwrap(source, &name))?;
            if bytes.is_empty() {
                return Ok(());
            }
            io::Write::write_all(&mut out, bytes).map_err(failed)?;
            let count = bytes.len();
            stream.consume(count);
        }
    })?;
    Ok(out)
}

fn unwrap(source: io::Error, name: &str) -> Error {
    match source.downcast::<Error>() {
        Ok(error) => error,
        Err(source) => Error::io(name, source),
    }
}

fn list(path: &Path, file: &File, limits: &Limits) -> Result<HashMap<String, Member>, Error> {
    let name = LayerName::Place(path.display().to_string());
    let file = file.try_clone().and_then(Seekable::new);
    let file = file.map_err(|source| Error::io(path.display().to_string(), source))?;
    let mut walker = Walker::new(file, limits);
    let mut members = HashMap::new();
    let mut names = 0;
    while let Some(entry) = walker.next().map_err(|error| error.of_layer(&name))? {
        names += (entry.path.len() + entry.target.len()) as u64;
        if walker.headers() > limits.members as u64 || names > limits.names {
            let why = format!("more than {} members: not the archive of an image", limits.members);
            return Err(Error::malformed(path.display().to_string(), why));
        }
        let member = match entry.kind {
            Kind::File if !entry.is_sparse() => Member::File { at: walker.offset(), length: entry.meta.size },
            Kind::HardLink => Member::Link(entry.target),
            Kind::Symlink => {
                let dir = entry.path.rsplit_once('/').map_or("", |(dir, _)| dir);
                match clean(&format!("{dir}/{}", entry.target), limits) {
                    Ok(target) => Member::Link(target),
                    Err(_) => continue,
                }
            }
            _ => continue,
        };
        members.insert(entry.path, member);
    }
    Ok(members)
}
