//! Thousands of catalogs against a new snapshot, without opening an image again.
//!
//! A [`Fleet`] keeps each distinct package of all images once, and for an image only numbers. [`Fleet::rematch`]
//! judges every distinct package version once, writes each distinct finding once, and gives every image references
//! to the findings that are its own. The answer for an image is the same as that of [`findings`](crate::findings()).
//!
//! [`encode`] and [`decode`] are how the store keeps a catalog between two starts.

mod judge;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{Hash, Hasher as _},
    io::Read as _,
    sync::Arc,
};

use boltseal_model::{Catalog, Digest, Distro, Finding, Gap, Package};

use self::judge::Judge;
use crate::{Error, Matching, Snapshot, findings::matcher};

/// A catalog of a hundred thousand packages takes 60 MB of JSON; no image has so many.
const MAX_CATALOG_BYTES: u64 = 256 << 20;
/// What the store keeps is read often and written once.
const ZSTD_LEVEL: i32 = 6;

/// Catalogs in memory, each distinct package kept once.
#[derive(Default)]
pub struct Fleet {
    images: BTreeMap<Digest, Box<[Entry]>>,
    residents: Interned<Resident>,
    places: Interned<(Option<Digest>, String)>,
}

/// A package of an image: which, and where.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    resident: u32,
    place: u32,
}

/// A package without layer and paths, and what decides about it besides.
struct Resident {
    package: Package,
    /// `None` where no feed could speak about it.
    space: Option<String>,
}

/// One image's share of a [`Rematch`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageMatch {
    /// In the order of [`Finding::rank`]; shared with other images that have the same package in the same layer.
    pub findings: Vec<Arc<Finding>>,
    /// As in [`crate::Matched`]; shared with images of the same kind.
    pub gaps: Arc<[Gap]>,
}

/// What a snapshot says about every catalog of a fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rematch {
    /// By the digest that the catalog was inserted with.
    pub images: BTreeMap<Digest, ImageMatch>,
}

impl Fleet {
    /// Adds or replaces a catalog.
    pub fn insert(&mut self, image: Digest, catalog: &Catalog) {
        let distro = catalog.distro.as_ref();
        let entries = catalog.packages.iter().map(|package| self.entry(package, distro)).collect();
        self.images.insert(image, entries);
    }

    /// Forgets a catalog. Packages that no other image has stay in memory until the next start.
    pub fn remove(&mut self, image: &Digest) -> bool {
        self.images.remove(image).is_some()
    }

    /// How many catalogs there are.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// How many different packages all catalogs have together.
    pub fn distinct(&self) -> usize {
        self.residents.all.len()
    }

    /// Matches every distinct package once, and says for each image what hits it: equal to [`crate::findings()`].
    pub fn rematch(&self, snapshot: &Snapshot, matching: &Matching) -> Rematch {
        let mut judge = match Judge::new(self, snapshot) {
            Ok(judge) => judge,
            Err(error) => return self.unreadable(&error),
        };
        let drafts: Vec<(Vec<u32>, Arc<[Gap]>)> =
            self.images.values().map(|entries| judge.image(entries, matching)).collect();
        // Ranking every distinct finding once leaves only numbers to sort for each image.
        let (ranks, findings) = ranked(judge.findings);
        let image = |(own, gaps): (Vec<u32>, Arc<[Gap]>)| {
            let mut own: Vec<u32> =
                own.into_iter().filter_map(|at| ranks.get(at as usize).copied()).collect();
            own.sort_unstable();
            let findings = own.into_iter().filter_map(|rank| findings.get(rank as usize).cloned()).collect();
            ImageMatch { findings, gaps }
        };
        Rematch { images: self.images.keys().cloned().zip(drafts.into_iter().map(image)).collect() }
    }

    fn entry(&mut self, package: &Package, distro: Option<&Distro>) -> Entry {
        let space = matcher::space(package, distro).map(|(_, space)| space);
        let (layer, path) = (package.layer.as_ref(), package.paths.first().map_or("", String::as_str));
        let same = |known: &Resident| known.is(package, space.as_deref());
        let resident =
            self.residents.number(hash(&Resident::key(package, space.as_deref())), same, || Resident {
                package: Package { layer: None, paths: Vec::new(), ..package.clone() },
                space: space.clone(),
            });
        let same = |known: &(Option<Digest>, String)| known.0.as_ref() == layer && known.1 == path;
        let place = self.places.number(hash(&(layer, path)), same, || (layer.cloned(), path.to_owned()));
        Entry { resident, place }
    }

