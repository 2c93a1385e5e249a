//! A root file system that is no image: a folder, or a tar archive of one.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::Path,
};

use boltseal_model::{Config, File as Kept, FileMeta, Gap, GapKind, Layer, Selector, Subject, Tree, Want};

use super::files::open_regular;
use crate::{
    At, Error, Image, LayerName, Options,
    assemble::{Step, assemble},
    gaps::Gaps,
    layer::Part,
    overlay::{Inspection, Keeper, Kept as Outcome, Shown},
};

/// What the kernel shows at the root of a running system; no image has files there.
const KERNEL: [&str; 3] = ["dev", "proc", "sys"];

/// Opens the folder or archive at `path`.
pub fn open(
    path: &Path,
    reference: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let meta = path.metadata().map_err(|source| Error::io(path.display().to_string(), source))?;
    let tree =
        if meta.is_dir() { folder(path, selector, options)? } else { archive(path, selector, options)? };
    let subject =
        Subject { reference: reference.to_owned(), name: None, digest: None, config: None, platform: None };
    Ok(Image { subject, read: true, tree, config: Config::default(), history: Vec::new() })
}

fn archive(path: &Path, selector: &dyn Selector, options: &Options<'_>) -> Result<Tree, Error> {
    let name = path.display().to_string();
    let missing = || Error::io(path.display().to_string(), io::ErrorKind::NotFound.into());
    let (_, size) = open_regular(path)?.ok_or_else(missing)?;
    let open = move || match open_regular(path)? {
        Some((file, _)) => Ok(Box::new(file) as Box<dyn Read + Send>),
        None => Err(Error::io(path.display().to_string(), io::ErrorKind::NotFound.into())),
    };
    let part = Part {
        name: LayerName::Place(name),
        digest: None,
        diff_id: None,
        size: Some(size),
        open: Box::new(open),
    };
    assemble(&[Step { part, created_by: None, unread: None, table: None }], selector, options)
}

fn folder(path: &Path, selector: &dyn Selector, options: &Options<'_>) -> Result<Tree, Error> {
    let limits = &options.limits;
    let mut walk = Walk {
        selector,
        options,
        keeper: Keeper::new(selector, limits),
        gaps: Gaps::new(limits.gaps),
        tree: Tree::default(),
        kept: 0,
        root: path,
    };
    walk.tree.layers = vec![Layer { digest: None, diff_id: None, size: 0, created_by: None }];
    // Depth first over a list of our own: folders can be deeper than a stack.
    let mut todo = vec![String::new()];
    while let Some(dir) = todo.pop() {
        walk.dir(&dir, &mut todo)?;
    }
    walk.tree.gaps = walk.gaps.finish();
    Ok(walk.tree)
}

struct Walk<'a> {
    selector: &'a dyn Selector,
    options: &'a Options<'a>,
    keeper: Keeper<'a>,
    gaps: Gaps,
    tree: Tree,
    kept: u64,
    root: &'a Path,
}

impl Walk<'_> {
    fn dir(&mut self, dir: &str, todo: &mut Vec<String>) -> Result<(), Error> {
        let entries = match fs::read_dir(self.root.join(dir)) {
            Ok(entries) => entries,
            Err(error) if dir.is_empty() => return Err(Error::io(self.root.display().to_string(), error)),
            Err(error) => {
                self.gap(dir, &error);
                return Ok(());
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.gap(dir, &error);
                    return Ok(());
                }
            };
            let name = String::from_utf8_lossy(entry.file_name().as_bytes()).into_owned();
            let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
            self.tree.entries += 1;
            if self.tree.entries > self.options.limits.entries {
                let layer = LayerName::Place(self.root.display().to_string());
                let limit = self.options.limits.entries;
                return Err(Error::Limit { layer, at: At::Entry(path), what: "entries", limit });
            }
            match entry.metadata() {
                Err(error) => self.gap(&path, &error),
                Ok(meta) if meta.is_dir() => {
                    if !KERNEL.contains(&path.as_str()) {
                        todo.push(path);
                    }
                }
                Ok(meta) if meta.is_symlink() => self.link(path),
                Ok(meta) if meta.is_file() => self.file(path, &meta),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    fn link(&mut self, path: String) {
        match fs::read_link(self.root.join(&path)) {
            Ok(target) => {
                let target = String::from_utf8_lossy(target.as_os_str().as_bytes()).into_owned();
                self.tree.links.insert(path.into(), target.into());
            }
            Err(error) => self.gap(&path, &error),
        }
    }

    fn file(&mut self, path: String, meta: &Metadata) {
        let size = meta.len();
        self.tree.bytes += size;
        let meta = FileMeta { size, mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid() };
        self.selector.passes(0, &path, &meta);
        let want = self.selector.want_in_folder(&path, &meta);
        let inspects = size > 0 && self.selector.inspects(&path, &meta);
        if want == Want::Skip && !inspects {
            return;
        }
        let opened = open_no_follow(&self.root.join(&path));
        match opened.and_then(|file| self.keep(&path, &meta, want, inspects, file)) {
            Err(error) => self.gap(&path, &error),
            Ok(Outcome::Nothing) => {}
            Ok(Outcome::Gap(kind, why)) => self.gaps.push(Gap::new(kind, path, why)),
            Ok(Outcome::Content(content) | Outcome::Shared(content)) => {
                self.kept += content.len() as u64;
                if self.kept > self.options.limits.kept {
                    let why =
                        format!("not read: the files to look into exceed {} bytes", self.options.limits.kept);
                    self.gaps.push(Gap::new(GapKind::LimitReached, path, why));
                    self.kept -= content.len() as u64;
                    return;
                }
                self.tree.files.insert(path.into(), Kept { layer: 0, meta, content, earlier: Vec::new() });
            }
        }
    }

    fn keep(
        &mut self,
        path: &str,
        meta: &FileMeta,
        want: Want,
        inspects: bool,
        mut file: File,
    ) -> io::Result<Outcome> {
        let size = meta.size;
        if !inspects {
            return self.keeper.reader(path, size, want, &mut file);
        }
        let mut inspection = Inspection::new(self.selector, path);
        let mut shown = Shown { content: file, inspection: &mut inspection };
        let kept = self.keeper.reader(path, size, want, &mut shown)?;
        shown.rest()?;
        let Some(remarks) = inspection.finish() else { return Ok(kept) };
        Ok(kept.remembered(self.selector.remark(0, path, meta, &remarks)))
    }

    /// What we may not read is a gap; the rest of the folder still counts.
    fn gap(&mut self, path: &str, error: &io::Error) {
        self.gaps.push(Gap::new(GapKind::FileNotParsed, path, format!("could not be read: {error}")));
    }
}

/// Opens what was a regular file a moment ago; a link or a pipe put in its place is refused.
fn open_no_follow(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
