//! What images were built on, told from their layers; what they say of it is a claim that layers agree with or not.
//!
//! The base of an image is the image stored here whose layers are the longest beginning of its own; so a cache of another
//! registry counts as much as a repository. Of several with the same layers, one that has a name counts, and all are told.
//! An image with all of the layers and nothing of its own besides is none: which of the two was first, layers do not say.
//!
//! | the image's annotation | what counts |
//! |---|---|
//! | agrees with the layers, and nothing is nearer | its name |
//! | agrees, but another image here is nearer: it was inherited from that one | the nearer image |
//! | names what is not stored here | its name, where its tag is known here or layers tell nothing; else the layers |
//! | differs | the layers |

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Path, Request, State as From},
};
use boltseal_api::{
    aging::{Base, KnownBy, Newer},
    base::{Agreement, Bases, Candidate, Claim, Layers},
    upstreams::{Upstream, kinds::UPSTREAM},
};
use boltseal_flow::{
    aging::{Name, newer},
    base::{Parts, Rebase, parts, rebase},
};
use boltseal_model::{Digest, Reference, Report, Timestamp};
use boltseal_store::{About, Facts, TagOf};
use serde::Serialize;

use crate::{State, control::read, failure::Failure};

/// Candidates told of one image. More have the same layers, or it was built in many steps that were all pushed.
const MAX_CANDIDATES: usize = 20;
/// Names told of one candidate.
const MAX_NAMES: usize = 20;
/// Layers asked about: more than any runtime mounts.
const MAX_LAYERS: usize = 500;

/// `POST /api/v1/bases`
pub(crate) async fn ask(From(state): From<State>, request: Request) -> Result<Json<Bases>, Failure> {
    let asked: Layers = read(request).await?;
    if asked.layers.len() > MAX_LAYERS {
        return Err(Failure::Asked(format!("an image has at most {MAX_LAYERS} layers")));
    }
    let wrong = |error: boltseal_model::DigestError| Failure::Asked(error.to_string());
    let layers = asked.layers.iter().map(|text| text.parse().map_err(wrong)).collect::<Result<_, _>>()?;
    let base_digest = asked.base_digest.as_deref().map(|text| text.parse().map_err(wrong)).transpose()?;
    let about = About { layers, base_name: asked.base_name, base_digest, ..About::default() };
    Ok(Json(Look::new(&state).await?.bases(&about).await?))
}

/// Of an image that is stored here.
pub(crate) async fn of(state: &State, digest: &Digest) -> Result<Bases, Failure> {
    let about = state.facts.about(std::slice::from_ref(digest)).await?.pop();
    match about {
        Some((_, about)) => Look::new(state).await?.bases(&about).await,
        None => Ok(Bases::default()),
    }
}

/// What is found out about many images, most of which share their bases.
pub(crate) struct Look<'a> {
    facts: &'a Facts,
    /// Where we are in the names of images.
    here: String,
    upstreams: Vec<Upstream>,
    pub(crate) now: Timestamp,
    /// By what an image says of its base.
    said: HashMap<(String, Digest), Vec<Name>>,
    /// Layers by the digest that an image says its base had.
    behind: HashMap<Digest, Vec<Vec<Digest>>>,
    /// By the digest of the base.
    stored: HashMap<Digest, (Vec<String>, Option<Newer>)>,
    /// Images by what stands for their layers.
    chains: HashMap<String, Vec<Digest>>,
}

impl<'a> Look<'a> {
    pub(crate) async fn new(state: &'a State) -> Result<Self, Failure> {
        let documents = state.facts.documents_of(UPSTREAM).await?;
        let bodies = documents.iter().filter_map(|document| document.body.as_deref());
        Ok(Self {
            facts: &state.facts,
            here: state.site.registry.clone(),
            upstreams: bodies.filter_map(|body| serde_json::from_str(body).ok()).collect(),
            now: (state.now)(),
            said: HashMap::new(),
            behind: HashMap::new(),
            stored: HashMap::new(),
            chains: HashMap::new(),
        })
    }

