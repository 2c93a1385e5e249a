//! Who has something.

use std::collections::BTreeMap;

use boltseal_model::Digest;

use crate::{
    Answer, Found, Has, Inventory, Kind, Running, Use, Why,
    stored::{Hit, StoredFile},
};

/// What of an image is meant.
#[derive(Default)]
struct Meant {
    /// Numbers of packages.
    packages: Vec<u32>,
    /// A file by its hash.
    file: Option<Digest>,
    found: Vec<Found>,
}

impl Inventory {
    /// Who has what `text` names: a vulnerability, a package (`NAME`, `NAME@VERSION`, `pkg:…`), the digest of an image, a layer
    /// or a file, or a key. A name of several kinds means all of them.
    pub fn find(&self, text: &str) -> Answer {
        let mut answer = Answer::default();
        let mut meant: BTreeMap<u32, Meant> = BTreeMap::new();
        if let Ok(digest) = text.parse::<Digest>() {
            self.digest(&digest, &mut answer, &mut meant);
        } else {
            self.vulnerability(text, &mut answer, &mut meant);
            self.package_of(text, &mut answer, &mut meant);
            self.key(text, &mut answer, &mut meant);
        }
        self.tell(meant, &mut answer);
        answer
    }

    fn digest(&self, digest: &Digest, answer: &mut Answer, meant: &mut BTreeMap<u32, Meant>) {
        if let Some(image) = self.by_digest.get(digest) {
            answer.kinds.push(Kind::Image);
            meant.entry(*image).or_default();
        } else if let Some(ids) = self.runs_of.get(digest) {
            // Nobody looked into it, and yet it runs.
            answer.kinds.push(Kind::Image);
            let used = Use::Present { why: Why::NoIndex };
            let runs = ids.iter().filter_map(|id| self.runs.get(id));
            answer
                .running
                .extend(runs.map(|run| Running { container: run.container.clone(), used: used.clone() }));
        }
        if let Some(images) = self.by_layer.get(digest) {
            answer.kinds.push(Kind::Layer);
            for image in images {
                meant.entry(*image).or_default();
            }
        }
        if let Some(images) = self.by_file.get(digest) {
            answer.kinds.push(Kind::File);
            for image in images {
                meant.entry(*image).or_default().file = Some(digest.clone());
            }
        }
    }

    fn vulnerability(&self, text: &str, answer: &mut Answer, meant: &mut BTreeMap<u32, Meant>) {
        let known = |text: &str| self.names.known(text).and_then(|name| self.by_vulnerability.get(&name));
        // People write `cve-2024-3094`.
        let Some(hits) = known(text).or_else(|| known(&text.to_ascii_uppercase())) else { return };
        let mut is_known = false;
        for hit in hits.iter().filter_map(|hit| self.hits.get(*hit as usize)) {
            for image in &hit.images {
                is_known = true;
                let meant = meant.entry(*image).or_default();
                meant.packages.push(hit.package);
                meant.found.push(self.found_by(hit));
            }
        }
        answer.kinds.extend(is_known.then_some(Kind::Vulnerability));
    }

    fn package_of(&self, text: &str, answer: &mut Answer, meant: &mut BTreeMap<u32, Meant>) {
        let known = |text: &str| self.names.known(text).and_then(|name| self.by_package.get(&name));
        // A name may have an `@` in front: `@babel/core@7.1.0`.
        let versioned = || {
            let (name, version) = text.rsplit_once('@').filter(|(name, _)| !name.is_empty())?;
            Some((known(name)?, Some(self.names.known(version)?)))
        };
        let Some((packages, version)) = known(text).map(|packages| (packages, None)).or_else(versioned)
        else {
            return;
        };
        let mut is_known = false;
        for number in packages {
            let Some(package) = self.packages.get(*number as usize) else { continue };
            if version.is_some_and(|version| version != package.version) {
                continue;
            }
            for image in &package.images {
                is_known = true;
                let meant = meant.entry(*image).or_default();
                meant.packages.push(*number);
                meant.found.push(self.found(*number));
            }
        }
        answer.kinds.extend(is_known.then_some(Kind::Package));
    }

    fn key(&self, text: &str, answer: &mut Answer, meant: &mut BTreeMap<u32, Meant>) {
        let images = self.names.known(text).and_then(|name| self.by_key.get(&name));
        let Some(images) = images.filter(|images| !images.is_empty()) else { return };
        answer.kinds.push(Kind::Key);
        for image in images {
            meant.entry(*image).or_default();
        }
    }

    pub(crate) fn found_by(&self, hit: &Hit) -> Found {
        let fixed = Some(self.names.text(hit.fixed)).filter(|fixed| !fixed.is_empty());
        Found {
            vulnerability: Some(self.names.text(hit.id).to_owned()),
            severity: Some(hit.severity),
            fixed: fixed.map(str::to_owned),
            ..self.found(hit.package)
        }
    }

    fn found(&self, package: u32) -> Found {
        let text = |number: Option<u32>| {
            number.map_or_else(String::new, |number| self.names.text(number).to_owned())
        };
        let package = self.packages.get(package as usize);
        Found {
            package: text(package.map(|package| package.name)),
            version: text(package.map(|package| package.version)),
            vulnerability: None,
            severity: None,
            fixed: None,
        }
    }

    fn tell(&self, meant: BTreeMap<u32, Meant>, answer: &mut Answer) {
        let mut incomplete = self.incomplete;
        for (at, Meant { packages, file, mut found }) in meant {
            let Some(image) = self.image(at) else { continue };
            incomplete -= usize::from(!image.is_complete);
            let is_whole = packages.is_empty() && file.is_none();
            let is_meant = |one: &StoredFile| {
                is_whole
                    || one.package.is_some_and(|package| packages.contains(&package))
                    || file.as_ref().is_some_and(|file| one.sha256 == *file)
            };
            for id in self.runs_of.get(&image.digest).into_iter().flatten() {
                let Some(run) = self.runs.get(id) else { continue };
                let used = self.used(run, image, is_meant);
                answer.running.push(Running { container: run.container.clone(), used });
            }
            found.sort_unstable();
            found.dedup();
            answer.images.push(Has { digest: image.digest.clone(), names: image.names.clone(), found });
        }
        // An image is known by its digest, whatever is in others.
        if answer.kinds != [Kind::Image] {
            answer.incomplete = incomplete;
            let unknown = self.runs_of.iter().filter(|(image, _)| !self.by_digest.contains_key(*image));
            let ids = unknown.flat_map(|(_, ids)| ids);
            answer.unknown =
                ids.filter_map(|id| self.runs.get(id)).map(|run| run.container.clone()).collect();
        }
        let rank = |used: &Use| match used {
            Use::Executed { .. } => 0,
            Use::Loaded { .. } => 1,
            Use::Present { .. } => 2,
        };
        answer.images.sort_by(|one, other| one.digest.cmp(&other.digest));
        answer.running.sort_by(|one, other| {
            let name =
                |one: &Running| (rank(&one.used), one.container.name.clone(), one.container.id.clone());
            name(one).cmp(&name(other))
        });
        answer.unknown.sort_by(|one, other| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
        answer.kinds.sort_unstable();
    }
}
