//! Where an image comes from, as the page of the image and `GET /api/v1/images/{digest}/custody` tell it.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State as From},
};
use boltseal_api::custody::Chain;
use boltseal_audit::{Record, query::Filter, record::Activity};
use boltseal_flow::custody::{self, Known, Place, Places, Push};
use boltseal_model::{Digest, Report, Timestamp};
use boltseal_store::{Kind, RunWith};

use crate::{
    State,
    failure::Failure,
    pages::frame::{Part, Viewer},
    running::is_silent,
};

/// Records about one image that are looked at, the newest first; a pull is one, so a busy image has many.
const RECORDS: usize = 1_000;
/// Parts of the log that are looked through for them, some ten thousand entries each. Who pushed an image is remembered
/// beside the log, so what is older costs the number of an entry only.
const PARTS: usize = 4;
/// Containers of it that are counted.
const RUNNING: u64 = 10_000;

/// `GET /api/v1/images/{digest}/custody`
pub(crate) async fn show(
    From(state): From<State>,
    viewer: Viewer,
    Path(text): Path<String>,
) -> Result<Json<Chain>, Failure> {
    let digest: Digest =
        text.parse().map_err(|error: boltseal_model::DigestError| Failure::Asked(error.to_string()))?;
    let detail = state.facts.image(&digest).await?.ok_or_else(|| Failure::missing("image", &text))?;
    match detail.rows.first().map(|row| row.kind) {
        Some(Kind::Index) => Err(Failure::Asked(format!(
            "{digest} is an image for several platforms: ask for one of its images by digest"
        ))),
        Some(Kind::Artifact) => {
            Err(Failure::Asked(format!("{digest} is no image, but says something about one")))
        }
        _ => Ok(Json(chain(&state, &viewer, &digest, detail.report.as_ref()).await?)),
    }
}

/// The chain, with records where the viewer may read the log.
pub(crate) async fn chain(
    state: &State,
    viewer: &Viewer,
    digest: &Digest,
    report: Option<&Report>,
) -> Result<Chain, Failure> {
    let pushes = state.facts.pushers(digest).await?;
    let pushes: Vec<Push> =
        pushes.into_iter().map(|push| Push { by: push.by.name, at: push.at, to: push.repository }).collect();
    let may_read = viewer.parts.contains(&Part::Log);
    let records = if may_read { Some(records(state, digest).await?) } else { None };
    let running = &places(state, digest).await?;
    Ok(custody::chain(&Known { digest, report, pushes: &pushes, records: records.as_deref(), running }))
}

/// Where it runs, as nodes said last. Whoever may see the image may ask that, as of `GET /api/v1/running`.
async fn places(state: &State, digest: &Digest) -> Result<Places, Failure> {
    let now = (state.now)();
    let nodes: BTreeMap<String, Timestamp> = state.facts.nodes().await?.into_iter().collect();
    let silent = |host: &str| nodes.get(host).copied().filter(|told| is_silent(*told, now));
    let digests = [digest.clone()];
    let found = if nodes.is_empty() {
        Vec::new()
    } else {
        state.facts.running(RunWith::Images(&digests), RUNNING).await?
    };
    let containers = found.into_iter().map(|one| Place {
        silent: silent(&one.host),
        host: one.host,
        container: one.run.container,
        since: one.run.since,
    });
    Ok(Places {
        nodes: nodes.len(),
        silent: nodes.values().filter(|told| is_silent(**told, now)).count(),
        containers: containers.collect(),
    })
}

/// What the log says about the image, the newest first. Pulls are left out.
async fn records(state: &State, digest: &Digest) -> Result<Vec<(u64, Record)>, Failure> {
    let filter = Filter::parse([("subject", digest.to_string())]);
    let filter = filter.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let (mut all, mut before) = (Vec::new(), None);
    for _ in 0..PARTS {
        let page = state.recorder.page(filter.clone(), before, RECORDS).await?;
        all.extend(page.found.into_iter().filter(|found| found.sealed).filter_map(|found| {
            let record = found.record.filter(|record| record.activity != Activity::Read)?;
            Some((found.index, record))
        }));
        before = page.next;
        if before.is_none() || all.len() >= RECORDS {
            break;
        }
    }
    Ok(all)
}