    /// Looks up the layers of many images at once, in place of what was looked up before.
    pub(crate) async fn prepare<'b>(&mut self, all: impl Iterator<Item = &'b About>) -> Result<(), Failure> {
        let mut chains: Vec<String> = all.flat_map(About::chains_below).collect();
        chains.sort_unstable();
        chains.dedup();
        self.chains.clear();
        for (chain, digest) in self.facts.images_of_chains(&chains).await? {
            self.chains.entry(chain).or_default().push(digest);
        }
        Ok(())
    }

    /// All that is known of one.
    pub(crate) async fn bases(&mut self, about: &About) -> Result<Bases, Failure> {
        self.prepare(std::iter::once(about)).await?;
        self.prepared(about, MAX_CANDIDATES).await
    }

    /// The base alone, of an image whose layers were looked up.
    pub(crate) async fn base(&mut self, about: &About) -> Result<Option<Base>, Failure> {
        Ok(self.prepared(about, 1).await?.base)
    }

    async fn prepared(&mut self, about: &About, most: usize) -> Result<Bases, Failure> {
        let candidates = self.candidates(about, most).await?;
        let Some(name) = about.base_name.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(Bases { base: candidates.first().map(by_layers), candidates, claim: None });
        };
        let told = about.base_digest.as_ref();
        let (layers, depth) = match told {
            Some(digest) => self.agreement(about, digest).await?,
            None => (Agreement::Unknown, 0),
        };
        let nearest = candidates.first();
        let base = match (layers, told) {
            (Agreement::Agree, Some(digest)) if nearest.is_none_or(|nearest| nearest.layers <= depth) => {
                Some(self.claimed(name, digest, Some(depth)).await?.0)
            }
            (Agreement::Unknown, Some(digest)) => {
                let (claimed, known) = self.claimed(name, digest, None).await?;
                if known { Some(claimed) } else { Some(nearest.map_or(claimed, by_layers)) }
            }
            // Without a digest nobody knows what the name meant then.
            _ => nearest.map(by_layers),
        };
        let claim = Claim { name: name.to_owned(), digest: told.map(ToString::to_string), layers };
        Ok(Bases { base, candidates, claim: Some(claim) })
    }

    /// Images whose layers those of `about` begin with, the nearest first.
    async fn candidates(&mut self, about: &About, most: usize) -> Result<Vec<Candidate>, Failure> {
        let mut found: Vec<Candidate> = Vec::new();
        let below = (1..about.layers.len() as u64).rev().zip(about.chains_below());
        for (layers, chain) in below {
            if found.len() >= most {
                break;
            }
            let digests = self.chains.get(&chain).cloned().unwrap_or_default();
            let mut here = Vec::with_capacity(digests.len().min(MAX_CANDIDATES));
            for digest in digests.into_iter().take(MAX_CANDIDATES) {
                let (names, newer) = self.stored(&digest).await?;
                here.push(Candidate { digest: digest.to_string(), names, layers, newer });
            }
            // One that still has a name before one that had, before one without.
            here.sort_by_key(|one| (one.names.is_empty(), one.newer.is_some()));
            found.append(&mut here);
        }
        found.truncate(most.max(1));
        Ok(found)
    }

    /// Whether the image's layers begin with those of what it says, and how many those are.
    async fn agreement(&mut self, about: &About, digest: &Digest) -> Result<(Agreement, u64), Failure> {
        if !self.behind.contains_key(digest) {
            let found = self.facts.layers_behind(digest).await?;
            self.behind.insert(digest.clone(), found.into_iter().map(|(_, layers)| layers).collect());
        }
        let known = self.behind.get(digest).map_or(&[][..], Vec::as_slice);
        let depth = known.iter().filter(|layers| about.layers.starts_with(layers)).map(Vec::len).max();
        Ok(match depth {
            Some(depth) => (Agreement::Agree, depth as u64),
            None if known.is_empty() => (Agreement::Unknown, 0),
            None => (Agreement::Differ, 0),
        })
    }

    /// The base as an image names it, and whether anything here has that name.
    async fn claimed(
        &mut self,
        name: &str,
        digest: &Digest,
        layers: Option<u64>,
    ) -> Result<(Base, bool), Failure> {
        let key = (name.to_owned(), digest.clone());
        if !self.said.contains_key(&key) {
            let found = self.called(name, digest).await?;
            self.said.insert(key.clone(), found);
        }
        let found = self.said.get(&key).map_or(&[][..], Vec::as_slice);
        let base = Base {
            name: name.to_owned(),
            digest: digest.to_string(),
            known_by: KnownBy::Annotation,
            layers,
            newer: newer(found).map(shown),
        };
        Ok((base, !found.is_empty()))
    }

    /// What has the name here.
    async fn called(&self, name: &str, digest: &Digest) -> Result<Vec<Name>, Failure> {
        let Ok(reference) = name.parse::<Reference>() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        if let Some(tag) = reference.tag() {
            for repository in self.repositories(&reference, digest).await? {
                if let Some((to, since, same)) = self.facts.pointed(&repository, tag, digest).await? {
                    let now = Some((to, since));
                    found.push(Name { repository, tag: tag.to_owned(), same, now });
                }
            }
        }
        Ok(found)
    }

    /// Repositories here that are meant by a name: our own, caches of the registry in the name, and those of the same
    /// name that have or had the base.
    async fn repositories(&self, name: &Reference, digest: &Digest) -> Result<Vec<String>, Failure> {
        let path = name.repository();
        let mut meant: Vec<String> = Vec::new();
        if name.registry() == self.here {
            meant.push(path.to_owned());
        }
        for upstream in self.upstreams.iter().filter(|upstream| upstream.host == name.registry()) {
            let inside = upstream.path.trim_matches('/');
            let rest = if inside.is_empty() {
                Some(path)
            } else {
                path.strip_prefix(inside).and_then(|rest| rest.strip_prefix('/'))
            };
            meant.extend(rest.map(|rest| format!("{}/{rest}", upstream.prefix.trim_matches('/'))));
        }
        let others = [path.to_owned(), name.name()];
        for other in self.facts.homes(digest, &others).await? {
            if !meant.contains(&other) {
                meant.push(other);
            }
        }
        Ok(meant)
    }

    /// Names of an image that is stored here, and what stands where it was.
    async fn stored(&mut self, digest: &Digest) -> Result<(Vec<String>, Option<Newer>), Failure> {
        if let Some(known) = self.stored.get(digest) {
            return Ok(known.clone());
        }
        let mut tags = self.facts.tags_ever(digest).await?;
        tags.sort_by_key(|of| !of.current);
        let names = tags.iter().take(MAX_NAMES).map(|of| format!("{}:{}", of.repository, of.tag)).collect();
        let found: Vec<Name> = tags.into_iter().map(named).collect();
        let known = (names, newer(&found).map(shown));
        self.stored.insert(digest.clone(), known.clone());
        Ok(known)
    }
}

