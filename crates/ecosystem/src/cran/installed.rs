//! `DESCRIPTION` files to packages.

use boltseal_model::{Catalog, File, Package, Tree};

use super::Cran;
use crate::{Ecosystem as _, catalog::not_parsed, origin, word::is_word};

/// Whether the file at `path` can be one of a package in a library, which is called `library` or `site-library`.
pub(super) fn is_one(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (name, _, library) = (parts.next(), parts.next(), parts.next());
    name == Some("DESCRIPTION") && library.is_some_and(|folder| folder.ends_with("library"))
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        match read(&file.content) {
            Ok(found) => out.packages.extend(found.map(|found| package(tree, path, file, found))),
            Err(why) => out.gaps.push(not_parsed("cran", path, why)),
        }
    }
}

struct Description {
    name: String,
    version: String,
    license: String,
}

/// `None` for sources (no `Built`), and for what came with R itself and is as old as that (`Priority: base`).
fn read(content: &[u8]) -> Result<Option<Description>, &'static str> {
    let text = String::from_utf8_lossy(content);
    let field = |key: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        value.unwrap_or_default().trim().to_owned()
    };
    let (name, version) = (field("Package"), field("Version"));
    if field("Built").is_empty() || field("Priority") == "base" {
        return Ok(None);
    }
    if !is_word(&name) || !is_word(&version) {
        return Err("Package or Version is missing, or holds white space or control characters");
    }
    Ok(Some(Description { name, version, license: field("License") }))
}

fn package(tree: &Tree, path: &str, file: &File, found: Description) -> Package {
    let same = |old: &[u8]| {
        let old = read(old).ok().flatten();
        old.is_some_and(|old| (&old.name, &old.version) == (&found.name, &found.version))
    };
    Package {
        licenses: Some(found.license).filter(|license| !license.is_empty()).into_iter().collect(),
        paths: vec![path.to_owned()],
        layer: origin::layer(tree, origin::since(file, same)),
        ..Cran.named(&found.name, &found.version)
    }
}
