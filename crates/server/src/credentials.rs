//! The inventory of credentials that lie in images, as far as whoever asks may see the images.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::{Path, State as From},
};
use boltseal_api::credentials::{Credential, Credentials, Located, Place};
use boltseal_model::{Confidence, Digest, Fingerprint, Timestamp};
use boltseal_store::{CredentialFilter, Having, LeakRow, Observations};

use crate::{
    State, asking::Asking, attention::Attention, control::By, failure::Failure, parts::words, search::Seen,
};

/// Listed in one answer, when nobody says how many; and at most.
const LISTED: usize = 50;
const MAX_LISTED: usize = 500;
/// Read at a time, and looked at for one answer, for those that may be seen.
const BATCH: usize = 200;
const LOOKED_AT: usize = 5_000;
/// Places read of one batch, and shown of one credential: a base image's lies in every image on it.
const MAX_PLACES: u64 = 20_000;
const SHOWN: usize = 1_000;
/// Repositories told of one.
const MAX_REPOSITORIES: usize = 20;

/// Reads what is asked for.
pub(crate) fn filter(asking: &Asking) -> Result<CredentialFilter, Failure> {
    let confidence = match asking.some("confidence") {
        Some(word) => {
            let known = Confidence::ALL.into_iter().find(|one| one.word() == word);
            let wrong = || Failure::Asked("`confidence` is one of low, medium, high, verified".to_owned());
            Some(known.ok_or_else(wrong)?)
        }
        None => Some(Confidence::Medium),
    };
    let gone = match asking.text("gone") {
        "" => None,
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => return Err(Failure::Asked("`gone` is true or false".to_owned())),
    };
    let (text, rule) = (asking.some("q"), asking.some("kind"));
    Ok(CredentialFilter { text, rule, confidence, published: asking.ticked("published"), gone })
}

