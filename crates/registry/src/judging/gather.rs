//! Gathers from the facts what bears on verdicts besides the bytes of images, as far as the policy asks for it.

use std::collections::HashMap;

use boltseal_api::upstreams::{Upstream, kinds::UPSTREAM};
use boltseal_flow::{
    statements::{Attached as Found, Pusher},
    vex::is_document,
};
use boltseal_identity::{Directory, PrincipalId, Scope};
use boltseal_model::{Digest, Signature, Timestamp};
use boltseal_store::{About, Attached};

use super::Judging;
use crate::{
    Error,
    beside::{Beside, Under},
    judge::Basis,
    upstream::remote_name,
};

/// Images that one image is told to be built on, the nearest first.
const MAX_BASES: usize = 50;
/// Images with the same layers that are told apart; they differ in their configuration.
const MAX_SAME: usize = 20;
/// Repositories that hold one base and are named.
const MAX_HOMES: u64 = 50;
/// Refused images that may be judged again because a base of theirs came.
const MAX_WAITING: u64 = 10_000;

/// What was gathered, and for which policy.
pub(super) struct Gathered {
    pub(super) basis: Basis,
    pub(super) beside: HashMap<Digest, Beside>,
}

impl Judging {
    /// What bears on the verdicts of these images now.
    pub(super) async fn gather(&self, images: &[Digest]) -> Result<Gathered, Error> {
        let (basis, asks) = (self.judge.basis(), self.judge.asks());
        let mut known = self.facts.bearing(images).await?;
        let mut beside = HashMap::with_capacity(images.len());
        for image in images {
            let bearing = known.remove(image).unwrap_or_default();
            let policy: Option<Digest> = bearing.policy.and_then(|text| text.parse().ok());
            let mut one = Beside { changes: bearing.changes, policy, ..Beside::default() };
            let same = one.policy.as_ref() == Some(&basis.policy);
            one.signatures =
                bearing.claims.filter(|_| same && asks.attached).and_then(|claims| claims.signatures);
            // What ends may have ended by the time somebody judges: then it must be there to be looked at again.
            let lasts = |known: &Vec<Signature>| known.iter().all(|one| one.until.is_none());
            if asks.vex || (asks.attached && !one.signatures.as_ref().is_some_and(lasts)) {
                self.attachments(image, asks.vex, &mut one).await?;
            }
            beside.insert(image.clone(), one);
        }
        if asks.bases {
            self.bases(images, &mut beside).await?;
        }
        Ok(Gathered { basis, beside })
    }

    /// Adds what is attached to an image; with `vex`, also who answers for what may be a VEX document.
    async fn attachments(&self, image: &Digest, vex: bool, one: &mut Beside) -> Result<(), Error> {
        one.subjects = vec![image.clone()];
        one.subjects.extend(self.facts.indexes_of(image).await?);
        let mut found = self.facts.attached_to_any(&one.subjects).await?;
        if vex {
            let documents =
                found.iter().filter(|(_, one)| one.artifact_type.as_deref().is_some_and(is_document));
            let documents: Vec<Digest> = documents.map(|(_, one)| one.digest.clone()).collect();
            for document in &documents {
                one.pushers.insert(document.clone(), self.pushers(document).await?);
            }
            found.extend(self.facts.attached_to_any(&documents).await?);
        }
        one.attached = Some(found.into_iter().map(|(of, one)| (of, seen(one))).collect());
        Ok(())
    }

    /// Who pushed a document, and which roles they hold where they did.
    async fn pushers(&self, document: &Digest) -> Result<Vec<Pusher>, Error> {
        let pushes = self.facts.pushers(document).await?;
        let directory = self.authority.directory();
        let now = Timestamp::now();
        let with_roles = pushes.into_iter().map(|push| {
            let scope = Scope::repository(&self.name, &push.repository);
            let roles = scope.map(|scope| roles(&directory, &push.by.principal, &scope, now));
            Pusher { name: push.by.name, roles: roles.unwrap_or_default() }
        });
        Ok(with_roles.collect())
    }

