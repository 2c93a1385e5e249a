//! The seam between storing images and judging them.

use std::sync::{Arc, PoisonError, RwLock};

use boltseal_flow::{
    Cache, Looking, assemble, findings, judge,
    look::{FingerprintKey, look},
};
use boltseal_image::{Blobs, Extracts, Options};
use boltseal_model::{Digest, Reference, Timestamp};
use boltseal_policy::{Facts, Findings, Policy};
use boltseal_scan::{Fleet, Matching, Snapshot};
use boltseal_store::{Material, Outcome};

/// An image to be opened.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Of its manifest.
    pub digest: &'a Digest,
    /// As pushed.
    pub media_type: &'a str,
    /// The first repository, in the order of names, that holds it.
    pub repository: &'a str,
    /// Where its manifest, configuration and layers are.
    pub blobs: &'a dyn Blobs,
}

/// What verdicts are made from at the moment; a verdict made from something else is due again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Id of the feed snapshot, if there is one.
    pub snapshot: Option<String>,
    /// Digest of the policy.
    pub policy: Digest,
}

/// Judges images. Both calls run on threads that may block.
pub trait Judge: Send + Sync + 'static {
    /// Opens an image, catalogues it and judges it.
    fn judge(&self, image: &Request<'_>) -> Outcome;

    /// Judges images again from what they are made of, without opening them. Gives one outcome for each.
    fn rejudge(&self, images: Vec<(Digest, Material)>) -> Vec<(Digest, Outcome)>;

    /// What verdicts are made from now.
    fn basis(&self) -> Basis;
}

/// The judge that is `flow`: scans with the current snapshot and decides by the current policy.
pub struct FlowJudge {
    /// Host and port that stand before repository names in rules about registries.
    authority: String,
    fingerprints: Option<FingerprintKey>,
    current: RwLock<Current>,
    now: fn() -> Timestamp,
    /// What was read of layers before.
    cache: Option<Cache>,
}

#[derive(Clone)]
struct Current {
    snapshot: Option<Arc<Snapshot>>,
    policy: Arc<Policy>,
}

impl FlowJudge {
    /// A judge with a snapshot, if there is one yet, and a policy. `authority` is the host and port in image names.
    pub fn new(authority: &str, snapshot: Option<Arc<Snapshot>>, policy: Arc<Policy>) -> Self {
        let current = RwLock::new(Current { snapshot, policy });
        let authority = authority.to_owned();
        Self { authority, fingerprints: None, current, now: Timestamp::now, cache: None }
    }

    /// The same, which also recognises credentials of different images by `key`.
    #[must_use]
    pub fn recognising(self, key: FingerprintKey) -> Self {
        let cache = self.cache.map(|cache| cache.recognising(&key));
        Self { fingerprints: Some(key), cache, ..self }
    }

    /// Remembers what layers gave, so that of an image on a known base only the new layers are read.
    #[must_use]
    pub fn with_cache(self, cache: Cache) -> Self {
        let cache = match &self.fingerprints {
            Some(key) => cache.recognising(key),
            None => cache,
        };
        Self { cache: Some(cache), ..self }
    }

    /// Uses other vulnerability data from now on. Call [`Registry::rejudge`](crate::Registry::rejudge) afterwards.
    pub fn use_snapshot(&self, snapshot: Option<Arc<Snapshot>>) {
        self.current.write().unwrap_or_else(PoisonError::into_inner).snapshot = snapshot;
    }

    /// Uses another policy from now on. Call [`Registry::rejudge`](crate::Registry::rejudge) afterwards.
    pub fn use_policy(&self, policy: Arc<Policy>) {
        self.current.write().unwrap_or_else(PoisonError::into_inner).policy = policy;
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn try_judge(&self, image: &Request<'_>) -> Result<Outcome, boltseal_image::Error> {
        let (Current { snapshot, policy }, now) = (self.current(), (self.now)());
        let reference = format!("{}/{}@{}", self.authority, image.repository, image.digest);
        let mut options = Options::default();
        options.extracts = self.cache.as_ref().map(|cache| cache as &dyn Extracts);
        let media_type = Some(image.media_type);
        let looking = Looking { fingerprints: self.fingerprints.as_ref(), ..Looking::default() };
        let (opened, catalog) = look(looking, |eyes| {
            boltseal_image::read(image.blobs, image.digest, media_type, &reference, eyes, &options)
        })?;
        let mut subject = opened.subject;
        if subject.name.is_none() {
            subject.name = reference.parse::<Reference>().ok();
        }
        let catalog_gaps = catalog.gaps.clone();
        let matched = findings(&catalog, snapshot.as_deref(), now);
        let mut report = assemble(subject, opened.tree.layers, catalog, snapshot.as_deref(), matched);
        judge(&mut report, &policy, now);
        Ok(Outcome::Judged { report: Box::new(report), catalog_gaps })
    }
}

impl Judge for FlowJudge {
    fn judge(&self, image: &Request<'_>) -> Outcome {
        self.try_judge(image).unwrap_or_else(|error| Outcome::Failed { error: with_causes(&error) })
    }

    fn rejudge(&self, images: Vec<(Digest, Material)>) -> Vec<(Digest, Outcome)> {
        let (Current { snapshot, policy }, now) = (self.current(), (self.now)());
        let Some(snapshot) = snapshot else {
            return images
                .into_iter()
                .map(|(digest, material)| (digest, blind(material, &policy, now)))
                .collect();
        };
        let mut fleet = Fleet::default();
        for (digest, material) in &images {
            fleet.insert(digest.clone(), &material.catalog);
        }
        let mut matched = fleet.rematch(&snapshot, &Matching::at(now));
        let mut outcomes = Vec::with_capacity(images.len());
        for (digest, material) in images {
            let Some(found) = matched.images.remove(&digest) else {
                let error = "the image was not matched; push it again".to_owned();
                outcomes.push((digest, Outcome::Failed { error }));
                continue;
            };
            let catalog_gaps = material.catalog.gaps.clone();
            let mut gaps = boltseal_scan::Matched { findings: Vec::new(), gaps: found.gaps.to_vec() };
            gaps.gaps.extend(boltseal_scan::ended(&material.catalog, now));
            let Material { subject, layers, catalog } = material;
            let mut report = assemble(subject, layers, catalog, Some(&snapshot), gaps);
            let facts = Facts { findings: Findings::Shared(&found.findings), ..Facts::from(&report) };
            report.verdict = Some(boltseal_policy::decide(&policy, &facts, now));
            report.findings = found.findings.iter().map(|finding| (**finding).clone()).collect();
            outcomes.push((digest, Outcome::Judged { report: Box::new(report), catalog_gaps }));
        }
        outcomes
    }

    fn basis(&self) -> Basis {
        let Current { snapshot, policy } = self.current();
        Basis { snapshot: snapshot.map(|s| s.info().id.clone()), policy: policy.digest().clone() }
    }
}

/// Judged without vulnerability data, which the report says.
fn blind(material: Material, policy: &Policy, now: Timestamp) -> Outcome {
    let Material { subject, layers, catalog } = material;
    let catalog_gaps = catalog.gaps.clone();
    let matched = findings(&catalog, None, now);
    let mut report = assemble(subject, layers, catalog, None, matched);
    judge(&mut report, policy, now);
    Outcome::Judged { report: Box::new(report), catalog_gaps }
}

/// An error with what caused it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = next.source();
    }
    text
}
