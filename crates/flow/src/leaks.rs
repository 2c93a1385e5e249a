//! Credentials that lie in an image: in its files, also those that a later layer deleted, and in its configuration.
//!
//! [`look`] opens an image with two pairs of eyes: ecosystems keep what names packages, and every text that passes is
//! shown to `check::secret`. What it finds becomes [`Leak`]s of the catalog. Their values are never kept: a leak says
//! where to look.
//!
//! What belongs to a published package is told apart (`package`): it was readable by everybody before it got into the
//! image. Such are the files that the operating system's packages brought, unchanged, and what lies in `site-packages` and
//! `node_modules`.

use std::sync::{LazyLock, Mutex, PoisonError};

use boltseal_check::secret::Hit;
pub use boltseal_check::secret::{Finder, Rules, RulesError};
use boltseal_ecosystem::{Everything, Owners};
use boltseal_image::{Image, config::Made};
use boltseal_model::{
    Catalog, Config, Digest, FileMeta, Gap, GapKind, Leak, Place, Selector, Text, Tree, Want,
};

/// Credentials of one image. One with more is a collection of them, and a person has to look.
pub const MAX_LEAKS: usize = 10_000;

static FINDER: LazyLock<Finder> = LazyLock::new(Finder::new);

/// Opens an image by `open`, which is handed what to look for, and says what is in it.
///
/// `finder` has the rules; without one, the built-in ones.
pub fn look<E>(
    finder: Option<&Finder>,
    open: impl FnOnce(&dyn Selector) -> Result<Image, E>,
) -> Result<(Image, Catalog), E> {
    let eyes = Eyes { finder: finder.unwrap_or_else(|| &FINDER), found: Mutex::default() };
    let image = open(&eyes)?;
    let mut catalog = boltseal_scan::catalog(&image.tree);
    if image.read {
        let found = eyes.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut leaks = in_files(&image.tree, &catalog, found);
        leaks.extend(in_configuration(eyes.finder, &image.config, &image.history));
        leaks.sort();
        leaks.dedup();
        if leaks.len() > MAX_LEAKS {
            let why = format!("more than {MAX_LEAKS} credentials; the others are not listed");
            catalog.gaps.push(Gap::new(GapKind::LimitReached, "secrets", why));
            leaks.truncate(MAX_LEAKS);
        }
        catalog.leaks = Some(leaks);
    }
    Ok((image, catalog))
}

/// A leak in a file before it is known whether the file is still there.
struct Found {
    layer: u32,
    path: Box<str>,
    line: usize,
    hit: Hit,
}

/// Sees packages and credentials.
struct Eyes<'f> {
    finder: &'f Finder,
    found: Mutex<Vec<Found>>,
}

impl Selector for Eyes<'_> {
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        Everything.want(path, meta)
    }

    fn want_in_folder(&self, path: &str, meta: &FileMeta) -> Want {
        Everything.want_in_folder(path, meta)
    }

    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Everything.distill(path, bytes)
    }

    fn inspects(&self, path: &str, _meta: &FileMeta) -> bool {
        // Lists of files and their digests, of which images have megabytes.
        !path.starts_with("var/lib/dpkg/info/") && !path.starts_with("usr/share/zoneinfo/")
    }

    fn inspect(&self, layer: u32, path: &str, text: Text<'_>) -> bool {
        let mut hits = Vec::new();
        self.finder.find(path, text.bytes, &mut hits);
        if hits.is_empty() {
            return false;
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (2 * MAX_LEAKS).saturating_sub(found.len());
        let one = |hit: Hit| Found { layer, path: path.into(), line: text.lines + hit.line, hit };
        found.extend(hits.into_iter().take(room).map(one));
        true
    }
}

fn in_files(tree: &Tree, catalog: &Catalog, found: Vec<Found>) -> Vec<Leak> {
    let owners = Owners::at(tree, found.iter().map(|found| &*found.path));
    let leak = |Found { layer, path, line, hit }: Found| {
        let hidden = tree.files.get(&path).is_none_or(|file| file.layer != layer);
        let layer = tree.layers.get(layer as usize).and_then(|layer| layer.digest.clone());
        let owner = owners.of_linked(tree, &path).filter(|name| brought(catalog, name, layer.as_ref()));
        let package = owner.or_else(|| library(&path)).map(str::to_owned);
        let place = Place::File { path: path.into(), line };
        Leak { place, rule: hit.rule, title: hit.title, confidence: hit.confidence, layer, hidden, package }
    };
    found.into_iter().map(leak).collect()
}

/// Whether the package `name` came with `layer`: what a later layer puts in the place of its file is not the package's.
fn brought(catalog: &Catalog, name: &str, layer: Option<&Digest>) -> bool {
    catalog.packages.iter().any(|package| package.name == name && package.layer.as_ref() == layer)
}

/// The library of a language whose folder `path` lies in.
fn library(path: &str) -> Option<&str> {
    const FOLDERS: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];
    let mut parts = path.split('/');
    parts.by_ref().find(|part| FOLDERS.contains(part))?;
    let name = parts.next()?;
    parts.next().is_some().then_some(name)
}

fn in_configuration(finder: &Finder, config: &Config, history: &[Made]) -> Vec<Leak> {
    let mut leaks = Vec::new();
    let mut look = |text: &str, place: Place| {
        let mut hits = Vec::new();
        finder.find("", text.as_bytes(), &mut hits);
        leaks.extend(hits.into_iter().map(|hit| Leak {
            place: place.clone(),
            rule: hit.rule,
            title: hit.title,
            confidence: hit.confidence,
            layer: None,
            hidden: false,
            package: None,
        }));
    };
    for variable in &config.env {
        let name = variable.split('=').next().unwrap_or_default().to_owned();
        look(variable, Place::Variable { name });
    }
    for (name, value) in &config.labels {
        look(&format!("{name}={value}"), Place::Label { name: name.clone() });
    }
    look(&[&config.entrypoint[..], &config.command].concat().join(" "), Place::Command);
    for (step, made) in (1..).zip(history) {
        look(made.created_by.as_deref().unwrap_or_default(), Place::History { step });
    }
    leaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries() {
        for (path, name) in [
            ("app/node_modules/left-pad/index.js", Some("left-pad")),
            ("usr/lib/python3/dist-packages/jwt/test.pem", Some("jwt")),
            ("usr/lib/python3/dist-packages/secret.py", None),
            ("etc/passwd", None),
        ] {
            assert_eq!(library(path), name, "{path}");
        }
    }
}
