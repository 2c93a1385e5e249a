//! `environments/*/Manifest.toml` of a depot to packages.

use boltseal_model::{Catalog, Package, Tree};

use super::{Julia, locks};
use crate::{
    catalog::not_parsed,
    lock::{self, Lock},
    origin::{self, Past},
};

/// Whether the file at `path` lists what is installed to be used from anywhere, as `~/.julia/environments/v1.10` does.
pub(super) fn is_one(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (name, _, folder) = (parts.next(), parts.next(), parts.next());
    name == Some("Manifest.toml") && folder == Some("environments")
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        let read = |content: &[u8]| {
            let mut pins = Vec::new();
            let problem = locks::read(&Lock::of(tree, path, content), &mut pins).err();
            (pins, problem)
        };
        let past = Past::of(file, |content| read(content).0.into_iter().collect());
        let (pins, problem) = lock::sane(read(&file.content));
        out.gaps.extend(problem.map(|problem| not_parsed("julia", path, problem)));
        out.packages.extend(pins.iter().map(|pin| Package {
            paths: vec![path.to_string()],
            layer: origin::layer(tree, past.since(pin)),
            ..pin.package(&Julia)
        }));
    }
}
