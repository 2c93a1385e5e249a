//! Images as they are kept: numbers, and lists both ways.

use std::collections::HashMap;

use boltseal_model::{Digest, Severity};

use crate::{Container, Image, names::Names, running::Run};

/// What is stored and what runs.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub(crate) names: Names,
    /// Packages of all images, each once, by their package URLs.
    pub(crate) packages: Vec<Package>,
    package_numbers: HashMap<(u32, u32, u32), u32>,
    /// Findings of all images, each once.
    pub(crate) hits: Vec<Hit>,
    hit_numbers: HashMap<(u32, u32, Severity, u32), u32>,
    /// A place for each image; empty once it is forgotten, and then the next one's.
    pub(crate) images: Vec<Option<Stored>>,
    free: Vec<u32>,
    pub(crate) by_digest: HashMap<Digest, u32>,
    pub(crate) by_layer: HashMap<Digest, Vec<u32>>,
    pub(crate) by_file: HashMap<Digest, Vec<u32>>,
    /// By names of keys.
    pub(crate) by_key: HashMap<u32, Vec<u32>>,
    /// By names and other names of vulnerabilities.
    pub(crate) by_vulnerability: HashMap<u32, Vec<u32>>,
    /// By names of packages, and by their package URLs.
    pub(crate) by_package: HashMap<u32, Vec<u32>>,
    pub(crate) runs: HashMap<String, Run>,
    pub(crate) runs_of: HashMap<Digest, Vec<String>>,
    pub(crate) incomplete: usize,
}

/// A package of some images.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub name: u32,
    pub version: u32,
    pub images: Vec<u32>,
}

/// A finding of some images.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub id: u32,
    pub package: u32,
    pub severity: Severity,
    /// The empty text where there is no fix.
    pub fixed: u32,
    pub images: Vec<u32>,
}

/// An image.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub digest: Digest,
    pub names: Vec<String>,
    pub layers: Vec<Digest>,
    /// Numbers, ascending.
    pub packages: Vec<u32>,
    pub hits: Vec<u32>,
    pub keys: Vec<u32>,
    /// By the numbers of their paths.
    pub files: Option<Vec<StoredFile>>,
    pub is_complete: bool,
}

/// A file of one image.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub path: u32,
    pub sha256: Digest,
    pub package: Option<u32>,
}

impl Inventory {
    /// Adds an image, in place of what was known of it.
    pub fn put(&mut self, image: &Image<'_>) {
        self.forget(image.digest);
        let at = self.free.pop().unwrap_or_else(|| {
            self.images.push(None);
            u32::try_from(self.images.len() - 1).unwrap_or(u32::MAX)
        });
        let placed: Vec<u32> = image.packages.iter().map(|package| self.package(package)).collect();
        let mut by_purl: HashMap<&str, u32> = HashMap::with_capacity(placed.len());
        for (package, number) in image.packages.iter().zip(&placed) {
            by_purl.entry(&package.purl).or_insert(*number);
        }
        let mut hits: Vec<u32> = image.findings.iter().map(|finding| self.hit(finding, &by_purl)).collect();
        let mut packages = placed.clone();
        // What a finding is of is in the image, whether its catalog lists it or not.
        packages.extend(hits.iter().filter_map(|hit| self.hits.get(*hit as usize)).map(|hit| hit.package));
        let mut keys: Vec<u32> = image.keys.iter().map(|key| self.names.number(key)).collect();
        let mut layers = image.layers.to_vec();
        for numbers in [&mut packages, &mut hits, &mut keys] {
            numbers.sort_unstable();
            numbers.dedup();
        }
        layers.sort_unstable();
        layers.dedup();
        let files = image.files.map(|files| {
            let mut stored: Vec<StoredFile> = files
                .iter()
                .map(|file| StoredFile {
                    path: self.names.number(file.path.trim_start_matches('/')),
                    sha256: file.sha256.clone(),
                    package: file.package.and_then(|package| placed.get(package)).copied(),
                })
                .collect();
            stored.sort_unstable_by_key(|file| file.path);
            stored.dedup_by_key(|file| file.path);
            stored
        });
        let (digest, names, is_complete) = (image.digest.clone(), image.names.to_vec(), image.is_complete);
        self.incomplete += usize::from(!is_complete);
        let stored = Stored { digest, names, layers, packages, hits, keys, files, is_complete };
        self.link(at, &stored);
        if let Some(place) = self.images.get_mut(at as usize) {
            *place = Some(stored);
        }
    }

