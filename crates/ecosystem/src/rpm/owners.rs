//! Which files a package brought, after its header: names of folders, and each file's name with the number of its
//! folder; packages from before 2000 list whole paths.

use boltseal_model::Tree;

use super::{
    FILES, FOLDERS,
    database::{self, Stored},
    header::{Header, Tag},
    installed::Installed,
    log, release,
};
use crate::{Owners, distro::distro, owner::Maker};

/// Bytes of all paths of a database. A full desktop has 30 MB; a header that repeats one long folder could have
/// terabytes.
const MAX_PATHS: usize = 256 << 20;

/// Of every package of every database.
pub(super) fn owners(tree: &Tree, out: &mut Owners) {
    let (distro, _) = distro(tree);
    let mut left = MAX_PATHS;
    for path in FOLDERS.iter().flat_map(|folder| FILES.map(|name| format!("{folder}{name}"))) {
        let Some(file) = tree.files.get(path.as_str()) else { continue };
        // What cannot be read is a gap of the catalog already.
        let stored = Stored { content: &file.content, log: log(tree, &path) };
        let _ = database::each(stored, &mut |blob| {
            let Ok(header) = Header::parse(blob) else { return };
            let Ok(installed) = Installed::read(&header) else { return };
            let maker = Maker::distribution(release::is_own(&installed.vendor, distro.as_ref()));
            let owner = out.owner(&installed.name, maker);
            paths(&header, &mut left, &mut |path| out.owns(owner, path));
        });
    }
}

fn paths(header: &Header<'_>, left: &mut usize, found: &mut dyn FnMut(&str)) {
    let folders: Vec<&[u8]> = header.texts(Tag::DirNames).collect();
    let mut path = Vec::new();
    let mut put = |parts: [&[u8]; 2]| {
        path.clear();
        path.extend(parts.concat());
        if let Ok(path) = std::str::from_utf8(&path) {
            found(path);
        }
    };
    let mut affordable = |length: usize| {
        *left = left.saturating_sub(length);
        *left > 0
    };
    for (name, folder) in header.texts(Tag::BaseNames).zip(header.numbers(Tag::DirIndexes)) {
        let folder = usize::try_from(folder).ok().and_then(|folder| folders.get(folder)).copied();
        let Some(folder) = folder else { continue };
        if !affordable(folder.len() + name.len()) {
            return;
        }
        put([folder, name]);
    }
    for name in header.texts(Tag::OldFilenames) {
        if !affordable(name.len()) {
            return;
        }
        put([name, b""]);
    }
}