    /// Adds what the images were built on, told by their layers. What an image says of its base is a claim, and no rule
    /// looks at it.
    async fn bases(&self, images: &[Digest], beside: &mut HashMap<Digest, Beside>) -> Result<(), Error> {
        let upstreams = self.upstreams().await?;
        let about = self.facts.about(images).await?;
        let mut chains: Vec<String> = about.iter().flat_map(|(_, about)| about.chains_below()).collect();
        chains.sort_unstable();
        chains.dedup();
        let mut by_chain: HashMap<String, Vec<Digest>> = HashMap::new();
        for (chain, digest) in self.facts.images_of_chains(&chains).await? {
            by_chain.entry(chain).or_default().push(digest);
        }
        let mut known: HashMap<Digest, Under> = HashMap::new();
        for (image, about) in about {
            let mut found = Vec::new();
            for (layers, digest) in below(&about, &by_chain) {
                if !known.contains_key(&digest) {
                    known.insert(digest.clone(), self.under(&digest, &upstreams).await?);
                }
                found.extend(known.get(&digest).map(|under| Under { layers, ..under.clone() }));
            }
            if let Some(one) = beside.get_mut(&image) {
                one.bases = Some(found);
            }
        }
        Ok(())
    }

    async fn under(&self, digest: &Digest, upstreams: &[Upstream]) -> Result<Under, Error> {
        let repositories = self.facts.holding(digest, MAX_HOMES).await?;
        let there = |repository: &String| {
            let fitting = upstreams.iter().filter_map(|one| Some((one, remote_name(one, repository)?)));
            let nearest = fitting.max_by_key(|(one, _)| one.prefix.len());
            nearest.map(|(one, name)| format!("{}/{name}", one.host))
        };
        let upstream = repositories.iter().filter_map(there).collect();
        let indexes = self.facts.indexes_of(digest).await?;
        Ok(Under { digest: digest.clone(), indexes, repositories, upstream, layers: 0 })
    }

    async fn upstreams(&self) -> Result<Vec<Upstream>, Error> {
        let documents = self.facts.documents_of(UPSTREAM).await?;
        let bodies = documents.iter().filter_map(|document| document.body.as_deref());
        Ok(bodies.filter_map(|body| serde_json::from_str(body).ok()).collect())
    }

    /// Images that are refused and were built on one that has just come: it may be the base that their policy wants.
    pub(super) async fn waiting_for(&self, base: &Digest) -> Result<Vec<Digest>, Error> {
        let about = self.facts.about(std::slice::from_ref(base)).await?.pop();
        match about {
            Some((_, About { layers, .. })) => Ok(self.facts.refused_on(&layers, MAX_WAITING).await?),
            None => Ok(Vec::new()),
        }
    }
}

/// Names of the roles that a principal holds there, itself or through a group. A role with a condition is not counted: what
/// the condition is about is not known here.
fn roles(directory: &Directory, principal: &str, scope: &Scope, now: Timestamp) -> Vec<String> {
    let Ok(id) = principal.parse::<PrincipalId>() else { return Vec::new() };
    if directory.principal(id).is_none_or(|principal| principal.disabled) {
        return Vec::new();
    }
    let groups: Vec<PrincipalId> = directory.groups_of(id).map(|group| group.id).collect();
    let held = directory.assignments().filter(|one| {
        (one.principal == id || groups.contains(&one.principal))
            && one.condition.is_none()
            && !one.expired(now)
            && one.scope.covers(scope)
    });
    held.filter_map(|one| directory.role(one.role)).map(|role| role.name.clone()).collect()
}

/// How many layers each image has whose layers those of `about` begin with, and which it is.
fn below(about: &About, by_chain: &HashMap<String, Vec<Digest>>) -> Vec<(u64, Digest)> {
    let depths = (1..about.layers.len() as u64).rev();
    let mut found = Vec::new();
    for (layers, chain) in depths.zip(about.chains_below()) {
        let same = by_chain.get(&chain).into_iter().flatten().take(MAX_SAME);
        found.extend(same.map(|digest| (layers, digest.clone())));
    }
    found.truncate(MAX_BASES);
    found
}

fn seen(one: Attached) -> Found {
    match &one.tag {
        Some(tag) => Found::tagged(one.digest, tag),
        None => Found::referrer(one.digest, one.artifact_type),
    }
}