/// What of all images somebody should look at, the worst first.
pub(crate) fn concerns(seen: &Observations) -> Vec<Attention> {
    let one = |class, number: u64, word: &str, why, address: &str| {
        (number > 0).then(|| Attention {
            class,
            what: words::count(number, word),
            why,
            address: address.to_owned(),
        })
    };
    [
        one("deny", seen.malware, "image", "with known malware", "/images?having=malware"),
        one(
            "warn",
            seen.credentials,
            "credential",
            "in images, readable by whoever may pull",
            "/credentials?gone=no",
        ),
        one(
            "warn",
            seen.unsupported,
            "image",
            "on a release without security support",
            "/images?having=unsupported",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a list of images may be narrowed to, by its word.
pub(crate) fn having(word: &str, now: Timestamp) -> Option<Having> {
    Some(match word {
        "secrets" => Having::Secrets,
        "malware" => Having::Malware,
        "misconfigurations" => Having::Misconfigurations,
        "unowned" => Having::Unowned,
        "unsupported" => Having::Unsupported(now.as_millisecond()),
        "unrecognised" => Having::Unrecognised,
        _ => return None,
    })
}

/// `GET /api/v1/credentials`
pub(crate) async fn list(
    From(state): From<State>,
    by: By,
    asking: Asking,
) -> Result<Json<Credentials>, Failure> {
    let limit = asking.some("limit").and_then(|text| text.parse().ok()).unwrap_or(LISTED);
    let limit = limit.clamp(1, MAX_LISTED);
    Ok(Json(part(&state, &by, &filter(&asking)?, asking.text("after"), limit).await?))
}

/// `GET /api/v1/credentials/{fingerprint}`
pub(crate) async fn one(
    From(state): From<State>,
    by: By,
    Path(fingerprint): Path<String>,
) -> Result<Json<Located>, Failure> {
    Ok(Json(located(&state, &by, &fingerprint).await?))
}

/// A part of the list, after where the last one ended.
pub(crate) async fn part(
    state: &State,
    by: &By,
    filter: &CredentialFilter,
    after: &str,
    limit: usize,
) -> Result<Credentials, Failure> {
    let seen = Seen::of(state, by);
    let mut last = if after.is_empty() { None } else { Some(cursor(after)?) };
    let unrecognised = state.facts.observations((state.now)()).await?.unrecognised;
    let mut answer =
        Credentials { unrecognised: if seen.all { unrecognised } else { 0 }, ..Credentials::default() };
    let mut looked_at = 0;
    loop {
        let batch = state.facts.credentials(filter, last, BATCH as u64).await?;
        let ended = batch.len() < BATCH;
        let fingerprints: Vec<Fingerprint> = batch.iter().map(|one| one.fingerprint).collect();
        let mut places: BTreeMap<Fingerprint, Vec<LeakRow>> = BTreeMap::new();
        for row in state.facts.leaks_of(&fingerprints, MAX_PLACES).await? {
            places.entry(row.fingerprint).or_default().push(row);
        }
        let exact: BTreeMap<Fingerprint, u64> = if seen.all {
            state.facts.images_with(&fingerprints).await?.into_iter().collect()
        } else {
            BTreeMap::new()
        };
        looked_at += batch.len();
        for one in batch {
            last = Some((one.first_seen.as_millisecond(), one.fingerprint));
            let mut rows = places.remove(&one.fingerprint).unwrap_or_default();
            rows.retain(|row| seen.sees(&row.repository));
            let exact = exact.get(&one.fingerprint).copied();
            // Of what is in no image any more nobody knows where it was: that is for those who see everything.
            if seen.all || !rows.is_empty() {
                answer.credentials.push(shown(one, &rows, exact));
            }
            if answer.credentials.len() >= limit {
                break;
            }
        }
        let full = answer.credentials.len() >= limit || looked_at >= LOOKED_AT;
        if full || ended {
            answer.next = last.filter(|_| full).map(|(at, fingerprint)| format!("{at}.{fingerprint}"));
            return Ok(answer);
        }
    }
}

/// One of them, with its places.
pub(crate) async fn located(state: &State, by: &By, fingerprint: &str) -> Result<Located, Failure> {
    let missing = || Failure::missing("credential with the fingerprint", fingerprint);
    let wanted: Fingerprint = fingerprint.parse().map_err(|_| missing())?;
    let seen = Seen::of(state, by);
    let found = state.facts.credential(wanted).await?.ok_or_else(missing)?;
    let mut rows = state.facts.leaks_of(&[wanted], MAX_PLACES).await?;
    let all = rows.len();
    rows.retain(|row| seen.sees(&row.repository));
    // Whoever may see none of the images is not told that there is one.
    if rows.is_empty() && !seen.all {
        return Err(missing());
    }
    let exact = if seen.all { Some(state.facts.images_with(&[wanted]).await?) } else { None };
    let exact = exact.map(|found| found.first().map_or(0, |(_, images)| *images));
    let credential = shown(found, &rows, exact);
    let more = rows.len() > SHOWN || all as u64 >= MAX_PLACES;
    rows.truncate(SHOWN);
    let mut tags: BTreeMap<(String, Digest), Vec<String>> = BTreeMap::new();
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        let key = (row.repository.clone(), row.digest.clone());
        if !tags.contains_key(&key) {
            tags.insert(key.clone(), state.facts.tags_at(&row.repository, &row.digest).await?);
        }
        places.push(Place {
            repository: row.repository,
            digest: row.digest.to_string(),
            tags: tags.get(&key).cloned().unwrap_or_default(),
            place: row.place,
            layer: row.layer.map(|layer| layer.to_string()),
            hidden: row.hidden,
            package: row.package,
        });
    }
    Ok(Located { credential, places, more })
}

fn shown(one: boltseal_store::Credential, rows: &[LeakRow], images: Option<u64>) -> Credential {
    let different: BTreeSet<&Digest> = rows.iter().map(|row| &row.digest).collect();
    let repositories: BTreeSet<&String> = rows.iter().map(|row| &row.repository).collect();
    Credential {
        fingerprint: one.fingerprint.to_string(),
        kind: one.rule,
        title: one.title,
        confidence: one.confidence.word().to_owned(),
        published: one.published,
        first_seen: one.first_seen,
        last_seen: one.last_seen,
        images: images.unwrap_or(different.len() as u64),
        repositories: repositories.into_iter().take(MAX_REPOSITORIES).cloned().collect(),
    }
}

/// Where a part of the list ended: the moment, in milliseconds, and the fingerprint.
fn cursor(text: &str) -> Result<(i64, Fingerprint), Failure> {
    let parts = text.split_once('.');
    let read = parts.and_then(|(at, fingerprint)| {
        let at: i64 = at.parse().ok()?;
        Timestamp::from_millisecond(at).ok()?;
        Some((at, fingerprint.parse().ok()?))
    });
    read.ok_or_else(|| Failure::Asked("`after` is what an answer before called `next`".to_owned()))
}
