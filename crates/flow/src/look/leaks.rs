//! Credentials that lie in an image: in its files, also those that a later layer deleted, and in its configuration.
//!
//! What belongs to a published package is told apart (`package`): it was readable by everybody before it got into the
//! image. Such are the files that the operating system's packages brought, unchanged, and what lies in `site-packages` and
//! `node_modules`.
//!
//! Where there is a key, each is known by its fingerprint, and what holds the same one gets the same number.

use std::collections::{BTreeMap, HashSet};

use boltseal_check::secret::{Finder, FingerprintKey};
use boltseal_ecosystem::{Owners, accounted};
use boltseal_image::{Image, config::Made};
use boltseal_model::{Catalog, Config, Digest, Fingerprint, Gap, GapKind, Leak, Place, Tree};
use zeroize::Zeroizing;

use super::remark::Spot;

/// Credentials of one image. One with more is a collection of them, and a person has to look.
pub const MAX_LEAKS: usize = 10_000;

/// Sorts what was found in files, looks at the configuration, and adds both to `catalog`.
pub(super) fn add(image: &Image, found: Vec<Found>, eye: Eye<'_>, catalog: &mut Catalog) {
    let mut leaks = in_files(&image.tree, catalog, uncut(found));
    leaks.extend(in_configuration(eye, &image.config, &image.history));
    let mut seen = HashSet::new();
    leaks.retain(|leak| seen.insert(leak.clone()));
    // Several at one place stay in the order in which they stand there: an order by fingerprints would be another under
    // every key.
    leaks.sort_by(|a, b| order(a).cmp(&order(b)));
    if leaks.len() > MAX_LEAKS {
        let why = format!("more than {MAX_LEAKS} credentials; the others are not listed");
        catalog.gaps.push(Gap::new(GapKind::LimitReached, "secrets", why));
        leaks.truncate(MAX_LEAKS);
    }
    number(&mut leaks);
    catalog.leaks = Some(leaks);
}

/// Who finds credentials, and by which key they are recognised.
#[derive(Clone, Copy)]
pub(super) struct Eye<'a> {
    pub finder: &'a Finder,
    pub key: Option<&'a FingerprintKey>,
}

/// By place, then by what else is told of it.
fn order(leak: &Leak) -> impl Ord + '_ {
    (&leak.place, &leak.rule, &leak.title, leak.confidence, &leak.layer, leak.hidden, &leak.package)
}

/// Numbers credentials in the order of their places: the same image gets the same numbers under every key.
fn number(leaks: &mut [Leak]) {
    let mut numbers: BTreeMap<Fingerprint, u32> = BTreeMap::new();
    for leak in leaks {
        let Some(fingerprint) = leak.fingerprint else { continue };
        let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
        leak.number = Some(*numbers.entry(fingerprint).or_insert(next));
    }
}

/// Without those that were seen whole in the next piece of the file: pieces overlap by more than any value is long.
fn uncut(mut found: Vec<Found>) -> Vec<Found> {
    let place = |one: &Found| (one.layer, one.path.clone(), one.spot.line, one.spot.rule.clone());
    let whole: HashSet<_> = found.iter().filter(|one| !one.spot.cut).map(place).collect();
    found.retain(|one| !one.spot.cut || !whole.contains(&place(one)));
    found
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
        let Spot { line, rule, title, confidence, fingerprint, cut: _ } = spot;
        let hidden = tree.files.get(&path).is_none_or(|file| file.layer != layer);
        let layer = tree.layers.get(layer as usize).and_then(|layer| layer.digest.clone());
        let owner = owners.of_linked(tree, &path).filter(|name| brought(catalog, name, layer.as_ref()));
        let package = owner.or_else(|| accounted::library(&path)).map(str::to_owned);
        let place = Place::File { path: path.into(), line };
        Leak { place, rule, title, confidence, layer, hidden, package, number: None, fingerprint }
    };
    found.into_iter().map(leak).collect()
}

/// Whether the package `name` came with `layer`: what a later layer puts in the place of its file is not the package's.
fn brought(catalog: &Catalog, name: &str, layer: Option<&Digest>) -> bool {
    catalog.packages.iter().any(|package| package.name == name && package.layer.as_ref() == layer)
}

fn in_configuration(eye: Eye<'_>, config: &Config, history: &[Made]) -> Vec<Leak> {
    let mut leaks = Vec::new();
    let mut look = |text: &str, place: Place| {
        let mut hits = Vec::new();
        eye.finder.find("", text.as_bytes(), &mut hits);
        let value = |hit: &boltseal_check::secret::Hit| text.as_bytes().get(hit.span.clone());
        leaks.extend(hits.into_iter().map(|hit| Leak {
            place: place.clone(),
            number: None,
            fingerprint: eye.key.and_then(|key| Some(key.of(value(&hit)?))),
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
        look(&Zeroizing::new(format!("{name}={value}")), Place::Label { name: name.clone() });
    }
    look(&Zeroizing::new([&config.entrypoint[..], &config.command].concat().join(" ")), Place::Command);
    for (step, made) in (1..).zip(history) {
        look(made.created_by.as_deref().unwrap_or_default(), Place::History { step });
    }
    leaks
}
