//! Images that have grown old: built long ago, or on a base that has a newer one.
//!
//! The base of an image is what its annotations say; otherwise the image stored here whose layers are the longest
//! beginning of its own. Its newer one is what the same tag points to now, in this registry or in the cache of the
//! registry that it came from. An image is in use if it was pulled lately: where images run is not known.

use std::collections::HashMap;

use axum::{Json, extract::State as From};
use boltseal_api::{
    aging::{Aged, Aging, Base, KnownBy, Newer},
    upstreams::{Upstream, kinds::UPSTREAM},
};
use boltseal_flow::aging::{Name, built, days, newer};
use boltseal_model::{Digest, Reference, Timestamp};
use boltseal_store::{About, Facts, TagOf};

use crate::{State, asking::Asking, failure::Failure};

/// Days after which an image is old when nobody says otherwise.
const OLD: u64 = 90;
/// Images looked at for one answer: some thousand queries at most, since images share their bases.
const LOOKED_AT: usize = 5_000;
/// Images listed in one answer.
const LISTED: usize = 500;
/// Images read at a time.
const BATCH: u64 = 500;
/// Names shown of one image.
const MAX_NAMES: usize = 20;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Built more days ago than this, or on a base that has a newer one.
    pub older_than: u64,
    /// Only what is in use: what was pulled within this many days. Nothing better is known of where images run.
    pub in_use: Option<u64>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { older_than: OLD, in_use: None }
    }
}

/// `GET /api/v1/aging?older_than_days=&in_use_days=&after=`
pub(crate) async fn list(From(state): From<State>, asking: Asking) -> Result<Json<Aging>, Failure> {
    let number = |name: &str| match asking.some(name) {
        Some(text) => {
            text.parse().map(Some).map_err(|_| Failure::Asked(format!("`{name}` is a number of days")))
        }
        None => Ok(None),
    };
    let older_than = number("older_than_days")?.unwrap_or(OLD);
    let wanted = Wanted { older_than, in_use: number("in_use_days")? };
    Ok(Json(part(&state, wanted, asking.text("after")).await?))
}

/// A part of the list, by digest, after the digest `after`.
pub(crate) async fn part(state: &State, wanted: Wanted, after: &str) -> Result<Aging, Failure> {
    let mut look = Look::new(state).await?;
    let mut last = after.to_owned();
    let mut answer = Aging { at: look.now, images: Vec::new(), looked_at: 0, next: None };
    loop {
        let batch = state.facts.images_by_digest(&last, BATCH).await?;
        let Some((end, _)) = batch.last() else { return Ok(answer) };
        last = end.to_string();
        answer.looked_at += batch.len() as u64;
        let built = look.at(batch).await?;
        answer.images.extend(aged(state, wanted, built, look.now).await?);
        if answer.looked_at >= LOOKED_AT as u64 || answer.images.len() >= LISTED {
            answer.next = Some(last);
            return Ok(answer);
        }
    }
}

/// The base of one image, as far as known.
pub(crate) async fn base_of(state: &State, digest: &Digest) -> Result<Option<Base>, Failure> {
    let one = vec![(digest.clone(), Timestamp::UNIX_EPOCH)];
    Ok(Look::new(state).await?.at(one).await?.pop().and_then(|built| built.base))
}

/// When an image was built, and on what.
struct Built {
    digest: Digest,
    at: Timestamp,
    base: Option<Base>,
}

/// Those that have grown old, and, if so asked, are in use.
async fn aged(state: &State, wanted: Wanted, all: Vec<Built>, now: Timestamp) -> Result<Vec<Aged>, Failure> {
    let newer = |built: &Built| built.base.as_ref().is_some_and(|base| base.newer.is_some());
    let old = |built: &Built| days(built.at, now) > wanted.older_than || newer(built);
    let old: Vec<Built> = all.into_iter().filter(old).collect();
    let digests: Vec<Digest> = old.iter().map(|built| built.digest.clone()).collect();
    let pulls: HashMap<Digest, Timestamp> = state.facts.last_pulls_of(&digests).await?.into_iter().collect();
    let mut aged = Vec::with_capacity(old.len());
    for Built { digest, at, base } in old {
        let last_pull = pulls.get(&digest).copied();
        let used = wanted.in_use.is_none_or(|most| last_pull.is_some_and(|last| days(last, now) <= most));
        if used {
            let names = names(state.facts.tags_ever(&digest).await?);
            let (digest, days) = (digest.to_string(), days(at, now));
            aged.push(Aged { digest, names, built: at, days, last_pull, base });
        }
    }
    Ok(aged)
}

/// What is found out about many images, most of which share their bases.
struct Look<'a> {
    facts: &'a Facts,
    /// Where we are in the names of images.
    here: String,
    upstreams: Vec<Upstream>,
    now: Timestamp,
    /// By what an image says of its base.
    said: HashMap<(String, Option<Digest>), Option<Base>>,
    /// By the digest of the base.
    stored: HashMap<Digest, Option<Base>>,
}

