//! `specifications/*.gemspec` to packages.

use boltseal_model::{Catalog, File, Package, Tree};

use super::{
    Rubygems,
    gemspec::{Gemspec, Value},
};
use crate::{Ecosystem as _, catalog::not_parsed, origin, word::is_word};

/// Whether the file at `path` is a specification of an installed gem: `…/specifications/[default/]name-1.0.gemspec`.
pub(super) fn is_one(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let folder = parts.next().filter(|folder| *folder != "default").or_else(|| parts.next());
    name.ends_with(".gemspec") && folder == Some("specifications")
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        match read(&file.content) {
            Ok(gem) => out.packages.push(package(tree, path, file, gem)),
            Err(why) => out.gaps.push(not_parsed("rubygems", path, why)),
        }
    }
}

struct Gem {
    name: String,
    version: String,
    licenses: Vec<String>,
}

fn read(content: &[u8]) -> Result<Gem, &'static str> {
    let spec = Gemspec::parse(&String::from_utf8_lossy(content)).ok_or("it specifies no gem")?;
    let Value::Text(version) = spec.version else { return Err("the version is not a text") };
    if !is_word(&spec.name) || !is_word(&version) {
        return Err("the name or version is missing, or holds white space or control characters");
    }
    Ok(Gem { name: spec.name, version, licenses: spec.licenses })
}

fn package(tree: &Tree, path: &str, file: &File, gem: Gem) -> Package {
    let same = |old: &[u8]| read(old).is_ok_and(|old| (&old.name, &old.version) == (&gem.name, &gem.version));
    Package {
        licenses: gem.licenses,
        paths: vec![path.to_owned()],
        layer: origin::layer(tree, origin::since(file, same)),
        ..Rubygems.named(&gem.name, &gem.version)
    }
}
