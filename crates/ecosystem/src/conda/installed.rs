//! `conda-meta/*.json` to packages.

use boltseal_model::{Catalog, File, Package, Tree};
use serde::Deserialize;

use crate::{catalog::not_parsed, lock::file_end, origin, purl::Purl, word::is_word};

/// Whether the file at `path` describes one installed package.
pub(super) fn is_one(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let is_json = parts.next().is_some_and(|name| file_end(name) == Some("json"));
    is_json && parts.next() == Some("conda-meta")
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        match read(&file.content) {
            Ok(meta) => out.packages.push(package(tree, path, file, meta)),
            Err(why) => out.gaps.push(not_parsed("conda", path, why)),
        }
    }
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    version: String,
    #[serde(default)]
    build: String,
    #[serde(default)]
    subdir: String,
    license: Option<String>,
}

fn read(content: &[u8]) -> Result<Meta, String> {
    let meta: Meta = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    if !is_word(&meta.name) || !is_word(&meta.version) {
        return Err("the name or version is empty, or holds white space or control characters".to_owned());
    }
    Ok(meta)
}

fn package(tree: &Tree, path: &str, file: &File, meta: Meta) -> Package {
    let same =
        |old: &[u8]| read(old).is_ok_and(|old| (&old.name, &old.version) == (&meta.name, &meta.version));
    let word = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    let (build, subdir) = (Some(&*meta.build).filter(|b| word(b)), Some(&*meta.subdir).filter(|s| word(s)));
    let purl = Purl::new("conda", &meta.name)
        .version(&meta.version)
        .qualifier("build", build.unwrap_or_default())
        .qualifier("subdir", subdir.unwrap_or_default());
    Package {
        ecosystem: "conda".to_owned(),
        purl: purl.to_string(),
        licenses: meta.license.into_iter().filter(|license| !license.is_empty()).collect(),
        paths: vec![path.to_owned()],
        layer: origin::layer(tree, origin::since(file, same)),
        name: meta.name,
        version: meta.version,
        ..Package::default()
    }
}