impl<'a> Look<'a> {
    async fn new(state: &'a State) -> Result<Self, Failure> {
        let documents = state.facts.documents_of(UPSTREAM).await?;
        let bodies = documents.iter().filter_map(|document| document.body.as_deref());
        Ok(Self {
            facts: &state.facts,
            here: state.site.registry.clone(),
            upstreams: bodies.filter_map(|body| serde_json::from_str(body).ok()).collect(),
            now: (state.now)(),
            said: HashMap::new(),
            stored: HashMap::new(),
        })
    }

    /// Images with when they were pushed: when they were built, and on what.
    async fn at(&mut self, batch: Vec<(Digest, Timestamp)>) -> Result<Vec<Built>, Failure> {
        let digests: Vec<Digest> = batch.iter().map(|(digest, _)| digest.clone()).collect();
        let about: HashMap<Digest, About> = self.facts.about(&digests).await?.into_iter().collect();
        let mut chains: Vec<String> = about.values().flat_map(About::chains_below).collect();
        chains.sort_unstable();
        chains.dedup();
        let mut by_chain: HashMap<String, Digest> = HashMap::new();
        for (chain, digest) in self.facts.images_of_chains(&chains).await? {
            by_chain.entry(chain).or_insert(digest);
        }
        let mut all = Vec::with_capacity(batch.len());
        for (digest, pushed) in batch {
            let about = about.get(&digest);
            let at = built(about.and_then(|about| about.created), pushed, self.now);
            let base = match about {
                Some(about) => self.base(about, &by_chain).await?,
                None => None,
            };
            all.push(Built { digest, at, base });
        }
        Ok(all)
    }

    async fn base(
        &mut self,
        about: &About,
        by_chain: &HashMap<String, Digest>,
    ) -> Result<Option<Base>, Failure> {
        if let Some(name) = &about.base_name {
            let key = (name.clone(), about.base_digest.clone());
            let known = if let Some(known) = self.said.get(&key) {
                known.clone()
            } else {
                let found = self.said_base(name, about.base_digest.as_ref()).await?;
                self.said.insert(key, found.clone());
                found
            };
            if known.is_some() {
                return Ok(known);
            }
        }
        // The longest beginning first.
        let below = about.chains_below().into_iter().find_map(|chain| by_chain.get(&chain).cloned());
        let Some(below) = below else { return Ok(None) };
        if let Some(known) = self.stored.get(&below) {
            return Ok(known.clone());
        }
        let found = self.stored_base(&below).await?;
        self.stored.insert(below, found.clone());
        Ok(found)
    }

    /// The base as an image names it.
    async fn said_base(&self, name: &str, digest: Option<&Digest>) -> Result<Option<Base>, Failure> {
        // Without a digest nobody knows what the name meant then.
        let (Ok(reference), Some(digest)) = (name.parse::<Reference>(), digest) else { return Ok(None) };
        let mut found = Vec::new();
        if let Some(tag) = reference.tag() {
            for repository in self.repositories(&reference, digest).await? {
                if let Some((to, since, same)) = self.facts.pointed(&repository, tag, digest).await? {
                    let now = Some((to, since));
                    found.push(Name { repository, tag: tag.to_owned(), same, now });
                }
            }
        }
        let base = Base {
            name: name.to_owned(),
            digest: digest.to_string(),
            known_by: KnownBy::Annotation,
            newer: newer(&found).map(shown),
        };
        Ok(Some(base))
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

    /// The base that is stored here.
    async fn stored_base(&self, digest: &Digest) -> Result<Option<Base>, Failure> {
        let tags = self.facts.tags_ever(digest).await?;
        let called = tags.iter().max_by_key(|of| of.current);
        let name =
            called.map_or_else(|| "without a name here".to_owned(), |of| label(&of.repository, &of.tag));
        let found: Vec<Name> = tags.into_iter().map(named).collect();
        Ok(Some(Base {
            name,
            digest: digest.to_string(),
            known_by: KnownBy::Layers,
            newer: newer(&found).map(shown),
        }))
    }
}

fn named(of: TagOf) -> Name {
    Name { repository: of.repository, tag: of.tag, same: of.current, now: of.now }
}

fn shown(newer: boltseal_flow::aging::Newer) -> Newer {
    Newer { digest: newer.digest.to_string(), name: newer.name, since: newer.since }
}

fn names(tags: Vec<TagOf>) -> Vec<String> {
    let current = tags.into_iter().filter(|of| of.current);
    current.take(MAX_NAMES).map(|of| label(&of.repository, &of.tag)).collect()
}

fn label(repository: &str, tag: &str) -> String {
    format!("{repository}:{tag}")
}
