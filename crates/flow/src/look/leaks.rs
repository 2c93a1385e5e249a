//! Credentials that lie in an image: in its files, also those that a later layer deleted, and in its configuration.
//!
//! What belongs to a published package is told apart (`package`): it was readable by everybody before it got into the
//! image. Such are the files that the operating system's packages brought, unchanged, and what lies in `site-packages` and
//! `node_modules`.

use boltseal_check::secret::Finder;
use boltseal_ecosystem::{Owners, accounted};
use boltseal_image::{Image, config::Made};
use boltseal_model::{Catalog, Config, Digest, Gap, GapKind, Leak, Place, Tree};

use super::remark::Spot;

/// Credentials of one image. One with more is a collection of them, and a person has to look.
pub const MAX_LEAKS: usize = 10_000;

/// Sorts what was found in files, looks at the configuration, and adds both to `catalog`.
pub(super) fn add(image: &Image, found: Vec<Found>, finder: &Finder, catalog: &mut Catalog) {
    let mut leaks = in_files(&image.tree, catalog, found);
    leaks.extend(in_configuration(finder, &image.config, &image.history));
    leaks.sort();
    leaks.dedup();
    if leaks.len() > MAX_LEAKS {
        let why = format!("more than {MAX_LEAKS} credentials; the others are not listed");
        catalog.gaps.push(Gap::new(GapKind::LimitReached, "secrets", why));
        leaks.truncate(MAX_LEAKS);
    }
    catalog.leaks = Some(leaks);
}

/// Notes `hits` in a file.
pub(super) fn note(found: &mut Vec<Found>, layer: u32, path: &str, hits: Vec<Spot>) {
    let room = (2 * MAX_LEAKS).saturating_sub(found.len());
    let one = |spot: Spot| Found { layer, path: path.into(), spot };
    found.extend(hits.into_iter().take(room).map(one));
}

/// A leak in a file before it is known whether the file is still there.
pub(super) struct Found {
    layer: u32,
    path: Box<str>,
    spot: Spot,
}

fn in_files(tree: &Tree, catalog: &Catalog, found: Vec<Found>) -> Vec<Leak> {
    let owners = Owners::at(tree, found.iter().map(|found| &*found.path));
    let leak = |Found { layer, path, spot }: Found| {
        let Spot { line, rule, title, confidence } = spot;
        let hidden = tree.files.get(&path).is_none_or(|file| file.layer != layer);
        let layer = tree.layers.get(layer as usize).and_then(|layer| layer.digest.clone());
        let owner = owners.of_linked(tree, &path).filter(|name| brought(catalog, name, layer.as_ref()));
        let package = owner.or_else(|| accounted::library(&path)).map(str::to_owned);
        let place = Place::File { path: path.into(), line };
        Leak { place, rule, title, confidence, layer, hidden, package }
    };
    found.into_iter().map(leak).collect()
}

/// Whether the package `name` came with `layer`: what a later layer puts in the place of its file is not the package's.
fn brought(catalog: &Catalog, name: &str, layer: Option<&Digest>) -> bool {
    catalog.packages.iter().any(|package| package.name == name && package.layer.as_ref() == layer)
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
