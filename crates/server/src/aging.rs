//! Images that have grown old: built long ago, or on a base that has a newer one.
//!
//! How the base is known, [`bases`](crate::bases) says. Its newer one is what the same tag points to now, in this registry
//! or in the cache of the registry that it came from. An image is in use if it was pulled lately: where images run is not
//! known.

use std::collections::HashMap;

use axum::{Json, extract::State as From};
use boltseal_api::aging::{Aged, Aging, Base};
use boltseal_flow::aging::{built, days};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{About, Facts};

use crate::{State, asking::Asking, bases::Look, failure::Failure};

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
        let built = built_on(&mut look, &state.facts, batch).await?;
        answer.images.extend(aged(state, wanted, built, look.now).await?);
        if answer.looked_at >= LOOKED_AT as u64 || answer.images.len() >= LISTED {
            answer.next = Some(last);
            return Ok(answer);
        }
    }
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
    let used = |digest: &Digest| {
        let last_pull = pulls.get(digest).copied();
        wanted.in_use.is_none_or(|most| last_pull.is_some_and(|last| days(last, now) <= most))
    };
    let old: Vec<Built> = old.into_iter().filter(|built| used(&built.digest)).collect();
    let digests: Vec<Digest> = old.iter().map(|built| built.digest.clone()).collect();
    let mut names: HashMap<Digest, Vec<String>> = HashMap::new();
    for (digest, repository, tag) in state.facts.tags_now(&digests).await? {
        let names = names.entry(digest).or_default();
        if names.len() < MAX_NAMES {
            names.push(format!("{repository}:{tag}"));
        }
    }
    let aged = old.into_iter().map(|Built { digest, at, base }| Aged {
        names: names.remove(&digest).unwrap_or_default(),
        last_pull: pulls.get(&digest).copied(),
        days: days(at, now),
        digest: digest.to_string(),
        built: at,
        base,
    });
    Ok(aged.collect())
}

/// Images with when they were pushed: when they were built, and on what.
async fn built_on(
    look: &mut Look<'_>,
    facts: &Facts,
    batch: Vec<(Digest, Timestamp)>,
) -> Result<Vec<Built>, Failure> {
    let digests: Vec<Digest> = batch.iter().map(|(digest, _)| digest.clone()).collect();
    let about: HashMap<Digest, About> = facts.about(&digests).await?.into_iter().collect();
    look.prepare(about.values()).await?;
    let mut all = Vec::with_capacity(batch.len());
    for (digest, pushed) in batch {
        let about = about.get(&digest);
        let at = built(about.and_then(|about| about.created), pushed, look.now);
        let base = match about {
            Some(about) => look.base(about).await?,
            None => None,
        };
        all.push(Built { digest, at, base });
    }
    Ok(all)
}