    /// Every image has the same hole when the snapshot cannot be read.
    fn unreadable(&self, error: &Error) -> Rematch {
        let gaps: Arc<[Gap]> = [matcher::unreadable("snapshot", error)].into();
        let image =
            |image: &Digest| (image.clone(), ImageMatch { findings: Vec::new(), gaps: Arc::clone(&gaps) });
        Rematch { images: self.images.keys().map(image).collect() }
    }
}

/// The images for which `new` says something else than `old`, or that are only in one of them. Sorted.
pub fn changed(old: &Rematch, new: &Rematch) -> Vec<Digest> {
    // Findings are shared between images, so two of them are compared once and not for each image.
    let mut compared: HashMap<(*const Finding, *const Finding), bool> = HashMap::new();
    let mut same = |a: &ImageMatch, b: &ImageMatch| {
        let mut equal = |(a, b): (&Arc<Finding>, &Arc<Finding>)| {
            *compared.entry((Arc::as_ptr(a), Arc::as_ptr(b))).or_insert_with(|| a == b)
        };
        a.gaps == b.gaps
            && a.findings.len() == b.findings.len()
            && a.findings.iter().zip(&b.findings).all(&mut equal)
    };
    let images: BTreeSet<&Digest> = old.images.keys().chain(new.images.keys()).collect();
    let mut differs = |image: &&Digest| match (old.images.get(image), new.images.get(image)) {
        (Some(old), Some(new)) => !same(old, new),
        _ => true,
    };
    images.into_iter().filter(&mut differs).cloned().collect()
}

/// A catalog as few bytes, for the store: its JSON in one zstd frame.
pub fn encode(catalog: &Catalog) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(catalog).map_err(|error| Error::Catalog(error.to_string()))?;
    Ok(zstd::bulk::compress(&json, ZSTD_LEVEL)?)
}

/// What [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<Catalog, Error> {
    let unreadable = |error: &dyn std::fmt::Display| Error::Catalog(error.to_string());
    let mut json = Vec::new();
    let plain = zstd::Decoder::with_buffer(bytes).map_err(|error| unreadable(&error))?;
    plain.take(MAX_CATALOG_BYTES).read_to_end(&mut json).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&json).map_err(|error| unreadable(&error))
}

impl Resident {
    /// Everything that tells residents apart.
    fn key<'p>(package: &'p Package, space: Option<&'p str>) -> impl Hash + PartialEq + 'p {
        let Package {
            ecosystem,
            name,
            version,
            purl,
            source,
            architecture,
            licenses,
            paths: _,
            layer: _,
            owner,
        } = package;
        (ecosystem, name, version, purl, source, architecture, licenses, owner, space)
    }

    fn is(&self, package: &Package, space: Option<&str>) -> bool {
        Self::key(&self.package, self.space.as_deref()) == Self::key(package, space)
    }
}

/// Values that many images share, each kept once and known by a number.
struct Interned<T> {
    /// By hash, so that a known value is found without copying it first.
    numbers: HashMap<u64, Vec<u32>>,
    all: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), all: Vec::new() }
    }
}

impl<T> Interned<T> {
    fn number(&mut self, hash: u64, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> u32 {
        let numbers = self.numbers.entry(hash).or_default();
        let is_same = |number: &&u32| self.all.get(**number as usize).is_some_and(&same);
        if let Some(known) = numbers.iter().find(is_same) {
            return *known;
        }
        // Four thousand million different packages do not fit in memory, so the number does not wrap.
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        numbers.push(number);
        self.all.push(make());
        number
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.all.get(number as usize)
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// In the order of [`Finding::rank`], and the new index of each old one.
fn ranked(findings: Vec<Finding>) -> (Vec<u32>, Vec<Arc<Finding>>) {
    let mut order: Vec<(u32, Finding)> = (0..).zip(findings).collect();
    order.sort_by(|(_, a), (_, b)| a.rank(b));
    let mut ranks = vec![0; order.len()];
    for (rank, (old, _)) in (0..).zip(&order) {
        if let Some(slot) = ranks.get_mut(*old as usize) {
            *slot = rank;
        }
    }
    (ranks, order.into_iter().map(|(_, finding)| Arc::new(finding)).collect())
}