fn by_layers(nearest: &Candidate) -> Base {
    Base {
        name: nearest.names.first().cloned().unwrap_or_else(|| "without a name here".to_owned()),
        digest: nearest.digest.clone(),
        known_by: KnownBy::Layers,
        layers: Some(nearest.layers),
        newer: nearest.newer.clone(),
    }
}

fn named(of: TagOf) -> Name {
    Name { repository: of.repository, tag: of.tag, same: of.current, now: of.now }
}

fn shown(newer: boltseal_flow::aging::Newer) -> Newer {
    Newer { digest: newer.digest.to_string(), name: newer.name, since: newer.since }
}

/// What of an image is whose, and what the newer base would change.
pub(crate) struct Split {
    /// Theirs and yours.
    pub parts: Parts,
    /// Nothing where there is no newer base, or where it was not judged yet.
    pub rebasing: Option<Rebasing>,
}

/// A newer base, and what it would change.
pub(crate) struct Rebasing {
    /// Its name here.
    pub onto: String,
    /// Of the image that runs where this one does.
    pub digest: Digest,
    /// What would go and come.
    pub rebase: Rebase,
}

/// Tells the layers of an image from those of its base; nothing where nobody knows which those are.
pub(crate) async fn split(
    facts: &Facts,
    digest: &Digest,
    report: &Report,
    base: &Base,
) -> Result<Option<Split>, Failure> {
    let layers = base.layers.and_then(|layers| usize::try_from(layers).ok());
    let Some(layers) = layers.filter(|layers| *layers <= report.layers.len()) else { return Ok(None) };
    let parts = parts(report, layers);
    let mut rebasing = None;
    // What was matched with nothing would look as if nothing came or went.
    if report.snapshot.is_some()
        && let Some(newer) = &base.newer
        && let Ok(named) = newer.digest.parse()
        && let Some(image) = facts.image_behind(&named, digest).await?
        && let Some(new) = facts.report(&image).await?.filter(|new| new.snapshot.is_some())
    {
        let rebase = rebase(&parts.theirs, &new);
        rebasing = Some(Rebasing { onto: newer.name.clone(), digest: image, rebase });
    }
    Ok(Some(Split { parts, rebasing }))
}

/// What `GET /api/v1/images/{digest}/base` answers.
#[derive(Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    bases: Bases,
    #[serde(flatten)]
    parts: Option<Parts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebase: Option<Rebased>,
}

#[derive(Serialize)]
struct Rebased {
    onto: String,
    digest: Digest,
    #[serde(flatten)]
    rebase: Rebase,
}

/// `GET /api/v1/images/{digest}/base`
pub(crate) async fn show(
    From(state): From<State>,
    Path(text): Path<String>,
) -> Result<Json<Answer>, Failure> {
    let digest: Digest =
        text.parse().map_err(|error: boltseal_model::DigestError| Failure::Asked(error.to_string()))?;
    if state.facts.first_home(&digest).await?.is_none() {
        return Err(Failure::missing("image", &text));
    }
    let bases = of(&state, &digest).await?;
    let report = state.facts.report(&digest).await?;
    let split = match (&bases.base, report) {
        (Some(base), Some(report)) => split(&state.facts, &digest, &report, base).await?,
        _ => None,
    };
    let (parts, rebasing) = split.map(|split| (split.parts, split.rebasing)).unzip();
    let rebase = rebasing.flatten().map(|Rebasing { onto, digest, rebase }| Rebased { onto, digest, rebase });
    Ok(Json(Answer { bases, parts, rebase }))
}