    /// Forgets an image. What runs of it goes on, as something that nobody knows.
    pub fn forget(&mut self, digest: &Digest) {
        let Some(at) = self.by_digest.remove(digest) else { return };
        let Some(stored) = self.images.get_mut(at as usize).and_then(Option::take) else { return };
        self.free.push(at);
        self.incomplete -= usize::from(!stored.is_complete);
        let without = |list: &mut Vec<u32>| list.retain(|other| *other != at);
        for package in &stored.packages {
            self.packages.get_mut(*package as usize).map(|package| &mut package.images).map(without);
        }
        for hit in &stored.hits {
            self.hits.get_mut(*hit as usize).map(|hit| &mut hit.images).map(without);
        }
        for key in &stored.keys {
            self.by_key.get_mut(key).map(without);
        }
        let files = stored.files.iter().flatten().map(|file| &file.sha256);
        for (by, digests) in [
            (&mut self.by_layer, stored.layers.iter().collect::<Vec<_>>()),
            (&mut self.by_file, files.collect()),
        ] {
            for digest in digests {
                if by.get_mut(digest).is_some_and(|list| {
                    without(list);
                    list.is_empty()
                }) {
                    by.remove(digest);
                }
            }
        }
    }

    /// Images there are.
    pub fn len(&self) -> usize {
        self.by_digest.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// A container has started, or somebody found it running.
    pub fn start(&mut self, container: Container) {
        self.stop(&container.id);
        self.runs_of.entry(container.image.clone()).or_default().push(container.id.clone());
        self.runs.insert(container.id.clone(), Run::new(container));
    }

    /// A container has ended.
    pub fn stop(&mut self, id: &str) {
        let Some(run) = self.runs.remove(id) else { return };
        if let Some(others) = self.runs_of.get_mut(&run.container.image) {
            others.retain(|other| other != id);
            if others.is_empty() {
                self.runs_of.remove(&run.container.image);
            }
        }
    }

    pub(crate) fn image(&self, at: u32) -> Option<&Stored> {
        self.images.get(at as usize)?.as_ref()
    }

    pub(crate) fn image_of(&self, digest: &Digest) -> Option<&Stored> {
        self.image(*self.by_digest.get(digest)?)
    }

    fn link(&mut self, at: u32, stored: &Stored) {
        self.by_digest.insert(stored.digest.clone(), at);
        for package in &stored.packages {
            if let Some(package) = self.packages.get_mut(*package as usize) {
                package.images.push(at);
            }
        }
        for hit in &stored.hits {
            if let Some(hit) = self.hits.get_mut(*hit as usize) {
                hit.images.push(at);
            }
        }
        for key in &stored.keys {
            self.by_key.entry(*key).or_default().push(at);
        }
        for layer in &stored.layers {
            self.by_layer.entry(layer.clone()).or_default().push(at);
        }
        for file in stored.files.iter().flatten() {
            let images = self.by_file.entry(file.sha256.clone()).or_default();
            if images.last() != Some(&at) {
                images.push(at);
            }
        }
    }

    fn package(&mut self, package: &boltseal_model::Package) -> u32 {
        self.package_named(&package.name, &package.version, &package.purl)
    }

    fn package_named(&mut self, name: &str, version: &str, purl: &str) -> u32 {
        let key = (self.names.number(name), self.names.number(version), self.names.number(purl));
        if let Some(number) = self.package_numbers.get(&key) {
            return *number;
        }
        let number = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        self.packages.push(Package { name: key.0, version: key.1, images: Vec::new() });
        self.package_numbers.insert(key, number);
        for name in [key.0, key.2] {
            self.by_package.entry(name).or_default().push(number);
        }
        number
    }

    fn hit(&mut self, finding: &boltseal_model::Finding, packages: &HashMap<&str, u32>) -> u32 {
        let package = packages.get(finding.purl.as_str()).copied();
        let package = package
            .unwrap_or_else(|| self.package_named(&finding.package, &finding.installed, &finding.purl));
        let id = self.names.number(&finding.id);
        let fixed = self.names.number(finding.fixed.as_deref().unwrap_or_default());
        let key = (id, package, finding.severity, fixed);
        let new = u32::try_from(self.hits.len()).unwrap_or(u32::MAX);
        let number = *self.hit_numbers.entry(key).or_insert(new);
        if number == new {
            self.hits.push(Hit { id, package, severity: finding.severity, fixed, images: Vec::new() });
        }
        for name in [&finding.id].into_iter().chain(&finding.aliases) {
            let name = self.names.number(name);
            let hits = self.by_vulnerability.entry(name).or_default();
            // The newest is nearly always the last.
            if hits.last() != Some(&number) && !hits.contains(&number) {
                hits.push(number);
            }
        }
        number
    }
}
