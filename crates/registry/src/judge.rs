//! The seam between storing images and judging them.

use std::sync::{Arc, PoisonError, RwLock};

use boltseal_flow::{
    Cache, Looking, assemble, findings, judge,
    look::{FingerprintKey, look},
    statements::Believed,
};
use boltseal_image::{Blobs, Extracts, Options};
use boltseal_model::{Digest, Reference, Report, Timestamp};
use boltseal_policy::Policy;
use boltseal_scan::{Fleet, Matching, Snapshot};
use boltseal_store::{Material, Outcome};

use crate::beside::{Asks, Beside};

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
    /// What bears on the verdict besides.
    pub beside: &'a Beside,
}

/// An image that is judged again from what it is made of.
#[derive(Clone, Debug)]
pub struct Again {
    /// Of its manifest.
    pub digest: Digest,
    /// What it is made of.
    pub material: Material,
    /// What bears on the verdict besides.
    pub beside: Beside,
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

    /// Judges images again from what they are made of, without opening them; `blobs` has what is attached to them. Gives
    /// one outcome for each.
    fn rejudge(&self, images: Vec<Again>, blobs: &dyn Blobs) -> Vec<(Digest, Outcome)>;

    /// What verdicts are made from now.
    fn basis(&self) -> Basis;

    /// What the policy of now asks for besides the bytes of images.
    fn asks(&self) -> Asks {
        Asks::default()
    }

    /// Whether the credentials of what it opens have fingerprints.
    fn recognises(&self) -> bool {
        false
    }
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
    /// The policy's authorities.
    believed: Arc<Believed>,
}

impl FlowJudge {
    /// A judge with a snapshot, if there is one yet, and a policy. `authority` is the host and port in image names.
    pub fn new(authority: &str, snapshot: Option<Arc<Snapshot>>, policy: Arc<Policy>) -> Self {
        let believed = believed(&policy);
        let current = RwLock::new(Current { snapshot, policy, believed });
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
        let believed = believed(&policy);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        (current.policy, current.believed) = (policy, believed);
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn try_judge(&self, image: &Request<'_>) -> Result<Outcome, boltseal_image::Error> {
        let (current, now) = (self.current(), (self.now)());
        let Current { snapshot, policy, .. } = &current;
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
        self.witness(&mut report, image.beside, &current, image.blobs, now);
        judge(&mut report, policy, now);
        Ok(Outcome::Judged { report: Box::new(report), catalog_gaps })
    }
}

impl Judge for FlowJudge {
    fn judge(&self, image: &Request<'_>) -> Outcome {
        self.try_judge(image).unwrap_or_else(|error| Outcome::Failed { error: with_causes(&error) })
    }

    fn rejudge(&self, images: Vec<Again>, blobs: &dyn Blobs) -> Vec<(Digest, Outcome)> {
        let (current, now) = (self.current(), (self.now)());
        let Current { snapshot, policy, .. } = &current;
        let mut fleet = Fleet::default();
        for image in &images {
            fleet.insert(image.digest.clone(), &image.material.catalog);
        }
        let mut matched = snapshot.as_deref().map(|snapshot| fleet.rematch(snapshot, &Matching::at(now)));
        let mut outcomes = Vec::with_capacity(images.len());
        for Again { digest, material, beside } in images {
            let catalog_gaps = material.catalog.gaps.clone();
            let Material { subject, layers, catalog } = material;
            let found = match &mut matched {
                // Judged without vulnerability data, which the report says.
                None => findings(&catalog, None, now),
                Some(matched) => {
                    let Some(found) = matched.images.remove(&digest) else {
                        let error = "the image was not matched; push it again".to_owned();
                        outcomes.push((digest, Outcome::Failed { error }));
                        continue;
                    };
                    let mut gaps = found.gaps.to_vec();
                    gaps.extend(boltseal_scan::ended(&catalog, now));
                    let findings = found.findings.iter().map(|finding| (**finding).clone()).collect();
                    boltseal_scan::Matched { findings, gaps }
                }
            };
            let mut report = assemble(subject, layers, catalog, snapshot.as_deref(), found);
            self.witness(&mut report, &beside, &current, blobs, now);
            judge(&mut report, policy, now);
            outcomes.push((digest, Outcome::Judged { report: Box::new(report), catalog_gaps }));
        }
        outcomes
    }

    fn basis(&self) -> Basis {
        let Current { snapshot, policy, .. } = self.current();
        Basis { snapshot: snapshot.map(|s| s.info().id.clone()), policy: policy.digest().clone() }
    }

    fn asks(&self) -> Asks {
        let policy = self.current().policy;
        Asks {
            attached: policy.asks_for_signatures(),
            bases: policy.asks_for_bases(),
            vex: policy.vex().is_some(),
        }
    }

    fn recognises(&self) -> bool {
        self.fingerprints.is_some()
    }
}

impl FlowJudge {
    /// Adds to the report what others say about the image, as far as the policy asks.
    fn witness(
        &self,
        report: &mut Report,
        beside: &Beside,
        current: &Current,
        blobs: &dyn Blobs,
        now: Timestamp,
    ) {
        let Current { policy, believed, .. } = current;
        let name = report.subject.name.clone();
        let authorities = &*believed.about(name.as_ref(), now);
        if let Some(wanted) = policy.vex() {
            beside.hear(wanted, authorities, blobs, report);
        }
        if policy.asks_for_signatures() {
            let known = beside.known(policy.digest(), now);
            report.signatures = known.cloned().or_else(|| beside.verify(authorities, blobs));
        }
        if policy.asks_for_bases() {
            report.bases = beside
                .bases
                .as_ref()
                .map(|bases| bases.iter().map(|base| base.named(&self.authority)).collect());
        }
    }
}

/// Whom a policy believes. One that names somebody unreadable was refused where it was read; here it believes nobody.
fn believed(policy: &Policy) -> Arc<Believed> {
    let believed = Believed::of(policy).unwrap_or_else(|error| {
        tracing::error!(%error, "the policy believes nobody");
        Believed::default()
    });
    Arc::new(believed)
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
